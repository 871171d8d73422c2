"""Tax is rounded as declared: once a document, line by line or rate by rate, on top of amounts or within gross ones."""

import pytest

from fixtures.checks.billing.document import wrong_totals
from fixtures.checks.billing.tax import wrong_tax
from fixtures.profile.money import Invoice, TaxRule
from tests.support.small_shop import Shop

OF_LINES = {"of": "net", "line_rate": "rate", "percent": True}
# Two lines of one rate and one of another; what is rounded where differs in every way.
LINES = """
    DELETE FROM "Lines"; ALTER TABLE "Lines" ADD rate numeric;
    INSERT INTO "Lines" VALUES (2, 3.34, NULL, 10), (2, 3.34, NULL, 10), (2, 3.31, NULL, 5), (2, 50, '2026-01-01', 10);
    UPDATE "Bills" SET vat = 0 WHERE id <> 2
"""


def difference(shop: Shop, rule: dict[str, object], vat: str) -> str | None:
    """By how much the bill's tax differs from its due, where the bill holds `vat`."""
    shop.done(f"""UPDATE "Bills" SET vat = {vat} WHERE id = 2""")
    currencies = shop.profile.currencies
    assert currencies is not None
    said = shop.told(wrong_tax(shop.profile.invoice[0], TaxRule.model_validate(rule), currencies, shop.books))
    return said.samples[0].removeprefix("id=2 difference=") if said is not None else None


@pytest.mark.parametrize(
    ("rule", "due"),
    [
        ({"per_line": True, "rounding": "half up"}, "0.83"),
        ({"per_rate": True, "rounding": "half up"}, "0.84"),
        ({"rounding": "half up"}, "0.83"),
        ({"per_line": True, "rounding": "up"}, "0.85"),
        ({"per_rate": True, "rounding": "up"}, "0.84"),
        ({"per_rate": True, "rounding": "down"}, "0.82"),
        ({"rounding": "down"}, "0.83"),
        ({"per_rate": True, "rounding": "half even"}, "0.84"),
        # 6.68 x 10 / 110 is 0.607, 3.31 x 5 / 105 is 0.158.
        ({"per_rate": True, "rounding": "half up", "included": True}, "0.77"),
        ({"rounding": "half up", "included": True}, "0.76"),
    ],
)
def test_the_tax_of_lines_is_rounded_where_it_is_declared(shop: Shop, rule: dict[str, object], due: str) -> None:
    shop.done(LINES)
    assert difference(shop, OF_LINES | rule, due) is None
    assert difference(shop, OF_LINES | rule, f"{due} + 0.01") == "0.01"
    # What one line is taxed by, or comes to, is unknown: so is the tax.
    shop.done("""UPDATE "Lines" SET rate = NULL WHERE net = 3.31""")
    assert difference(shop, OF_LINES | rule, due) == "None"
    shop.done("""UPDATE "Lines" SET rate = 5, net = NULL WHERE net = 3.31""")
    assert difference(shop, OF_LINES | rule, due) == "None"


def test_gross_prices_hold_their_tax_and_add_up_without_it(shop: Shop) -> None:
    rule = {"of": "gross", "rate": "vatPercent", "percent": True, "rounding": "half up", "included": True}
    written = shop.profile.invoice[0]
    gross = written.model_copy(update={"tax_rule": TaxRule.model_validate(rule), "subtotal": None})
    shop.done("""UPDATE "Bills" SET vat = round(gross * "vatPercent" / (100 + "vatPercent"), 2)""")
    shop.done(
        """UPDATE "Bills" SET net = gross, shipping = 0, discount = 0, vat = CASE id WHEN 3 THEN 10 ELSE vat END"""
    )
    shop.done("""DELETE FROM "Lines"; INSERT INTO "Lines" SELECT id, gross FROM "Bills" WHERE "deletedAt" IS NULL""")
    assert difference(shop, rule, "0.68") is None
    assert difference(shop, rule, "0.67") == "-0.01"
    assert shop.told(wrong_totals(gross, shop.books)) is None
    assert shop.told(wrong_totals(written.model_copy(update={"subtotal": None}), shop.books)) is not None


def test_a_rule_that_cannot_be_meant_is_refused(shop: Shop) -> None:
    wrong: dict[str, dict[str, object]] = {
        "it needs line_rate": {"of": "net", "rate": "r", "per_rate": True},
        "keep one of per_line and per_rate": {"of": "net", "line_rate": "r", "per_rate": True, "per_line": True},
    }
    for said, rule in wrong.items():
        with pytest.raises(ValueError, match=said):
            TaxRule.model_validate(rule | {"rounding": "up"})
    bills = shop.profile.invoice[0].model_dump() | {"lines": ()}
    with pytest.raises(ValueError, match="needs those of one table"):
        Invoice.model_validate(bills | {"tax_rule": {"of": "net", "line_rate": "r", "rounding": "up"}})
