"""Money before and after the migrations, by tenant and currency: what a migration rounds, moves or drops is told."""

import tomllib
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from fixtures.checks.access import Access
from fixtures.checks.billing.conserved import compare_money, holdings
from fixtures.checks.databases import Database
from fixtures.checks.examination import Examination
from fixtures.database.catalogue import take_structure
from fixtures.database.money_columns import summed_columns
from fixtures.ownership import derive_ownership
from fixtures.profile import Profile
from fixtures.record.facts import Facts
from fixtures.record.names import TableName
from fixtures.server import Server
from tests.support.kept_server import server_with
from tests.support.small_shop import ACME, ZEN

PROFILE = """
application = { name = "shop", environment = {} }
backup = { required = ["dump"], least_bytes = 1 }
targets = { rpo_hours = 24, rto_minutes = 60 }
tenancy = { root = "tenants" }

[[money]]
table = "Bills"
columns = ["total", "tax"]
currency = "currency"

[[money]]
table = "prices"
columns = ["net"]
"""
TABLES = """
CREATE TABLE tenants (slug text PRIMARY KEY);
CREATE TABLE "Bills" (id int PRIMARY KEY, tenant text REFERENCES tenants, currency text, total numeric, tax real);
CREATE TABLE prices (net numeric);
INSERT INTO tenants VALUES ('acme'), ('zen');
INSERT INTO "Bills" SELECT g, CASE WHEN g % 2 = 0 THEN 'acme' ELSE 'zen' END, CASE WHEN g % 3 = 0 THEN 'EUR' END,
                           g * 1.001, 0.1 FROM generate_series(1, 60) g;
INSERT INTO prices VALUES (1), ('NaN');
"""
BILLS, PRICES = TableName("public", "Bills"), TableName("public", "prices")
Migrated = Callable[..., tuple[int, list[str]]]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with server_with("before", TABLES, "after") as ready:
        yield ready


@pytest.fixture
def migrated(server: Server) -> Iterator[Migrated]:
    """Compares a table of the shop with what a migration made of it, which is undone afterwards."""
    with server.connect("before") as before, server.connect("after") as after:
        after.autocommit = False

        def by(migration: str, table: TableName = BILLS, declared: str = "") -> tuple[int, list[str]]:
            profile = Profile.model_validate(tomllib.loads(PROFILE + declared))
            after.rollback()
            after.execute(migration)  # type: ignore[call-overload]
            old, new = structure(before), structure(after)
            was = old.table(table)
            assert was is not None
            paths = tuple(derive_ownership(facts, profile.tenancy).owned.get(table) for facts in (old, new))
            held = holdings(
                was, new.table(table), summed_columns(profile, old)[table], (paths[0], paths[1]), profile.money_changed
            )
            return compare_money(held, database(before, old), database(after, new))

        yield by
        after.rollback()


def structure(session: psycopg.Connection[Any]) -> Facts:
    return take_structure(session.cursor(row_factory=dict_row))


def database(session: psycopg.Connection[Any], facts: Facts) -> Database:
    return Database(facts, Examination(), Access("", 0, "", "", "", "", "", b"key"), "shop", session)


def test_what_is_only_written_anew_is_as_it_was(migrated: Migrated) -> None:
    assert migrated("""UPDATE "Bills" SET id = id + 1000; ALTER TABLE "Bills" ALTER total TYPE numeric(20, 6)""") == (
        8,
        [],
    )
    assert migrated("SELECT 1", PRICES) == (1, [])


def test_a_cent_that_goes_to_another_tenant_or_currency_is_told_of_both(migrated: Migrated) -> None:
    assert migrated(
        """UPDATE "Bills" SET total = total + CASE id WHEN 2 THEN 0.01 ELSE -0.01 END WHERE id IN (2, 1)"""
    ) == (
        8,
        [f"total tenant={ACME} currency=none difference=0.010", f"total tenant={ZEN} currency=none difference=-0.010"],
    )
    assert migrated("""UPDATE "Bills" SET currency = 'USD' WHERE id = 6""")[1] == [
        f"tax tenant={ACME} currency=EUR difference=-0.1",
        f"tax tenant={ACME} currency=USD difference=0.1",
        f"total tenant={ACME} currency=EUR difference=-6.006",
        f"total tenant={ACME} currency=USD difference=6.006",
    ]


def test_a_column_and_a_table_that_are_gone_are_told_until_somebody_says_why(migrated: Migrated) -> None:
    gone = 'ALTER TABLE "Bills" DROP tax'
    assert migrated(gone) == (5, ["tax is gone, and no [[money_changed]] says why"])
    said = (
        '[[money_changed]]\ntable = "Bills"\ncolumn = "tax"\ndropped = true\nreason = "worked out anew from the rate"'
    )
    assert migrated(gone, BILLS, said) == (5, [])
    assert migrated("SELECT 1", BILLS, said)[1] == ["tax is declared to be dropped, and is there"]
    assert migrated("DROP TABLE prices", PRICES) == (1, ["net is gone, and no [[money_changed]] says why"])


def test_money_that_moves_to_another_column_in_another_unit_is_still_added_up(migrated: Migrated) -> None:
    said = (
        '[[money_changed]]\ntable = "Bills"\ncolumn = "total"\nbecomes = "mils"\ntimes = 1000\nreason = "kept in mils"'
    )
    moved = (
        'ALTER TABLE "Bills" ADD mils bigint; UPDATE "Bills" SET mils = total * 1000; ALTER TABLE "Bills" DROP total;'
    )
    assert migrated(moved, BILLS, said) == (8, [])
    assert migrated(moved + 'UPDATE "Bills" SET mils = mils + 1 WHERE id = 3', BILLS, said) == (
        8,
        [f"total tenant={ZEN} currency=EUR difference=1.000"],
    )
    assert migrated("SELECT 1", BILLS, said) == (5, ["total is gone, and no [[money_changed]] says why"])


def test_a_change_that_is_declared_is_made_or_its_declaration_goes(migrated: Migrated) -> None:
    said = '[[money_changed]]\ntable = "Bills"\ncolumn = "total"\nat_most = 0.02\nreason = "rounded to two decimals"'
    assert migrated('UPDATE "Bills" SET total = round(total, 2)', BILLS, said) == (8, [])
    assert migrated('UPDATE "Bills" SET total = total + 1 WHERE id = 3', BILLS, said) == (
        8,
        [f"total tenant={ZEN} currency=EUR difference=1.000"],
    )
    assert migrated("SELECT 1", BILLS, said) == (
        8,
        ["total is declared to change, and adds up to what it did: remove its [[money_changed]]"],
    )
