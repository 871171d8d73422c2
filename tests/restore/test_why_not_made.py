"""A database that the server does not make is told with the server's own reason, the disk for a full disk alone."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from fixtures.dump.plain_dump import read_script
from fixtures.record.stage import StageBlocked
from fixtures.restore.loader import loader
from fixtures.restore.own_look import has_room
from fixtures.restore.restore import restore
from fixtures.restore.why_not_made import why_not_made
from fixtures.sandbox.guardian import Guardian
from fixtures.server import Server, ServerRequest
from tests.support.plain_dumps import HEAD, TAIL
from tests.support.small_source import another_server

FORBIDS = """
    CREATE FUNCTION forbids() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'no tables here'; END$$;
    CREATE EVENT TRIGGER forbids ON ddl_command_start EXECUTE FUNCTION forbids();
"""


@pytest.fixture(scope="module")
def fresh() -> Iterator[tuple[Server, Guardian]]:
    with another_server(ServerRequest("5d0e11aa")) as ready:
        yield ready


@pytest.mark.further
def test_a_restore_tells_who_keeps_its_database_from_being_made(fresh: tuple[Server, Guardian], tmp_path: Path) -> None:
    server, guardian = fresh
    dump = tmp_path / "dump.sql"
    dump.write_text(HEAD + TAIL)
    with server.connect() as connection:
        connection.execute("ALTER DATABASE template0 ALLOW_CONNECTIONS true")
    with server.connect("template0"), pytest.raises(StageBlocked) as caught:
        restore(server, dump, read_script(dump), guardian, limit_minutes=1)
    assert "template0" in caught.value.cause
    assert "(55006, ObjectInUse)" in caught.value.cause
    assert caught.value.fix == "end the sessions that are connected to template0 there, then drill again."


@pytest.mark.parametrize(
    ("role", "statement", "fix"),
    [
        ("lacking_rights", "CREATE DATABASE more", "give the server's user CREATEDB and make it a member of boss"),
        ("NONE", "CREATE DATABASE more TEMPLATE none", "look that code up in PostgreSQL's list of error codes"),
    ],
)
def test_another_reason_is_told_with_its_code_and_its_way_out(
    role: str, statement: str, fix: str, fresh: tuple[Server, Guardian]
) -> None:
    server, _ = fresh
    with server.connect() as connection:
        for before in ("DROP ROLE IF EXISTS lacking_rights", "CREATE ROLE lacking_rights", f"SET ROLE {role}"):
            connection.execute(before.encode())
        with pytest.raises(psycopg.Error) as caught:
            connection.execute(statement.encode())
    blocked = why_not_made(server, "boss", caught.value)
    assert str(caught.value.sqlstate) in blocked.cause
    assert blocked.fix.startswith(fix)
    assert "disk" not in blocked.cause + blocked.fix


def test_room_that_nobody_may_try_is_not_a_full_disk(fresh: tuple[Server, Guardian]) -> None:
    server, _ = fresh
    assert has_room(server, 1 << 20)
    with server.connect() as connection:
        connection.execute(FORBIDS)
    try:
        with pytest.raises(StageBlocked, match=r"whether it is could not be tried: no tables here \(P0001"):
            has_room(server, 1 << 20)
    finally:
        with server.connect() as connection:
            connection.execute("DROP EVENT TRIGGER forbids")


def test_what_a_load_may_not_do_is_no_lack_of_the_role_that_loads(fresh: tuple[Server, Guardian]) -> None:
    server, _ = fresh
    with server.connect() as connection:
        connection.execute("CREATE ROLE owns_it")
    server.create_database("loaded", owner="owns_it")

    def lacking() -> None:
        with loader(server, "loaded", set(), "owns_it", set(), None), server.connect() as connection:
            connection.execute("SET ROLE owns_it")
            connection.execute("CREATE ROLE more")

    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        lacking()
    with server.connect() as connection:
        left = connection.execute("SELECT 1 FROM pg_roles WHERE rolname LIKE '%loader%'").fetchall()
    assert left == []
