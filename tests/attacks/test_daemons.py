"""What a program leaves behind ends with it, in whatever way it hides, and never came to the bait."""

import socket
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from fixtures.sandbox.child import plain_environment, run_child
from fixtures.sandbox.guardian import Guardian
from fixtures.sandbox.isolation import Isolation, Kind
from fixtures.sandbox.view import View
from tests.sandbox.test_confinement import CONFINING

# Each time it comes to run, it reaches for the bait; a second later it would again.
REACHES = """
import os, signal, socket, time
def reach():
    for signum in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(signum, signal.SIG_IGN)
    try: open({file!r}, 'w').close()
    except OSError: pass
    try: socket.create_connection(('127.0.0.1', {port}), 1).close()
    except OSError: pass
"""
HIDES = {
    "it is born again by each of its children": """
if os.fork() == 0:
    os.setsid()
    while True:
        if os.fork(): os._exit(0)
        reach(); time.sleep(0.02)
""",
    "it is a process group and a session of its own, and stopped": """
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.setpgid(0, 0)
        reach()
        os.kill(os.getpid(), signal.SIGSTOP)
        time.sleep(3600)
    os._exit(0)
time.sleep(0.3)
""",
    "it has namespaces of its own": """
if os.fork() == 0:
    os.setsid(); reach()
    try: os.execvp('unshare', ['unshare', '--user', '--pid', '--fork', '--mount-proc', 'sleep', '3600'])
    except OSError: time.sleep(3600)
time.sleep(0.3)
""",
    "it takes up those that lose their parent": """
import ctypes
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
if os.fork() == 0:
    os.setsid()
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
    for _ in range(3):
        if os.fork() == 0:
            reach(); time.sleep(3600)
    time.sleep(3600)
time.sleep(0.3)
""",
}


@pytest.fixture
def marker(tmp_path: Path) -> Iterator[Path]:
    """A folder whose path tells whose process it is: every process of the program stands in it."""
    yield tmp_path
    for process in standing_in(tmp_path):
        process.kill()


def standing_in(folder: Path) -> list[psutil.Process]:
    processes = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.cwd() == str(folder) and process.status() != psutil.STATUS_ZOMBIE:
                processes.append(process)
    return processes


@pytest.mark.parametrize("kind", CONFINING)
@pytest.mark.parametrize("hides", HIDES)
def test_no_daemon_is_left_however_it_hides(hides: str, kind: Kind, guardian: Guardian, marker: Path) -> None:
    bait = Path(f"{marker}-bait")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        body = REACHES.format(file=str(bait), port=listener.getsockname()[1]) + HIDES[hides]
        done = run_child(
            [sys.executable, "-c", body],
            environment=plain_environment(),
            guardian=guardian,
            isolation=Isolation(kind, ""),
            view=View(read=(Path(sys.prefix), Path(sys.base_prefix))),
            cwd=marker,
            limit=60,
        )
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.accept()
    assert done.returncode == 0, done.stderr
    assert standing_in(marker) == []
    assert not bait.exists()
