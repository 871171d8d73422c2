"""One tenant of a backup against a production in which rows were deleted, changed, written and moved meanwhile."""

from decimal import Decimal
from typing import Any

import psycopg
import pytest

from fixtures.commands.recovering.shown import lines
from fixtures.database.catalogue import take_facts
from fixtures.ownership import derive_ownership
from fixtures.recovery.comparison import Comparison, Source, compare
from fixtures.recovery.difference import Difference
from fixtures.recovery.refused import RecoveryRefused
from fixtures.server import Server
from tests.support.recovered_shop import CANARY, PROFILE


def compared(server: Server, production: psycopg.Connection[Any], tenant: str = "1") -> Comparison:
    with server.reading("restored") as session:
        facts = take_facts(session)
        source = Source(session, facts, PROFILE, derive_ownership(facts, PROFILE.tenancy))
        return compare(source, production, tenant)


def of(comparison: Comparison, table: str) -> Difference:
    return next(each for each in comparison.differences if each.table.name.name == table)


def counts(comparison: Comparison) -> dict[str, tuple[int, int, int, int]]:
    """Same, added, changed and removed, of each table that differs."""
    return {
        each.table.name.name: (each.same, each.added.rows, each.changed.rows, each.removed.rows)
        for each in comparison.differences
        if each.differs
    }


def test_of_equal_databases_every_row_is_the_same(server: Server, production: psycopg.Connection[Any]) -> None:
    comparison = compared(server, production)
    assert counts(comparison) == {}
    assert {each.table.name.name: each.same for each in comparison.differences} == {
        "bills": 40,
        "lines": 80,
        "members": 2,
        "sites": 4,
        "tenants": 1,
        "visits": 20,
    }
    assert (comparison.gone, comparison.in_the_way, comparison.unlooked) == ((), (), ())


def test_what_happened_since_is_told_by_table_and_in_money_and_another_tenants_rows_are_not(
    server: Server, production: psycopg.Connection[Any]
) -> None:
    production.execute(
        "DELETE FROM lines USING bills b, sites s WHERE bill = b.id AND site = s.id AND tenant = 1 AND bill < 9"
    )
    production.execute("DELETE FROM bills USING sites s WHERE site = s.id AND tenant = 1 AND bills.id < 9")
    production.execute("UPDATE bills SET total = total + 100 WHERE id = 11")
    production.execute("INSERT INTO bills VALUES (900, 2, 'EUR', 7)")
    production.execute("DELETE FROM visits WHERE ctid IN (SELECT ctid FROM visits WHERE site = 2 LIMIT 2)")
    # Tenant 2's own changes are none of this.
    production.execute("DELETE FROM bills WHERE id = 10; UPDATE sites SET title = 'another' WHERE tenant = 2")
    comparison = compared(server, production)
    assert counts(comparison) == {"bills": (35, 4, 1, 1), "lines": (72, 8, 0, 0), "visits": (18, 2, 0, 0)}
    bills = of(comparison, "bills")
    assert bills.added.money == {("total", "EUR"): Decimal(1 + 5 + 7), ("total", "USD"): Decimal(3)}
    assert bills.changed.money == {("total", "EUR"): Decimal(-100)}
    assert bills.removed.money == {("total", "EUR"): Decimal(7)}
    assert of(comparison, "lines").added.money == {("amount", ""): Decimal(16)}
    assert bills.added.keys == [("1",), ("3",), ("5",)]


def test_a_tenant_that_is_gone_with_all_it_had_is_added_with_what_it_needs_of_others(
    server: Server, production: psycopg.Connection[Any]
) -> None:
    production.execute("UPDATE sites SET partner = 3 WHERE id = 2")
    for table in ("tenants", "sites", "bills", "lines", "visits", "members"):
        production.execute(f"DELETE FROM {table}")  # type: ignore[arg-type]
    production.execute(f"DELETE FROM people WHERE email <> '{CANARY} 1'; DELETE FROM countries WHERE code = 'NL'")  # type: ignore[arg-type]
    comparison = compared(server, production)
    assert counts(comparison) == {
        "bills": (0, 40, 0, 0),
        "lines": (0, 80, 0, 0),
        "members": (0, 2, 0, 0),
        "sites": (0, 4, 0, 0),
        "tenants": (0, 1, 0, 0),
        "visits": (0, 20, 0, 0),
    }
    gone = {each.table.name.name: each for each in comparison.gone}
    assert {name: each.keys for name, each in gone.items()} == {
        "people": {(f"{CANARY} 2",), (f"{CANARY} 4",)},
        "countries": {("NL",)},
    }
    assert all(each.shared for each in gone.values())
    assert comparison.in_the_way == ()


