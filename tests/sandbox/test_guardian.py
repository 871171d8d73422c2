"""Nothing outlives a drill, however the drill ends."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from fixtures.sandbox import processes
from fixtures.sandbox.child import plain_environment, run_child, start
from fixtures.sandbox.guardian import Guardian, GuardianLost
from fixtures.sandbox.on_server import StrayDatabase
from fixtures.sandbox.remnants import StrayFolder
from fixtures.server import ServerRequest, serve
from fixtures.server.templates import NAMED_BY
from tests.support.further import first_of
from tests.support.own_pytest import heed_interrupts

REPOSITORY = Path(__file__).parents[2]


def within(seconds: float, true: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def alive(pid: int) -> bool:
    try:
        return processes.is_running(psutil.Process(pid))
    except psutil.NoSuchProcess:
        return False


def mentions(text: str) -> list[str]:
    """Command lines of running processes that mention the text."""
    processes = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue
            if text in words:
                processes.append(words)
    return processes


@pytest.mark.parametrize("ending", first_of([signal.SIGKILL, signal.SIGINT, signal.SIGTERM]))
def test_a_local_drill_ended_by_a_signal_leaves_nothing(ending: signal.Signals) -> None:
    drill = subprocess.Popen(
        [sys.executable, "-m", "tests.support.killed_drill", "0123abcd", "local"],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heed_interrupts,
    )
    assert drill.stdout is not None
    left_by_drill = json.loads(drill.stdout.readline())
    folder = Path(left_by_drill["folder"])
    assert folder.is_dir()
    assert alive(left_by_drill["child"])
    assert mentions(str(folder))

    drill.send_signal(ending)
    drill.communicate(timeout=30)

    assert within(15, lambda: not alive(left_by_drill["guardian"]))
    assert not folder.exists()
    assert not alive(left_by_drill["child"])
    assert not mentions(str(folder))
    assert not mentions(f"[{left_by_drill['database']}]")


def test_a_drill_killed_at_any_moment_of_starting_its_server_leaves_nothing(tmp_path: Path) -> None:
    short = Path(f"/tmp/rdt-{os.getpid()}")
    short.mkdir(mode=0o755)
    try:
        for moment in (0.05, 0.25, 0.4, 0.6, 0.9):
            drill = subprocess.Popen(
                [sys.executable, "-m", "tests.support.killed_drill", "0123abcd", "local"],
                cwd=REPOSITORY,
                env={**os.environ, "TMPDIR": str(short)},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            time.sleep(moment)
            drill.kill()
            drill.wait()
            assert within(15, lambda: not mentions(str(short)) and not left_in(short)), moment
    finally:
        shutil.rmtree(short)


def left_in(folder: Path) -> list[Path]:
    """But for the file that Python tries a folder for temporary files with, for less than a millisecond: whoever is killed
    right then leaves it."""
    return [path for path in folder.iterdir() if not (path.is_file() and re.fullmatch("[a-z0-9_]{8}", path.name))]


@pytest.mark.parametrize("kept", ["no cluster yet", "a cluster"])
def test_a_drill_killed_while_it_copies_a_cluster_leaves_no_copy_and_nothing_that_goes_on_with_it(
    kept: str, tmp_path: Path, guardian: Guardian
) -> None:
    if kept == "a cluster":
        with serve(ServerRequest("0123abcd", "local"), guardian):
            pass
    slow = tmp_path / "bin"
    slow.mkdir()
    begun = tmp_path / "begun"
    # It writes for as long as what it writes to is there, some seconds at most.
    (slow / "cp").write_text(
        f'#!/bin/sh\ntouch {begun}\nmkdir "$4"\ni=0\n'
        'while [ $i -lt 200000 ] && : >"$4/$i"; do i=$((i+1)); done 2>/dev/null\n'
    )
    (slow / "cp").chmod(0o755)
    short = Path(f"/tmp/rdt-{os.getpid()}")
    short.mkdir(mode=0o755)
    clusters = Path(os.environ[NAMED_BY]) if kept == "a cluster" else tmp_path / "clusters"
    clusters.mkdir(mode=0o700, exist_ok=True)
    try:
        drill = subprocess.Popen(
            [sys.executable, "-m", "tests.support.killed_drill", "0123abcd", "local"],
            cwd=REPOSITORY,
            env={
                **os.environ,
                "TMPDIR": str(short),
                "PATH": f"{slow}{os.pathsep}{os.environ['PATH']}",
                NAMED_BY: str(clusters),
            },
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        assert within(30, begun.exists)
        drill.kill()
        drill.wait()
        assert within(15, lambda: not mentions(str(begun.parent)) and not list(short.iterdir()))
        assert not list(clusters.glob("begun-*"))
    finally:
        short.rmdir()


def test_the_proof_of_teardown_names_everything_and_finds_what_was_left(guardian: Guardian, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    guardian.watch(StrayFolder(label="a folder", path=str(kept)))
    done = run_child(["true"], environment=plain_environment(), guardian=guardian, label="a program")
    assert done.succeeded

    left = guardian.leftovers()
    assert [(trace.kind, trace.label, trace.gone) for trace in left] == [
        ("folder", "a folder", False),
        ("process", "a program", True),
    ]
    kept.rmdir()
    assert all(trace.gone for trace in guardian.leftovers())


# In a namespace of its own the kernel can be told which pid it gives away next.
REUSED_PID = """
import subprocess, time
from pathlib import Path
from fixtures.sandbox.remnants import StrayProcess

