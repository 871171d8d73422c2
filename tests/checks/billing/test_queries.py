"""Documents, lines and payments found by a query of the profile's own are tried first, then judged as those of tables."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from fixtures.checks.billing.document import used_twice, wrong_totals, wrongly_credited
from fixtures.checks.billing.ledger import below_zero, broken_account_balance, broken_running_balance, wrong_signs
from fixtures.checks.billing.period import not_running, overlapping_periods, with_a_hole_before
from fixtures.checks.billing.settlement import (
    Processed,
    overpaid_invoices,
    paid_though_unpaid,
    processed_twice,
    refunded_beyond,
    uncovered_invoices,
    without_invoice,
)
from fixtures.checks.billing.tax import wrong_tax
from fixtures.checks.billing.usage import not_charged_alike
from fixtures.checks.masking import masked_text
from fixtures.checks.probe import Probe
from tests.checks.billing.books_of_queries import problems, with_queries
from tests.support.small_shop import ACME, ZEN, Shop


@pytest.fixture
def shop(opened: Callable[[], Shop]) -> Shop:
    return with_queries(opened())


def of_document(probe: Callable[..., Probe]) -> Callable[[Shop], Probe]:
    return lambda shop: probe(shop.profile.invoice[0], shop.books)


def of_both(probe: Callable[..., Probe]) -> Callable[[Shop], Probe]:
    return lambda shop: probe(shop.profile.payment[0], shop.profile.invoice[0], shop.books)


def numbers(shop: Shop) -> Probe:
    invoice = shop.profile.invoice[0]
    assert invoice.numbering is not None
    return used_twice(invoice, invoice.numbering, shop.books)


def tax(shop: Shop) -> Probe:
    invoice, currencies = shop.profile.invoice[0], shop.profile.currencies
    assert invoice.tax_rule is not None
    assert currencies is not None
    return wrong_tax(invoice, invoice.tax_rule, currencies, shop.books)


def refunds(shop: Shop) -> Probe:
    payment = shop.profile.payment[0]
    return refunded_beyond(payment, shop.profile.invoice_named(payment.settles), shop.books)


def processed(shop: Shop) -> Probe:
    return processed_twice(Processed(shop.profile.payment[0]), shop.books)


def entries(shop: Shop) -> Probe:
    return broken_running_balance(shop.profile.ledger[0], "balance", shop.books)


def accounts(shop: Shop) -> Probe:
    ledger = shop.profile.ledger[1]
    assert ledger.balance_of is not None
    return broken_account_balance(ledger, ledger.balance_of, shop.books)


def kinds(shop: Shop) -> Probe:
    ledger = shop.profile.ledger[0]
    assert ledger.kinds is not None
    return wrong_signs(ledger, ledger.kinds, shop.books)


def wallets(shop: Shop) -> Probe:
    return below_zero(shop.profile.ledger[0], shop.books)


def used(shop: Shop) -> Probe:
    return not_charged_alike(shop.profile.usage[0], shop.profile.ledger[0], shop.books)


def overlaps(shop: Shop) -> Probe:
    return overlapping_periods(shop.profile.period[0], shop.books)


def holes(shop: Shop) -> Probe:
    return with_a_hole_before(shop.profile.period[0], shop.books)


def runs(shop: Shop) -> Probe:
    period = shop.profile.period[0]
    assert period.active is not None
    return not_running(period, period.active, datetime(2026, 1, 10, tzinfo=UTC), shop.books)


totals, credited = of_document(wrong_totals), of_document(wrongly_credited)
covered, unpaid = of_both(uncovered_invoices), of_both(paid_though_unpaid)
excess, settles = of_both(overpaid_invoices), of_both(without_invoice)
ALL = (totals, credited, covered, unpaid, excess, settles, numbers, tax, refunds, processed)
ALL += (entries, accounts, kinds, wallets, used, overlaps, holes, runs)

WRONG: dict[str, tuple[Callable[[Shop], Probe], str, str, tuple[str, ...]]] = {
    "a line lost": (
        totals,
        """DELETE FROM "Items" WHERE price = 5""",
        f"have a total that is not the sum of their lines plus tax; tenant={ACME} currency=EUR rows=1 by_lines=5.00",
        ("id=1 by_lines=5.00",),
    ),
    "more credited than the order came to": (
        credited,
        """UPDATE "Sources" SET refunded = 24.81""",
        "are credited for more than their total, or for another sum than their credits add up to; "
        f"tenant={ACME} currency=EUR rows=1 beyond=0.01 difference=0.00",
        ("id=1 beyond=0.01 difference=0.00",),
    ),
    "a cent short": (
        covered,
        """UPDATE "Sources" SET debited = 24.79""",
        "are marked paid and not covered by succeeded payments of the same tenant and currency; "
        f"tenant={ACME} currency=EUR rows=1 difference=-0.01",
        ("id=1 difference=-0.01",),
    ),
    "a cent too much": (
        excess,
        """UPDATE "Sources" SET debited = 24.81""",
        "are paid beyond their total, and no credit was given for the rest; "
        f"tenant={ACME} currency=EUR rows=1 difference=0.01",
        ("id=1 difference=0.01",),
    ),
    "paid in another currency": (
        settles,
        """UPDATE "Sources" SET currency = 'JPY'""",
        f"settle no invoice of their own tenant and currency; tenant={ACME} rows=1",
        ("id=1",),
    ),
    "a number left out": (
        numbers,
        """INSERT INTO "Orders" VALUES (4, 'zen', 'EUR', 'pending', 9, 1)""",
        f"have a number that another has, or that leaves a gap before it; tenant={ZEN} rows=1 missing=1",
        ("id=4 again=False missing=1",),
    ),
    "an entry whose balance does not follow": (
        entries,
        """UPDATE "Entries" SET balance = 114 WHERE no = 4""",
        f"carry a balance that is not the one before plus their amount; tenant={ACME} rows=1 difference=-1",
        (f"id={masked_text('acme4', b'key')} difference=-1",),
    ),
    "an account that began with something else": (
        entries,
        """UPDATE "Openings" SET points = 99""",
        f"carry a balance that is not the one before plus their amount; tenant={ACME} rows=1 difference=1",
        (f"id={masked_text('acme1', b'key')} difference=1",),
    ),
    "an account that holds more than its entries": (
        accounts,
        """UPDATE "Tenants" SET points = 1 WHERE code = 'zen'""",
        f"hold a balance that is not the sum of their ledger; tenant={ZEN} rows=1 difference=1",
        (f"account={ZEN} difference=1",),
    ),
    "usage that no entry was charged for": (
        used,
        """INSERT INTO "Spent" VALUES ('zen', 3)""",
        f"have a charge that differs from their usage (account); tenant={ZEN} rows=1 difference=3",
        (f"account={ZEN} difference=3",),
    ),
    "a day in two periods": (
        overlaps,
        """UPDATE "Plans" SET ends = '2026-01-02' WHERE id = 1""",
        f"overlap an earlier one of the same owner, or end before they begin; tenant={ACME} rows=1",
        ("id=2",),
    ),
    "more given back than was received": (
        refunds,
        """UPDATE "Sources" SET refunded = 24.81""",
        f"were refunded for more than was received; tenant={ACME} currency=EUR rows=1 difference=0.01",
        ("id=1 difference=0.01",),
    ),
}


def test_a_sound_shop_whose_books_are_queries_has_nothing_to_be_told(shop: Shop) -> None:
    assert problems(shop) == ()
    assert [shop.told(probe(shop)) for probe in ALL] == [None] * len(ALL)


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_in_rows_of_a_query_is_told_by_key_difference_and_tenant(shop: Shop, what: str) -> None:
    probe, fault, message, samples = WRONG[what]
    shop.done(fault)
    told = shop.told(probe(shop))
    assert told is not None
    assert told.message.endswith(message)
    assert told.samples == samples
