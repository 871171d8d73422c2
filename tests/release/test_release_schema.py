"""Two schemas are told apart object by object, by every facet that a migration or a hand could have changed."""

from collections.abc import Callable, Iterator

import pytest

from fixtures.release.drift import find_drift, without_tenants
from fixtures.release.schema import Schema, read_schema, unlike
from fixtures.release.shown_differences import schema_differences, texts_in
from fixtures.server import Server
from tests.support.kept_server import server_with

TABLES = """
CREATE EXTENSION pg_trgm;
CREATE SCHEMA "Shop";
CREATE COLLATION "Shop".plain (provider = libc, locale = 'C');
CREATE TYPE "Shop".mood AS ENUM ('glad', 'sad');
CREATE DOMAIN "Shop".amount AS numeric(9, 2) CHECK (VALUE >= 0);
CREATE TABLE "Shop"."Tenants" (code text PRIMARY KEY, name text, mood "Shop".mood DEFAULT 'glad');
CREATE TABLE "Shop"."Bills" (
  id serial PRIMARY KEY, tenant text REFERENCES "Shop"."Tenants", "Note" varchar(20) NOT NULL DEFAULT 'none',
  total "Shop".amount, twice numeric GENERATED ALWAYS AS (2 * 3) STORED, state text CHECK (state IN ('paid', 'open')));
CREATE INDEX "by ON tenant" ON "Shop"."Bills" (tenant, "Note") WHERE state = 'paid';
CREATE UNIQUE INDEX one_note ON "Shop"."Bills" (lower("Note"));
CREATE INDEX alike ON "Shop"."Bills" USING gin ("Note" gin_trgm_ops);
CREATE TABLE "Shop".parts (id int, at date) PARTITION BY RANGE (at);
CREATE TABLE "Shop".parts_2026 PARTITION OF "Shop".parts FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE INDEX ON "Shop".parts (at);
CREATE VIEW "Shop".paid AS SELECT id FROM "Shop"."Bills" WHERE state = 'paid';
CREATE FUNCTION "Shop".noted() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER noting BEFORE INSERT ON "Shop"."Bills" FOR EACH ROW EXECUTE FUNCTION "Shop".noted();
ALTER TABLE "Shop"."Bills" ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON "Shop"."Bills" USING (id > 0);
CREATE SEQUENCE "Shop".numbers;
"""
BILLS = '''"Shop"."Bills"'''
ONE_BY_ONE = "bigint from 1 by 1 between 1 and 9223372036854775807"
TWO_BY_TWO = ONE_BY_ONE.replace("by 1", "by 2")
Changed = Callable[[str], Schema]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with server_with("shop", TABLES) as ready:
        yield ready


@pytest.fixture
def changed(server: Server) -> Iterator[Changed]:
    """The shop's schema after some statements, which are undone afterwards."""
    with server.connect("shop", autocommit=False) as connection:

        def by(statements: str) -> Schema:
            connection.rollback()
            connection.execute(statements)  # type: ignore[call-overload]
            return read_schema(connection)

        yield by
        connection.rollback()


def test_a_schema_is_like_itself_in_any_database(server: Server, changed: Changed) -> None:
    server.create_database("twin")
    with server.connect("twin") as connection:
        connection.execute(TABLES)  # type: ignore[call-overload]
        twin = read_schema(connection)
    whole = changed("SELECT 1")
    assert unlike(whole, twin) == []
    kinds = {thing.kind for thing in whole.values()}
    assert kinds == {
        *("schema", "extension", "collation", "type", "domain", "function", "table", "view", "sequence"),
        *("column", "constraint", "index", "trigger", "policy"),
    }
    assert "column Shop.Bills.Note" in whole
    assert dict(whole["index Shop.Bills.by ON tenant"].facets) == {
        "definition": """USING btree (tenant, "Note") WHERE (state = 'paid'::text)"""
    }


