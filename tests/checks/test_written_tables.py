"""A table that no fault was planted in is not asked again what the check was told of it; one that was written to is."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest
from psycopg import sql

from fixtures.checks.access import Access
from fixtures.checks.databases import Database
from fixtures.checks.examination import Examination
from fixtures.checks.one_pass import Answers
from fixtures.checks.written_tables import written_tables
from fixtures.database.catalogue import take_facts
from fixtures.record.facts import Facts
from fixtures.record.names import TableName
from fixtures.server import Server
from tests.support.kept_server import kept_server

TABLES = """
    CREATE TABLE public.plans (id int);
    CREATE TABLE public.old_plans () INHERITS (public.plans);
    CREATE TABLE public.notes (id int);
    CREATE TABLE public.days (id int) PARTITION BY RANGE (id);
    CREATE TABLE public.some_days PARTITION OF public.days FOR VALUES FROM (0) TO (9);
    CREATE TABLE public.other_days PARTITION OF public.days DEFAULT;
    INSERT INTO public.plans VALUES (1);
    INSERT INTO public.notes VALUES (1);
    INSERT INTO public.days VALUES (1), (10);
"""
PLANTED = {
    "a row less": ("DELETE FROM public.plans", {"plans"}),
    "a row more in a child": ("INSERT INTO public.old_plans VALUES (2)", {"plans", "old_plans"}),
    "another value in a partition": ("UPDATE public.some_days SET id = 2", {"days", "some_days"}),
    "a row that changes its partition": ("UPDATE public.days SET id = 10", {"days", "some_days", "other_days"}),
    "nothing": ("SELECT 1", set[str]()),
}
"""What is planted, and the tables that are asked anew."""


@pytest.fixture
def server() -> Iterator[Server]:
    with kept_server() as server:
        server.create_database("looked_at")
        with server.connect("looked_at") as connection:
            connection.execute(TABLES)
        yield server


def accessed(server: Server) -> Access:
    name = server.database("looked_at")
    return Access(server.host, server.port, server.user, server.password, name, name, "", b"key", server.major)


def looked_at(database: Database) -> dict[str, object]:
    """Of each table the place of its newest row: it changes with any that is written, and no key has to be read."""
    query = sql.SQL("SELECT count(*) AS rows, max(id) AS newest, max(xmin::text) AS writer FROM {}")
    return {
        table.name.name: database.rows_of(table, query.format(table.name.identifier)) for table in database.facts.tables
    }


@pytest.mark.parametrize("planted", PLANTED)
def test_what_was_not_written_to_is_not_asked_again(planted: str, server: Server) -> None:
    access, (statement, asked_anew) = accessed(server), PLANTED[planted]
    with closing(access.connect(access.restored)) as kept, server.connect("looked_at") as session:
        facts: Facts = take_facts(kept)
        database = Database(facts, Examination(), access, access.restored, kept, answers=Answers(kept))
        before = looked_at(database)
        with session.transaction(force_rollback=True):
            session.execute(statement.encode())
            spoiled = replace(database, session=session)
            now, anew = looked_at(spoiled), looked_at(replace(spoiled, answers=None))
            assert now == anew
            assert {name for name in now if now[name] is not before[name]} == asked_anew


def test_where_the_server_counts_nothing_all_is_asked_again(server: Server) -> None:
    access = accessed(server)
    with closing(access.connect(access.restored)) as kept, server.connect("looked_at") as session:
        database = Database(take_facts(kept), Examination(), access, access.restored, kept, answers=Answers(kept))
        before = looked_at(database)
        with session.transaction(force_rollback=True):
            session.execute("SET LOCAL track_counts = off")
            session.execute("DELETE FROM public.notes")
            assert written_tables(session) is None
            now = looked_at(replace(database, session=session))
        assert now["notes"] != before["notes"]
        assert all(now[name] is not before[name] for name in now)


def test_what_another_session_wrote_is_not_this_ones(server: Server) -> None:
    with server.connect("looked_at") as session, server.connect("looked_at") as another:
        another.execute("DELETE FROM public.notes")
        session.execute("DELETE FROM public.plans")
        assert written_tables(session) == frozenset({TableName("public", "plans")})