def start():
    Path("/proc/sys/kernel/ns_last_pid").write_text("500")
    return subprocess.Popen(["sleep", "60"])

first = start()
stray = StrayProcess(label="long gone", pid=first.pid, patience=0.1)
first.kill()
first.wait()
time.sleep(0.05)
bystander = start()
assert bystander.pid == first.pid
stray.remove()
assert stray.remains() == ""
assert bystander.poll() is None
StrayProcess(label="bystander", pid=bystander.pid).remove()
assert bystander.poll() is not None
"""


def test_a_reused_pid_is_never_killed() -> None:
    namespace = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc"]
    done = subprocess.run(
        [*namespace, sys.executable, "-c", REUSED_PID], cwd=REPOSITORY, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_what_is_stopped_keeps_its_exit_code(guardian: Guardian) -> None:
    program = start(["sleep", "60"], environment=plain_environment(), guardian=guardian, label="program")
    guardian.remove(program.key)
    assert program.process.wait(5) == -signal.SIGTERM


def test_a_database_without_the_runs_prefix_is_never_dropped() -> None:
    for prefix in ("drill_0123abcd_", ""):
        stray = StrayDatabase(
            label="production",
            name="igny8",
            host="nowhere",
            port=1,
            user="u",
            password="p",
            database="postgres",
            prefix=prefix,
        )
        with pytest.raises(PermissionError, match="lacks this run's prefix"):
            stray.remove()


def test_a_dead_guardian_stops_the_drill_from_starting_more(guardian: Guardian) -> None:
    os.kill(guardian.pid, signal.SIGKILL)
    with pytest.raises(GuardianLost):
        run_child(["true"], environment=plain_environment(), guardian=guardian)


def test_a_folder_is_private_and_gone_after_the_block(guardian: Guardian) -> None:
    with guardian.folder("scratch") as folder:
        assert folder.stat().st_mode & 0o777 == 0o700
        (folder / "a" / "b").mkdir(parents=True)
        (folder / "a").chmod(0)
    assert not folder.exists()
    assert [trace.gone for trace in guardian.leftovers()] == [True]


@pytest.mark.parametrize("error", [FileExistsError, KeyboardInterrupt, RuntimeError])
def test_a_folder_is_gone_whatever_the_block_raised(guardian: Guardian, error: type[BaseException]) -> None:
    with pytest.raises(error), guardian.folder("scratch") as folder:
        raise error
    assert not folder.exists()


def test_credentials_reach_the_guardian_neither_by_argv_nor_by_environment(guardian: Guardian) -> None:
    proc = Path(f"/proc/{guardian.pid}")
    stray = StrayDatabase(
        label="d",
        name="drill_x_d",
        host="/nowhere",
        port=1,
        user="u",
        password="s3cr3t-w0rd",
        database="postgres",
        prefix="drill_x_",
    )
    key = guardian.watch(stray)
    assert b"s3cr3t-w0rd" not in (proc / "cmdline").read_bytes() + (proc / "environ").read_bytes()
    assert "s3cr3t-w0rd" not in repr(stray)
    guardian.release(key)
