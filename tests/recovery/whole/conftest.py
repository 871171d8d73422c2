"""What the tests of a whole recovery share: an application of two tables and a folder, and the set that it had."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.sandbox.guardian import Guardian
from tests.support.kept_server import kept_server
from tests.support.small_recovery import Made, Tiny, made


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    with Guardian("71417001") as guardian, kept_server() as server:
        yield made(server, guardian, tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def tiny(ready: Made, tmp_path: Path) -> Iterator[Tiny]:
    with ready.tiny(tmp_path) as application:
        yield application
