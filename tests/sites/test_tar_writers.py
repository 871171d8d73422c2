"""Archives that other programs write are read as those programs meant them."""

import sqlite3
import struct
import subprocess
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from fixtures.archives.file_digest import sha256_of_file
from fixtures.archives.reading import Watch
from fixtures.checks.sites.absolute_names import by_their_slash
from fixtures.record.set_record import Artefact
from fixtures.record.site_archive import SitesData
from fixtures.sites.inventory import read_sites

FOREVER = Watch(float("inf"))
LONG = "n" * 90
NAMES = ["New", "a", f"a/{LONG}", f"a/{LONG}/page.html", f"a/{LONG}/{LONG}.css", "root.html"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Names that begin with the letter that marks what is left out, and paths longer than a header's field."""
    made = tmp_path / "sites-data"
    (made / "a" / LONG).mkdir(parents=True)
    (made / "New").mkdir()
    for name in NAMES[3:]:
        (made / name).write_text(name)
    return made


def packed(folder: Path, *options: str) -> Path:
    archive = folder.parent / f"{folder.name}.tar"
    subprocess.run(["tar", "-cf", archive, *options, "-C", folder.parent, folder.name], check=True, capture_output=True)
    return archive


def read(archive: Path, into: Path) -> SitesData:
    digest, size = sha256_of_file(archive)
    artefact = Artefact(role="sites", name=archive.name, size=size, sha256=digest, mode=0o600, owner="root")
    into.mkdir()
    return read_sites(archive, artefact, into, FOREVER)


@pytest.mark.parametrize(
    "options",
    [
        *([f"--format={name}"] for name in ("gnu", "oldgnu", "pax")),
        ["--label=nightly"],
        ["--format=pax", "--label=nightly"],
        ["--format=gnu", "--listed-incremental=state"],
        ["--format=oldgnu", "--listed-incremental=state"],
        ["--format=pax", "--listed-incremental=state"],
        ["--format=gnu", "--sparse"],
    ],
    ids=" ".join,
)
def test_what_gnu_tar_writes_is_read_whole(options: Sequence[str], folder: Path, tmp_path: Path) -> None:
    archive = packed(folder, *(option.replace("=state", f"={tmp_path / 'state'}") for option in options))
    data = read(archive, tmp_path / "index")
    assert (data.read_to_end, data.read_error, data.unsafe_total) == (True, "", 0)
    assert (data.files, data.directories) == (3, 4)
    assert _paths(data) == sorted(["sites-data", *(f"sites-data/{name}" for name in NAMES)])


@pytest.mark.parametrize("form", ["gnu", "pax"])
def test_an_incremental_archive_of_a_later_level_is_told_as_that(form: str, folder: Path, tmp_path: Path) -> None:
    options = [f"--format={form}", f"--listed-incremental={tmp_path / 'state'}"]
    packed(folder, *options)
    (folder / "a" / "more.html").write_text("more")
    data = read(packed(folder, *options), tmp_path / "index")
    assert not data.read_to_end
    assert "it is incremental" in data.read_error


def test_a_volume_that_continues_another_is_told_as_that(folder: Path, tmp_path: Path) -> None:
    (folder / "large.bin").write_bytes(bytes(60 << 10))
    volumes = [tmp_path / "one.tar", tmp_path / "two.tar", tmp_path / "three.tar", tmp_path / "four.tar"]
    files = [f"--file={volume}" for volume in volumes]
    subprocess.run(
        ["tar", "-c", "--multi-volume", "--tape-length=30", *files, "-C", tmp_path, folder.name],
        check=True,
        capture_output=True,
    )
    data = read(volumes[1], tmp_path / "index")
    assert data.read_error.startswith("it goes on from another volume")
    first = read(volumes[0], tmp_path / "first")
    assert first.read_error.startswith(
        "it is cut off: the data ends within an entry, or it goes on in another volume (tar"
    )


def test_the_last_file_of_a_zip_in_several_is_told_as_that(tmp_path: Path) -> None:
    """The list of files at its end counts the files that the zip was written to."""
    archive = tmp_path / "last.zip"
    archive.write_bytes(bytes(range(256)) * 8 + struct.pack("<4sHHHHIIH", b"PK\5\6", 2, 2, 1, 1, 46, 1024, 0))
    assert read(archive, tmp_path / "index").read_error.startswith(
        "it is the last file of a zip that was written to several"
    )


def test_names_that_begin_with_a_slash_are_told_and_looked_at_as_tar_unpacks_them(folder: Path, tmp_path: Path) -> None:
    """tar -P leaves them as they are; without it tar takes the slash away, of a hard link's target too."""
    (folder / "same.html").hardlink_to(folder / "root.html")
    (folder / "a" / "up").symlink_to("../root.html")
    archive, unpacked = tmp_path / "all.tar", tmp_path / "unpacked"
    subprocess.run(["tar", "-cPf", archive, folder], check=True, capture_output=True)
    data = read(archive, tmp_path / "index")
    assert (data.unsafe[0].reason, data.unsafe_total, data.by_slash) == ("absolute path", data.entries, data.entries)
    unpacked.mkdir()
    subprocess.run(["tar", "-xf", archive, "-C", unpacked], check=True, capture_output=True)
    below = {str(path.relative_to(unpacked)) for path in unpacked.rglob("*")}
    assert {path for path in below if f"{path}/".startswith(f"{folder}/"[1:])} == set(_paths(data))
    assert by_their_slash(data).startswith(", by the slash alone that their names begin with, as tar -P")


def _paths(data: SitesData) -> list[str]:
    with closing(sqlite3.connect(data.inventory)) as inventory:
        return [path for (path,) in inventory.execute("SELECT path FROM entry ORDER BY path")]
