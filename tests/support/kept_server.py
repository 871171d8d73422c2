"""Keeps one server for all tests of this process that need no more than databases and roles of their own."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache

from psycopg import sql

from fixtures.sandbox.guardian import Guardian
from fixtures.server import Server, ServerRequest, serve

RUN_ID = "5e4e4000"
EXTENSIONS = ("pg_trgm", "pgcrypto", "unaccent")
_KEPT = ExitStack()


@contextmanager
def kept_server() -> Iterator[Server]:
    """The server; the databases and roles that the block made are gone afterwards, so that the next may make them anew."""
    server = _started()
    databases, roles = _databases(server), _roles(server)
    try:
        yield server
    finally:
        for name in _databases(server) - databases:
            server.drop_database(name)
        with server.connect() as connection:
            # The drill's own logins are the server's: it makes each of them once.
            for role in _roles(server) - roles - server.logins.names:
                connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


def end() -> None:
    _KEPT.close()


@cache
def _started() -> Server:
    guardian = _KEPT.enter_context(Guardian(RUN_ID))
    return _KEPT.enter_context(serve(ServerRequest(RUN_ID, choice="local", extensions=EXTENSIONS), guardian))


def _databases(server: Server) -> set[str]:
    with server.connect() as connection:
        return {name for (name,) in connection.execute("SELECT datname FROM pg_database")}


def _roles(server: Server) -> set[str]:
    with server.connect() as connection:
        return {name for (name,) in connection.execute("SELECT rolname FROM pg_roles")}


@contextmanager
def server_with(database: str, words: str, *copies: str) -> Iterator[Server]:
    """The same with a database in which these statements ran, and copies of it."""
    with kept_server() as server:
        server.create_database(database)
        with server.connect(database) as connection:
            connection.execute(words)  # type: ignore[call-overload]
        for copy in copies:
            server.create_database(copy, template=database)
        yield server
