"""A restore that fills its disk, loses its server, stands still or takes too long: four causes, told apart."""

import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from fixtures.record import stages
from fixtures.record.restored import Restored
from fixtures.record.stage import StageBlocked
from fixtures.restore.failure import RestoreFailed
from fixtures.restore.restore import restore
from fixtures.restore.roles_file import read_roles_file
from fixtures.restore.stderr_lines import StderrLines
from fixtures.sandbox.guardian import Guardian
from fixtures.server import Server, ServerRequest, serve
from fixtures.story.noticed_refusal import noticing_a_refusal
from tests.support.drills import Healthy, drill
from tests.support.small_source import Small, another_server, made_ready, small_source

REQUEST = ServerRequest("7a26e7aa", extensions=("pg_trgm",))
# Quick where it is made; where it comes back, its first call takes ten minutes.
SLEEPS = """
    CREATE FUNCTION public.weight(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1';
    CREATE INDEX by_weight ON people (public.weight(id));
    CREATE OR REPLACE FUNCTION public.weight(int) RETURNS int LANGUAGE plpgsql IMMUTABLE
        AS 'BEGIN PERFORM pg_sleep(600); RETURN $1; END';
"""
# Busy, not asleep: three seconds of work in one statement.
WORKS = SLEEPS.replace(
    "PERFORM pg_sleep(600);",
    "WHILE $1 = 1 AND clock_timestamp() < statement_timestamp() + interval ''3 s'' LOOP END LOOP;",
)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    with small_source(tmp_path_factory.mktemp("small")) as ready:
        yield ready


def backup(small: Small, folder: Path, name: str, fault: str) -> Path:
    small.clone(name)
    small.run(fault, name)
    return small.back_up(folder, name)


@contextmanager
def restoring(folder: Path, **more: float) -> Iterator[tuple[Server, "Restoring"]]:
    """A restore of the set in `folder` on a server of its own, under way in a thread."""
    with another_server(REQUEST) as (server, guardian):
        ready = made_ready(folder, server, guardian)
        roles = read_roles_file(ready.located.paths["roles"])
        limits = {"limit_minutes": 5.0, **more}
        task = Restoring(lambda: restore(server, ready.dump, ready.inspected, guardian, roles=roles, **limits))
        task.start()
        yield server, task


class Restoring(threading.Thread):
    def __init__(self, work: object) -> None:
        super().__init__(daemon=True)
        self.work = work
        self.came: Restored | Exception | None = None

    def run(self) -> None:
        try:
            self.came = self.work()  # type: ignore[operator]
        except Exception as error:
            self.came = error

    def trouble(self) -> StageBlocked:
        self.join(60)
        assert type(self.came) is StageBlocked, self.came
        return self.came


def pid_of(server: Server, what: str) -> int:
    """Of the session that makes the index; or of the server itself."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with server.connect() as connection:
            cursor = connection.execute("SELECT pid FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX by_weight%'")
            row = cursor.fetchone()
        if row is not None:
            postmaster = server.data and int((server.data / "data/postmaster.pid").read_text().split()[0])
            return (
                _on_this_machine(server, row[0])
                if what == "session"
                else _on_this_machine(server, int(postmaster or 0))
            )
        time.sleep(0.1)
    raise AssertionError("the index was never made")


def _on_this_machine(server: Server, pid: int) -> int:
    """The pid that this machine knows a process of the server by, which may live in a namespace of its own."""
    assert server.data is not None
    (postmaster,) = [
        each
        for each in psutil.process_iter(["cmdline"])
        if (each.info["cmdline"] or [""])[0].endswith("/postgres") and f"{server.data}/data" in each.info["cmdline"]
    ]
    for each in (postmaster, *postmaster.children()):
        for line in Path(f"/proc/{each.pid}/status").read_text().splitlines():
            if line.startswith("NSpid:") and int(line.split()[-1]) == pid:
                return each.pid
    raise AssertionError(f"no process of the server has the pid {pid}")


def databases(server: Server) -> set[str]:
    with server.connect() as connection:
        return {row[0] for row in connection.execute("SELECT datname FROM pg_database")}


@pytest.mark.further
def test_a_session_that_is_killed_is_told_as_the_server_breaking_off(small: Small, tmp_path: Path) -> None:
    backup(small, tmp_path, "sleeps_a", SLEEPS)
    with restoring(tmp_path) as (server, task):
        os.kill(pid_of(server, "session"), signal.SIGKILL)
        trouble = task.trouble()
        assert (
            "broke while the dump was restored: its sessions were ended, or it crashed, and it answers again"
            in trouble.cause
        )
        assert "restored" not in databases(server)


def test_a_server_that_is_killed_is_told_as_gone(small: Small, tmp_path: Path) -> None:
    backup(small, tmp_path, "sleeps_b", SLEEPS)
    with restoring(tmp_path) as (server, task):
        os.kill(pid_of(server, "server"), signal.SIGKILL)
        assert "it does not answer any more" in task.trouble().cause


@pytest.mark.further
def test_a_restore_that_stands_still_says_what_it_waits_for(small: Small, tmp_path: Path) -> None:
    backup(small, tmp_path, "sleeps_c", SLEEPS)
    with restoring(tmp_path, stall_minutes=0.05) as (server, task):
        trouble = task.trouble()
        assert trouble.cause.startswith("the restore stood still for 3 s: CREATE INDEX by_weight waits for ")
        assert trouble.cause.endswith("Timeout/PgSleep")
        assert "limits.stall" in trouble.fix
        assert "restored" not in databases(server)


@pytest.mark.further
def test_a_restore_that_takes_too_long_but_moves_is_not_called_a_stall(small: Small, tmp_path: Path) -> None:
    backup(small, tmp_path, "sleeps_d", SLEEPS)
    with restoring(tmp_path, limit_minutes=0.05, stall_minutes=5) as (_, task):
        task.join(60)
        assert isinstance(task.came, RestoreFailed)
        assert "longer than its limit" in task.came.cause


@pytest.mark.further
def test_a_restore_that_works_hard_is_no_stall(small: Small, tmp_path: Path) -> None:
    backup(small, tmp_path, "works", WORKS)
    with restoring(tmp_path, stall_minutes=0.025) as (_, task):
        task.join(60)
        assert isinstance(task.came, Restored), task.came
        assert task.came.restore_seconds > 2.5


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A disk of 110 MB that only this test uses."""
    if os.geteuid() != 0:
        pytest.skip("left out: a disk that fills up, since only root may mount one")
    folder = Path(tempfile.mkdtemp(prefix="small-disk-"))
    folder.chmod(0o755)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=110m,mode=1777", "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)
        folder.rmdir()


