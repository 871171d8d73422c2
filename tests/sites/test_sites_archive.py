"""The sites archive is read to its end, judged entry by entry, and never believed."""

import bz2
import gzip
import hashlib
import lzma
import tarfile
import time
from collections.abc import Callable
from pathlib import Path

import lz4.frame
import pytest

from fixtures.archives.decompress import zstd
from fixtures.archives.reading import Watch
from fixtures.record.set_record import Artefact
from fixtures.sites.folders import CurrentLink, Definition, PatternError, open_inventory
from fixtures.sites.inventory import read_logs, read_sites
from tests.support.small_archives import CUT, FOLDERS, GOOD, read, special, tar


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lzma.compress, bz2.compress, zstd.compress, lz4.frame.compress])
def test_every_compression_is_read_to_its_end(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    data = read(tmp_path, pack(tar(GOOD)))
    assert (data.read_to_end, data.read_error, data.unsafe_total) == (True, "", 0)
    assert (data.files, data.links) == (7, 1)
    assert data.bytes == sum(len(content) for _, content in GOOD if isinstance(content, bytes))


NO_TARS = {
    "it is no tar, but a 7z archive": b"7z\xbc\xaf\x27\x1c" + bytes(100),
    "it is no tar, but a page of HTML or XML": b"<!DOCTYPE html>\n",
    "it is no tar, but a part of a zip archive that was split": b"PK\x07\x08PK\x03\x04" + bytes(600),
    "it is no tar, but packed twice: what comes out of its packing is packed again": gzip.compress(
        gzip.compress(tar([]))
    ),
    "it is no tar, but encrypted with age": b"age-encryption.org/v1\n" + bytes(600),
    "it is empty": gzip.compress(b""),
}


@pytest.mark.parametrize("told", NO_TARS)
def test_what_is_no_tar_is_told_as_what_it_is_and_not_as_cut_off(tmp_path: Path, told: str) -> None:
    data = read(tmp_path, NO_TARS[told])
    assert (data.read_to_end, data.read_error, data.entries) == (False, told, 0)


def test_version_digest_is_that_of_sha256sum_over_the_sorted_folder(tmp_path: Path) -> None:
    data = read(tmp_path, gzip.compress(tar(GOOD)))
    lines = sorted(
        (name.removeprefix("sites-data/clients/1/v2/").encode(), hashlib.sha256(content).hexdigest())
        for name, content in GOOD
        if isinstance(content, bytes) and "/1/v2/" in name
    )
    expected = hashlib.sha256(b"".join(sha.encode() + b"  " + name + b"\n" for name, sha in lines)).hexdigest()
    with open_inventory(data.inventory, FOLDERS) as inventory:
        assert inventory.version_digest("1", "2") == expected
        assert inventory.version_digest("1", "3") is None
        scanned = {(version.site, version.version): version for version in inventory.digests()}
        assert set(scanned) == {("1", "1"), ("1", "2"), ("1-x", "1")}
        assert (scanned["1", "2"].digest, scanned["1", "2"].files) == (expected, 4)
        assert all(inventory.version_digest(*key) == digested.digest for key, digested in scanned.items())


def test_sites_links_and_definitions_come_from_the_profiles_patterns(tmp_path: Path) -> None:
    entries = [
        *GOOD,
        ("sites-data/clients/2/current", "../1/v2"),
        ("sites-data/clients/3/current", b"no link"),
        ("sites-data/clients/index.html", b"not a site's folder"),
    ]
    data = read(tmp_path, gzip.compress(tar(entries, special("sites-data/clients/4/v7", tarfile.DIRTYPE))))
    with open_inventory(data.inventory, FOLDERS) as inventory:
        assert sorted(inventory.sites()) == ["1", "1-x", "2", "3", "4"]
        assert list(inventory.current_links()) == [
            CurrentLink("1", "2"),
            CurrentLink("2", None),
            CurrentLink("3", None),
        ]
        assert list(inventory.definitions()) == [Definition("1", "2", "1", "9", "")]
        empty = hashlib.sha256().hexdigest()
        assert [version.digest for version in inventory.digests() if version.site == "4"] == [empty]
        assert inventory.version_digest("4", "7") == empty


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"{", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "not a JSON object"),
        (b'{"site_id": 1, "tenant_id": 9, "t\\u0065nant_id": 8}', "names its tenant_id twice"),
        (b'{"site_id": 1, "pages": {"x": 1, "x": 2}, "tenant_id": 9}', ""),
        (b'{"site_id": 1}', "does not name its tenant_id"),
        (b'{"site_id": "\\ud800", "tenant_id": true}', "does not name its site_id and tenant_id"),
        (b" " * (1 << 20) + b"{}", "larger than 1,048,576 bytes"),
    ],
)
def test_a_definition_that_declares_nothing_says_why(tmp_path: Path, content: bytes, problem: str) -> None:
    data = read(tmp_path, gzip.compress(tar([("sites-data/clients/1/v1/site-definition.json", content)])))
    with open_inventory(data.inventory, FOLDERS) as inventory:
        assert [definition.problem for definition in inventory.definitions()] == [problem]


