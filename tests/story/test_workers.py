"""Controls are tried by as many workers as the restored database is worth, and by those alone that were asked for."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fixtures.plugin.worker_count import workers_worth
from tests.support.drills import ROOT

STARTS = """
import pytest
from fixtures.plugin.workers import start_workers

@pytest.hookimpl(wrapper=True)
def pytest_sessionstart(session):
    yield
    if not hasattr(session.config, "workerinput"):
        start_workers(session, 2)
"""
TESTS = """
import os, pytest

@pytest.mark.parametrize("number", range(4))
def test_where(number, worker_id):
    print("tried by", worker_id, flush=True)
    assert number != 3
"""


@pytest.mark.parametrize(
    ("checks", "rows", "cores", "workers"),
    [
        (459, 18_663, 64, 0),  # the sample
        (0, 0, 2, 0),
        (450, 1_900_000, 2, 2),
        (450, 1_900_000, 1, 0),
        (450, 1_900_000, 64, 3),
        (20_000, 10_000, 8, 8),  # many small tables
    ],
)
def test_workers_are_started_where_each_has_enough_to_do(checks: int, rows: int, cores: int, workers: int) -> None:
    assert workers_worth(checks, rows, cores) == workers


def test_workers_that_start_once_the_stages_have_run_try_and_report_all(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(STARTS)
    (tmp_path / "test_where.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    quiet = ("-p", "no:cacheprovider", "-p", "no:hypothesispytest", "-rA")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *quiet],
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "2 workers [4 items]" in done.stdout
    assert {line for line in done.stdout.splitlines() if line.startswith("tried by")} == {
        "tried by gw0",
        "tried by gw1",
    }
    assert "1 failed, 3 passed" in done.stdout
