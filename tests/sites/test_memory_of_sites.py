"""What is read of an archive's entries, links, colliding names, sites or a folder's files takes no memory for each."""

import gc
import io
import sqlite3
import tarfile
import time
import tracemalloc
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Literal

import pytest

from fixtures.archives import in_order as ordering
from fixtures.archives.entry_safety import unsafe_together
from fixtures.archives.folder_stream import Folder
from fixtures.archives.in_order import in_order
from fixtures.archives.name_tree import Colliding, walk_names
from fixtures.archives.reading import Watch
from fixtures.archives.tar_stream import Archive
from fixtures.dump.dump_kind import recognised
from fixtures.dump.dump_stream import unfolded
from fixtures.sites.folders import Inventory
from fixtures.sites.inventory import SCHEMA
from tests.support.memory import TIMES, bytes_for_one_more
from tests.support.small_archives import FOLDERS

ENTRIES = (("page", "file"), ("Page", "file"), ("link", "link"))
FEW = 400
MOST = 16
"""Bytes: less than any object takes with the reference to it."""


def test_an_entry_more_that_is_judged_beside_the_others_takes_no_memory() -> None:
    """Of every three entries one is a link, and two have names that a disk which ignores case takes for one."""

    def judge(number: int) -> None:
        with closing(sqlite3.connect(":memory:")) as database:
            database.executescript(SCHEMA)
            rows = ((f"s/{name}-{at}", kind) for at in range(number) for name, kind in ENTRIES)
            database.executemany("INSERT INTO entry (path, kind, target) VALUES (?, ?, 'page-1')", rows)
            assert sum(1 for _ in unsafe_together(database)) == 0
            colliding = walk_names(database, lambda number: None, lambda: None, 2)
            assert colliding == Colliding((1, 2), number * 2)

    assert bytes_for_one_more(judge, FEW) < MOST


def test_a_site_more_takes_no_memory() -> None:
    def told(number: int) -> None:
        with closing(sqlite3.connect(":memory:")) as database:
            database.executescript(SCHEMA + "CREATE INDEX entry_path ON entry (path)")
            paths = ((f"sites-data/clients/{at}/v1/index.html",) for at in range(number))
            database.executemany("INSERT INTO entry (path, kind) VALUES (?, 'file')", paths)
            assert sum(1 for _ in Inventory(database, FOLDERS).sites()) == number

    assert bytes_for_one_more(told, FEW) < MOST


APART = [("1-x/v1/a", "file"), ("1/v1/a", "file"), ("1/v2/a", "file"), ("2", "dir"), ("3", "file")]
"""In the order of their paths' bytes, `1-x` comes between the folder `1` and what lies in it."""


@pytest.mark.parametrize(
    ("entries", "sites"),
    [
        ([("1", "dir"), *APART], ["1", "1-x", "2"]),
        ([("1", "file"), *APART], ["1", "1-x", "2"]),
        (
            [("1", "dir"), ("1/v1/a", "file"), ("10", "dir"), ("10/v1/a", "file"), ("100/v1/a", "file")],
            ["1", "10", "100"],
        ),
    ],
    ids=["a folder and its files", "a file and files below it", "a site whose name goes on with a 0"],
)
def test_a_site_is_told_once_wherever_its_files_lie(entries: list[tuple[str, str]], sites: list[str]) -> None:
    with closing(sqlite3.connect(":memory:")) as database:
        database.executescript(SCHEMA)
        rows = ((f"sites-data/clients/{path}", kind) for path, kind in entries)
        database.executemany("INSERT INTO entry (path, kind) VALUES (?, ?)", rows)
        assert sorted(Inventory(database, FOLDERS).sites()) == sites


def test_a_file_more_in_one_folder_takes_no_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ordering, "HELD", 100)
    for number in (FEW, FEW * TIMES):
        (tmp_path / str(number)).mkdir()
        for at in range(number):
            (tmp_path / str(number) / f"page-{at}").touch()

    def read(number: int) -> None:
        with Folder(tmp_path / str(number), Watch(time.monotonic() + 60)) as source:
            assert sum(1 for _ in source.entries()) == number

    assert bytes_for_one_more(read, FEW) < MOST


@pytest.mark.parametrize("held", [1, 1000])
def test_names_come_in_the_order_of_their_bytes_however_many(held: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ordering, "HELD", held)
    names = [b"b", b"a/", b"a", b"\xff\x00", b"a-b", b"\xc3\xa9", b"B"]
    assert list(in_order(iter(names))) == sorted(names)
    assert list(in_order([])) == []


def read_tar(file: Path) -> None:
    with Archive(file, Watch(time.monotonic() + 60)) as archive:
        for entry in archive.entries():
            assert [len(piece) for piece in archive.content(entry)] == [entry.size]


def unpack(file: Path) -> None:
    with unfolded(file) as read:
        while read(1 << 16):
            pass


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz"])
@pytest.mark.parametrize("read", [recognised, read_tar, unpack])
def test_what_is_read_ahead_is_freed_with_the_file(
    read: Callable[[Path], object], mode: Literal["w", "w:gz", "w:xz"], tmp_path: Path
) -> None:
    """And not when Python next looks for garbage: a drill opens a dozen such streams, each of which reads a MiB ahead."""
    file = tmp_path / "x.tar"
    with tarfile.open(file, mode) as archive:
        entry = tarfile.TarInfo("a")
        entry.size = 9
        archive.addfile(entry, io.BytesIO(b"some text"))
    read(file)
    gc.collect()
    gc.disable()
    tracemalloc.start(1)
    try:
        before, _ = tracemalloc.get_traced_memory()
        read(file)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        gc.enable()
    assert after - before < 128 << 10
