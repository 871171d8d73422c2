"""Controls are tried by as many workers as the restored database is worth, and by those alone that were asked for."""

import resource
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from fixtures.plugin.forked_workers import fork_workers, waiting
from fixtures.plugin.worker_count import workers_worth
from tests.support.drills import ROOT
from tests.support.own_pytest import own_pytest

STARTS = """
import pytest
from fixtures.plugin.workers import start_workers

@pytest.hookimpl(wrapper=True)
def pytest_sessionstart(session):
    yield
    if not hasattr(session.config, "workerinput"):
        start_workers(session, 2)
"""
WAITS = """
import sys
from fixtures.plugin.forked_workers import ForkedWorkers
workers = ForkedWorkers(2)
print(*(worker.pid for worker in workers.waiting), flush=True)
sys.stdin.readline()
"""
ALONE = """
from fixtures.plugin.forked_workers import ForkedWorkers
workers = ForkedWorkers(2).waiting
workers[0].let_go()
print(workers[0].poll(), workers[1].poll())
"""
TESTS = """
import os, pytest

@pytest.mark.parametrize("number", range(4))
def test_where(number, worker_id):
    print("tried by", worker_id, flush=True)
    assert number != 3
"""


@pytest.mark.parametrize(
    ("checks", "rows", "cores", "forked", "workers"),
    [
        (459, 18_663, 64, 0, 0),  # the sample
        (459, 18_663, 64, 8, 2),
        (459, 18_663, 2, 2, 2),
        (459, 18_663, 1, 1, 0),
        (0, 0, 2, 2, 0),
        (450, 1_900_000, 2, 0, 2),
        (450, 1_900_000, 1, 1, 0),
        (450, 1_900_000, 64, 0, 3),
        (450, 1_900_000, 64, 8, 8),
        (20_000, 10_000, 8, 0, 8),  # many small tables
        (20_000, 10_000, 64, 8, 20),
    ],
)
def test_workers_are_started_where_each_has_enough_to_do(
    checks: int, rows: int, cores: int, forked: int, workers: int
) -> None:
    assert workers_worth(checks, rows, cores, forked) == workers


FORKS = """
import imported, pytest
from fixtures.plugin.forked_workers import FORKED, fork_workers, have_them_taken, let_go_of_the_rest
from fixtures.plugin.workers import start_workers

def pytest_configure(config):
    if not hasattr(config, "workerinput"):
        fork_workers(config, 3)
        print("forked", *(worker.pid for worker in config.stash[FORKED].waiting), flush=True)

def pytest_xdist_setupnodes(config):
    have_them_taken(config, config.pluginmanager.getplugin("dsession").nodemanager)

@pytest.hookimpl(wrapper=True)
def pytest_sessionstart(session):
    yield
    if not hasattr(session.config, "workerinput"):
        BEFORE
        start_workers(session, 2)
        let_go_of_the_rest(session.config)
"""
KILLS = """
        import os, signal
        for worker in session.config.stash[FORKED].waiting[:2]:
            os.kill(worker.pid, signal.SIGKILL)
"""
IMPORTED = """
import os
BY = os.getpid()
"""
SAYS = """
import os, imported, pytest, resource

@pytest.mark.parametrize("number", range(4))
def test_which(number, worker_id):
    own = "forked" if imported.BY == os.getppid() else "new"
    print("tried by", worker_id, own, os.getpid(), flush=True)
    print("dumps core up to", resource.getrlimit(resource.RLIMIT_CORE)[0], flush=True)
    assert number != 3
"""


def test_workers_that_start_once_the_stages_have_run_try_and_report_all(tmp_path: Path) -> None:
    said = run_tests(tmp_path, STARTS, TESTS)
    assert set(lines_of(said, "tried by")) == {"tried by gw0", "tried by gw1"}


def test_workers_are_those_that_were_forked_as_the_drill_began(tmp_path: Path) -> None:
    said = run_tests(tmp_path, FORKS.replace("BEFORE", "pass"), SAYS)
    forked = lines_of(said, "forked")[0].split()[1:]
    tried = {tuple(line.split()[2:5]) for line in lines_of(said, "tried by")}
    assert tried == {("gw0", "forked", forked[0]), ("gw1", "forked", forked[1])}
    assert set(lines_of(said, "dumps")) <= {"dumps core up to 0", "dumps core up to 1"}
    assert_none_lives(forked)


def test_a_worker_that_ended_while_it_waited_is_started_anew(tmp_path: Path) -> None:
    said = run_tests(tmp_path, FORKS.replace("BEFORE", KILLS.strip()), SAYS)
    forked = lines_of(said, "forked")[0].split()[1:]
    tried = {tuple(line.split()[2:5]) for line in lines_of(said, "tried by")}
    assert ("gw0", "forked", forked[2]) in tried
    assert {which[:2] for which in tried} == {("gw0", "forked"), ("gw1", "new")}
    assert_none_lives(forked)


def test_workers_that_wait_end_with_a_drill_that_is_killed() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WAITS], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as drill:
        assert drill.stdout is not None
        forked = drill.stdout.readline().split()
        assert len(forked) == 2
        drill.kill()
    deadline = time.monotonic() + 30
    while any(psutil.pid_exists(int(pid)) for pid in forked) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert_none_lives(forked)


def test_one_that_waits_ends_alone() -> None:
    """The others hold nothing of the pipe that it waits on."""
    done = subprocess.run([sys.executable, "-c", ALONE], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["0", "None"], done.stderr


def test_a_process_with_a_thread_is_not_forked(pytestconfig: pytest.Config) -> None:
    held = threading.Event()
    thread = threading.Thread(target=held.wait)
    thread.start()
    try:
        fork_workers(pytestconfig, 2)
        assert waiting(pytestconfig) == 0
    finally:
        held.set()
        thread.join()


def run_tests(folder: Path, conftest: str, tests: str) -> str:
    """What pytest says of four tests, one of which fails."""
    (folder / "conftest.py").write_text(conftest)
    (folder / "imported.py").write_text(IMPORTED)
    (folder / "test_where.py").write_text(tests)
    done = own_pytest(folder, "-rA", preexec_fn=_may_dump_core)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "2 workers [4 items]" in done.stdout
    assert "1 failed, 3 passed" in done.stdout
    assert done.stderr == ""
    return done.stdout


def _may_dump_core() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (most, most))


def lines_of(said: str, start: str) -> list[str]:
    return [line for line in said.splitlines() if line.startswith(start)]


def assert_none_lives(pids: list[str]) -> None:
    assert pids
    assert [pid for pid in pids if psutil.pid_exists(int(pid))] == []
