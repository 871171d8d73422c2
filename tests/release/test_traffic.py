"""Requests to the hottest tables are played whatever these are called."""

import time
from collections.abc import Iterator

import pytest
from psycopg.rows import dict_row

from fixtures.database.catalogue import take_structure
from fixtures.release.traffic import Replay
from fixtures.server import Server
from tests.support.kept_server import kept_server

TABLE = """
    CREATE TABLE public."100% of %s" ("key %b" integer PRIMARY KEY);
    INSERT INTO public."100% of %s" SELECT generate_series(1, 3);
    GRANT ALL ON public."100% of %s" TO PUBLIC;
"""


@pytest.fixture
def server() -> Iterator[Server]:
    with kept_server() as ready:
        ready.create_database("awkward")
        with ready.connect("awkward") as connection:
            connection.execute(TABLE)
        yield ready


def test_a_table_with_a_percent_sign_in_its_name_is_read_and_written(server: Server) -> None:
    with server.connect("awkward") as connection, connection.cursor(row_factory=dict_row) as cursor:
        tables = take_structure(cursor).row_tables
    replay = Replay(server, "awkward", tuple(tables))
    with replay:
        deadline = time.monotonic() + 10
        while {request.act for request in replay.requests} != {"read", "write"} and time.monotonic() < deadline:
            time.sleep(0.01)
    assert {(request.act, request.refused) for request in replay.requests} == {("read", ""), ("write", "")}
