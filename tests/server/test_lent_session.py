"""The session of the server's own user is kept for the next caller, who finds it as if it had just been opened."""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace

import psycopg
import pytest
from psycopg.rows import dict_row

from fixtures.server import Server
from fixtures.server.lent_session import LentSession
from fixtures.server.sessions import PINNED
from tests.support.kept_server import kept_server

_HELD = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711"
_SETTINGS = sorted(PINNED)
# What a caller may do to a session, and how the next one would see it.
LEFT = {
    "a setting": ("SET datestyle = 'SQL, DMY'", "SELECT 1 WHERE current_setting('datestyle') <> 'ISO, YMD'"),
    "one that is not pinned": ("SET work_mem = '77MB'", "SELECT 1 WHERE current_setting('work_mem') = '77MB'"),
    "a time limit": ("SET statement_timeout = '60s'", "SELECT 1 WHERE current_setting('statement_timeout') <> '0'"),
    "its role": ("SET ROLE pg_monitor", "SELECT 1 WHERE current_user = 'pg_monitor'"),
    "whose session it is": ("SET SESSION AUTHORIZATION pg_monitor", "SELECT 1 WHERE session_user = 'pg_monitor'"),
    "a temporary table": ("CREATE TEMPORARY TABLE left_there (a int)", "SELECT to_regclass('pg_temp.left_there')"),
    "a cursor": ("DECLARE left_there CURSOR WITH HOLD FOR SELECT 1", "SELECT 1 FROM pg_cursors"),
    "a prepared statement": ("PREPARE left_there AS SELECT 1", "SELECT 1 FROM pg_prepared_statements"),
    "what it listens to": ("LISTEN left_there", "SELECT pg_listening_channels()"),
    "a lock": ("SELECT pg_advisory_lock(4711)", _HELD),
    "an open transaction": ("BEGIN READ ONLY", "SELECT 1 WHERE current_setting('transaction_read_only') = 'on'"),
}
DRIVEN: dict[str, Callable[[psycopg.Connection], None]] = {
    "autocommit": lambda session: session.set_autocommit(False),
    "rows": lambda session: setattr(session, "row_factory", dict_row),
    "isolation": lambda session: session.set_isolation_level(psycopg.IsolationLevel.SERIALIZABLE),
    "reading": lambda session: session.set_read_only(True),
    "preparing": lambda session: setattr(session, "prepare_threshold", 1),
}


@pytest.fixture
def server() -> Iterator[Server]:
    with kept_server() as ready:
        ours = replace(ready, at_hand=LentSession())
        yield ours
        ours.at_hand.close()


def process(session: psycopg.Connection) -> int:
    return session.info.backend_pid


def its_process(server: Server) -> int:
    with server.administer() as session:
        return process(session)


def test_many_short_uses_have_one_session(server: Server) -> None:
    seen = {its_process(server) for _ in range(10)}
    server.create_database("short")
    with server.altering("short"):
        seen.add(its_process(server))
    server.drop_database("short")
    assert len({*seen, its_process(server)}) == 1


@pytest.mark.parametrize("what", LEFT)
def test_what_a_caller_left_is_not_seen_by_the_next(server: Server, what: str) -> None:
    leave, seen = LEFT[what]
    with server.administer() as session:
        session.execute(leave.encode())
        assert session.execute(seen.encode()).fetchone() not in (None, (None,))
    with server.administer() as session:
        assert session.execute(seen.encode()).fetchone() in (None, (None,))
        shown = session.execute("SELECT name, setting FROM pg_settings WHERE name = ANY(%s)", [_SETTINGS]).fetchall()
        first = server.administer_alone()
    with first:
        fresh = first.execute("SELECT name, setting FROM pg_settings WHERE name = ANY(%s)", [_SETTINGS]).fetchall()
    assert sorted(shown) == sorted(fresh)


def test_what_a_caller_left_is_gone_before_there_is_a_next(server: Server) -> None:
    with server.administer() as session:
        session.execute("SELECT pg_advisory_lock(4711)")
    with server.administer_alone() as other:
        assert other.execute(_HELD).fetchone() is None


@pytest.mark.parametrize("what", DRIVEN)
def test_what_the_driver_was_told_is_not_seen_by_the_next(server: Server, what: str) -> None:
    with server.administer() as session:
        DRIVEN[what](session)
        first = process(session)
    assert its_process(server) != first


def test_one_that_was_lost_is_replaced(server: Server) -> None:
    lost = its_process(server)
    with server.administer_alone() as other:
        other.execute("SELECT pg_terminate_backend(%s, 10000)", [lost])
    with server.administer() as session:
        assert process(session) != lost
        assert session.execute("SELECT 1").fetchone() == (1,)


def test_one_that_is_lost_while_it_is_lent_is_not_kept(server: Server) -> None:
    with server.administer() as session, server.administer_alone() as other:
        lost = process(session)
        other.execute("SELECT pg_terminate_backend(%s, 10000)", [lost])
    assert its_process(server) != lost


def test_one_is_not_kept_after_an_error(server: Server) -> None:
    first = its_process(server)
    with pytest.raises(psycopg.errors.DivisionByZero), server.administer() as session:
        session.execute("SELECT 1 / 0")
    assert session.closed
    assert its_process(server) != first


def test_it_is_lent_to_one_at_a_time(server: Server) -> None:
    with server.administer() as one, server.administer() as other:
        assert process(one) != process(other)
    assert one.closed != other.closed


def test_it_is_not_lent_to_whoever_could_not_have_opened_it(server: Server) -> None:
    kept = its_process(server)
    refused = replace(server, password="another")
    assert refused.at_hand is server.at_hand
    with pytest.raises(psycopg.OperationalError, match="password"), refused.administer():
        pass
    assert its_process(server) == kept


def test_a_fork_has_one_of_its_own(server: Server) -> None:
    kept = its_process(server)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, str(its_process(server)).encode())
        os._exit(0)
    os.close(writing)
    with open(reading) as answer:  # noqa: PTH123
        assert int(answer.read()) != kept
    os.waitpid(child, 0)
    assert its_process(server) == kept


def test_it_ends_with_the_server(server: Server) -> None:
    kept = its_process(server)
    server.at_hand.close()
    with server.administer_alone() as other:
        other.execute("SELECT pg_terminate_backend(%s, 10000)", [kept])
        gone = other.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", [kept]).fetchone()
    assert gone is None
    assert its_process(server) != its_process(server)