@pytest.mark.parametrize(
    ("entries", "more", "number", "reason"),
    [
        ([("/etc/passwd", b"x")], None, 1, "absolute path"),
        ([("a/../../b", b"x")], None, 1, "traversal"),
        ([("..", b"x")], None, 1, "traversal"),
        ([], special("fifo", tarfile.FIFOTYPE), 1, "device"),
        ([], special("null", tarfile.CHRTYPE), 1, "device"),
        ([], special("disk", tarfile.BLKTYPE), 1, "device"),
        ([], special("odd", b"Z"), 1, "unknown type"),
        ([("a/link", "/etc")], None, 1, "link escapes"),
        ([("a/link", "../../etc")], None, 1, "link escapes"),
        ([("a/b/c", "../.."), ("up", "a/b/c/..")], None, 2, "link escapes"),
        ([("round", "round")], None, 1, "link escapes"),
        ([], special("hard", tarfile.LNKTYPE, "../etc/passwd"), 1, "link escapes"),
        ([], special("hard", tarfile.LNKTYPE, "not/in/here"), 1, "link escapes"),
        ([("a", "b"), ("a/file", b"x")], None, 2, "below a link"),
        ([("a", b"x"), ("./a", b"y")], None, 2, "duplicate"),
        ([("bell\a", b"x")], None, 1, "unreadable name"),
        ([("latin-\udce9", b"x")], None, 1, "unreadable name"),
    ],
)
def test_an_unsafe_entry_is_told_by_its_number(
    tmp_path: Path,
    entries: list[tuple[str, bytes | str]],
    more: Callable[[tarfile.TarFile], None] | None,
    number: int,
    reason: str,
) -> None:
    data = read(tmp_path, gzip.compress(tar(entries, more)))
    assert [(unsafe.entry, unsafe.reason) for unsafe in data.unsafe] == [(number, reason)]
    assert (data.unsafe_total, data.read_to_end) == (1, True)


def test_only_the_first_twenty_unsafe_entries_are_listed(tmp_path: Path) -> None:
    data = read(tmp_path, gzip.compress(tar([(f"/{number}", b"x") for number in range(100)])))
    assert [unsafe.entry for unsafe in data.unsafe] == list(range(1, 21))
    assert data.unsafe_total == 100


def test_a_folder_named_twice_is_no_fault(tmp_path: Path) -> None:
    folder = special("a", tarfile.DIRTYPE)
    assert read(tmp_path, gzip.compress(tar([], lambda archive: (folder(archive), folder(archive))))).unsafe == ()


def test_a_hard_link_has_the_digest_of_the_file_it_names(tmp_path: Path) -> None:
    link = special("sites-data/clients/5/v1/x", tarfile.LNKTYPE, "sites-data/clients/6/v1/x")
    data = read(tmp_path, gzip.compress(tar([("sites-data/clients/6/v1/x", b"shared")], link)))
    with open_inventory(data.inventory, FOLDERS) as inventory:
        assert inventory.version_digest("5", "1") == inventory.version_digest("6", "1")
    assert (data.files, data.unsafe_total) == (2, 0)


def test_the_inventory_is_private_and_the_progress_reaches_the_end(tmp_path: Path) -> None:
    reports: list[tuple[int, int | None, str]] = []
    packed = gzip.compress(tar(GOOD))
    archive = tmp_path / "a.tar.gz"
    archive.write_bytes(packed)
    artefact = Artefact(
        role="sites", name="a", size=1, sha256=hashlib.sha256(packed).hexdigest(), mode=0o600, owner="me"
    )
    watch = Watch(time.monotonic() + 60, lambda done, total, unit: reports.append((done, total, unit)))
    data = read_sites(archive, artefact, tmp_path, watch)
    assert Path(data.inventory).stat().st_mode & 0o777 == 0o600
    assert reports[-1] == (len(packed), len(packed), "bytes")


def test_logs_are_read_through_and_may_be_absent(tmp_path: Path) -> None:
    watch = Watch(time.monotonic() + 60)
    assert read_logs(None, watch).present is False
    archive = tmp_path / "logs.tar.gz"
    archive.write_bytes(gzip.compress(tar([("logs/app.log", b"line"), ("logs/latest", "app.log")])))
    assert read_logs(archive, watch).files == 1
    archive.write_bytes(archive.read_bytes()[:-9])
    assert read_logs(archive, watch).read_error == CUT


@pytest.mark.parametrize("pattern", ["clients/{site}/{release}", "clients/{site}", "clients/{version}"])
def test_a_pattern_that_cannot_be_used_names_its_key(tmp_path: Path, pattern: str) -> None:
    data = read(tmp_path, gzip.compress(tar(GOOD)))
    wrong = FOLDERS.model_copy(update={"version_folder": pattern})
    with pytest.raises(PatternError, match="version_folder"), open_inventory(data.inventory, wrong):
        pass
