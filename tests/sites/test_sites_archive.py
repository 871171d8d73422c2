"""The sites archive is read to its end, judged entry by entry, and never believed."""

import bz2
import gzip
import hashlib
import io
import lzma
import sqlite3
import tarfile
import time
from collections.abc import Callable
from contextlib import closing
from itertools import count
from pathlib import Path

import lz4.frame
import pytest

from fixtures.archives.decompress import zstd
from fixtures.archives.entry_safety import unsafe_together
from fixtures.archives.name_tree import walk_names
from fixtures.archives.reading import Allowance, Watch
from fixtures.profile.sites import SiteArchive
from fixtures.record.set_record import Artefact
from fixtures.record.site_archive import SitesData
from fixtures.record.stage import StageFailed
from fixtures.sites.folders import CurrentLink, Definition, PatternError, open_inventory
from fixtures.sites.inventory import SCHEMA, DefinitionKeys, read_logs, read_sites

KEYS = DefinitionKeys("site-definition.json", "site_id", "tenant_id")
FOLDERS = SiteArchive(
    site_folder="sites-data/clients/{site}",
    version_folder="sites-data/clients/{site}/v{version}",
    current_link="sites-data/clients/{site}/current",
    definition="site-definition.json",
    definition_site="site_id",
    definition_tenant="tenant_id",
)
GOOD: list[tuple[str, bytes | str]] = [
    ("sites-data/clients/1/v1/index.html", b"old"),
    ("sites-data/clients/1/v2/index.html", b"new"),
    ("sites-data/clients/1/v2/site-definition.json", b'{"site_id": 1, "tenant_id": 9}'),
    ("sites-data/clients/1/v2/a-b.css", b"css"),
    ("sites-data/clients/1/v2/a/b.css", b"css below"),
    ("sites-data/clients/1/current", "v2"),
    ("sites-data/clients/1-x/v1/index.html", b"other"),
    ("sites-data/uploads/9/picture.png", b"png"),
]


