"""A shop with files, and a production that a test may spoil."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.server import Server
from tests.support.kept_server import server_with
from tests.support.shop_with_files import SCHEMA, ShopWithFiles


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with server_with("restored", SCHEMA) as running:
        yield running


@pytest.fixture
def shop(server: Server, tmp_path: Path) -> ShopWithFiles:
    return ShopWithFiles(server, tmp_path)
