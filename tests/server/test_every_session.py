"""Every session of the suite's own is opened in one place, where it is pinned, or is listed here with its reason."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.server import Server
from tests.support.kept_server import kept_server

ROOT = Path(__file__).parents[2]
# Whoever opens a session by the driver itself, and why not through `open_session`.
BY_THE_DRIVER = {
    "fixtures/server/sessions.py": "this is where sessions are pinned",
    "fixtures/server/contract.py": "Server.connect, for whoever is named below",
    "fixtures/sandbox/on_server.py": "the guardian's, which pins what it needs in its options and imports no server",
    "fixtures/server/scratch.py": "the operator's URL, in the maintenance database, before anything of a dump is there",
    "fixtures/commands/backup/source_database.py": "the source of a backup: digests pin their transaction",
    "fixtures/recovery/whole/production.py": "production, by the operator's own settings: pinned once it is open",
}
# Whoever has a session as the server gives it.
AS_THE_SERVER_GIVES_IT = {
    "fixtures/server/waiting.py": "asks whether the server answers, whose version nobody knows yet"
}
_OWN_ROOMS = ("fixtures", "verify", "reports")
# Inside the application: its own driver and its own settings.
_OF_THE_APPLICATION = "fixtures/application/probes/"


def calls() -> Iterator[tuple[str, ast.Call]]:
    for room in _OWN_ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if not name.startswith(_OF_THE_APPLICATION):
                tree = ast.parse(path.read_text())
                yield from ((name, node) for node in ast.walk(tree) if isinstance(node, ast.Call))


def opened() -> Iterator[tuple[str, str]]:
    """Each file, and by what it opens a session: `psycopg` or `server`."""
    for name, call in calls():
        asked = ast.unparse(call.func)
        if asked.endswith(".connect") and "psycopg" in asked:
            yield name, "psycopg"
        elif asked.split(".")[-2:] in (["server", "connect"], ["_server", "connect"]):
            yield name, "server"


@pytest.mark.parametrize(("by", "listed"), [("psycopg", BY_THE_DRIVER), ("server", AS_THE_SERVER_GIVES_IT)])
def test_no_session_is_opened_beside_the_pinned_way(by: str, listed: dict[str, str]) -> None:
    assert {name for name, how in opened() if how == by} == set(listed)


@pytest.fixture
def server() -> Iterator[Server]:
    with kept_server() as ready:
        yield ready


def test_whoever_makes_extensions_or_loads_has_a_session_that_no_setting_leads(server: Server) -> None:
    server.create_database("led")
    with server.administer() as connection:
        connection.execute("ALTER DATABASE led SET search_path = lies, pg_catalog")
        connection.execute("ALTER DATABASE led SET datestyle = 'SQL, DMY'")
        connection.execute("ALTER DATABASE led SET statement_timeout = '1ms'")
    asked = "SELECT current_setting('search_path'), current_setting('datestyle'), current_setting('statement_timeout')"
    with server.altering("led") as session:
        assert session.execute(asked).fetchone() == ("pg_catalog, pg_temp", "ISO, YMD", "0")
        triggers = session.execute("SELECT current_setting('session_replication_role')").fetchone()
    assert triggers == ("replica",)
    with server.loading("led", None, statement_timeout="7777") as session:
        assert session.execute(asked).fetchone() == ("lies, pg_catalog", "ISO, YMD", "7777ms")
