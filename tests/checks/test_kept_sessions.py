"""A session of the checks that was ended is opened anew where the server stands, and never again where it was lost."""

from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest

from fixtures.checks.access import Access
from fixtures.checks.kept_sessions import KeptSessions, ServerLost
from fixtures.server import Server
from tests.support.kept_server import kept_server

OTHERS = (
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename IS NOT NULL AND pid <> pg_backend_pid()"
)


@pytest.fixture
def server() -> Iterator[Server]:
    with kept_server() as ready:
        ready.create_database("looked_at")
        yield ready


@pytest.fixture
def access(server: Server) -> Access:
    reader, name = server.logins.of(server, "reader"), server.database("looked_at")
    own = {"own_user": server.user, "own_password": server.password}
    return Access(server.host, server.port, reader.user, reader.password, name, name, "", b"key", server.major, **own)


@pytest.fixture
def kept(access: Access) -> Iterator[KeptSessions]:
    with closing(KeptSessions(access)) as sessions:
        yield sessions


def test_a_session_that_ended_itself_is_opened_anew(kept: KeptSessions) -> None:
    session = kept.on("looked_at")
    with pytest.raises(psycopg.OperationalError):
        session.execute("SELECT pg_catalog.pg_terminate_backend(pg_catalog.pg_backend_pid())")
    assert not kept.server_lost(after_a_failure=True)
    assert kept.on("looked_at").execute("SELECT 1").fetchone() == (1,)


def test_code_of_a_dump_ends_sessions_of_its_reader_and_not_the_one_that_looks(
    kept: KeptSessions, access: Access
) -> None:
    session = kept.on("looked_at")
    with access.connect("looked_at") as another:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            another.execute(OTHERS)
        another.execute("SELECT pg_terminate_backend(%s, 5000)", [session.info.backend_pid])
    # Ended between two checks: neither is to blame.
    assert kept.on("looked_at") is not session
    assert not kept.server_lost(after_a_failure=True)


def test_a_server_that_ended_its_sessions_stays_lost(kept: KeptSessions, server: Server) -> None:
    kept.on("looked_at")
    with server.connect() as operator:
        operator.execute(OTHERS)
    for _ in range(2):
        with pytest.raises(ServerLost):
            kept.on("looked_at")
    assert kept.server_lost(after_a_failure=True)
