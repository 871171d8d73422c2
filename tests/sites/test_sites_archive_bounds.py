"""An archive that is cut off, changed, or made to fill memory, disk or time is told as that, and its reading ends."""

import bz2
import gzip
import io
import lzma
import sqlite3
import tarfile
import time
from contextlib import closing
from itertools import count
from pathlib import Path

import lz4.frame
import pytest

from fixtures.archives.decompress import zstd
from fixtures.archives.entry_safety import unsafe_together
from fixtures.archives.name_tree import walk_names
from fixtures.archives.reading import Allowance, Watch
from fixtures.record.stage import StageFailed
from fixtures.sites.inventory import SCHEMA, read_logs
from tests.support.small_archives import CUT, GOOD, read, tar


def corrupt_header(packed: bytes) -> bytes:
    place = packed.index(b"sites-data/clients/1/v2/a-b.css")
    return packed[:place] + b"\xff" * 512 + packed[place + 512 :]


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
            walk_names(database, lambda number: None, in_time, 20)
    assert next(looks) == 4
