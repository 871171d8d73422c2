"""Payments in the smallest unit of their currency are held against documents in whole ones, to the last digit."""

from collections.abc import Callable

import pytest

from fixtures.checks.billing.settlement import overpaid_invoices, refunded_beyond, uncovered_invoices, without_invoice
from fixtures.profile import Profile
from fixtures.profile.money import Payment
from tests.support.small_shop import Shop

CENTS = """UPDATE "Sources" SET debited = debited * 100 + 50, refunded = 50"""


FAULTS: dict[str, tuple[str | None, ...]] = {
    "": (None, None, None, None),
    """UPDATE "Sources" SET debited = 2529""": ("id=1 difference=-0.01", None, None, None),
    """UPDATE "Sources" SET debited = 2531""": (None, "id=1 difference=0.01", None, None),
    """UPDATE "Sources" SET refunded = 150""": ("id=1 difference=-1.00", None, None, None),
    """UPDATE "Sources" SET refunded = 2531""": ("id=1 difference=-24.81", None, None, "id=1 difference=1.00"),
    # Three decimals, and none at all.
    """UPDATE "Orders" SET currency = 'KWD'; UPDATE "Sources" SET debited = 24851""": (
        None,
        "id=1 difference=0.001",
        None,
        None,
    ),
    """UPDATE "Orders" SET currency = 'JPY', total = 25; UPDATE "Sources" SET debited = 75""": (None, None, None, None),
    """UPDATE "Orders" SET currency = 'XTS'""": ("id=1 difference=-24.80", None, None, None),
}


@pytest.mark.parametrize("own_currency", [False, True])
@pytest.mark.parametrize("fault", FAULTS)
def test_what_was_paid_in_cents_covers_its_document(opened: Callable[[], Shop], fault: str, own_currency: bool) -> None:
    shop = opened()
    written = shop.profile.payment[1].model_dump() | {"minor_units": True}
    payment = Payment.model_validate(written if own_currency else written | {"currency": None})
    invoice = shop.profile.invoice[1].model_copy(update={"credits": None})
    shop.done(CENTS)
    shop.done(fault or "SELECT 1")
    shop.done("""UPDATE "Sources" s SET currency = o.currency FROM "Orders" o WHERE o.id = s."order" """)
    probes = (
        uncovered_invoices(payment, invoice, shop.books),
        overpaid_invoices(payment, invoice, shop.books),
        without_invoice(payment, invoice, shop.books),
        refunded_beyond(payment, invoice, shop.books),
    )
    said = [shop.told(probe) for probe in probes]
    assert tuple(each.samples[0] if each is not None else None for each in said) == FAULTS[fault]


def test_minor_units_need_currencies(opened: Callable[[], Shop]) -> None:
    said = opened().profile.model_dump()
    untaxed = [each | {"tax_rule": None} for each in said["invoice"]]
    cents = [each | {"minor_units": True} for each in said["payment"]]
    with pytest.raises(ValueError, match=r"has minor_units, which needs \[currencies\]"):
        Profile.model_validate(said | {"invoice": untaxed, "payment": cents, "currencies": None})
