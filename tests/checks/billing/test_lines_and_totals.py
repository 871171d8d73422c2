"""Lines of several tables, and totals that stand nowhere, twice or in JSON, come to the same."""

from collections.abc import Callable

import pytest

from fixtures.checks.billing.conserved_books import sums_of_document
from fixtures.checks.billing.document import used_twice, wrong_totals
from fixtures.checks.billing.relations import ways_of
from fixtures.database.book_queries import unanswerable_books
from fixtures.database.money_columns import summed_columns
from fixtures.database.reconcile import reconcile
from fixtures.profile.money import TotalAgain
from fixtures.profile.words import SqlFile
from fixtures.record.names import TableName
from tests.checks.billing.parcels import MISSPELT, PACKED, PARCEL, PARCELS, parcels
from tests.checks.billing.probes import covered, credited, excess, totals
from tests.support.small_shop import Shop


@pytest.fixture
def shop(opened: Callable[[], Shop]) -> Shop:
    return parcels(opened())


FEES = SqlFile(file="books/fees.sql", text='SELECT id AS document, 1.50 AS amount FROM "Shop"."Parcels" WHERE id = 1')
SEVERAL = (
    {"table": "Shop.Packed", "invoice": "box.parcel", "amount": "price"},
    {"table": "Shop.Returns", "invoice": "receipt.box.parcel", "amount": "amount", "less": True},
    {
        "query": SqlFile(
            file="books/fees.sql", text='SELECT id AS document, 1.50 AS amount FROM "Shop"."Parcels" WHERE id = 1'
        )
    },
)


def test_lines_of_several_tables_and_a_query_add_up_less_what_is_taken_off(opened: Callable[[], Shop]) -> None:
    shop = parcels(opened(), tax_rule=None, lines=SEVERAL)
    assert len(shop.profile.invoice[0].lines) == 3
    assert shop.told(totals(shop)) is None
    for fault, difference in (
        ("""UPDATE "Returns" SET amount = 1.49""", "-0.01"),
        ("""DELETE FROM "Returns" """, "-1.50"),
        ("""UPDATE "Packed" SET price = 14 WHERE id = 2""", "1.00"),
    ):
        wrong = parcels(opened(), tax_rule=None, lines=SEVERAL)
        wrong.done(fault)
        told = wrong.told(totals(wrong))
        assert told is not None
        assert told.samples == (f"id=1 by_lines={difference}",)
    # Each is money of its own, in the documents' currency, and a query's is compared over the migrations.
    summed_up = summed_columns(shop.profile, shop.facts)
    for table in (PACKED, TableName("Shop", "Returns")):
        assert [money.currency is not None for money in summed_up[table]] == [True]
    assert [name for name, _ in sums_of_document(shop.profile.invoice[0], shop.books)] == ["parcels (books/fees.sql)"]


def test_what_does_not_fit_is_told_of_its_lines_alone(opened: Callable[[], Shop]) -> None:
    wrong = ({"table": "Shop.Packed", "invoice": "box.parcels", "amount": "price"}, SEVERAL[1])
    shop = parcels(opened(), tax_rule=None, lines=wrong)
    (problem,) = reconcile(shop.profile, shop.facts, "profile.toml").problems
    assert problem.startswith("profile.toml: invoice 'parcels'.lines[0].invoice: box.parcels leads nowhere")
    with pytest.raises(ValueError, match="needs those of one table"):
        parcels(shop, lines=SEVERAL)


