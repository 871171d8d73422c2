"""A backup that fails, is interrupted or is killed leaves no set behind, and nothing that is taken for one."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.commands.backup import BackupFailed
from fixtures.record.stage import StageFailed
from fixtures.shelf.locate import locate
from tests.support.own_pytest import heed_interrupts
from tests.support.small_source import PROFILE, Small, running, script, visible


def test_a_pg_dump_that_fails_leaves_no_set(small: Small, tmp_path: Path) -> None:
    front = dumping(tmp_path, small, 'echo "pg_dump: error: out of luck" >&2; exit 3')
    with pytest.raises(BackupFailed, match="exit code 3 and said: pg_dump: error: out of luck"):
        small.back_up(tmp_path / "sets", pg_dump=front)
    assert visible(tmp_path / "sets") == []


def test_a_pg_dump_that_says_something_unknown_leaves_no_set(small: Small, tmp_path: Path) -> None:
    front = dumping(tmp_path, small, 'echo "pg_dump: warning: half of it" >&2; exit 0')
    with pytest.raises(BackupFailed, match="half of it"):
        small.back_up(tmp_path / "sets", pg_dump=front)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupt_leaves_nothing(small: Small, tmp_path: Path, number: signal.Signals, code: int) -> None:
    with interrupted(small, tmp_path) as process:
        process.send_signal(number)
        assert process.wait(20) == code
    assert [path for path in (tmp_path / "sets").iterdir() if path.name != ".small.lock"] == []


def test_kill_9_leaves_nothing_once_the_guardian_has_been(small: Small, tmp_path: Path) -> None:
    with interrupted(small, tmp_path) as process:
        process.kill()
        process.wait(20)
        dumping_pid = int((tmp_path / "pid").read_text())
        until(lambda: not any(".partial" in path.name for path in (tmp_path / "sets").iterdir()))
        until(lambda: not running(dumping_pid))


def test_kill_9_of_all_leaves_what_nothing_takes_for_a_set_and_the_next_backup_clears_away(
    small: Small, tmp_path: Path
) -> None:
    sets = tmp_path / "sets"
    with interrupted(small, tmp_path) as process:
        guardians = children(process.pid)
        assert guardians
        for pid in [*guardians, process.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait(20)
        remains = [path.name for path in sets.iterdir() if path.name.endswith(".partial")]
        assert len(remains) == 1
        with pytest.raises(StageFailed, match="no backup found") as refusal:
            locate(sets, PROFILE)
        assert "never finished" in refusal.value.cause
    whole = small.back_up(sets)
    assert [path.name for path in sets.iterdir() if not path.name.endswith(".lock")] == [whole.name]


def dumping(tmp_path: Path, small: Small, instead: str) -> Path:
    """A pg_dump that answers --version and then does something else."""
    real = small.server.clients.pg_dump
    return script(tmp_path / "pg_dump", f'#!/bin/sh\ncase "$1" in --version) exec {real} --version;; esac\n{instead}\n')


@contextlib.contextmanager
def interrupted(small: Small, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A backup in the middle of its dump."""
    front = dumping(tmp_path, small, f"echo $$ > {tmp_path}/pid.new; mv {tmp_path}/pid.new {tmp_path}/pid; sleep 60")
    command = [
        sys.executable,
        "-m",
        "fixtures.commands.backup",
        "--into",
        tmp_path / "sets",
        "--sites-data",
        small.sites,
    ]
    process = subprocess.Popen(
        [*command, "--application", "small", "--pg-dump", front],
        env=small.server.environment("source"),
        preexec_fn=heed_interrupts,
    )
    try:
        until((tmp_path / "pid").exists)
        yield process
    finally:
        process.kill()
        process.wait()
        # Where the guardian was killed too, nobody else ends the program that stood in for pg_dump.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(int((tmp_path / "pid").read_text()), signal.SIGKILL)


def children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children")
    listed = [int(child) for child in found.read_text().split()]
    return [child for child in listed if b"guardian" in Path(f"/proc/{child}/cmdline").read_bytes()]


def until(holds: object, seconds: float = 20) -> None:
    assert callable(holds)
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.05)
