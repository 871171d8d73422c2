"""What is declared of money is compiled to SQL that is silent about the sound and tells the wrong to the last digit."""

from collections.abc import Callable

import pytest

from fixtures.checks.probe import Probe
from tests.checks.billing.probes import (
    SOUND,
    account,
    covered,
    credited,
    excess,
    finer,
    holes,
    later,
    lists,
    nought,
    number,
    numbers,
    order,
    overlaps,
    processed,
    refunds,
    running,
    runs,
    settles,
    signs,
    tax,
    totals,
    unpaid,
    used,
)
from tests.support.small_shop import ACME, ZEN, Shop, Told


@pytest.mark.parametrize("probe", SOUND)
def test_a_sound_shop_has_nothing_to_be_told(shop: Shop, probe: Callable[[Shop], Probe]) -> None:
    # Deleted softly, it broke every rule; the rules that know no soft deletion are not about it.
    shop.done("""UPDATE "Bills" SET currency = 'EUR' WHERE id = 6""")
    assert shop.told(probe(shop)) is None


WRONG: dict[str, tuple[Callable[[Shop], Probe], str, str, tuple[str, ...]]] = {
    "an account goes on from another opening": (
        running,
        """UPDATE "Openings" SET points = 99""",
        "1 of 5 ledger entries carry a balance that is not the one before plus their amount; "
        f"tenant={ACME} rows=1 difference=1",
        (f"tenantCode={ACME} no=1 difference=1",),
    ),
    "an entry deleted softly was counted in the next balance": (
        running,
        """UPDATE "Entries" SET void = true WHERE "tenantCode" = 'acme' AND no = 2""",
        f"1 of 4 ledger entries carry a balance that is not the one before plus their amount; "
        f"tenant={ACME} rows=1 difference=-30",
        (f"tenantCode={ACME} no=4 difference=-30",),
    ),
    "a balance without its opening": (
        account,
        """UPDATE "Openings" SET points = NULL""",
        f"1 of 2 accounts hold a balance that is not the sum of their ledger; tenant={ACME} rows=1 difference=100",
        (f"code={ACME} difference=100",),
    ),
    "a charge that gives, a kind that nobody knows and one that is empty": (
        signs,
        """UPDATE "Entries" SET amount = 30 WHERE kind = 'spend' AND "tenantCode" = 'acme';
           UPDATE "Entries" SET kind = 'gift' WHERE kind = 'correct';
           UPDATE "Entries" SET kind = NULL WHERE kind = 'expire'""",
        "3 of 5 ledger entries are of a kind that is not declared, or have an amount of the wrong sign for their kind; "
        f"tenant={ACME} rows=2 wrong_amount=30; tenant={ZEN} rows=1 wrong_amount=None",
        (
            f"tenantCode={ACME} no=2 wrong_amount=30 unknown_kind=False",
            f"tenantCode={ACME} no=4 wrong_amount=None unknown_kind=True",
            f"tenantCode={ZEN} no=1 wrong_amount=None unknown_kind=True",
        ),
    ),
    "usage that was not charged, and a charge for none": (
        used,
        """UPDATE "Spent" SET points = 21 WHERE points = 20; DELETE FROM "Spent" WHERE tenant = 'zen'""",
        "2 of 3 charges have a charge that differs from their usage (tenantCode); "
        f"tenant={ACME} rows=1 difference=1; tenant={ZEN} rows=1 difference=-4",
        (f"tenantCode={ACME} difference=1", f"tenantCode={ZEN} difference=-4"),
    ),
    "a cent of shipping, a discount that was not taken, a line removed": (
        totals,
        """UPDATE "Bills" SET shipping = 4.01 WHERE id = 1; UPDATE "Bills" SET discount = 0.5 WHERE id = 2;
           UPDATE "Lines" SET "removedAt" = '2026-01-01' WHERE bill = 3""",
        "3 of 5 invoices have a total that is not the sum of their lines plus tax; "
        f"tenant={ACME} currency=EUR rows=2 by_lines=0.49 by_subtotal=0.49; "
        f"tenant={ACME} currency=JPY rows=1 by_lines=105 by_subtotal=0",
        (
            "id=1 by_lines=-0.01 by_subtotal=-0.01",
            "id=2 by_lines=0.50 by_subtotal=0.50",
            "id=3 by_lines=105 by_subtotal=0",
        ),
    ),
    "a half rounded up that goes to the even, and a currency that nobody knows": (
        tax,
        """UPDATE "Bills" SET vat = 0.63 WHERE id = 1; UPDATE "Bills" SET currency = 'XTS' WHERE id = 4""",
        "2 of 5 invoices carry a tax that is not their rate of what is taxed, rounded as declared; "
        f"tenant={ACME} currency=EUR rows=1 difference=0.01; tenant={ZEN} currency=XTS rows=1 difference=None",
        ("id=1 difference=0.01", "id=4 difference=None"),
    ),
    "a number used twice in a year, and one left out": (
        numbers,
        """UPDATE "Bills" SET number = 'R-003' WHERE id = 3;
           UPDATE "Bills" SET number = 'R-007' WHERE id = 5; UPDATE "Bills" SET issued = '2026-03-03' WHERE id = 5""",
        "2 of 5 numbered documents have a number that another has, or that leaves a gap before it; "
        f"tenant={ACME} rows=1 missing=1; tenant={ZEN} rows=1 missing=0",
        ("id=3 again=False missing=1", "id=5 again=True missing=0"),
    ),
    "a number that is none": (
        numbers,
        """UPDATE "Bills" SET number = 'R-x' WHERE id = 4""",
        "1 of 4 numbered documents have a number that another has, or that leaves a gap before it; "
        f"tenant={ZEN} rows=1 missing=1",
        ("id=4 again=False missing=1",),
    ),
    "a credit above its invoice, and a negative one": (
        credited,
        """UPDATE "Notes" SET amount = 16.13 WHERE id = 1; INSERT INTO "Notes" VALUES (3, 4, -0.001, 'sent')""",
        "2 of 5 invoices are credited for more than their total, or for another sum than their credits add up to; "
        f"tenant={ACME} currency=EUR rows=1 beyond=0.01 difference=0.00; "
        f"tenant={ZEN} currency=KWD rows=1 beyond=-0.001 difference=0.000",
        ("id=1 beyond=0.01 difference=0.00", "id=4 beyond=-0.001 difference=0.000"),
    ),
    "a cent short of what is left after credit": (
        covered,
        """UPDATE "Charges" SET amount = 10.11 WHERE id = 1""",
        "1 of 2 paid invoices are marked paid and not covered by succeeded payments of the same tenant and currency; "
        f"tenant={ACME} currency=EUR rows=1 difference=-0.01",
        ("id=1 difference=-0.01",),
    ),
    "money kept for what is void": (
        unpaid,
        """UPDATE "Refunds" SET amount = 114 WHERE id = 2""",
        "1 of 1 unpaid invoices are of a status that means unpaid, and money was kept for them; "
        f"tenant={ACME} currency=JPY rows=1 difference=1",
        ("id=3 difference=1",),
    ),
    "an excess that was not credited, and an open invoice paid twice": (
        excess,
        """UPDATE "Excess" SET amount = 0.499; INSERT INTO "Charges" VALUES (7, 2, 14.19, 'ok', 'stripe', 'ch_7')""",
        "2 of 4 invoices are paid beyond their total, and no credit was given for the rest; "
        f"tenant={ACME} currency=EUR rows=1 difference=0.01; tenant={ZEN} currency=KWD rows=1 difference=0.001",
        ("id=2 difference=0.01", "id=4 difference=0.001"),
    ),
    "a payment for an invoice that was deleted": (
        settles,
        """UPDATE "Charges" SET bill = 6 WHERE id = 4""",
        f"1 of 6 payments settle no invoice of their own tenant and currency; tenant={ZEN} rows=1",
        ("id=4",),
    ),
    "a charge that stands for two payments": (
        processed,
        """UPDATE "Charges" SET processor = 'stripe' WHERE id = 2""",
        f"1 of 3 rows succeeded under an id of the payment processor that an earlier one has; tenant={ACME} rows=1",
        ("id=2",),
    ),
    "a cent too much given back in two parts, and a refund of nothing": (
        refunds,
        """INSERT INTO "Refunds" VALUES (4, 1, 8.13, 'ok'), (5, 999, 1, 'ok')""",
        "2 of 3 refunded payments were refunded for more than was received; "
        f"tenant={ACME} rows=1 difference=0.01; tenant=None rows=1 difference=1",
        ("id=1 difference=0.01", "id=999 difference=1"),
    ),
    "a day in two periods": (
        overlaps,
        """UPDATE "Plans" SET ends = '2026-01-02' WHERE id = 1""",
        f"1 of 4 periods overlap an earlier one of the same owner, or end before they begin; tenant={ACME} rows=1",
        ("id=2",),
    ),
    "a day between two periods, of one product alone": (
        holes,
        """UPDATE "Plans" SET ends = '2025-12-31' WHERE id = 1""",
        f"1 of 4 periods begin later than the one before of the same owner ends; tenant={ACME} rows=1",
        ("id=2",),
    ),
    "what is over and says that it runs, and what has not begun": (
        runs,
        """UPDATE "Plans" SET state = 'runs' WHERE id = 1; UPDATE "Plans" SET begins = '2026-01-11' WHERE id = 4""",
        "2 of 3 active periods are active by their status and did not run when the backup was taken; "
        f"tenant={ACME} rows=1; tenant={ZEN} rows=1",
        ("id=1", "id=4"),
    ),
    "a status and a currency that nobody declared": (
        lists,
        """UPDATE "Bills" SET state = 'Paid' WHERE id = 1; UPDATE "Bills" SET currency = 'USD' WHERE id = 4""",
        f"2 of 5 rows hold a value that is not in its declared list; tenant={ACME} rows=1; tenant={ZEN} rows=1",
        ("id=1 state_is_listed=False currency_is_listed=True", "id=4 state_is_listed=True currency_is_listed=False"),
    ),
    "a negative amount": (
        nought,
        """UPDATE "Bills" SET net = -0.001 WHERE id = 5""",
        f"1 of 5 rows hold a negative amount; tenant={ZEN} rows=1",
        ("id=5 net_is_not_negative=False gross_is_not_negative=True",),
    ),
    "settled before it was issued": (
        order,
        """UPDATE "Bills" SET settled = '2025-12-29' WHERE id = 1""",
        f"1 of 5 rows hold moments that do not follow each other as declared; tenant={ACME} rows=1",
        ("id=1 issued_to_due=True issued_to_settled=False",),
    ),
    "written off the day before it was issued": (
        later,
        """UPDATE "Notes" SET "sentAt" = '2025-12-29 23:59:00+00' WHERE id = 1""",
        f"1 of 2 rows have a sentAt before the issued of what they belong to in Shop.Bills; tenant={ACME} rows=1",
        ("id=1 seconds_too_early=60.000000",),
    ),
    "what is no number": (
        number,
        """UPDATE "Bills" SET discount = 'NaN' WHERE id = 1; UPDATE "Bills" SET gross = 'Infinity' WHERE id = 2""",
        f"2 of 6 rows hold NaN or an infinity in a column of money; tenant={ACME} rows=2",
        ("id=1", "id=2"),
    ),
    "a tenth of a yen, a currency that is not listed, and one that is empty": (
        finer("Bills"),
        """UPDATE "Bills" SET shipping = 0.1 WHERE id = 3; UPDATE "Bills" SET currency = NULL WHERE id = 2""",
        "3 of 6 rows hold an amount with more decimals than its currency has, or one in a currency that is not listed; "
        f"tenant={ACME} rows=2; tenant={ZEN} rows=1",
        ("id=2", "id=3", "id=6"),
    ),
    "a tenth of a yen in a line, whose currency its invoice tells": (
        finer("Charges"),
        """UPDATE "Charges" SET amount = 115.1 WHERE id = 4""",
        "1 of 6 rows hold an amount with more decimals than its currency has, or one in a currency that is not listed; "
        f"tenant={ACME} rows=1",
        ("id=4",),
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_told_by_key_difference_and_tenant(shop: Shop, what: str) -> None:
    probe, fault, message, samples = WRONG[what]
    shop.done(fault)
    assert shop.told(probe(shop)) == Told(message, samples)