def tar(entries: list[tuple[str, bytes | str]], more: Callable[[tarfile.TarFile], None] | None = None) -> bytes:
    """A tar of files (bytes) and symbolic links (text), then whatever `more` adds."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, content in entries:
            entry = tarfile.TarInfo(name)
            if isinstance(content, str):
                entry.type, entry.linkname = tarfile.SYMTYPE, content
                archive.addfile(entry)
            else:
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
        if more is not None:
            more(archive)
    return packed.getvalue()


def special(name: str, kind: bytes, target: str = "") -> Callable[[tarfile.TarFile], None]:
    def add(archive: tarfile.TarFile) -> None:
        entry = tarfile.TarInfo(name)
        entry.type, entry.linkname = kind, target
        archive.addfile(entry)

    return add


def read(folder: Path, packed: bytes, allowance: Allowance | None = None, sha256: str = "") -> SitesData:
    archive = folder / "sites.tar.gz"
    archive.write_bytes(packed)
    digest = sha256 or hashlib.sha256(packed).hexdigest()
    artefact = Artefact(role="sites", name=archive.name, size=len(packed), sha256=digest, mode=0o600, owner="me")
    return read_sites(archive, artefact, folder, Watch(time.monotonic() + 60), KEYS, allowance)


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


def corrupt_header(packed: bytes) -> bytes:
    place = packed.index(b"sites-data/clients/1/v2/a-b.css")
    return packed[:place] + b"\xff" * 512 + packed[place + 512 :]


CUT = "it is cut off: the data ends within an entry"


@pytest.mark.parametrize(
    ("packed", "error"),
    [
        (gzip.compress(tar(GOOD))[:-9], CUT),
        (gzip.compress(tar(GOOD))[:100], CUT),
        (lzma.compress(tar(GOOD))[:-9], CUT),
        (bz2.compress(tar(GOOD))[:-9], CUT),
        (zstd.compress(tar(GOOD))[:-9], CUT),
        (lz4.frame.compress(tar(GOOD))[:-9], CUT),
        (gzip.compress(tar(GOOD))[:-8] + b"\0" * 8, "the compressed data is corrupt"),
        (gzip.compress(tar(GOOD)) + b"more", "data that is not gzip follows the end of the archive"),
        (lzma.compress(tar(GOOD)) + b"more of it than a header", "the compressed data is corrupt"),
        (bz2.compress(tar(GOOD)) + b"more of it than a header", "the compressed data is corrupt"),
        (zstd.compress(tar(GOOD)) + b"more of it than a header", "the compressed data is corrupt"),
        (lz4.frame.compress(tar(GOOD)) + b"more of it than a header", "the compressed data is corrupt"),
        (gzip.compress(tar(GOOD) + b"more"), "data follows the end of the archive"),
        (gzip.compress(tar(GOOD)[: 512 * 4]), "it is cut off: the end marker is missing"),
        (tar(GOOD)[:700], CUT),
        (gzip.compress(corrupt_header(tar(GOOD))), "a header is not that of a tar entry"),
        (b"", "it is empty"),
        (b"no archive at all" * 100, "a header is not that of a tar entry"),
    ],
    # Not by their bytes: gzip writes the time into them, and every worker must name its tests alike.
    ids=[f"case {number}" for number in range(1, 19)],
)
def test_an_archive_that_ends_early_or_late_says_so(tmp_path: Path, packed: bytes, error: str) -> None:
    data = read(tmp_path, packed)
    assert (data.read_to_end, data.read_error) == (False, error)


@pytest.mark.parametrize(
    ("allowance", "error"),
    [
        (Allowance(entries=5), "it has more than 5 entries"),
        (Allowance(bytes=1 << 20), "it unfolds to more than 1,048,576 bytes"),
        (Allowance(ratio=50, ratio_from=1 << 20), "it unfolds to more than 50 times its size"),
    ],
)
def test_a_bomb_is_put_out(tmp_path: Path, allowance: Allowance, error: str) -> None:
    entries: list[tuple[str, bytes | str]] = [(f"file-{number}", bytes(1 << 20)) for number in range(6)]
    assert read(tmp_path, gzip.compress(tar(entries)), allowance).read_error == error


def test_a_header_that_would_fill_the_memory_is_refused(tmp_path: Path) -> None:
    header = tarfile.TarInfo("././@PaxHeader")
    header.type, header.size = tarfile.XHDTYPE, 1 << 29
    packed = gzip.compress(header.tobuf() + bytes(1 << 25))
    assert read(tmp_path, packed).read_error == "a header is larger than 1,048,576 bytes"


def test_a_sparse_file_that_claims_more_than_is_allowed_is_refused(tmp_path: Path) -> None:
    entry = tarfile.TarInfo("hole")
    entry.pax_headers = {"GNU.sparse.major": "0", "GNU.sparse.size": str(1 << 40), "GNU.sparse.map": "0,0"}
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(entry)
    data = read(tmp_path, packed.getvalue(), Allowance(bytes=1 << 22))
    assert data.read_error == "its entries unfold to more than 4,194,304 bytes"


def test_an_archive_that_changed_since_it_was_found_is_not_drilled(tmp_path: Path) -> None:
    with pytest.raises(StageFailed, match=r"sites\.tar\.gz changed while it was drilled"):
        read(tmp_path, gzip.compress(tar(GOOD)), sha256="0" * 64)


def test_the_time_limit_ends_the_reading(tmp_path: Path) -> None:
    archive = tmp_path / "logs.tar.gz"
    archive.write_bytes(gzip.compress(tar(GOOD)))
    with pytest.raises(StageFailed, match="took longer than its time limit"):
        read_logs(archive, Watch(time.monotonic() - 1))


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


def work_for(links: int) -> int:
    """How many steps of SQLite it takes to judge as many links, and files, together."""
    with closing(sqlite3.connect(":memory:")) as database:
        database.executescript(SCHEMA)
        rows = [(f"sites/{number}/current", "link", "v1") for number in range(links)]
        rows += [(f"sites/{number}/v1/page.html", "file", None) for number in range(links)]
        database.executemany("INSERT INTO entry (path, kind, target) VALUES (?, ?, ?)", rows)
        database.execute("CREATE INDEX entry_path ON entry (path)")
        steps = count()
        database.set_progress_handler(lambda: next(steps) < 0, 100)
        assert list(unsafe_together(database)) == []
        return next(steps)


def test_judging_all_entries_together_grows_with_their_number_and_no_faster() -> None:
    assert work_for(2000) < 5 * work_for(500)


def test_a_path_of_many_folders_costs_what_its_characters_do(tmp_path: Path) -> None:
    deep = "a/" * 30_000
    data = read(tmp_path, gzip.compress(tar([(f"{deep}x", b"1"), (f"{deep}X", b"2")])))
    assert (data.read_to_end, data.colliding, data.unsafe_total) == (True, (1, 2), 0)


def test_a_link_of_many_folders_through_links_is_followed_to_its_end(tmp_path: Path) -> None:
    long = "/".join(["b"] * 250)
    hops: list[tuple[str, bytes | str]] = [(f"l{number}", f"l{number + 1}/{long}") for number in range(30)]
    data = read(tmp_path, gzip.compress(tar([*hops, ("far", "l0")])))
    assert data.unsafe_total == 0


def work_for_folders(often: int) -> int:
    """How many steps of SQLite it takes to judge one folder that is named so often."""
    with closing(sqlite3.connect(":memory:")) as database:
        database.executescript(SCHEMA)
        database.executemany("INSERT INTO entry (path, kind) VALUES (?, ?)", [("a", "dir")] * often)
        database.execute("CREATE INDEX entry_path ON entry (path)")
        steps = count()
        database.set_progress_handler(lambda: next(steps) < 0, 100)
        assert list(unsafe_together(database)) == []
        return next(steps)


def test_a_folder_that_is_named_a_thousand_times_costs_what_its_entries_do() -> None:
    assert work_for_folders(2000) < 5 * work_for_folders(500)


def test_the_clock_is_looked_at_with_each_name() -> None:
    class TimeIsUp(Exception):
        pass

    def in_time() -> None:
        if next(looks) == 3:
            raise TimeIsUp

    looks = count()
    with closing(sqlite3.connect(":memory:")) as database:
        database.executescript(SCHEMA)
        database.executemany(
            "INSERT INTO entry (path, kind) VALUES (?, 'file')", [(f"a/{number}",) for number in range(9)]
        )
        with pytest.raises(TimeIsUp):
            walk_names(database, lambda number: None, in_time)
    assert next(looks) == 4
