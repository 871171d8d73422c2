"""Sets in Google's Cloud Storage are found and fetched as those of any bucket; without its library that is said."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.record.stage import StageBlocked
from fixtures.sandbox.guardian import Guardian
from tests.support.remote_sets import NEWER, OLDER, lay_out, located, set_environment
from tests.support.stores import BUCKET, GoogleStore, google_store


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GoogleStore]:
    """Two sets below a folder, and a file beside that folder whose name begins as it does."""
    shelf = tmp_path_factory.mktemp("shelf")
    for stem in (OLDER, NEWER):
        lay_out(shelf / "nightly", stem, f"PGDMP {stem}".encode() * 1000)
    (shelf / "nightly-notes.txt").write_text("none of them")
    with google_store() as store:
        store.upload(shelf)
        yield store


@pytest.fixture
def reachable(store: GoogleStore, monkeypatch: pytest.MonkeyPatch) -> None:
    set_environment(monkeypatch, store.environment)


def not_read(url: str, folder: Path, guardian: Guardian) -> StageBlocked:
    with pytest.raises(StageBlocked) as blocked:
        located(url, folder, guardian)
    return blocked.value


@pytest.mark.further
@pytest.mark.usefixtures("reachable")
def test_the_newest_set_of_a_google_bucket_is_fetched_and_no_other(folder: Path, guardian: Guardian) -> None:
    backup = located(f"gs://{BUCKET}/nightly", folder, guardian).backup_set
    assert (backup.name, backup.altered) == (NEWER, ())
    assert {each.role for each in backup.artefacts} == {"dump", "roles", "manifest"}
    (dump,) = folder.rglob(f"{NEWER}.dump")
    assert dump.read_bytes() == f"PGDMP {NEWER}".encode() * 1000
    (other,) = folder.rglob(f"{OLDER}.dump")
    assert other.read_bytes() != f"PGDMP {OLDER}".encode() * 1000


@pytest.mark.further
@pytest.mark.usefixtures("reachable")
def test_a_google_bucket_that_is_not_there_is_told_by_its_address(folder: Path, guardian: Guardian) -> None:
    blocked = not_read("gs://no-bucket-of-ours/nightly", folder, guardian)
    assert "gs://no-bucket-of-ours/nightly" in blocked.cause


def test_without_its_library_the_line_that_installs_it_is_told(
    folder: Path, guardian: Guardian, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As on a machine without it: whoever imports it comes to this.
    (tmp_path / "gcsfs.py").write_text("raise ModuleNotFoundError(name='gcsfs')")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(tmp_path), os.environ.get("PYTHONPATH", ""))))
    blocked = not_read(f"gs://{BUCKET}/nightly", folder, guardian)
    assert blocked.cause == "reading gs:// needs gcsfs, which is not installed"
    assert blocked.fix.endswith("-m pip install gcsfs")
