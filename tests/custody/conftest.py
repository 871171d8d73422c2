"""What the tests of custody share: reports of three nights, signed with one key."""

import shutil
from pathlib import Path

import pytest

from fixtures.custody.keys import PRIVATE, PUBLIC, make_keys
from tests.support import evidence_examples as examples
from tests.support.report_shelf import Shelf


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stocked")
    private, public = make_keys(folder / "keys")
    made = Shelf(folder / "out", private, public)
    for night in range(3):
        made.drilled(night, examples.failed() if night == 1 else examples.verified())
    return folder


@pytest.fixture
def shelf(stocked: Path, tmp_path: Path) -> Shelf:
    shutil.copytree(stocked, tmp_path, dirs_exist_ok=True)
    return Shelf(tmp_path / "out", tmp_path / "keys" / PRIVATE, tmp_path / "keys" / PUBLIC)
