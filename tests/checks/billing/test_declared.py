"""What is declared of some rows alone is kept to: refunds, documents that take others back, gaps, who is served."""

from dataclasses import replace
from random import Random

import pytest
from psycopg.rows import dict_row

from fixtures.checks.billing.document import used_twice
from fixtures.checks.billing.period import not_served
from fixtures.checks.billing.planters.documents import more_credited_than_the_document
from fixtures.checks.masking import masked_text
from fixtures.checks.planting import Planting
from fixtures.database.catalogue import take_structure
from fixtures.database.reconcile import reconcile
from fixtures.profile.money import Credits, Live, Numbering, Served
from fixtures.record.names import TableName
from tests.checks.billing.probes import NOW, covered, credited, excess, refunds, tax, totals, unpaid
from tests.support.small_shop import ACME, Shop, Told


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
