"""What is known of a dump before any server starts: what can read it, and what it never can be."""

import gzip
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.dump.archive_data import is_cut_short
from fixtures.dump.archive_head import ArchiveHead, head_of, parse_head
from fixtures.dump.archive_toc import read_archive
from fixtures.dump.format import Inspection
from fixtures.dump.formats import format_named
from fixtures.record.stage import StageBlocked, StageFailed
from fixtures.sandbox.account import unprivileged_account
from fixtures.sandbox.guardian import Guardian
from fixtures.shelf.locate import locate
from fixtures.shelf.staging import staged_dump
from tests.support.dump_formats import FORMATS, dump_as
from tests.support.small_source import PROFILE, Small, small_source


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    with small_source(tmp_path_factory.mktemp("small")) as ready:
        yield ready


@pytest.mark.parametrize("name", ["custom", "custom, gzip", "tar", "directory"])
def test_an_archive_newer_than_the_client_is_named_as_such(small: Small, tmp_path: Path, name: str) -> None:
    archive = dump_as(
        FORMATS[name], small.server.clients, small.server.environment("source"), tmp_path, "igny8_20260101"
    )
    head = archive / "toc.dat" if archive.is_dir() else archive
    content = FORMATS[name].pack(_of_version_1_99(head.read_bytes(), name))
    head.write_bytes(content)
    with Guardian("7a26e705") as guardian, guardian.folder("the dump", unprivileged_account()) as folder:
        dump = staged_dump(locate(archive, PROFILE), folder, unprivileged_account())
        both = r"it has the archive version 1\.99, and the newest pg_restore here, (?!1\.99)\d+\.\d+, cannot read that"
        with pytest.raises(StageBlocked, match=both) as blocked:
            read_archive(dump, guardian, account=unprivileged_account())
    assert blocked.value.fix == "install the newest client programs."


def test_a_custom_archive_that_ends_too_early_is_told_and_no_whole_dump_is(small: Small, tmp_path: Path) -> None:
    for name in ("custom", "custom, gzip", "tar", "directory"):
        dump = dump_as(FORMATS[name], small.server.clients, small.server.environment("source"), tmp_path, name[-6:])
        assert not is_cut_short(dump), name
    whole = (tmp_path / "custom.dump").read_bytes()
    early = tmp_path / "early.dump"
    for length in (6, 11, 2000, len(whole) - 1):
        early.write_bytes(whole[:length])
        assert is_cut_short(early), length


def _of_version_1_99(content: bytes, name: str) -> bytes:
    """Its head as a pg_dump of the future would write it (magic, then major and minor of the archive's version)."""

    plain = gzip.decompress(content) if "gzip" in name else content
    at = plain.index(b"PGDMP")
    return plain[: at + 6] + bytes([99]) + plain[at + 7 :]


@pytest.mark.parametrize(("minor", "least"), [(12, 13), (14, 13), (15, 16), (16, 17), (17, None)])
def test_which_client_reads_an_archives_version(minor: int, least: int | None) -> None:
    head = parse_head(b"PGDMP" + bytes([1, minor, 0, 4, 8, 1]) + bytes(60))
    assert head is not None
    assert (head.version, head.least_major) == ((1, minor), least)


@pytest.mark.parametrize("content", [b"", b"PGDMP", b"PGDMP\x01", b"x" * 600 + b"PGDMP", b"\x1f\x8b\x08"])
def test_a_head_that_is_none_gives_none_and_no_crash(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a").write_bytes(content)
    assert head_of(tmp_path / "a") in (None, ArchiveHead((1, 0), None))


@pytest.mark.parametrize("damaged", [False, True])
@pytest.mark.further
def test_an_sqlite_file_is_checked_and_refused(tmp_path: Path, damaged: bool) -> None:
    path = tmp_path / "db_backup_20251120_232646.sqlite3"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, body TEXT UNIQUE)")
        database.executemany("INSERT INTO t (body) VALUES (?)", ((f"row {n}",) for n in range(5000)))
    database.close()
    if damaged:
        content = bytearray(path.read_bytes())
        content[8192:40960] = bytes(32768)
        path.write_bytes(content)
    located = locate(tmp_path, PROFILE)
    assert located.backup_set.kind == "sqlite"
    with Guardian("7a26e706") as guardian, guardian.folder("the dump", unprivileged_account()) as folder:
        dump = staged_dump(located, folder, unprivileged_account())
        with pytest.raises(StageFailed) as refused:
            format_named("sqlite").inspect(dump, Inspection("db_backup", guardian, unprivileged_account()))
    refusal = refused.value
    assert "is an SQLite file: a development database, never a production backup" in refusal.cause
    assert ("damaged by its own integrity check" if damaged else "with 1 table, whole by") in refusal.cause
    assert "row " not in refusal.cause