@pytest.mark.parametrize(
    ("by_hand", "thing", "before", "after"),
    [
        (f"CREATE INDEX by_hand ON {BILLS} (total)", "index Shop.Bills.by_hand", None, "USING btree (total)"),
        ('DROP INDEX "Shop".alike', "index Shop.Bills.alike", 'USING gin ("Note" public.gin_trgm_ops)', None),
        (
            f"ALTER TABLE {BILLS} ADD CONSTRAINT mine CHECK (id > 0) NOT VALID",
            "constraint Shop.Bills.mine",
            None,
            "CHECK ((id > 0)) NOT VALID",
        ),
        (
            f"""ALTER TABLE {BILLS} ALTER "Note" SET DEFAULT 'x'""",
            "column Shop.Bills.Note default",
            "'none'::character varying",
            "'x'::character varying",
        ),
        (
            f"ALTER TABLE {BILLS} ALTER tenant TYPE varchar(30)",
            "column Shop.Bills.tenant type",
            "text",
            "character varying(30)",
        ),
        (f'ALTER TABLE {BILLS} ALTER "Note" DROP NOT NULL', "column Shop.Bills.Note null", "not null", "null"),
        (
            'ALTER TABLE "Shop"."Tenants" ALTER name TYPE text COLLATE "Shop".plain',
            "column Shop.Tenants.name collation",
            None,
            '"Shop".plain',
        ),
        ("CREATE EXTENSION unaccent", "extension unaccent", None, "version: 1.1"),
        (
            """ALTER TYPE "Shop".mood RENAME VALUE 'sad' TO 'blue'""",
            "type Shop.mood values",
            "'glad', 'sad'",
            "'glad', 'blue'",
        ),
        (f"ALTER TABLE {BILLS} DISABLE TRIGGER noting", "trigger Shop.Bills.noting enabled", "fires", "disabled"),
        (f"ALTER POLICY mine ON {BILLS} USING (id > 1)", "policy Shop.Bills.mine using", "(id > 0)", "(id > 1)"),
        (f"ALTER TABLE {BILLS} DISABLE ROW LEVEL SECURITY", "table Shop.Bills row security", "enabled", None),
        ('ALTER SEQUENCE "Shop".numbers INCREMENT 2', "sequence Shop.numbers numbers", ONE_BY_ONE, TWO_BY_TWO),
        ('CREATE TABLE "Shop".more (id int PRIMARY KEY)', "table Shop.more", None, ""),
    ],
)
def test_what_a_hand_changes_is_named_and_nothing_else(
    changed: Changed, by_hand: str, thing: str, before: str | None, after: str | None
) -> None:
    differences = unlike(changed("SELECT 1"), changed(by_hand), folded=True)
    assert [(f"{each.thing} {each.facet}".strip(), each.before, each.after) for each in differences] == [
        (thing, before, after)
    ]


def test_another_name_and_a_serial_in_place_of_identity_are_no_drift(changed: Changed) -> None:
    code = changed(
        f'DROP SEQUENCE "Shop"."Bills_id_seq" CASCADE; ALTER TABLE {BILLS} ALTER id ADD GENERATED BY DEFAULT AS IDENTITY'
    )
    database = changed('ALTER INDEX "Shop".one_note RENAME TO another')
    drift = find_drift(code, database)
    assert drift.differences == ()
    assert drift.alike == (
        "index Shop.Bills.another is called one_note by the code",
        "column Shop.Bills.id is numbered by serial, by the code by identity",
    )


def test_a_text_in_a_definition_shows_only_where_the_code_has_it(changed: Changed) -> None:
    code = changed("SELECT 1")
    database = changed(
        f"""ALTER TABLE {BILLS} ALTER "Note" SET DEFAULT 'none of O''Hara', ALTER state SET DEFAULT 'paid'"""
    )
    shown = schema_differences(find_drift(code, database).differences, texts_in(code), lambda text: f"hmac:{len(text)}")
    assert [(each.thing, each.before, each.after) for each in shown] == [
        ("column Shop.Bills.Note", "'none'::character varying", "'hmac:15'::character varying"),
        ("column Shop.Bills.state", None, "'paid'::text"),
    ]


def test_a_tenants_own_schema_is_no_drift_of_the_codes(changed: Changed) -> None:
    by_hand = changed('CREATE TABLE public.by_hand (id int); CREATE TABLE public."Shop.s" (id int)')
    left = {str(thing) for thing in without_tenants(by_hand, {}, {"Shop"}).values()}
    assert {name for name in left if "Shop" in name} == {
        'table public."Shop.s"',
        'column public."Shop.s".id',
    }
    assert "table public.by_hand" in left
    # What the code makes there as well is compared.
    assert without_tenants(by_hand, by_hand, {"Shop"}) == by_hand
