"""An archive of files is unpacked as it was packed, each root into its own folder, and nothing of it lands elsewhere."""

import hashlib
import io
import os
import stat
import tarfile
from collections.abc import Iterable
from pathlib import Path

import pytest

from fixtures.commands.backup.archive import pack
from fixtures.recovery.refused import RecoveryRefused
from fixtures.recovery.whole.unpacking import unpack


def archived(path: Path, entries: Iterable[tarfile.TarInfo]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for entry in entries:
            archive.addfile(entry, io.BytesIO(bytes(entry.size)))
    return path


def entry(name: str, kind: bytes = tarfile.REGTYPE, target: str = "", size: int = 0) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname, made.size = kind, target, size
    return made


def unpacked(archive: Path, folder: Path, root: str = "sites") -> dict[str, int]:
    return unpack(archive, {root: folder / "beside"}, {folder / "beside": folder / "live"})


def test_what_was_packed_comes_back_with_its_links_rights_and_times(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "uploads" / "1").mkdir(parents=True)
    (source / "page.html").write_text("<p>one</p>")
    (source / "page.html").chmod(0o640)
    os.utime(source / "page.html", (1_000_000, 1_000_000))
    (source / "current").symlink_to("page.html")
    (source / "uploads" / "1" / "picture").write_bytes(bytes(70_000))
    with (tmp_path / "sites.tar.gz").open("wb") as target:
        pack(target, {"sites": source})
    sites, uploads = tmp_path / "beside", tmp_path / "uploads beside"
    counted = unpack(
        tmp_path / "sites.tar.gz",
        {"sites": sites, "sites/uploads": uploads},
        {sites: tmp_path / "live", uploads: tmp_path / "live"},
    )
    assert counted == {"files": 2, "links": 1, "bytes": 70_010}
    status = (sites / "page.html").stat()
    assert (stat.S_IMODE(status.st_mode), status.st_mtime) == (0o640, 1_000_000)
    assert (sites / "current").readlink() == Path("page.html")
    assert [path.name for path in sorted(sites.iterdir())] == ["current", "page.html"]
    assert (uploads / "1" / "picture").read_bytes() == bytes(70_000)
    assert stat.S_IMODE(sites.stat().st_mode) == stat.S_IMODE(source.stat().st_mode)


def test_a_folder_that_the_archive_has_no_entry_for_has_the_rights_of_the_live_one(tmp_path: Path) -> None:
    (tmp_path / "live").mkdir()
    (tmp_path / "live").chmod(0o751)
    unpacked(archived(tmp_path / "sites.tar.gz", [entry("sites/a/page.html", size=9)]), tmp_path)
    assert stat.S_IMODE((tmp_path / "beside").stat().st_mode) == 0o751
    assert (tmp_path / "beside" / "a" / "page.html").read_bytes() == bytes(9)


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ([entry("sites/../../outside")], "must not be unpacked: traversal"),
        ([entry("sites/link", tarfile.SYMTYPE, "/etc/passwd")], "must not be unpacked: link escapes"),
        ([entry("sites/null", tarfile.CHRTYPE)], "must not be unpacked: device"),
        ([entry("other/page.html")], "does not lie below sites"),
        (
            [entry("sites/current", tarfile.SYMTYPE, "."), entry("sites/current/x")],
            "must not be unpacked: an entry below",
        ),
        ([entry("sites/page"), entry("sites/page")], "must not be unpacked: two entries of one name"),
        ([entry("sites/page", tarfile.LNKTYPE, "sites/none")], "must not be unpacked: a hard link to no file"),
    ],
    ids=["traversal", "link", "device", "root", "through", "twice", "hard link"],
)
def test_what_must_not_be_unpacked_is_refused(tmp_path: Path, entries: list[tarfile.TarInfo], said: str) -> None:
    with pytest.raises(RecoveryRefused, match=said):
        unpacked(archived(tmp_path / "sites.tar.gz", entries), tmp_path)
    assert not (tmp_path / "outside").exists()


def test_an_archive_that_breaks_off_is_refused(tmp_path: Path) -> None:
    whole = archived(tmp_path / "sites.tar.gz", [entry("sites/page", size=100_000)])
    whole.write_bytes(whole.read_bytes()[:-20])
    with pytest.raises(RecoveryRefused, match="cannot be read to its end"):
        unpacked(whole, tmp_path)


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_a_part_of_an_archive_is_unpacked_with_the_folders_that_it_lies_in_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "live").mkdir()
    archive = archived(
        tmp_path / "sites.tar.gz",
        [
            *(entry("sites/a", tarfile.DIRTYPE), entry("sites/b", tarfile.DIRTYPE), entry("sites/a/page", size=3)),
            *(entry("sites/b/page", size=4), entry("sites/a/tied", tarfile.LNKTYPE, "sites/a/page")),
            *(entry("sites/a/current", tarfile.SYMTYPE, "page"), entry("beside/page", size=1)),
        ],
    )
    beside = tmp_path / "beside"
    only = {"sites/a/page": digest(bytes(3)), "sites/a/tied": digest(bytes(3)), "sites/a/current": None}
    unpack(archive, {"sites": beside}, {beside: tmp_path / "live"}, only)
    assert sorted(str(path.relative_to(beside)) for path in beside.rglob("*")) == [
        *("a", "a/current", "a/page", "a/tied"),
    ]


@pytest.mark.parametrize(
    "only",
    [{"sites/page": digest(b"another")}, {"sites/none": digest(b"")}, {"sites/none": None}, {"sites/page": None}],
)
def test_a_part_that_is_not_what_was_read_of_the_archive_is_refused(
    tmp_path: Path, only: dict[str, str | None]
) -> None:
    archive = archived(tmp_path / "sites.tar.gz", [entry("sites/page", size=3)])
    beside = tmp_path / "beside"
    with pytest.raises(RecoveryRefused, match="not any more what was read of it"):
        unpack(archive, {"sites": beside}, {beside: tmp_path / "live"}, only)


def test_an_entry_that_must_not_be_unpacked_is_refused_whatever_part_is_wanted(tmp_path: Path) -> None:
    archive = archived(tmp_path / "sites.tar.gz", [entry("sites/../../outside"), entry("sites/page", size=3)])
    beside = tmp_path / "beside"
    with pytest.raises(RecoveryRefused, match="must not be unpacked: traversal"):
        unpack(archive, {"sites": beside}, {beside: tmp_path / "live"}, {"sites/page": digest(bytes(3))})
