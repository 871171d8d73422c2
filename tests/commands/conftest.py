"""What the tests of drafts share: an empty database on the worker's server."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from fixtures.server import Server
from tests.support.kept_server import kept_server


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with kept_server() as running:
        yield running


@pytest.fixture
def database(server: Server) -> Iterator[psycopg.Connection[Any]]:
    server.create_database("restored")
    with server.connect("restored") as connection:
        yield connection
    server.drop_database("restored")
