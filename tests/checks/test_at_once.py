"""A transaction that is sent in one message is waited for once, and nothing of it stays."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.pq import TransactionStatus

from fixtures.checks.at_once import undone, undone_in_turn
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


def test_each_of_a_turn_is_waited_for_once_whether_it_fails_or_not(session: Waiting) -> None:
    waited = session.waited
    with undone_in_turn(session) as do:
        for _ in range(3):
            outcomes = do(INSERT, COUNT)
            assert next(outcomes).rowcount == 2
            assert next(outcomes).fetchall() == [(2,)]
            for failing in (NOT_THERE, NOT_SQL):
                with pytest.raises(psycopg.ProgrammingError):
                    do(INSERT, failing)
        assert session.waited == waited + 9
    assert session.waited == waited + 10
    assert session.info.transaction_status == TransactionStatus.IDLE
    assert counted(session) == 0


def test_others_look_at_what_was_done_until_the_next_of_the_turn_or_the_end(session: Waiting, server: Server) -> None:
    deleted = sql.SQL("DELETE FROM public.notes").format()
    with server.connect("looked_at") as another:
        another.execute("INSERT INTO public.notes VALUES (1)")
        another.commit()

        def held() -> int:
            rows = another.execute("SELECT FROM pg_locks WHERE mode = 'RowExclusiveLock'").fetchall()
            return len(rows)

        with undone_in_turn(session) as do:
            do(deleted)
            assert held() == 1
            assert next(do(COUNT)).fetchall() == [(1,)]
            assert held() == 0
            do(deleted)
            with pytest.raises(psycopg.ProgrammingError):
                do(NOT_SQL)
            assert held() == 0
            do(deleted)
            assert held() == 1
        assert held() == 0
    assert counted(session) == 1


def test_nothing_that_is_set_reaches_the_next_of_the_turn(session: Waiting) -> None:
    set_to = "SELECT set_config('own.tenant', '{}', {})"
    shown = sql.SQL("SELECT current_setting('own.tenant', true)").format()
    with undone_in_turn(session) as do:
        for value, local in ((1, "true"), (2, "false")):
            outcomes = do(sql.SQL(set_to.format(value, local)), shown)  # type: ignore[arg-type]  # the test's own text
            assert [each.fetchall() for each in outcomes] == [[(str(value),)]] * 2
            assert next(do(shown)).fetchall() in ([("",)], [(None,)])
            with pytest.raises(psycopg.ProgrammingError):
                do(sql.SQL(set_to.format(value, local)), NOT_THERE)  # type: ignore[arg-type]
            assert next(do(shown)).fetchall() in ([("",)], [(None,)])


def test_a_turn_that_is_broken_off_leaves_nothing(session: Waiting) -> None:
    def broken_off() -> None:
        with undone_in_turn(session) as do:
            do(INSERT)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken_off()
    assert session.info.transaction_status == TransactionStatus.IDLE
    assert counted(session) == 0
