"""What is declared of money is compiled to SQL that is silent about the sound and tells the wrong to the last digit."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from random import Random

import pytest
from psycopg import sql
from psycopg.rows import dict_row

from fixtures.checks.billing.currencies import InCurrency, finer_than_its_currency
from fixtures.checks.billing.document import used_twice, wrong_totals, wrongly_credited
from fixtures.checks.billing.domain import (
    MoneyTable,
    before_its_time,
    inexact_money,
    negative_amounts,
    no_number,
    out_of_order,
    outside_its_list,
)
from fixtures.checks.billing.ledger import broken_account_balance, broken_running_balance, wrong_signs
from fixtures.checks.billing.period import not_running, not_served, overlapping_periods, with_a_hole_before
from fixtures.checks.billing.planters.altered import above_nothing, more_than_double, plus
from fixtures.checks.billing.planters.documents import more_credited_than_the_document
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
from fixtures.checks.planting import Planting
from fixtures.checks.probe import Probe
from fixtures.database.catalogue import take_structure
from fixtures.database.money_columns import declared_money, summed_columns
from fixtures.database.reconcile import reconcile
from fixtures.profile.money import Credits, Live, Numbering, Served, TaxRule
from fixtures.record.names import TableName
from tests.support.small_shop import Shop, Told, small_shop

ACME, ZEN = masked_text("acme", b"key"), masked_text("zen", b"key")
BILLS = TableName("Shop", "Bills")
NOW = datetime(2026, 1, 10, tzinfo=UTC)


@pytest.fixture(scope="module")
def opened() -> Iterator[Callable[[], Shop]]:
    with small_shop() as opens:
        yield opens


@pytest.fixture
def shop(opened: Callable[[], Shop]) -> Shop:
    return opened()


def running(shop: Shop, which: int = 0) -> Probe:
    ledger = shop.profile.ledger[which]
    assert ledger.balance is not None
    return broken_running_balance(ledger, ledger.balance, shop.books)


def account(shop: Shop) -> Probe:
    ledger = shop.profile.ledger[0]
    assert ledger.balance_of is not None
    return broken_account_balance(ledger, ledger.balance_of, shop.books)


def signs(shop: Shop) -> Probe:
    ledger = shop.profile.ledger[0]
    assert ledger.kinds is not None
    return wrong_signs(ledger, ledger.kinds, shop.books)


def used(shop: Shop) -> Probe:
    return not_charged_alike(shop.profile.usage[0], shop.profile.ledger[0], shop.books)


def totals(shop: Shop, which: int = 0) -> Probe:
    return wrong_totals(shop.profile.invoice[which], shop.books)


def tax(shop: Shop) -> Probe:
    invoice, currencies = shop.profile.invoice[0], shop.profile.currencies
    assert invoice.tax_rule is not None
    assert currencies is not None
    return wrong_tax(invoice, invoice.tax_rule, currencies, shop.books)


def numbers(shop: Shop) -> Probe:
    invoice = shop.profile.invoice[0]
    assert invoice.numbering is not None
    return used_twice(invoice, invoice.numbering, shop.books)


def credited(shop: Shop) -> Probe:
    return wrongly_credited(shop.profile.invoice[0], shop.books)


def covered(shop: Shop, which: int = 0) -> Probe:
    return uncovered_invoices(shop.profile.payment[which], shop.profile.invoice[which], shop.books)


def unpaid(shop: Shop) -> Probe:
    return paid_though_unpaid(shop.profile.payment[0], shop.profile.invoice[0], shop.books)


def excess(shop: Shop) -> Probe:
    return overpaid_invoices(shop.profile.payment[0], shop.profile.invoice[0], shop.books)


def settles(shop: Shop) -> Probe:
    return without_invoice(shop.profile.payment[0], shop.profile.invoice[0], shop.books)


def processed(shop: Shop) -> Probe:
    return processed_twice(Processed(shop.profile.payment[0]), shop.books)


def refunds(shop: Shop, which: int = 0) -> Probe:
    payment = shop.profile.payment[which]
    return refunded_beyond(payment, shop.profile.invoice_named(payment.settles), shop.books)


def overlaps(shop: Shop) -> Probe:
    return overlapping_periods(shop.profile.period[0], shop.books)


def holes(shop: Shop) -> Probe:
    return with_a_hole_before(shop.profile.period[0], shop.books)


def runs(shop: Shop) -> Probe:
    period = shop.profile.period[0]
    assert period.active is not None
    return not_running(period, period.active, NOW, shop.books)


def lists(shop: Shop) -> Probe:
    return outside_its_list(shop.profile.domain[0], shop.books)


def nought(shop: Shop) -> Probe:
    return negative_amounts(shop.profile.domain[0], shop.books)


def later(shop: Shop) -> Probe:
    return before_its_time(shop.profile.follows[0], shop.books)


def order(shop: Shop) -> Probe:
    return out_of_order(shop.profile.domain[0], shop.books)


def number(shop: Shop) -> Probe:
    columns = summed_columns(shop.profile, shop.facts)[BILLS]
    return no_number(MoneyTable(BILLS, tuple(money.column for money in columns)), shop.books)


def finer(table: str) -> Callable[[Shop], Probe]:
    def probe(shop: Shop) -> Probe:
        name, currencies = TableName("Shop", table), shop.profile.currencies
        assert currencies is not None
        columns = summed_columns(shop.profile, shop.facts)[name]
        places = {money.column: money.currency for money in columns if money.currency is not None}
        return finer_than_its_currency(InCurrency(name, places, currencies), shop.books)

    return probe


SOUND = [running, account, signs, used, totals, tax, numbers, credited, covered, unpaid, excess, settles, processed]
SOUND += [
    refunds,
    overlaps,
    holes,
    runs,
    lists,
    nought,
    order,
    later,
    number,
    finer("Lines"),
    finer("Charges"),
    finer("Notes"),
]


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


def test_an_order_whose_payment_has_no_status_and_tells_its_own_refund_is_judged_by_them(shop: Shop) -> None:
    assert [shop.told(probe(shop, 1)) for probe in (totals, covered, refunds)] == [None, None, None]
    shop.done("""UPDATE "Sources" SET refunded = 24.81; UPDATE "Orders" SET shipping = 4.81 WHERE id = 1""")
    wrong, back = shop.told(totals(shop, 1)), shop.told(refunds(shop, 1))
    assert wrong is not None
    assert wrong.samples == ("id=1 by_lines=-0.01",)
    assert back is not None
    assert back.samples == ("id=1 difference=0.01",)
    shop.done("""UPDATE "Sources" SET refunded = 0, debited = 24.79""")
    short = shop.told(covered(shop, 1))
    assert short is not None
    assert short.samples == ("id=1 difference=-0.01",)


TAKEN_BACK = """
ALTER TABLE "Bills" ADD cancels int REFERENCES "Bills";
INSERT INTO "Bills" (id, "tenantCode", currency, state, net, "vatPercent", vat, gross, cancels)
VALUES (7, 'acme', 'EUR', 'open', -1.50, 0, 0, -1.50, 1), (8, 'acme', 'EUR', 'open', -0.50, 0, 0, -0.50, 1);
INSERT INTO "Lines" VALUES (7, -1.50), (8, -0.50);
"""


def taken_back(shop: Shop) -> Shop:
    """The shop as one whose bills are credited by bills of their own, with totals below zero."""
    shop.done(TAKEN_BACK)
    its = {"table": "Shop.Bills", "invoice": "cancels", "amount": "gross", "negative": True}
    credits = Credits.model_validate(its | {"tenant": "tenantCode", "currency": "currency"})
    bills = shop.profile.invoice[0].model_copy(update={"credits": credits})
    profile = shop.profile.model_copy(update={"invoice": (bills, *shop.profile.invoice[1:])})
    return replace(shop, profile=profile, facts=take_structure(shop.session.cursor(row_factory=dict_row)))


def test_a_document_that_takes_another_back_is_of_its_tenant_and_currency_and_not_above_it(shop: Shop) -> None:
    shop = taken_back(shop)
    assert reconcile(shop.profile, shop.facts, "profile.toml").problems == ()
    assert [shop.told(probe(shop)) for probe in (totals, tax, credited, covered, unpaid, excess)] == [None] * 6
    faults = {
        "SET gross = -15.63 WHERE id = 7": "id=1 beyond=0.01 difference=0.00",
        "SET gross = 0.51 WHERE id = 7": "id=1 beyond=-0.01 difference=0.00",
        "SET currency = 'JPY' WHERE id = 7": "id=1 beyond=0.00 difference=1.50",
        """SET "tenantCode" = 'zen' WHERE id = 8""": "id=1 beyond=0.00 difference=0.50",
    }
    for fault, sample in faults.items():
        shop.done(f"""SAVEPOINT sound; UPDATE "Bills" {fault}""")
        told = shop.told(credited(shop))
        assert told is not None, fault
        assert "or for another sum than their credits of the same tenant and currency add up to" in told.message
        assert told.samples == (sample,)
        shop.done("ROLLBACK TO sound")
    planting = Planting(shop.database(), shop.books.ownership, shop.profile, shop.profile.invoice[0], Random(1))
    # The finding names the document, whichever of its credits is too much.
    (named,) = more_credited_than_the_document(planting).keys
    told = shop.told(credited(shop))
    assert told is not None
    assert len(told.samples) == 1
    assert (named, told.samples[0][:12]) == ("id=1", "id=1 beyond=")


def test_numbers_that_were_left_out_on_purpose_are_those_of_one_count_between_two_that_were_given(shop: Shop) -> None:
    invoice = shop.profile.invoice[0]
    assert invoice.numbering is not None
    said = invoice.numbering.model_dump()
    meant = {
        "after": "R-001",
        "before": "R-003",
        "within": {"tenantCode": "acme", "year": 2026},
        "reason": "a misprint",
    }

    def samples(*gaps: dict[str, object]) -> tuple[str, ...]:
        told = shop.told(used_twice(invoice, Numbering.model_validate(said | {"gaps": gaps}), shop.books))
        return told.samples if told is not None else ()

    shop.done("""UPDATE "Bills" SET number = 'R-003' WHERE id = 3""")
    assert samples(meant) == ()
    for other in (
        {"within": {"tenantCode": "zen", "year": 2026}},
        {"within": {"tenantCode": "acme", "year": 2025}},
        {"after": "Q-001"},
        {"after": "R-002"},
    ):
        assert samples(meant | other) == ("id=3 again=False missing=1",), other
    # What is left out later is no part of it, however often it is said; nor is a number without a place in the count.
    shop.done("""UPDATE "Bills" SET number = 'R-005' WHERE id = 3; UPDATE "Bills" SET number = 'R-x' WHERE id = 4""")
    assert samples(meant, meant) == ("id=3 again=False missing=2", "id=4 again=False missing=1")
    for wrong, why in (
        ({"gapless": False, "series": None, "gaps": [meant]}, "first, series and gaps say how numbers count"),
        ({"gaps": [meant | {"within": {"tenantCode": "acme"}}]}, "within names tenantCode, year"),
    ):
        with pytest.raises(ValueError, match=why):
            Numbering.model_validate(said | wrong)


def test_everybody_who_is_served_has_a_period_that_runs(shop: Shop) -> None:
    of_a_product = shop.profile.period[0]
    period = of_a_product.model_copy(update={"owner": ("tenantCode",)})
    served = Served(table=TableName("Shop", "Tenants"), key=("code",), live=Live(column="closedAt"))
    assert period.active is not None
    probe = not_served(period, period.active, served, NOW, shop.books)
    assert shop.told(probe) is None
    shop.done("""UPDATE "Plans" SET state = 'over' WHERE id = 2; UPDATE "Tenants" SET "closedAt" = NULL""")
    assert shop.told(probe) == Told(
        "2 of 3 owners of periods had no active period that ran when the backup was taken; "
        f"tenant={ACME} rows=1; tenant={masked_text('gone', b'key')} rows=1",
        (f"code={ACME}", f"code={masked_text('gone', b'key')}"),
    )
    products = Served(table=TableName("Shop", "Plans"), key=("tenantCode", "product"))
    told = shop.told(not_served(of_a_product, period.active, products, NOW, shop.books))
    assert told is not None
    kinds = [f"tenantCode={ACME} product={masked_text(kind, b'key')}" for kind in ("mail", "mail", "site")]
    assert sorted(told.samples) == sorted(kinds)
    with pytest.raises(ValueError, match=r"served\.key has as many columns as the periods' owner"):
        type(period).model_validate(period.model_dump() | {"active": period.active.model_dump() | {"served": products}})


def test_what_rounds_is_taken_for_equal_within_its_tolerance_and_not_beyond_it(shop: Shop) -> None:
    assert shop.told(running(shop, 1)) is None
    shop.done("""UPDATE "Litres" SET tank = 0.6101 WHERE no = 3""")
    finding = shop.told(running(shop, 1))
    assert finding is not None
    assert finding.message.startswith("1 of 3 ledger entries carry")
    assert finding.samples[0].endswith("difference=0.0101")
    assert inexact_money(shop.profile, shop.facts)[1] == []


def test_the_type_money_is_exact_and_is_added_up_as_a_number(shop: Shop) -> None:
    held = sorted((money.table, money.column) for money in declared_money(shop.profile) if not money.inexact)
    for table, column in held:
        shop.done(f"""ALTER TABLE "{table.name}" ALTER "{column}" TYPE money""")
    of_money = replace(shop, facts=take_structure(shop.session.cursor(row_factory=dict_row)))
    assert all(of_money.facts.table(table).column(column).type == "money" for table, column in held)
    assert inexact_money(shop.profile, of_money.facts) == (len({*held}) + 2, [])
    assert [of_money.told(probe(of_money)) for probe in SOUND] == [None] * len(SOUND)
    # As the planters write a fault.
    raised = sql.SQL('UPDATE "Bills" r SET gross = {} WHERE id = 1 AND {}').format(
        more_than_double("gross"), above_nothing("gross")
    )
    more = sql.SQL("""UPDATE "Tenants" SET points = {} WHERE code = 'acme'""").format(plus("points", 1))
    shop.done(f"{raised.as_string()}; {more.as_string()}")
    wrong = [of_money.told(probe(of_money)) for probe in (totals, account)]
    assert [finding.samples if finding else () for finding in wrong] == [
        ("id=1 by_lines=17.12 by_subtotal=17.12",),
        (f"code={ACME} difference=1.00",),
    ]
    shop.done("""UPDATE "Bills" SET gross = -0.01 WHERE id = 1""")
    negative = of_money.told(nought(of_money))
    assert negative is not None
    assert negative.samples == ("id=1 net_is_not_negative=True gross_is_not_negative=False",)


@pytest.mark.parametrize(
    ("rounding", "tax"), [("half up", "0.63"), ("half even", "0.62"), ("up", "0.63"), ("down", "0.62")]
)
def test_tax_is_rounded_as_declared(shop: Shop, rounding: str, tax: str) -> None:
    invoice, currencies = shop.profile.invoice[0], shop.profile.currencies
    assert invoice.tax_rule is not None
    assert currencies is not None
    shop.done(f"""UPDATE "Bills" SET vat = {tax} WHERE id = 1; DELETE FROM "Lines" WHERE bill <> 1;
                  DELETE FROM "Refunds"; DELETE FROM "Excess"; DELETE FROM "Charges" WHERE bill <> 1;
                  DELETE FROM "Bills" WHERE id <> 1""")
    rule = invoice.tax_rule.model_copy(update={"rounding": rounding})
    assert shop.told(wrong_tax(invoice, rule, currencies, shop.books)) is None


@pytest.mark.parametrize("rate", [{"line_rate": "rate"}, {"rate": "vatPercent"}])
@pytest.mark.parametrize(
    ("rounding", "by_line", "otherwise"),
    [("half up", "1.01", "-0.01"), ("half even", "1.00", "0.00"), ("up", "1.01", "-0.01"), ("down", "0.98", "0.02")],
)
def test_tax_is_rounded_line_by_line_where_that_is_declared(
    shop: Shop, rounding: str, by_line: str, otherwise: str, rate: dict[str, str]
) -> None:
    """Each of three lines by itself; the document's 0.995 would be 1.00."""
    said = {"of": "net", "percent": True, "per_line": True, "rounding": rounding, **rate}
    invoice, currencies = shop.profile.invoice[0], shop.profile.currencies
    assert currencies is not None
    shop.done(f"""DELETE FROM "Lines"; ALTER TABLE "Lines" ADD rate numeric;
                  INSERT INTO "Lines" SELECT 2, net, removed, 10 FROM (VALUES (3.35, NULL::date), (3.35, NULL), (3.25, NULL),
                  (99.99, '2026-01-01')) l(net, removed);
                  UPDATE "Bills" SET vat = 0; UPDATE "Bills" SET vat = {by_line}, "vatPercent" = 10 WHERE id = 2""")
    probe = wrong_tax(invoice, TaxRule.model_validate(said), currencies, shop.books)
    assert shop.told(probe) is None
    shop.done("""UPDATE "Bills" SET vat = 1.00 WHERE id = 2""")
    finding = shop.told(probe)
    assert (finding.samples if finding else ("id=2 difference=0.00",)) == (f"id=2 difference={otherwise}",)
    if "line_rate" in rate:
        shop.done("""UPDATE "Lines" SET rate = NULL WHERE net = 3.25""")
        finding = shop.told(probe)
        assert finding is not None
        assert finding.samples == ("id=2 difference=None",)
