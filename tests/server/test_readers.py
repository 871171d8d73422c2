"""Sessions that were opened ahead read on in a database that is closed, as whole queries and for one asker at a time."""

import threading
from collections.abc import Iterator

import psycopg
import pytest

from fixtures.record.stage import StageBlocked
from fixtures.server import Server
from fixtures.server.readers import Readers, lets_helpers_in
from tests.support.kept_server import server_with

# So many rows that several processes scan them where they may.
ROWS = "CREATE TABLE many AS SELECT g AS n FROM generate_series(1, 400000) AS g; ANALYZE many"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with server_with("restored", ROWS) as ready:
        yield ready


@pytest.fixture
def readers(server: Server) -> Iterator[Readers]:
    ready = Readers(server, "restored", 2)
    yield ready
    ready.close()


def test_they_read_on_where_nobody_else_is_let_in(server: Server, readers: Readers) -> None:
    with server.administer() as connection:
        connection.execute("ALTER DATABASE restored ALLOW_CONNECTIONS false")
        try:
            with pytest.raises(psycopg.OperationalError, match="not currently accepting"):
                server.reading("restored")
            for _ in range(3):
                with readers.lent() as first, readers.lent() as second:
                    assert first is not second
                    plan = first.execute("EXPLAIN (ANALYZE, COSTS OFF) SELECT sum(n) FROM public.many").fetchall()
                    assert any("Workers Launched" in line for (line,) in plan) == lets_helpers_in(server.version)
                    assert second.execute("SELECT count(*) FROM public.many").fetchone() == (400000,)
        finally:
            connection.execute("ALTER DATABASE restored ALLOW_CONNECTIONS true")


@pytest.mark.parametrize(
    ("version", "so"),
    [
        *((120022, False), (140022, False), (150010, False), (150011, True), (160006, False)),
        *((160007, True), (170002, False), (170003, True), (180000, True)),
    ],
)
def test_several_processes_scan_a_closed_database_from_the_releases_on_that_let_them(version: int, so: bool) -> None:
    assert lets_helpers_in(version) is so


def test_what_they_do_ends_once_nobody_waits_for_it(server: Server, readers: Readers) -> None:
    begun = threading.Event()
    said: list[Exception] = []

    def read() -> None:
        with readers.lent() as session:
            for _ in range(2):
                begun.set()
                try:
                    session.execute("SELECT pg_sleep(600)")
                except psycopg.errors.QueryCanceled as error:
                    said.append(error)

    reading = threading.Thread(target=read, daemon=True)
    reading.start()
    assert begun.wait(60)
    readers.give_up()
    reading.join(60)
    assert not reading.is_alive()
    assert len(said) == 2
    with pytest.raises(StageBlocked, match="given up"), readers.lent():
        pass


def test_once_they_are_closed_the_database_can_be_cloned(server: Server) -> None:
    readers = Readers(server, "restored", 3)
    with pytest.raises(psycopg.errors.ObjectInUse):
        server.create_database("copy", template="restored")
    readers.close()
    server.create_database("copy", template="restored")
