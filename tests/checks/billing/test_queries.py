"""Documents, lines and payments found by a query of the profile's own are tried first, then judged as those of tables."""

from collections.abc import Callable

import pytest

from fixtures.checks.billing.ledger import below_zero, broken_running_balance
from fixtures.checks.masking import masked_text
from fixtures.checks.probe import Probe
from tests.checks.billing.books_of_queries import problems, with_queries
from tests.checks.billing.probes import (
    account,
    covered,
    credited,
    excess,
    holes,
    numbers,
    overlaps,
    processed,
    refunds,
    runs,
    settles,
    signs,
    tax,
    totals,
    unpaid,
    used,
)
from tests.support.small_shop import ACME, ZEN, Shop


@pytest.fixture
def shop(opened: Callable[[], Shop]) -> Shop:
    return with_queries(opened())


def entries(shop: Shop) -> Probe:
    return broken_running_balance(shop.profile.ledger[0], "balance", shop.books)


def accounts(shop: Shop) -> Probe:
    return account(shop, 1)


def wallets(shop: Shop) -> Probe:
    return below_zero(shop.profile.ledger[0], shop.books)


ALL = (totals, credited, covered, unpaid, excess, settles, numbers, tax, refunds, processed)
ALL += (entries, accounts, signs, wallets, used, overlaps, holes, runs)

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
