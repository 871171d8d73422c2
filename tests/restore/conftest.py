"""What the tests of restoring share: a small source, a set of it, and a server that knows none of its roles."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.server import ServerRequest
from tests.support.restore_target import Target
from tests.support.small_source import Small, another_server, small_source


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    with small_source(tmp_path_factory.mktemp("small")) as ready:
        yield ready


@pytest.fixture(scope="module")
def taken(small: Small, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small.back_up(tmp_path_factory.mktemp("taken"))


@pytest.fixture
def fresh() -> Iterator[Target]:
    """A server of its own, since roles belong to the whole server."""
    with another_server(ServerRequest("7a26e700", extensions=("pg_trgm", "pgcrypto"))) as (server, guardian):
        yield Target(server, guardian)