GROWS = """
    ALTER TABLE igny8_content ADD filling text;
    UPDATE igny8_content SET filling = repeat('filling ', 6000);
    ALTER TABLE igny8_content ALTER filling SET STORAGE EXTERNAL;
    UPDATE igny8_content SET filling = filling || ' ';
"""


@pytest.mark.further
def test_a_disk_that_runs_full_is_a_finding_of_its_own_and_is_cleared(
    healthy: Healthy, small_disk: Path, tmp_path: Path
) -> None:
    healthy.backup(tmp_path / "backups", GROWS)
    outcome = drill(tmp_path / "backups", tmp_path / "out", environment={"TMPDIR": str(small_disk)})
    stage = outcome.evidence.record.stage(stages.RESTORE)
    assert stage is not None
    assert stage.state == "blocked", outcome.output
    assert stage.cause.startswith("the disk ran full while the dump was restored"), stage.cause
    assert (outcome.red, outcome.exit_code) == ({}, 2), outcome.output
    assert "RST-01" in outcome.blocked
    assert all(thing.gone for thing in outcome.evidence.teardown)
    assert not list(small_disk.iterdir())


def test_a_query_that_finds_the_servers_disk_full_says_so(small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(small_disk))
    with (
        Guardian("full") as guardian,
        serve(ServerRequest("full", "local"), guardian) as server,
        server.connect() as connection,
        pytest.raises(StageBlocked, match="the disk of the drill's server ran full during the stage facts"),
        noticing_a_refusal("during the stage facts"),
    ):
        connection.execute("SELECT repeat(md5(g::text), 60) FROM generate_series(1, 200000) g ORDER BY 1")


def test_a_dump_that_cannot_fit_is_not_begun(healthy: Healthy, whole_set: Path, small_disk: Path) -> None:
    dump = small_disk / "dump"
    shutil.copyfile(whole_set / f"{whole_set.name}.dump", dump)
    (small_disk / "others").write_bytes(bytes(85 << 20))
    server = replace(healthy.server, data=small_disk)
    ready = made_ready(whole_set.parent, healthy.server, healthy.guardian)
    assert ready.located.backup_set.kind == "custom"
    with pytest.raises(StageBlocked, match=r"there is not enough room for this dump: .* MB free at .*small-disk"):
        restore(server, dump, ready.inspected, healthy.guardian, limit_minutes=1)
    assert "restored" not in databases(healthy.server)


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ('ERROR:  could not extend file "base/5/1": No space left on device', "disk"),
        ('ERROR:  could not extend file "base/5/1": wrote only 4096 of 8192 bytes at block 5274', "disk"),
        ("ERROR:  could not write block 7 of temporary file: wrote only 12 of 8192 bytes", "disk"),
        ("server closed the connection unexpectedly", "connection"),
        ("FATAL:  the database system is in recovery mode", "connection"),
        ("ERROR:  missing chunk number 0 for toast value 1", "unknown"),
    ],
)
@pytest.mark.further
def test_what_the_machine_did_is_told_from_what_the_dump_did(line: str, kind: str) -> None:
    lines = StderrLines()
    lines.take(f"pg_restore: error: could not execute query: {line}")
    assert [each.kind for each in lines.classified()] == [kind]
