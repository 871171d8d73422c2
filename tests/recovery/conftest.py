"""What the tests of a recovery share: the shop as it was restored, and a production that a test may spoil."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from fixtures.server import Server
from tests.support.kept_server import server_with
from tests.support.recovered_shop import SCHEMA


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with server_with("restored", SCHEMA) as running:
        yield running


@pytest.fixture
def production(server: Server) -> Iterator[psycopg.Connection[Any]]:
    """A database of the same rows, into which a test plants what happened since: no key is checked there."""
    server.create_database("production", template="restored")
    with server.connect("production", options="-c session_replication_role=replica") as connection:
        yield connection
    server.drop_database("production")
