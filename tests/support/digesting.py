"""Servers of every major on this machine, and a table's digest taken as both ends of a backup take it."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import psycopg
from psycopg.rows import dict_row

from fixtures.database.catalogue import take_structure
from fixtures.database.digests import Division, Scanned, pin, scan
from fixtures.record.names import TableName
from fixtures.sandbox.guardian import Guardian
from fixtures.server import Server, ServerRequest, serve
from fixtures.server.binaries import Binaries, candidates


def installations() -> list[Binaries]:
    """One of each major that is on this machine."""
    by_major = {each.major: each for each in candidates(ServerRequest("")) if isinstance(each, Binaries)}
    return [by_major[major] for major in sorted(by_major)]


@contextmanager
def every_major() -> Iterator[dict[int, Server]]:
    with Guardian("d16e5700") as guardian, ExitStack() as stack:
        yield {
            each.major: stack.enter_context(
                serve(ServerRequest(f"d16e57{each.major:02}", choice="local", binaries=each.folder), guardian)
            )
            for each in installations()
        }


@contextmanager
def empty_database(server: Server) -> Iterator[psycopg.Connection[Any]]:
    server.create_database("empty")
    try:
        with server.connect("empty") as connection:
            yield connection
    finally:
        server.drop_database("empty")


def scanned(
    connection: psycopg.Connection[Any], name: str, encoding: str = "UTF8", division: Division | None = None
) -> Scanned:
    with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        pin(cursor)
        table = take_structure(cursor).table(TableName("public", name))
        assert table is not None
        return scan(cursor, table, encoding, division)


def run(connection: psycopg.Connection[Any], statements: str) -> None:
    connection.execute(statements)  # type: ignore[call-overload]
