"""A shop that sends parcels: tenant, currency and status are reached by ways, and stand in no column of its documents."""

from dataclasses import replace

from fixtures.profile.money import Invoice, Payment, TotalAgain
from fixtures.record.names import TableName
from tests.checks.billing.probes import covered, credited, excess, finer, refunds, settles, tax, totals
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


packed_finer = finer("Packed")
ALL = (totals, tax, credited, covered, excess, settles, refunds, packed_finer)
