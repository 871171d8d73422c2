"""A transaction that is sent in one message is waited for once, and nothing of it stays."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.pq import TransactionStatus

from fixtures.checks.at_once import undone
from fixtures.server import Server
from tests.support.kept_server import kept_server

INSERT = sql.SQL("INSERT INTO public.notes VALUES (1), (2)").format()
COUNT = sql.SQL("SELECT count(*) FROM public.notes -- how many").format()
NOT_SQL, NOT_THERE = sql.SQL("SELEKT 1").format(), sql.SQL("SELECT * FROM public.no_such").format()


class Waiting(psycopg.Connection[Any]):
    """Counts how often it waited for the server."""

    waited = 0

    def wait(self, *given: Any, **named: Any) -> Any:
        self.waited += 1
        return super().wait(*given, **named)


@pytest.fixture
def server() -> Iterator[Server]:
    with kept_server() as server:
        server.create_database("looked_at")
        with server.connect("looked_at") as connection:
            connection.execute("CREATE TABLE public.notes (id int)")
        yield server


@pytest.fixture
def session(server: Server) -> Iterator[Waiting]:
    with Waiting.connect(
        host=server.host,
        port=server.port,
        user=server.user,
        password=server.password,
        dbname=server.database("looked_at"),
        autocommit=True,
    ) as session:
        yield session


def counted(session: psycopg.Connection[Any]) -> int:
    row = session.execute("SELECT count(*) FROM public.notes").fetchone()
    assert row is not None
    return int(row[0])


def test_it_is_waited_for_once_and_undone(session: Waiting) -> None:
    waited = session.waited
    with undone(session, INSERT, COUNT) as outcomes:
        assert next(outcomes).rowcount == 2
        assert next(outcomes).fetchall() == [(2,)]
    assert session.waited == waited + 1
    assert counted(session) == 0


def test_others_look_at_it_until_the_end_where_they_are_to(session: Waiting, server: Server) -> None:
    deleted = sql.SQL("DELETE FROM public.notes").format()
    with server.connect("looked_at") as another:
        another.execute("INSERT INTO public.notes VALUES (1)")
        another.commit()
        for looked_at in (True, False):
            with undone(session, deleted, looked_at=looked_at):
                held = another.execute("SELECT count(*) FROM pg_locks WHERE mode = 'RowExclusiveLock'").fetchone()
                assert held == (int(looked_at),)
    assert counted(session) == 1


@pytest.mark.parametrize("failing", [NOT_SQL, NOT_THERE], ids=["no SQL", "of no such table"])
def test_a_statement_that_fails_leaves_nothing(failing: sql.Composed, session: Waiting) -> None:
    with pytest.raises(psycopg.ProgrammingError), undone(session, INSERT, failing):
        pass
    assert session.info.transaction_status == TransactionStatus.IDLE
    assert counted(session) == 0


@pytest.mark.parametrize("failing", [NOT_SQL, NOT_THERE], ids=["no SQL", "of no such table"])
def test_the_transaction_that_it_is_within_goes_on(failing: sql.Composed, session: Waiting) -> None:
    with session.transaction():
        session.execute("INSERT INTO public.notes VALUES (3)")
        with undone(session, INSERT) as outcomes:
            assert next(outcomes).rowcount == 2
        with pytest.raises(psycopg.ProgrammingError), undone(session, INSERT, failing):
            pass
        assert counted(session) == 1
    assert counted(session) == 1
