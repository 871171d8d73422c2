"""What the tests of commands share: an empty database on the worker's server, and a small source to back up."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from fixtures.server import Server
from tests.support.kept_server import kept_server
from tests.support.small_source import Small, small_source


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


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    with small_source(tmp_path_factory.mktemp("small")) as ready:
        yield ready
