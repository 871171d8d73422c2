"""A shop that sends parcels: tenant, currency and status are reached by ways, and stand in no column of its documents."""

from dataclasses import replace

from fixtures.checks.billing.currencies import InCurrency, finer_than_its_currency
from fixtures.checks.billing.document import wrong_totals, wrongly_credited
from fixtures.checks.billing.settlement import overpaid_invoices, refunded_beyond, uncovered_invoices, without_invoice
from fixtures.checks.billing.tax import wrong_tax
from fixtures.checks.probe import Probe
from fixtures.database.money_columns import summed_columns
from fixtures.profile.money import Invoice, Payment, TotalAgain
from fixtures.record.names import TableName
from tests.support.small_shop import Shop

MISSPELT = TotalAgain(column="number", json_path="$of..sum")
PARCELS, PACKED = TableName("Shop", "Parcels"), TableName("Shop", "Packed")
PARCEL = {
    "name": "parcels",
    "table": "Shop.Parcels",
    "tenant": "order.tenantCode",
    "currency": "(Shop.Setting).defaultCurrency",
    "status": "order.state",
    "paid": ("complete",),
    "unpaid": ("pending",),
    "tax": "vat",
    "tax_rule": {
        "of": "price",
        "line_rate": "box.parcel.rate.percent",
        "percent": True,
        "rounding": "half up",
        "per_line": True,
    },
    "total": "gross",
    "lines": {"table": "Shop.Packed", "invoice": "box.parcel", "amount": "price"},
    "credits": {"table": "Shop.Returns", "invoice": "receipt.box.parcel", "amount": "amount"},
}
RECEIPT = {
    "name": "receipts",
    "settles": "parcels",
    "table": "Shop.Receipts",
    "invoice": "box.parcel",
    "tenant": "box.parcel.order.tenantCode",
    "currency": "'EUR'",
    "amount": "taken",
    "refunds": {"table": "Shop.Returns", "payment": "receipt", "amount": "amount"},
}


def parcels(shop: Shop, **other: object) -> Shop:
    """The shop as one that sends parcels, whose own rows tell neither their tenant nor their currency nor their status."""
    invoice, payment = Invoice.model_validate(PARCEL | other), Payment.model_validate(RECEIPT)
    update = {"invoice": (invoice,), "payment": (payment,), "domain": (), "follows": ()}
    return replace(shop, profile=shop.profile.model_copy(update=update))


def totals(shop: Shop) -> Probe:
    return wrong_totals(shop.profile.invoice[0], shop.books)


def tax(shop: Shop) -> Probe:
    invoice, currencies = shop.profile.invoice[0], shop.profile.currencies
    assert invoice.tax_rule is not None
    assert currencies is not None
    return wrong_tax(invoice, invoice.tax_rule, currencies, shop.books)


def credited(shop: Shop) -> Probe:
    return wrongly_credited(shop.profile.invoice[0], shop.books)


def covered(shop: Shop) -> Probe:
    return uncovered_invoices(shop.profile.payment[0], shop.profile.invoice[0], shop.books)


def excess(shop: Shop) -> Probe:
    return overpaid_invoices(shop.profile.payment[0], shop.profile.invoice[0], shop.books)


def settles(shop: Shop) -> Probe:
    return without_invoice(shop.profile.payment[0], shop.profile.invoice[0], shop.books)


def refunds(shop: Shop) -> Probe:
    payment = shop.profile.payment[0]
    return refunded_beyond(payment, shop.profile.invoice_named(payment.settles), shop.books)


def finer(shop: Shop) -> Probe:
    places = {money.column: money.currency for money in summed_columns(shop.profile, shop.facts)[PACKED]}
    currencies = shop.profile.currencies
    assert currencies is not None
    held = InCurrency(PACKED, {column: place for column, place in places.items() if place is not None}, currencies)
    return finer_than_its_currency(held, shop.books)


ALL = (totals, tax, credited, covered, excess, settles, refunds, finer)
