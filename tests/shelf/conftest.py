"""What the tests of stores share: a store of this machine, and a private folder for what is fetched from one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.stores import S3, s3_server


@pytest.fixture(scope="module")
def s3() -> Iterator[S3]:
    with s3_server() as server:
        yield server


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    return private