def test_a_total_that_is_stored_nowhere_is_what_the_lines_come_to(opened: Callable[[], Shop]) -> None:
    """What is paid is held against it; there is nothing else that the lines could differ from."""
    not_stored = PARCEL | {"total": None, "tax_rule": None, "plus": ("vat",), "tax": None}
    faults = {
        "": (None, None, None),
        """DELETE FROM "Packed" WHERE id = 3""": (None, "id=2 difference=10.00", None),
        """UPDATE "Packed" SET price = price + 0.01 WHERE id = 3""": ("id=2 difference=-0.01", None, None),
        """UPDATE "Packed" SET price = NULL WHERE id = 3""": ("id=2 difference=None", "id=2 difference=12", None),
        """UPDATE "Returns" SET amount = 21.01""": (None, None, "id=1 beyond=0.01 difference=0.00"),
    }
    for fault, expected in faults.items():
        shop = parcels(opened(), **not_stored)
        shop.done(fault or "SELECT 1")
        said = (shop.told(probe(shop)) for probe in (covered, excess, credited))
        assert tuple(each.samples[0] if each is not None else None for each in said) == expected, fault
    assert ways_of(shop.profile.invoice[0]) == ()
    stored_twice = parcels(opened(), **not_stored, subtotal="gross").profile.invoice[0]
    assert ways_of(stored_twice) == ("by_lines",)
    assert [each.column for each in summed_columns(shop.profile, shop.facts)[PARCELS]] == ["vat"]


def test_a_total_that_stands_twice_is_the_same_in_both_places(opened: Callable[[], Shop]) -> None:
    shop = parcels(opened(), total_again={"column": "order.total"})
    assert reconcile(shop.profile, shop.facts, "profile.toml").problems == ()
    shop.done("""UPDATE "Orders" SET total = CASE id WHEN 1 THEN 21 ELSE 9.45 END""")
    told = shop.told(wrong_totals(shop.profile.invoice[0], shop.books))
    assert told is not None
    assert told.message.startswith(
        "1 of 3 invoices have a total that is not the sum of their lines plus tax, or not what stands of it elsewhere"
    )
    assert told.samples == ("id=2 by_lines=0.00 by_total_again=-9.00",)


def test_a_total_that_stands_in_json_too_is_a_number_there_and_the_same(opened: Callable[[], Shop]) -> None:
    shop = opened()
    again = TotalAgain(column="number", json_path="$.of.sum")
    bills = shop.profile.invoice_named("bills").model_copy(update={"total_again": again})
    shop.done("""UPDATE "Bills" SET number = json_build_object('of', json_build_object('sum', gross))""")
    assert shop.told(wrong_totals(bills, shop.books)) is None
    wrong = bills.model_copy(update={"total_again": MISSPELT})
    misspelt = shop.profile.model_copy(update={"invoice": (wrong,), "payment": ()})
    (problem,) = unanswerable_books(shop.session, shop.facts, misspelt, "profile.toml")
    assert problem.startswith("profile.toml: invoice 'bills'.total_again.json_path: ")
    assert problem.endswith("; write an SQL/JSON path, as $.amount.total")
    faults = {
        """UPDATE "Bills" SET number = '{"of": {"sum": "16.13"}}' WHERE id = 1""": "-0.01",
        """UPDATE "Bills" SET number = '{"of": {"sum": "a lot"}}' WHERE id = 1""": "16.12",
        """UPDATE "Bills" SET number = '{"of": []}' WHERE id = 1""": "16.12",
        """UPDATE "Bills" SET number = NULL WHERE id = 1""": "16.12",
    }
    for fault, difference in faults.items():
        shop.done("SAVEPOINT sound; " + fault)
        told = shop.told(wrong_totals(bills, shop.books))
        assert told is not None, fault
        assert told.samples == (f"id=1 by_lines=0.00 by_subtotal=0.00 by_total_again={difference}",)
        shop.done("ROLLBACK TO sound")


def test_numbers_count_within_what_a_document_leads_to(opened: Callable[[], Shop]) -> None:
    said = {"column": "id", "scope": ("order.tenantCode", "rate.percent"), "gapless": True}
    shop = parcels(opened(), numbering=said)
    assert reconcile(shop.profile, shop.facts, "profile.toml").problems == ()
    invoice = shop.profile.invoice[0]
    assert invoice.numbering is not None
    probe = used_twice(invoice, invoice.numbering, shop.books)
    assert shop.told(probe) is None
    # The third parcel now follows the first of the same tenant and rate.
    shop.done("""UPDATE "Parcels" SET "order" = 1 WHERE id = 3""")
    told = shop.told(probe)
    assert told is not None
    assert told.samples == ("id=3 again=False missing=1",)
