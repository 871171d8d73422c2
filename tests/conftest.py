"""What the suite's own tests share: a guardian, and whether Docker is there."""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from fixtures.drill.guardian import Guardian

if TYPE_CHECKING:
    from tests.application_under_test import Bench
    from tests.drills import Healthy


@pytest.fixture
def guardian() -> Iterator[Guardian]:
    with Guardian("0123abcd") as watching:
        yield watching


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Bench"]:
    """A server with the sample on it, made once: each test drills a clone."""
    from tests.application_under_test import bench

    with bench(tmp_path_factory.mktemp("sample")) as ready:
        yield ready


@pytest.fixture(scope="session")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Healthy"]:
    """The sample as a source of backups, made once: each test plants its fault in a clone."""
    from tests.drills import healthy_source

    with healthy_source(tmp_path_factory.mktemp("healthy")) as ready:
        yield ready


@pytest.fixture(scope="session")
def docker() -> None:
    """Leaves the test out, aloud, where no Docker answers; in CI that is a failure."""
    from fixtures.drill.server.container import why_no_docker

    why = why_no_docker()
    if why and os.environ.get("CI") == "true":
        pytest.fail(f"CI must have Docker: {why}")
    if why:
        pytest.skip(f"left out: the container provider, since {why}")
