"""Whose each row is before and after the migrations: what went to another tenant is told by its key, masked."""

import tomllib
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from fixtures.checks.access import Access
from fixtures.checks.databases import Database
from fixtures.checks.examination import Examination
from fixtures.checks.masking import masked_text
from fixtures.checks.tenancy.kept_owners import Exchanged, KeptOwners, exchanged_rows
from fixtures.database.catalogue import take_structure
from fixtures.ownership import derive_ownership
from fixtures.profile import Profile
from fixtures.record.facts import Facts
from fixtures.record.names import TableName
from fixtures.server import Server
from tests.support.kept_server import server_with

PROFILE = Profile.model_validate(
    tomllib.loads(
        """
application = { name = "shop", environment = {} }
backup = { required = ["dump"], least_bytes = 1 }
targets = { rpo_hours = 24, rto_minutes = 60 }
tenancy = { root = "tenants" }
"""
    )
)
TABLES = """
CREATE TABLE tenants (slug text PRIMARY KEY);
CREATE TABLE "Bills" ("No" int, part text, tenant text REFERENCES tenants, PRIMARY KEY ("No", part));
CREATE TABLE lines (id int PRIMARY KEY, bill int, part text, FOREIGN KEY (bill, part) REFERENCES "Bills");
CREATE TABLE visits (tenant text REFERENCES tenants, at date);
INSERT INTO tenants VALUES ('acme'), ('zen'), ('gone');
INSERT INTO "Bills" SELECT g, 'p' || g, CASE g % 3 WHEN 0 THEN 'acme' WHEN 1 THEN 'zen' END FROM generate_series(1, 60) g;
INSERT INTO lines SELECT g, g, 'p' || g FROM generate_series(1, 60) g;
INSERT INTO visits SELECT CASE g % 2 WHEN 0 THEN 'acme' ELSE 'zen' END, '2026-01-01' FROM generate_series(1, 10) g;
"""
BILLS, LINES, VISITS = (TableName("public", name) for name in ("Bills", "lines", "visits"))
ACME, ZEN, GONE = (masked_text(slug, b"key") for slug in ("acme", "zen", "gone"))
By = Callable[[str, TableName], Exchanged]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with server_with("before", TABLES, "after") as ready:
        yield ready


@pytest.fixture
def migrated(server: Server) -> Iterator[By]:
    """Compares a table with what a migration made of it, which is undone afterwards."""
    with server.connect("before") as before, server.connect("after", autocommit=False) as after:

        def by(migration: str, table: TableName) -> Exchanged:
            after.rollback()
            after.execute(migration)  # type: ignore[call-overload]
            old, new = structure(before), structure(after)
            was, now = (derive_ownership(facts, PROFILE.tenancy).owned[table] for facts in (old, new))
            before_it = old.table(table)
            assert before_it is not None
            owners = KeptOwners(before_it.primary_key, was, now)
            return exchanged_rows(owners, database(before, old), database(after, new))

        yield by
        after.rollback()


def structure(session: psycopg.Connection[Any]) -> Facts:
    return take_structure(session.cursor(row_factory=dict_row))


def database(session: psycopg.Connection[Any], facts: Facts) -> Database:
    return Database(facts, Examination(), Access("", 0, "", "", "", "", "", b"key"), "shop", session)


@pytest.mark.parametrize(
    "migration",
    [
        "SELECT 1",
        """ALTER TABLE "Bills" ADD note text DEFAULT 'x'; ALTER TABLE "Bills" ALTER "No" TYPE bigint""",
        """INSERT INTO "Bills" VALUES (99, 'new', 'acme')""",
        # What is lost outright is counted by MIG-03.
        """DELETE FROM lines WHERE id < 9; DELETE FROM "Bills" WHERE "No" < 9""",
    ],
)
def test_rows_that_stay_with_their_tenant_are_no_finding(migrated: By, migration: str) -> None:
    assert migrated(migration, BILLS) == Exchanged(60, (), 0, 0)


def test_a_row_that_went_to_another_tenant_is_told_by_its_key(migrated: By) -> None:
    part = masked_text("p3", b"key")
    exchanged = migrated("""UPDATE "Bills" SET tenant = 'zen' WHERE "No" = 3""", BILLS)
    assert exchanged == Exchanged(60, (f"No=3 part={part} tenant={ACME} now={ZEN}",), 1, 0)


def test_two_rows_that_change_places_are_seen_though_every_tenant_has_as_many(migrated: By) -> None:
    swap = """UPDATE "Bills" SET tenant = CASE "No" WHEN 3 THEN 'zen' ELSE 'acme' END WHERE "No" IN (3, 4)"""
    exchanged = migrated(swap, BILLS)
    assert (exchanged.moved_total, exchanged.gone) == (2, 0)


def test_rows_that_nobody_owns_any_more_and_rows_that_follow_others_are_told(migrated: By) -> None:
    given_up = """UPDATE "Bills" SET tenant = NULL WHERE "No" = 3; UPDATE "Bills" SET tenant = 'gone' WHERE "No" = 4"""
    assert migrated(given_up, LINES).moved == (f"id=3 tenant={ACME} now=None", f"id=4 tenant={ZEN} now={GONE}")


def test_rows_that_others_took_the_place_of_are_counted(migrated: By) -> None:
    assert migrated("UPDATE lines SET id = id + 100 WHERE id < 5", LINES) == Exchanged(60, (), 0, 4)


def test_without_a_key_tenants_that_have_fewer_rows_are_counted(migrated: By) -> None:
    assert migrated("UPDATE visits SET tenant = 'gone' WHERE tenant = 'zen'", VISITS) == Exchanged(10, (), 0, 5)
    assert migrated("DELETE FROM visits WHERE tenant = 'zen'", VISITS) == Exchanged(10, (), 0, 0)
