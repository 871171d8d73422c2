"""Sites data in a zip or a folder is read as a tar is: the same inventory, judged alike, bounded alike."""

import hashlib
import io
import os
import sqlite3
import stat
import struct
import tarfile
import time
import zipfile
from pathlib import Path
from typing import Literal

import pytest

from fixtures.archives.file_digest import sha256_of_file
from fixtures.archives.folder_stream import digest_of_tree
from fixtures.archives.reading import Allowance, Watch
from fixtures.record.set_files import set_files
from fixtures.record.set_record import Artefact
from fixtures.record.site_archive import SitesData
from fixtures.record.stage import StageFailed
from fixtures.sites.folders import open_inventory
from fixtures.sites.inventory import read_sites
from tests.support.small_archives import FOLDERS, GOOD, KEYS

WRITTEN = 1_760_000_000


def zipped(entries: list[tuple[str, bytes | str]], kind: int = 0) -> bytes:
    """A zip of files (bytes) and symbolic links (text), each with the field that says its time in UTC."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.extra = struct.pack("<HHBl", 0x5455, 5, 1, WRITTEN)
            mode = stat.S_IFLNK | 0o777 if isinstance(content, str) else (kind or stat.S_IFREG) | 0o644
            info.external_attr = mode << 16
            archive.writestr(info, content)
    return packed.getvalue()


def laid_out(folder: Path, entries: list[tuple[str, bytes | str]]) -> Path:
    for name, content in entries:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            path.symlink_to(content)
        else:
            path.write_bytes(content)
    return folder


def described(source: Path, role: Literal["sites", "uploads"]) -> Artefact:
    digest, size = digest_of_tree(source) if source.is_dir() else sha256_of_file(source)
    return Artefact(role=role, name=source.name, size=size, sha256=digest, mode=0o600, owner="me")


def read(source: Path, into: Path, allowance: Allowance | None = None, uploads: Path | None = None) -> SitesData:
    into.mkdir(exist_ok=True)
    uploads_read = (uploads, described(uploads, "uploads")) if uploads is not None else None
    watch = Watch(time.monotonic() + 60)
    return read_sites(source, described(source, "sites"), into, watch, KEYS, allowance, uploads=uploads_read)


def read_zip(folder: Path, packed: bytes, allowance: Allowance | None = None) -> SitesData:
    archive = folder / "set.sites.zip"
    archive.write_bytes(packed)
    return read(archive, folder / "inventory", allowance)


@pytest.mark.parametrize("form", ["zip", "folder"])
def test_a_zip_and_a_folder_hold_what_a_tar_holds(tmp_path: Path, form: str) -> None:
    if form == "zip":
        data = read_zip(tmp_path, zipped(GOOD))
    else:
        data = read(laid_out(tmp_path / "set.sites", GOOD), tmp_path / "inventory")
    assert (data.read_to_end, data.read_error, data.unsafe_total, data.colliding_total) == (True, "", 0, 0)
    assert (data.files, data.links) == (7, 1)
    with open_inventory(data.inventory, FOLDERS) as inventory:
        lines = sorted(
            (name.removeprefix("sites-data/clients/1/v2/").encode(), hashlib.sha256(content).hexdigest())
            for name, content in GOOD
            if isinstance(content, bytes) and "/1/v2/" in name
        )
        listed = b"".join(sha.encode() + b"  " + name + b"\n" for name, sha in lines)
        assert inventory.version_digest("1", "2") == hashlib.sha256(listed).hexdigest()
        assert [(link.site, link.version) for link in inventory.current_links()] == [("1", "2")]
    if form == "zip":
        assert data.newest == WRITTEN


@pytest.mark.parametrize(
    ("entries", "kind", "reason"),
    [
        ([("../escaped", b"x")], 0, "traversal"),
        ([("/absolute", b"x")], 0, "absolute path"),
        ([("link", "/etc")], 0, "link escapes"),
        ([("a/link", "../../etc")], 0, "link escapes"),
        ([("pipe", b"")], stat.S_IFIFO, "device"),
        ([("odd", b"")], stat.S_IFSOCK, "unknown type"),
        ([("link", "there"), ("link/file", b"x")], 0, "below a link"),
    ],
)
def test_an_unsafe_entry_of_a_zip_is_told(
    tmp_path: Path, entries: list[tuple[str, bytes | str]], kind: int, reason: str
) -> None:
    data = read_zip(tmp_path, zipped(entries, kind))
    assert [unsafe.reason for unsafe in data.unsafe] == [reason], data


def damaged(packed: bytes, place: int = 60) -> bytes:
    return packed[:place] + bytes(255 - each for each in packed[place : place + 40]) + packed[place + 40 :]


@pytest.mark.parametrize(
    ("packed", "error"),
    [
        (zipped(GOOD)[:-40], "it is cut off: the list of files at its end is missing"),
        (zipped(GOOD)[:200], "it is cut off: the list of files at its end is missing"),
        (damaged(zipped([("a", bytes(range(256)) * 9)]), 50), "the compressed data is corrupt"),
    ],
    ids=["the end is missing", "most is missing", "a byte is another"],
)
def test_a_damaged_zip_says_so(tmp_path: Path, packed: bytes, error: str) -> None:
    data = read_zip(tmp_path, packed)
    assert (data.read_to_end, data.read_error) == (False, error)


@pytest.mark.parametrize(
    ("allowance", "error"),
    [
        (Allowance(entries=3), "it has more than 3 entries"),
        (Allowance(bytes=1 << 20), "it unfolds to more than 1,048,576 bytes"),
        (Allowance(ratio=50, ratio_from=1 << 20), "it unfolds to more than 50 times its size"),
    ],
)
def test_a_zip_bomb_is_put_out(tmp_path: Path, allowance: Allowance, error: str) -> None:
    entries: list[tuple[str, bytes | str]] = [(f"file-{number}", bytes(1 << 20)) for number in range(6)]
    assert read_zip(tmp_path, zipped(entries), allowance).read_error == error


def test_a_folders_devices_and_escaping_links_are_told_and_never_opened(tmp_path: Path) -> None:
    folder = laid_out(tmp_path / "set.sites", [("a/file", b"x"), ("a/out", "/etc/passwd")])
    os.mkfifo(folder / "pipe")
    data = read(folder, tmp_path / "inventory")
    assert sorted(unsafe.reason for unsafe in data.unsafe) == ["device", "link escapes"]
    assert data.files == 1


def test_a_folder_that_changed_since_it_was_found_is_not_drilled(tmp_path: Path) -> None:
    folder = laid_out(tmp_path / "set.sites", GOOD)
    artefact = Artefact(
        role="sites", name="set.sites", size=1, sha256=digest_of_tree(folder)[0], mode=0o700, owner="me"
    )
    (folder / "sites-data" / "clients" / "1" / "v1" / "index.html").write_bytes(b"olD")
    with pytest.raises(StageFailed, match=r"set\.sites changed while it was drilled"):
        read_sites(folder, artefact, tmp_path, Watch(time.monotonic() + 60), KEYS)


@pytest.mark.parametrize("name", ["sites.tar", "sites.tgz", "sites.tar.zst", "sites.tar.xz", "sites.zip", "sites"])
def test_sites_data_of_every_form_belongs_to_its_set(tmp_path: Path, name: str) -> None:
    stem = "igny8_20260101_010203"
    (tmp_path / f"{stem}.dump").write_bytes(b"PGDMP")
    if name == "sites":
        (tmp_path / f"{stem}.{name}").mkdir()
    else:
        (tmp_path / f"{stem}.{name}").write_bytes(b"x")
    (files,), notes = set_files(tmp_path, r"igny8_(?P<date>\d{8})_(?P<time>\d{6})")
    assert (files.files["sites"].name, notes) == (f"{stem}.{name}", [])
    (alone,), _ = set_files(tmp_path / f"{stem}.dump", r"igny8_(?P<date>\d{8})_(?P<time>\d{6})")
    assert alone.files["sites"].name == f"{stem}.{name}"


def test_uploads_of_an_archive_of_their_own_are_read_beside_the_sites(tmp_path: Path) -> None:
    sites = laid_out(tmp_path / "set.sites", [("sites-data/a.html", b"a"), ("sites-data/b.html", b"b")])
    uploads = laid_out(tmp_path / "set.uploads", [("uploads/1/cat.png", b"meow")])
    packed = tmp_path / "set.uploads.tar"
    with tarfile.open(packed, "w") as archive:
        archive.add(uploads / "uploads", "uploads")
    for number, source in enumerate((uploads, packed)):
        data = read(sites, tmp_path / f"inventory-{number}", uploads=source)
        assert (data.files, data.read_to_end) == (3, True)
        with sqlite3.connect(data.inventory) as inventory:
            paths = inventory.execute("SELECT path FROM entry WHERE kind = 'file' ORDER BY number").fetchall()
            numbers = inventory.execute("SELECT count(DISTINCT number) = count(*) FROM entry").fetchone()
        assert (paths[-1], numbers) == (("uploads/1/cat.png",), (1,))
    packed.write_bytes(packed.read_bytes()[:700])
    broken = read(sites, tmp_path / "inventory-broken", uploads=packed)
    assert not broken.read_to_end
    assert broken.read_error.startswith("uploads: ")


def test_uploads_that_change_while_they_are_read_are_told_by_their_own_name(tmp_path: Path) -> None:
    sites = laid_out(tmp_path / "set.sites", [("sites-data/a.html", b"a")])
    uploads = laid_out(tmp_path / "set.uploads", [("uploads/1/cat.png", b"meow")])
    artefact = described(uploads, "uploads")
    (uploads / "uploads" / "1" / "cat.png").write_bytes(b"woof")
    (tmp_path / "inventory").mkdir()
    watch = Watch(time.monotonic() + 60)
    with pytest.raises(StageFailed, match=r"set\.uploads changed while it was drilled"):
        read_sites(sites, described(sites, "sites"), tmp_path / "inventory", watch, KEYS, uploads=(uploads, artefact))
