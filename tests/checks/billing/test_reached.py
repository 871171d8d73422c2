"""What stands beyond a document's own row is reached by its profile: along foreign keys, in a setting, or one for all."""

from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest
from psycopg.rows import dict_row

from fixtures.checks.billing.books import Books
from fixtures.checks.billing.conserved import holdings, summed, sums
from fixtures.checks.billing.planters.documents import a_paid_document_that_costs_more
from fixtures.checks.billing.planters.payments import a_payment_smaller_than_its_refunds
from fixtures.checks.blocked import Blocked
from fixtures.checks.planting import Planting
from fixtures.checks.probe import Probe
from fixtures.database.digests import Division, divisible, pin, scan
from fixtures.database.money_columns import summed_columns
from fixtures.database.reconcile import reconcile
from fixtures.profile.money import Invoice, MoneyColumns, Payment
from fixtures.record.facts import Facts
from tests.checks.billing.parcels import ALL, PARCEL, PARCELS, RECEIPT, packed_finer, parcels
from tests.checks.billing.probes import covered, credited, excess, refunds, settles, tax, totals
from tests.support.small_shop import ACME, ZEN, Shop


@pytest.fixture
def shop(opened: Callable[[], Shop]) -> Shop:
    return parcels(opened())


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
        packed_finer,
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
