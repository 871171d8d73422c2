"""Packing folders: an archive is the same bytes for the same files, and what changes while it is read is named."""

import io
import os
import tarfile
from pathlib import Path

import pytest

from fixtures.commands.backup import BackupFailed
from fixtures.commands.backup.archive import pack


def test_archives_are_the_same_bytes_for_the_same_files_and_keep_links(tmp_path: Path) -> None:
    live = tmp_path / "clients" / "1"
    (live / "v1").mkdir(parents=True)
    (live / "v1" / "index.html").write_text("<p>")
    (live / "current").symlink_to("v1")
    first, second = io.BytesIO(), io.BytesIO()
    pack(first, {"sites-data": tmp_path})
    pack(second, {"sites-data": tmp_path})
    assert first.getvalue() == second.getvalue()
    with tarfile.open(fileobj=io.BytesIO(first.getvalue())) as archive:
        link = archive.getmember("sites-data/clients/1/current")
        assert link.issym()
        assert link.linkname == "v1"


def test_uploads_from_elsewhere_go_into_the_sites_archive(tmp_path: Path) -> None:
    sites, uploads = tmp_path / "sites", tmp_path / "uploads"
    sites.mkdir()
    uploads.mkdir()
    (uploads / "cat.png").write_bytes(b"meow")
    packed = io.BytesIO()
    pack(packed, {"sites-data": sites, "sites-data/uploads": uploads})
    with tarfile.open(fileobj=io.BytesIO(packed.getvalue())) as archive:
        assert "sites-data/uploads/cat.png" in archive.getnames()
    (sites / "uploads").mkdir()
    with pytest.raises(BackupFailed, match="is there already"):
        pack(io.BytesIO(), {"sites-data": sites, "sites-data/uploads": uploads})


class _Meddling(io.BytesIO):
    """A target that meddles with the source as soon as the first bytes arrive."""

    def __init__(self, meddle: object) -> None:
        super().__init__()
        self._meddle = meddle

    def write(self, data: object) -> int:
        if self.tell() > 1000 and callable(self._meddle):
            meddle, self._meddle = self._meddle, None
            meddle()
        return super().write(data)  # type: ignore[arg-type]


def big_tree(folder: Path) -> Path:
    folder.mkdir()
    (folder / "a.bin").write_bytes(os.urandom(4 << 20))
    (folder / "b.txt").write_text("b")
    return folder


def grow(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more")


def test_a_file_that_shrinks_while_it_is_read_is_named(tmp_path: Path) -> None:
    tree = big_tree(tmp_path / "tree")
    with pytest.raises(BackupFailed, match=r"a\.bin shrank while"):
        pack(_Meddling(lambda: os.truncate(tree / "a.bin", 10)), {"sites-data": tree})


def test_a_file_that_vanishes_is_named(tmp_path: Path) -> None:
    tree = big_tree(tmp_path / "tree")
    with pytest.raises(BackupFailed, match=r"b\.txt vanished while"):
        pack(_Meddling((tree / "b.txt").unlink), {"sites-data": tree})


def test_a_file_that_grows_is_torn_unless_it_is_a_log(tmp_path: Path) -> None:
    tree = big_tree(tmp_path / "tree")
    with pytest.raises(BackupFailed, match=r"a\.bin changed while"):
        pack(_Meddling(lambda: grow(tree / "a.bin")), {"sites-data": tree})
    pack(_Meddling(lambda: grow(tree / "a.bin")), {"logs": tree}, may_grow=True)


def test_what_cannot_be_restored_is_not_archived(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(BackupFailed, match="pipe is neither a file"):
        pack(io.BytesIO(), {"sites-data": tmp_path})
