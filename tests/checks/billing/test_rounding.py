"""Money is compared to the last digit, as it is declared to be rounded."""

from dataclasses import replace

import pytest
from psycopg import sql
from psycopg.rows import dict_row

from fixtures.checks.billing.domain import (
    inexact_money,
)
from fixtures.checks.billing.planters.altered import above_nothing, more_than_double, plus
from fixtures.checks.billing.tax import wrong_tax
from fixtures.database.catalogue import take_structure
from fixtures.database.money_columns import declared_money
from fixtures.profile.money import TaxRule
from tests.checks.billing.probes import SOUND, account, nought, running, totals
from tests.support.small_shop import ACME, Shop


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
