"""The restored database is not asked again where migrations left alone all that a query of the migrated one reads."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from psycopg import sql

from fixtures.checks.databases import Database
from fixtures.checks.examination import Examination, Finding
from fixtures.checks.one_pass import Answers
from fixtures.checks.probe import Probe
from fixtures.checks.rows_untouched import RowsUntouched
from fixtures.checks.tenancy.table_pass import TablePass
from tests.support.small_tenancy import Look, SmallTenancy, small_tenancy

SPENT = "public.spent(cardNo)->public.cards"
VIA = {"owner_via": {"spent": "tenant_id"}}
# What a restored database may hold beside its tables, for a query to read.
THERE = """
CREATE TABLE parents (id int PRIMARY KEY);
CREATE TABLE children () INHERITS (parents);
CREATE TYPE mood AS ENUM ('low', 'high');
CREATE TABLE moods (id int PRIMARY KEY, mood mood);
INSERT INTO moods VALUES (1, 'low');
CREATE TABLE within (id int PRIMARY KEY, whose tenants);
CREATE VIEW seen AS SELECT id FROM people;
CREATE FUNCTION twos() RETURNS bigint STABLE PARALLEL SAFE LANGUAGE plpgsql
  AS 'BEGIN RETURN (SELECT count(*) FROM public.devices); END';
