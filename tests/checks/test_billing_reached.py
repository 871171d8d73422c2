"""What stands beyond a document's own row is reached by its profile: along foreign keys, in a setting, or one for all."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from random import Random

import pytest
from psycopg.rows import dict_row

from fixtures.checks.billing.books import Books
from fixtures.checks.billing.conserved import holdings, summed, sums
from fixtures.checks.billing.conserved_books import sums_of_document
from fixtures.checks.billing.currencies import InCurrency, finer_than_its_currency
from fixtures.checks.billing.document import used_twice, wrong_totals, wrongly_credited
from fixtures.checks.billing.planters.documents import a_paid_document_that_costs_more
from fixtures.checks.billing.planters.payments import a_payment_smaller_than_its_refunds
from fixtures.checks.billing.relations import ways_of
from fixtures.checks.billing.settlement import overpaid_invoices, refunded_beyond, uncovered_invoices, without_invoice
from fixtures.checks.billing.tax import wrong_tax
from fixtures.checks.blocked import Blocked
from fixtures.checks.masking import masked_text
from fixtures.checks.planting import Planting
from fixtures.checks.probe import Probe
from fixtures.database.book_queries import unanswerable_books
from fixtures.database.digests import Division, divisible, pin, scan
from fixtures.database.money_columns import summed_columns
from fixtures.database.reconcile import reconcile
from fixtures.profile.money import Invoice, MoneyColumns, Payment, TotalAgain
from fixtures.profile.words import SqlFile
from fixtures.record.facts import Facts
from fixtures.record.names import TableName
from tests.support.small_shop import Shop, small_shop

MISSPELT = TotalAgain(column="number", json_path="$of..sum")
ACME, ZEN = masked_text("acme", b"key"), masked_text("zen", b"key")
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


@pytest.fixture(scope="module")
def opened() -> Iterator[Callable[[], Shop]]:
    with small_shop() as opens:
        yield opens


def parcels(shop: Shop, **other: object) -> Shop:
    """The shop as one that sends parcels, whose own rows tell neither their tenant nor their currency nor their status."""
    invoice, payment = Invoice.model_validate(PARCEL | other), Payment.model_validate(RECEIPT)
    update = {"invoice": (invoice,), "payment": (payment,), "domain": (), "follows": ()}
    return replace(shop, profile=shop.profile.model_copy(update=update))


@pytest.fixture
def shop(opened: Callable[[], Shop]) -> Shop:
    return parcels(opened())


def totals(shop: Shop) -> Probe:
    return wrong_totals(shop.profile.invoice[0], shop.books)


def tax(shop: Shop) -> Probe:
    invoice, currencies = shop.profile.invoice[0], shop.profile.currencies
    assert invoice.tax_rule is not None
    assert currencies is not None
    return wrong_tax(invoice, invoice.tax_rule, currencies, shop.books)


def credited(shop: Shop) -> Probe:
    return wrongly_credited(shop.profile.invoice[0], shop.books)


def covered(shop: Shop) -> Probe:
    return uncovered_invoices(shop.profile.payment[0], shop.profile.invoice[0], shop.books)


def excess(shop: Shop) -> Probe:
    return overpaid_invoices(shop.profile.payment[0], shop.profile.invoice[0], shop.books)


def settles(shop: Shop) -> Probe:
    return without_invoice(shop.profile.payment[0], shop.profile.invoice[0], shop.books)


def refunds(shop: Shop) -> Probe:
    payment = shop.profile.payment[0]
    return refunded_beyond(payment, shop.profile.invoice_named(payment.settles), shop.books)


def finer(shop: Shop) -> Probe:
    places = {money.column: money.currency for money in summed_columns(shop.profile, shop.facts)[PACKED]}
    currencies = shop.profile.currencies
    assert currencies is not None
    held = InCurrency(PACKED, {column: place for column, place in places.items() if place is not None}, currencies)
    return finer_than_its_currency(held, shop.books)


ALL = (totals, tax, credited, covered, excess, settles, refunds, finer)


def test_sound_parcels_have_nothing_to_be_told(shop: Shop) -> None:
    assert reconcile(shop.profile, shop.facts, "profile.toml").problems == ()
    assert [shop.told(probe(shop)) for probe in ALL] == [None] * len(ALL)


WRONG: dict[str, tuple[Callable[[Shop], Probe], str, str, tuple[str, ...]]] = {
    "a line that is lost, of the second box": (
        totals,
        """DELETE FROM "Packed" WHERE id = 2""",
        f"tenant={ACME} currency=EUR rows=1 by_lines=15.00",
        ("id=1 by_lines=15.00",),
    ),
    "a rate that is another one": (
        tax,
        """UPDATE "Rates" SET percent = 10 WHERE id = 2""",
        f"tenant={ACME} currency=EUR rows=1 difference=1.00",
        ("id=2 difference=1.00",),
    ),
    "a setting that names a currency which nobody lists": (
        tax,
        """UPDATE "Setting" SET "defaultCurrency" = 'XTS'""",
        f"tenant={ACME} currency=XTS rows=2 difference=None; tenant={ZEN} currency=XTS rows=1 difference=None",
        ("id=1 difference=None", "id=2 difference=None", "id=3 difference=None"),
    ),
    "a setting of two rows, which is none": (
        settles,
        """INSERT INTO "Setting" VALUES ('EUR')""",
        f"tenant={ACME} rows=3",
        ("id=1", "id=2", "id=3"),
    ),
    "a parcel that its order says is complete, and a receipt of it lost": (
        covered,
        """DELETE FROM "Receipts" WHERE id = 3""",
        f"tenant={ACME} currency=EUR rows=1 difference=-12.00",
        ("id=2 difference=-12.00",),
    ),
    "a box of another tenant's parcel, and what was paid for it": (
        excess,
        """UPDATE "Orders" SET state = 'open' WHERE id = 2; UPDATE "Receipts" SET box = 31, taken = 9.46 WHERE id = 3""",
        f"tenant={ZEN} currency=EUR rows=1 difference=0.01",
        ("id=3 difference=0.01",),
    ),
    "a return of more than was received": (
        refunds,
        """UPDATE "Returns" SET amount = 6.01""",
        f"tenant={ACME} currency=EUR rows=1 difference=0.01",
        ("id=1 difference=0.01",),
    ),
    "a return of more than the parcel came to": (
        credited,
        """UPDATE "Returns" SET amount = 21.01""",
        f"tenant={ACME} currency=EUR rows=1 beyond=0.01 difference=0.00",
        ("id=1 beyond=0.01 difference=0.00",),
    ),
    "a price with more decimals than its currency": (
        finer,
        """UPDATE "Packed" SET price = 9.001 WHERE id = 4""",
        f"tenant={ZEN} rows=1",
        ("id=4",),
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_told_in_the_tenant_and_currency_that_were_reached(shop: Shop, what: str) -> None:
    probe, fault, message, samples = WRONG[what]
    shop.done(fault)
    told = shop.told(probe(shop))
    assert told is not None
    assert told.message.endswith(f"; {message}"), told.message
    assert told.samples == samples


def test_what_is_empty_means_the_value_that_is_said_to_stand_behind_it(opened: Callable[[], Shop]) -> None:
    said = {"status": "order.state or 'complete'", "currency": "order.currency or 'EUR'"}
    shop = parcels(opened(), **said)
    receipts = {"status": "box.parcel.order.state or 'complete'", "succeeded": ("complete", "pending")}
    payment = Payment.model_validate(RECEIPT | receipts)
    shop = replace(shop, profile=shop.profile.model_copy(update={"payment": (payment,)}))
    assert reconcile(shop.profile, shop.facts, "profile.toml").problems == ()
    shop.done("""UPDATE "Orders" SET state = NULL, currency = NULL WHERE id = 1""")
    assert [shop.told(probe(shop)) for probe in ALL] == [None] * len(ALL)
    shop.done("""SAVEPOINT paid; DELETE FROM "Receipts" WHERE id = 3""")
    short = shop.told(covered(shop))
    assert short is not None
    assert short.samples == ("id=2 difference=-12.00",)
    shop.done("ROLLBACK TO paid")
    planting = Planting(shop.database(), shop.books.ownership, shop.profile, payment, Random(1))
    for plant, probe in ((a_paid_document_that_costs_more, covered), (a_payment_smaller_than_its_refunds, refunds)):
        shop.done("SAVEPOINT sound")
        planted = plant(planting)
        told = shop.told(probe(shop))
        assert told is not None
        assert any(each.startswith(planted.keys[0]) for each in told.samples)
        shop.done("ROLLBACK TO sound")
    path, table = shop.books.ownership.owned[PARCELS], shop.facts.table(PARCELS)
    assert table is not None
    held = holdings(table, table, summed_columns(shop.profile, shop.facts)[PARCELS], (path, path), ())
    kept = summed(held, shop.database().rows(sums(held, after=False)))
    assert {currency for _, _, currency in kept} == {"EUR"}


def test_what_is_summed_has_the_currency_that_was_reached_at_both_ends(shop: Shop) -> None:
    money = (
        MoneyColumns.model_validate({"table": "Shop.Parcels", "columns": ("gross",), "currency": "order.currency"}),
    )
    profile = shop.profile.model_copy(update={"money": money, "invoice": (), "payment": ()})
    shop.done("""UPDATE "Orders" SET currency = 'JPY' WHERE id = 2""")
    for said, columns, expected in (
        (profile, "gross", {"acme": {"EUR": "33.00"}, "zen": {"JPY": "9.45"}}),
        (shop.profile, "gross", {"acme": {"EUR": "33.00"}, "zen": {"EUR": "9.45"}}),
    ):
        named = tuple(each for each in summed_columns(said, shop.facts)[PARCELS] if each.column == columns)
        path, table = shop.books.ownership.owned[PARCELS], shop.facts.table(PARCELS)
        assert table is not None
        held = holdings(table, table, named, (path, path), ())
        kept = summed(held, shop.database().rows(sums(held, after=False)))
        assert {(tenant, code): str(amount) for (_, tenant, code), amount in kept.items()} == {
            (tenant, code): amount for tenant, each in expected.items() for code, amount in each.items()
        }
        division = Division(table=PARCELS, owner=path, plain_keys=False, money=named)
        assert divisible(division, {each.name: each for each in shop.facts.tables}) == ""
        again = Division.model_validate_json(division.model_dump_json())
        with shop.session.cursor(row_factory=dict_row) as cursor:
            pin(cursor)
            shares = scan(cursor, table, "UTF8", replace_owner(again, division)).shares
        found = [share.sums["gross"] for share in shares.values()]
        assert sorted(str(each) for each in found) == sorted(str(each) for each in expected.values())


def replace_owner(division: Division, of: Division) -> Division:
    """The same, whose path is the one that was derived."""
    return division.model_copy(update={"owner": of.owner})


def test_a_way_that_leads_nowhere_is_told_by_its_key_and_blocks(opened: Callable[[], Shop]) -> None:
    wrong = {
        "order.tenantcode": "order.tenantcode leads nowhere: there is no column tenantcode in Shop.Orders",
        "gross.currency": "gross.currency leads nowhere: gross of Shop.Parcels is in no foreign key",
        "(Shop.Rates).percent": "Shop.Rates has 2 rows; a setting stands in a table of one row",
        "(Shop.Rate).percent": "there is no table Shop.Rate",
        "curency": "no column curency in Shop.Parcels",
    }
    for currency, said in wrong.items():
        shop = parcels(opened(), currency=currency)
        counted = tuple(each.model_copy(update={"rows": 2}) for each in shop.facts.tables)
        facts = Facts.model_validate(shop.facts.model_dump() | {"tables": counted})
        problems = reconcile(shop.profile, facts, "profile.toml").problems
        assert [each.startswith("profile.toml: invoice 'parcels'.currency: ") for each in problems] == [True], problems
        assert said in problems[0]
    with pytest.raises(Blocked, match=r"no column curency in Shop\.Orders"):
        Books(shop.facts, shop.books.ownership).rows_in(parcels(shop, currency="order.curency").profile.invoice[0])


def test_whose_a_row_is_cannot_be_the_same_for_every_row() -> None:
    for key, said in (("tenant", "'acme'"), ("tenant", "(Shop.Setting).defaultCurrency")):
        with pytest.raises(ValueError, match="the same for every row"):
            Invoice.model_validate(PARCEL | {key: said})
    for invoice in ("'1'", "box.parcel or '1'"):
        with pytest.raises(ValueError, match="the same for every row"):
            Payment.model_validate(RECEIPT | {"invoice": invoice})


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