def test_a_key_that_another_tenant_has_by_now_is_in_the_way(
    server: Server, production: psycopg.Connection[Any]
) -> None:
    production.execute("UPDATE sites SET tenant = 2 WHERE id = 2; UPDATE members SET tenant = 2 WHERE person LIKE '%2'")
    comparison = compared(server, production)
    assert of(comparison, "sites").taken.keys == [("2",)]
    assert of(comparison, "members").taken.rows == 0
    (said,) = (line for line in comparison.in_the_way if "sites" in line)
    assert "1 row to be added, whose key a row of production has" in said


def test_another_tenants_row_that_is_needed_and_gone_is_in_the_way(
    server: Server, production: psycopg.Connection[Any]
) -> None:
    with server.connect("restored") as restored:
        restored.execute("UPDATE sites SET partner = 3 WHERE id = 2")
    try:
        assert compared(server, production).in_the_way == ()
        production.execute("DELETE FROM sites WHERE id = 3")
        comparison = compared(server, production)
    finally:
        with server.connect("restored") as restored:
            restored.execute("UPDATE sites SET partner = NULL")
    assert [(each.table.name.name, each.keys, each.shared) for each in comparison.gone] == [("sites", {("3",)}, False)]
    (said,) = comparison.in_the_way
    assert said.startswith("public.sites: 1 row of another tenant")


def test_large_objects_that_are_gone_are_told_beside_what_was_not_compared(
    server: Server, production: psycopg.Connection[Any]
) -> None:
    with server.connect("restored") as restored:
        restored.execute("SELECT lo_create(4711), lo_create(4712)")
    production.execute("SELECT lo_create(4712)")
    try:
        (said,) = compared(server, production).unlooked
    finally:
        with server.connect("restored") as restored:
            restored.execute("SELECT lo_unlink(4711), lo_unlink(4712)")
    assert said.startswith("the contents of 2 large objects")
    assert said.endswith("production lacks 1 of them")


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("ALTER TABLE bills ADD note text", "public.bills differs in the column note"),
        ("ALTER TABLE lines ALTER amount TYPE numeric(10, 2)", "public.lines differs in the column amount"),
        ("CREATE TABLE more (id int)", "public.more is in production alone"),
        (
            "ALTER TABLE visits DROP CONSTRAINT visits_site_fkey",
            "public.visits(site)->public.sites is in the backup alone",
        ),
        ("ALTER TABLE visits ADD PRIMARY KEY (site, at)", "public.visits differs in its primary key"),
        ("DROP TABLE visits", "public.visits is in the backup alone"),
        (
            "INSERT INTO django_migrations VALUES (2, 'shop', '0002_vat')",
            "shop.0002_vat is applied in production alone",
        ),
    ],
)
def test_another_schema_is_refused_by_name(
    server: Server, production: psycopg.Connection[Any], statement: str, words: str
) -> None:
    production.execute("DELETE FROM visits")
    production.execute(statement)  # type: ignore[arg-type]
    with pytest.raises(RecoveryRefused, match="production's schema is not the backup's") as refused:
        compared(server, production)
    assert words in refused.value.cause


@pytest.mark.parametrize(("tenant", "words"), [("3", "has no row of public.tenants"), ("acme", "is no bigint")])
def test_a_tenant_that_the_backup_lacks_is_refused(
    server: Server, production: psycopg.Connection[Any], tenant: str, words: str
) -> None:
    production.execute("INSERT INTO tenants VALUES (3, 'new')")
    with pytest.raises(RecoveryRefused, match=words):
        compared(server, production, tenant)


def test_what_is_shown_has_keys_and_sums_and_no_persons_text(
    server: Server, production: psycopg.Connection[Any]
) -> None:
    production.execute("DELETE FROM members; DELETE FROM people; UPDATE bills SET total = 0 WHERE id = 3")
    text = "\n".join(lines(compared(server, production), b"key"))
    for words in (
        "tenant=1 person=hmac:",
        "changed: id=3",
        "changed: total +3.000 USD",
        "email=hmac:",
        "2 shared rows",
    ):
        assert words in text, text
    assert "2 would be added, 1 changed, 0 removed." in text
    assert CANARY not in text