"""
CARDS = "SELECT id FROM public.cards WHERE id > 90"
DEVICES = "SELECT id FROM public.cards WHERE id > 90 OR public.twos() > 90"
MOODS = "SELECT id FROM public.moods WHERE mood::text = 'none'"
# What migrations did, what is asked then, and whether the restored database is asked as well.
MIGRATIONS: dict[str, tuple[str, str, bool]] = {
    "nothing": ("", CARDS, False),
    "another table's rows": ("INSERT INTO tenants VALUES (3)", CARDS, False),
    "a new table": ("CREATE TABLE fresh (id serial PRIMARY KEY, word text)", CARDS, False),
    "an index": ("CREATE INDEX ON cards (tenant_id)", CARDS, False),
    "moved, and left as it was": ("VACUUM FULL cards", CARDS, False),
    "a row more": ("INSERT INTO cards VALUES (4, 2)", CARDS, True),
    "a row less": ("DELETE FROM spent; DELETE FROM cards WHERE id = 3", CARDS, True),
    "a row for another": (
        "DELETE FROM spent; DELETE FROM cards WHERE id = 3; INSERT INTO cards VALUES (4, 2)",
        CARDS,
        True,
    ),
    "a row written as it was": ("UPDATE cards SET tenant_id = 2 WHERE id = 2", CARDS, True),
    "all rows written anew": ("ALTER TABLE cards ALTER id TYPE bigint", CARDS, True),
    "a column more": ("ALTER TABLE cards ADD word text DEFAULT 'a'", CARDS, True),
    "a column of another name": ("ALTER TABLE cards RENAME tenant_id TO whose", CARDS, True),
    "another collation": (
        'ALTER TABLE words_of ALTER word TYPE text COLLATE "C"',
        "SELECT word FROM public.words_of",
        True,
    ),
    "another table of the name": (
        "ALTER TABLE cards RENAME TO old; CREATE TABLE cards (id int); INSERT INTO cards SELECT id FROM old",
        CARDS,
        True,
    ),
    "a function's words": (
        "CREATE OR REPLACE FUNCTION twos() RETURNS bigint STABLE LANGUAGE sql AS 'SELECT 2::bigint'",
        DEVICES,
        True,
    ),
    "a function's words, which nothing calls": (
        "CREATE OR REPLACE FUNCTION twos() RETURNS bigint STABLE LANGUAGE sql AS 'SELECT 2::bigint'",
        CARDS,
        True,
    ),
    "nothing, and a function is called": ("", DEVICES, False),
    "what a function reads": ("DELETE FROM devices", DEVICES, True),
    "a word of an enumeration": ("ALTER TYPE mood RENAME VALUE 'low' TO 'lower'", MOODS, True),
    "nothing of an enumeration": ("", MOODS, False),
    "nothing, and a column of a table's type": ("", "SELECT id FROM public.within WHERE id > 90", True),
    "nothing, and types are asked for": ("", f"{CARDS} AND pg_catalog.pg_typeof(id)::pg_catalog.oid < 16384", False),
    "nothing, and a view is read": ("", "SELECT id FROM public.seen WHERE id > 90", True),
    "nothing, and a table with children": ("", "SELECT id FROM public.parents", True),
    "a child that is one no more": ("ALTER TABLE children NO INHERIT parents", "SELECT id FROM public.parents", True),
    "nothing, and the catalogue is read": ("", "SELECT oid FROM pg_catalog.pg_class WHERE relname = 'none'", True),
    "nothing, and the server is asked": ("", f"{CARDS} OR to_regclass('public.none') IS NOT NULL", True),
    "nothing, and a part that the plan leaves out": ("", f"{CARDS} AND false OR id > 90", False),
    "what a part reads that is never run": (
        "DELETE FROM devices",
        f"{CARDS} AND (SELECT count(*) FROM public.devices) > 90",
        True,
    ),
}


@pytest.fixture(scope="module")
def tenancy() -> Iterator[SmallTenancy]:
    with small_tenancy() as ready:
        with ready.server.connect("tenancy") as session:
            session.execute("CREATE TABLE words_of (word text)")
            session.execute(THERE)
        yield ready


def probed(broken: str) -> Probe:
    """What nothing breaks, asked of no table alone."""
    return Probe(broken=sql.SQL(broken), examined=sql.SQL("SELECT 5"), says="break it")  # type: ignore[arg-type]


def after(now: Look, was: Look) -> tuple[Database, Database]:
    """The database that migrations have made of another one, as a check asks it, and that other one."""
    restored = replace(was.database, examination=Examination(), answers=Answers(was.database.session))
    answers = Answers(now.database.session)
    return replace(now.database, before=lambda: restored, answers=answers, examination=Examination()), restored


@pytest.mark.parametrize("migration", MIGRATIONS)
def test_what_migrations_left_alone_is_not_asked_again(tenancy: SmallTenancy, migration: str) -> None:
    executed, query, asked = MIGRATIONS[migration]
    with tenancy.look(**VIA) as was, tenancy.look(executed, **VIA) as now:
        database, restored = after(now, was)
        database.expect_none(probed(query))
        assert (database.examination.asked_restored, bool(list(restored.examination.queries))) == (asked, asked)
        assert database.examination.in_backup is False


def test_what_is_untouched_is_so_while_others_write(tenancy: SmallTenancy) -> None:
    """A catalogue that initdb alone has written tells no other age for each transaction that begins meanwhile."""
    ended = threading.Event()

    def write() -> None:
        with tenancy.server.connect("tenancy") as session:
            while not ended.is_set():
                session.execute("SELECT pg_catalog.txid_current()")

    with tenancy.look() as was, tenancy.look() as now, ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        try:
            sessions = (was.database.session, now.database.session)
            (oid,) = sessions[1].execute("SELECT 'public.cards'::regclass::oid").fetchall()[0]
            assert all(RowsUntouched(*sessions).among([oid]) for _ in range(20))
        finally:
            ended.set()
        writing.result()


@pytest.mark.parametrize("hidden", [True, False])
def test_a_pass_that_several_share_is_not_asked_again_until_a_migration_writes(
    tenancy: SmallTenancy, hidden: bool
) -> None:
    """One that writes the fault away is seen: it wrote."""
    fault = "UPDATE spent SET tenant_id = 1 WHERE turn = 2"
    with tenancy.look(fault if hidden else "", **VIA) as was, tenancy.look(**VIA) as now:
        database, restored = after(now, was)
        table = TablePass(now.table("spent"), now.database.facts, now.ownership, now.tenancy)
        (key,) = [each for each in now.ownership.references(now.database.facts) if each.id == SPENT]
        looked = replace(now, database=database)
        message, _ = looked.said(table.reference(key))
        assert message.startswith("the backup holds the fault; this release's migrations hide it") is hidden
        assert database.examination.asked_restored is hidden
        assert bool(list(restored.examination.queries)) is hidden


def test_what_breaks_is_asked_of_the_restored_database_as_well(tenancy: SmallTenancy) -> None:
    with tenancy.look() as was, tenancy.look() as now:
        database, restored = after(now, was)
        with pytest.raises(Finding, match="3 of 5 rows break it"):
            database.expect_none(probed("SELECT id FROM public.cards"))
        assert (database.examination.asked_restored, database.examination.in_backup) == (True, True)
        assert list(restored.examination.queries)


def test_a_proof_is_told_what_its_check_found_untouched(tenancy: SmallTenancy) -> None:
    """Its session sees what it planted, which the restored database has nothing of."""
    with tenancy.look() as was, tenancy.look() as now, tenancy.server.connect(now.database.name) as planting:
        database, restored = after(now, was)
        database.expect_none(probed(CARDS))
        planting.execute("INSERT INTO cards VALUES (91, 2)")
        proof = replace(database, session=planting, examination=Examination())
        with pytest.raises(Finding, match="the restored database has none of it"):
            proof.expect_none(probed(CARDS))
        assert not list(restored.examination.queries)
        planting.execute("DELETE FROM cards WHERE id = 91")


def test_a_proof_without_its_check_asks_the_restored_database(tenancy: SmallTenancy) -> None:
    with tenancy.look() as was, tenancy.look() as now, tenancy.server.connect(now.database.name) as planting:
        database, restored = after(now, was)
        replace(database, session=planting).expect_none(probed(CARDS))
        assert database.examination.asked_restored is True
        assert list(restored.examination.queries)


def test_without_migrations_nothing_else_is_there_to_be_asked(tenancy: SmallTenancy) -> None:
    with tenancy.look() as now:
        database = replace(now.database, answers=Answers(now.database.session))
        database.expect_none(probed(CARDS))
        assert database.examination.asked_restored is None
