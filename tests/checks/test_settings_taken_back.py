"""What code of the dump sets while a control asks is taken back with what was asked, in a session that goes on after it."""

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import psycopg
import pytest
from psycopg import sql

from fixtures.checks.access import Access
from fixtures.checks.databases import Database
from fixtures.checks.examination import Examination
from fixtures.database.catalogue import take_facts
from tests.support.kept_server import kept_server

SETTINGS = "SELECT current_setting('search_path'), current_setting('datestyle'), current_setting('enable_nestloop')"
SETS = """
    CREATE FUNCTION public.sets() RETURNS text LANGUAGE sql VOLATILE AS $f$
        SELECT set_config('search_path', 'public', false) || set_config('datestyle', 'SQL', true)
    $f$
"""
ASKED = sql.SQL("SELECT public.sets() AS id FROM (VALUES (1), (2)) AS of(n)") + sql.SQL("")
ASKING: dict[str, Callable[[Database], Any]] = {
    "at once": lambda database: database.rows(ASKED),
    "some rows at a time": lambda database: list(database.streamed(ASKED)),
    "its columns alone": lambda database: database.columns_of(ASKED),
}


@pytest.fixture
def access() -> Iterator[Access]:
    with kept_server() as server:
        server.create_database("read_from")
        with server.connect("read_from") as connection:
            connection.execute(SETS)
        name = server.database("read_from")
        yield Access(server.host, server.port, server.user, server.password, name, name, "", b"key", server.major)


@pytest.mark.parametrize("within", [False, True], ids=["on its own", "within a transaction"])
@pytest.mark.parametrize("asking", ASKING)
def test_what_is_set_while_a_control_asks_is_taken_back(asking: str, within: bool, access: Access) -> None:
    with closing(access.connect(access.restored)) as session:
        database = Database(take_facts(session), Examination(), access, access.restored, session)
        before = settings_of(session)
        if within:
            session.execute("BEGIN")
        ASKING[asking](database)
        assert settings_of(session) == before


def settings_of(session: psycopg.Connection[Any]) -> Any:
    return session.execute(SETTINGS).fetchone()
