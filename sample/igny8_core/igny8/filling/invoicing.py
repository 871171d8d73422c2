# ruff: noqa: RUF001
"""Subscriptions, invoices with their lines, payments and refunds.

The rule of a paid invoice: succeeded payments less succeeded refunds = total less credited, in its own currency.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from random import Random

from . import canary
from .invoice_status import invoice_status
from .outline import CURRENCIES, MONTHS, Outline, TenantOutline
from .pricing import price
from .rows import Rows

_PERIOD = 6  # months
_PERIODS = MONTHS // _PERIOD
_TAX_RATES = ("0", "0.0500", "0.1000", "0.1925")
_EXTRAS = ("Extra credits", "Dépôt d’images", "Домен", "追加のサイト", "دعم مميز")


@dataclass
class _Payment:
    amount: Decimal
    status: str
    at: datetime
    refunded: Decimal = Decimal(0)
    reason: str = ""


@dataclass
class _Invoice:
    tenant: TenantOutline
    month: int
    status: str
    lines: list[tuple[str, int, Decimal]]
    tax_rate: Decimal
    subtotal: Decimal
    tax: Decimal
    credited: Decimal = Decimal(0)
    payments: list[_Payment] = field(default_factory=list)

    @property
    def id(self) -> int:
        return self.tenant.invoice(self.month)

    @property
    def total(self) -> Decimal:
        return self.subtotal + self.tax


def _invoices(outline: Outline) -> Iterator[_Invoice]:
    for tenant in outline.tenants:
        for month in range(MONTHS):
            yield _invoice(outline, tenant, month)


def _invoice(outline: Outline, tenant: TenantOutline, month: int) -> _Invoice:
    random = outline.random("invoice", tenant.id, month)
    _, decimals, rate = CURRENCIES[tenant.currency]
    smallest = Decimal(1).scaleb(-decimals)
    lines = [(f"Subscription, month {month + 1}", 1, price(tenant.currency, tenant.plan))]
    for _ in range(random.randrange(4)):
        unit = (Decimal(random.randint(50, 2000)) / 100 * Decimal(rate)).quantize(smallest)
        lines.append((random.choice(_EXTRAS), random.randint(1, 20), unit))
    if tenant.id == 1 and month == 3:
        lines.append((f"As agreed with {canary.NAME}", 1, smallest))
    subtotal = sum((quantity * unit for _, quantity, unit in lines), Decimal(0))
    tax_rate = Decimal(_TAX_RATES[tenant.id % len(_TAX_RATES)])
    tax = (subtotal * tax_rate).quantize(smallest, ROUND_HALF_UP)
    status = invoice_status(outline, tenant, month)
    invoice = _Invoice(tenant, month, status, lines, tax_rate, subtotal, tax)
    _settle(outline, invoice, random, smallest)
    return invoice


def _settle(outline: Outline, invoice: _Invoice, random: Random, smallest: Decimal) -> None:
    """How it was paid: at once, at the second try, in two parts, twice by mistake, or with something credited."""
    at = outline.moment(invoice.month, 86400 * random.uniform(1, 9))
    pays = invoice.payments
    chance = random.random()
    if invoice.status == "open" and chance < 0.5:
        pays.append(_Payment(invoice.total, "pending" if chance < 0.25 else "failed", at))
    if invoice.status == "void" and chance < 0.5:
        pays.append(_Payment(invoice.total, "failed", at))
    if invoice.status != "paid":
        return
    if chance < 0.08:
        pays.append(_Payment(invoice.total, "failed", at - timedelta(hours=20)))
    if 0.08 <= chance < 0.13:
        part = (invoice.total * Decimal("0.4")).quantize(smallest)
        pays += [_Payment(part, "succeeded", at - timedelta(hours=9)), _Payment(invoice.total - part, "succeeded", at)]
        return
    pays.append(_Payment(invoice.total, "succeeded", at))
    if 0.13 <= chance < 0.17:
        pays.append(_Payment(invoice.total, "succeeded", at + timedelta(hours=1), invoice.total, "paid twice"))
    elif 0.17 <= chance < 0.21:
        invoice.credited = (invoice.total * Decimal("0.25")).quantize(smallest)
        pays[-1].refunded, pays[-1].reason = invoice.credited, "credited"


def tables(outline: Outline) -> Iterator[Rows]:
    yield Rows(
        "igny8_subscriptions",
        ("id", "tenant_id", "plan_id", "status", "period_start", "period_end"),
        _subscriptions(outline),
    )
    yield Rows(
        "igny8_invoices",
        (
            *("id", "tenant_id", "number", "subscription_id", "currency_id", "status", "lines"),
            *("subtotal", "tax_rate", "tax", "total", "credited", "issued_on", "paid_at"),
        ),
        _invoice_rows(outline),
    )
    yield Rows(
        "igny8_invoice_lines",
        ("id", "invoice_id", "position", "description", "quantity", "unit_price"),
        _line_rows(outline),
    )
    yield Rows(
        "igny8_payments",
        ("id", "tenant_id", "invoice_id", "currency_id", "amount", "status", "method", "reference", "created_at"),
        _payment_rows(outline),
    )
    yield Rows("igny8_refunds", ("id", "payment_id", "amount", "status", "reason", "created_at"), _refund_rows(outline))


def _subscription(tenant: TenantOutline, month: int) -> int:
    return (tenant.id - 1) * _PERIODS + month // _PERIOD + 1


def _subscriptions(outline: Outline) -> Iterator[tuple[object, ...]]:
    for tenant in outline.tenants:
        for month in range(0, MONTHS, _PERIOD):
            status = "active" if month + _PERIOD == MONTHS else "ended"
            start, end = outline.day(month), outline.day(month + _PERIOD)
            yield _subscription(tenant, month), tenant.id, tenant.plan + 1, status, start, end


def _invoice_rows(outline: Outline) -> Iterator[tuple[object, ...]]:
    for i in _invoices(outline):
        printed = json.dumps(
            [
                {"description": what, "quantity": n, "unit_price": str(unit), "amount": str(n * unit)}
                for what, n, unit in i.lines
            ],
            ensure_ascii=False,
        )
        number = f"{outline.day(i.month).year}-{i.month + 1:04d}"
        issued = None if i.status == "draft" else outline.day(i.month)
        paid = max(p.at for p in i.payments if not p.refunded or p.reason == "credited") if i.status == "paid" else None
        yield (
            *(i.id, i.tenant.id, number, _subscription(i.tenant, i.month), i.tenant.currency, i.status, printed),
            *(i.subtotal, i.tax_rate, i.tax, i.total, i.credited, issued, paid),
        )


def _line_rows(outline: Outline) -> Iterator[tuple[object, ...]]:
    number = 0
    for invoice in _invoices(outline):
        for position, (description, quantity, unit) in enumerate(invoice.lines, 1):
            number += 1
            yield number, invoice.id, position, description, quantity, unit


def _payments(outline: Outline) -> Iterator[tuple[int, _Invoice, _Payment]]:
    number = 0
    for invoice in _invoices(outline):
        for payment in invoice.payments:
            number += 1
            yield number, invoice, payment


def _payment_rows(outline: Outline) -> Iterator[tuple[object, ...]]:
    for number, invoice, payment in _payments(outline):
        tenant = invoice.tenant
        method = ("card", "transfer", "wallet")[number % 3]
        reference = f"card {canary.CARD}" if number == 2 else f"pay_{number:08d}"
        yield (
            *(number, tenant.id, invoice.id, tenant.currency, payment.amount),
            *(payment.status, method, reference, payment.at),
        )


def _refund_rows(outline: Outline) -> Iterator[tuple[object, ...]]:
    number = 0
    for payment_id, _, payment in _payments(outline):
        if payment.refunded:
            number += 1
            at = payment.at + timedelta(days=2)
            yield number, payment_id, payment.refunded, "succeeded", payment.reason, at
