"""The credit ledger of each tenant, and the usage that it accounts for.

Entries run from 1 without a gap, in the order of time; a balance never falls below nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from .invoice_status import invoice_status
from .outline import MONTHS, Outline, TenantOutline
from .pricing import monthly_credits
from .rows import Rows

OPERATIONS = ("write_article", "cluster_keywords", "make_image", "publish_site")
_ENTRIES_A_MONTH = 9
_DAY = 24 * 60 * 60


@dataclass(frozen=True)
class Entry:
    entry_no: int
    kind: str
    amount: Decimal
    balance_after: Decimal
    invoice: int | None
    operation: str | None
    content: int | None
    created_at: datetime


def entries(outline: Outline, tenant: TenantOutline) -> Iterator[Entry]:
    """A month's paid invoice grants credits; usage takes them; now and then somebody adjusts."""
    random = outline.random("ledger", tenant.id)
    balance, number = Decimal(0), 0
    for month in range(MONTHS):
        for step in range(_ENTRIES_A_MONTH):
            at = outline.moment(month, step * 3 * _DAY + random.randrange(2 * _DAY))
            invoice = operation = content = None
            if step == 0 and invoice_status(outline, tenant, month) == "paid":
                kind, amount, invoice = "grant", monthly_credits(tenant.plan), tenant.invoice(month)
            elif random.random() < 0.03:
                kind, amount = "adjustment", Decimal(random.randint(1, 400)) / 8
            else:
                kind = "usage"
                amount = -(balance * random.randint(1, 250) / 1000).quantize(Decimal("0.001"))
                operation = random.choice(OPERATIONS)
                if random.random() < 0.8:
                    content = random.choice(outline.sites[random.choice(tenant.sites) - 1].content)
            if not amount:
                continue
            balance, number = balance + amount, number + 1
            yield Entry(number, kind, amount, balance, invoice, operation, content, at)


def closing_balance(outline: Outline, tenant: TenantOutline) -> Decimal:
    return sum((entry.amount for entry in entries(outline, tenant)), Decimal(0))


def tables(outline: Outline) -> Iterator[Rows]:
    yield Rows(
        "igny8_credit_ledger",
        ("id", "tenant_id", "entry_no", "kind", "amount", "balance_after", "invoice_id", "created_at"),
        _ledger(outline),
    )
    yield Rows(
        "igny8_usage_logs",
        ("usage_no", "tenant_id", "entry_no", "content_id", "operation", "credits", "created_at"),
        _usage(outline),
        key="usage_no",
    )
    yield Rows("igny8_usage_days", ("tenant_id", "day", "operations", "credits"), _days(outline), key=None)


def _ledger(outline: Outline) -> Iterator[tuple[object, ...]]:
    number = 0
    for tenant in outline.tenants:
        for e in entries(outline, tenant):
            number += 1
            yield number, tenant.id, e.entry_no, e.kind, e.amount, e.balance_after, e.invoice, e.created_at


def _usage(outline: Outline) -> Iterator[tuple[object, ...]]:
    number = 0
    for tenant in outline.tenants:
        for e in entries(outline, tenant):
            if e.kind == "usage":
                number += 1
                yield number, tenant.id, e.entry_no, e.content, e.operation, -e.amount, e.created_at


def _days(outline: Outline) -> Iterator[tuple[object, ...]]:
    for tenant in outline.tenants:
        days: dict[date, tuple[int, Decimal]] = {}
        for e in entries(outline, tenant):
            if e.kind == "usage":
                operations, credits = days.get(e.created_at.date(), (0, Decimal(0)))
                days[e.created_at.date()] = operations + 1, credits - e.amount
        for day, (operations, credits) in days.items():
            yield tenant.id, day, operations, credits
