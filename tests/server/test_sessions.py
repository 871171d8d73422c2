"""Sessions of the suite mean the same whatever a database, a role or the shell has set."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from datetime import date, datetime

import psycopg
import pytest

from fixtures.sandbox.guardian import Guardian
from fixtures.server import Server, ServerRequest, serve
from fixtures.server.sessions import READING, cancel, forget_libpq_variables, pinned

# What a dump may leave behind, on the database or on a role: each changes what a query finds or how a value is written.
LEFT_BEHIND = {
    "search_path": "lies, pg_catalog",
    "datestyle": "SQL, DMY",
    "timezone": "Asia/Tokyo",
    "extra_float_digits": "-3",
    "bytea_output": "escape",
    "intervalstyle": "sql_standard",
    "xmlbinary": "hex",
    "standard_conforming_strings": "off",
    "row_security": "on",
    "statement_timeout": "1ms",
    "default_transaction_isolation": "serializable",
    "transform_null_equals": "on",
    "jit": "on",
}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Guardian("5e551085") as guardian, serve(ServerRequest("5e551085", "local"), guardian) as running:
        running.create_database("restored")
        with running.connect("restored") as connection:
            connection.execute("CREATE SCHEMA lies")
            connection.execute(
                "CREATE FUNCTION lies.equal(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT true';"
                "CREATE OPERATOR lies.= (LEFTARG = text, RIGHTARG = text, FUNCTION = lies.equal)"
            )
        reader = running.logins.of(running, "reader").user
        with running.connect() as connection:
            for owner in ("DATABASE restored", f"ROLE {reader}", f"ROLE {reader} IN DATABASE restored"):
                for name, value in LEFT_BEHIND.items():
                    connection.execute(f"ALTER {owner} SET {name} = {value if name == 'search_path' else repr(value)}")
        yield running


def shown(session: psycopg.Connection, name: str) -> str:
    row = session.execute("SELECT pg_catalog.current_setting(%s)", [name]).fetchone()
    assert row is not None
    return str(row[0])


@pytest.mark.parametrize("name", LEFT_BEHIND)
def test_what_a_database_and_a_role_have_set_is_outweighed(server: Server, name: str) -> None:
    with server.reading("restored") as session:
        assert shown(session, name) == {**pinned(server.major), **READING}[name]


def test_an_operator_of_the_dumps_own_is_not_found(server: Server) -> None:
    # The database lets a statement take a millisecond, which on a busy machine this one does.
    with server.connect("restored", options="-c statement_timeout=0") as session:
        session.execute("SET search_path = lies, pg_catalog")
        assert session.execute("SELECT 'a'::text = 'b'::text").fetchone() == (True,)
    with server.reading("restored") as session:
        assert session.execute("SELECT 'a'::text = 'b'::text").fetchone() == (False,)


def test_libpqs_variables_are_forgotten_but_for_passwords() -> None:
    environment = {
        "PGHOSTADDR": "127.0.0.1",
        "PGSERVICE": "x",
        "PGOPTIONS": "-c x=1",
        "PGPASSWORD": "kept",
        "PATH": "/bin",
    }
    forget_libpq_variables(environment, but_passwords=True)
    assert environment == {"PGPASSWORD": "kept", "PATH": "/bin"}
    forget_libpq_variables(environment)
    assert environment == {"PATH": "/bin"}


def test_a_moment_that_python_has_no_value_for_is_read_as_its_text(server: Server) -> None:
    moments = (
        "SELECT date 'infinity', timestamptz '0044-03-15 BC', '{-infinity,2026-01-02}'::timestamp[], date '2026-01-02'"
    )
    with server.reading("restored") as session:
        read = session.execute(moments).fetchone()
    assert read == ("infinity", "0044-03-15 00:00:00+00 BC", ["-infinity", datetime(2026, 1, 2)], date(2026, 1, 2))


def test_what_a_session_does_is_cancelled(server: Server) -> None:
    with ThreadPoolExecutor(1) as thread, server.connect() as session:
        waits = thread.submit(session.execute, "SELECT pg_catalog.pg_sleep(60)")
        while not waits.done():
            cancel(session)
            time.sleep(0.05)
        with pytest.raises(psycopg.errors.QueryCanceled):
            waits.result(30)


@pytest.mark.parametrize("lost", [True, False])
def test_a_session_that_is_lost_while_it_is_cancelled_is_no_error(
    server: Server, monkeypatch: pytest.MonkeyPatch, lost: bool
) -> None:
    session = server.connect()

    def not_sent(*, timeout: float) -> None:
        """As libpq answers where the server ended the session after psycopg looked at it."""
        if lost:
            session.close()
        raise psycopg.OperationalError("couldn't send cancellation: connection not open")

    monkeypatch.setattr(session, "cancel_safe", not_sent)
    with nullcontext() if lost else pytest.raises(psycopg.OperationalError, match="not open"):
        cancel(session)
    session.close()
