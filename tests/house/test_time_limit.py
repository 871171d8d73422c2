"""A test that hangs is ended by its time limit, and named."""

from pathlib import Path

import pytest

from tests.support import time_limit
from tests.support.own_pytest import own_pytest

LIMITED = """
from tests.support import time_limit

def pytest_configure(config):
    time_limit.LIMIT = time_limit.AGAIN = 1
    config.pluginmanager.register(time_limit)
"""
HANGING = """
import threading
import pytest

def hang(where):
    threading.Event().wait()

@pytest.fixture
def put_away():
    yield
    hang("in what a fixture puts away")

def test_hangs():
    hang("in the test")

def test_hangs_on():
    try:
        hang("in the test")
    finally:
        hang("in what it does to end")

def test_fails_and_hangs(put_away):
    pytest.fail("of its own")

@pytest.mark.timeout(0)
def test_goes_on():
    pass
"""


def test_a_test_that_hangs_fails_by_name_with_its_stack_and_the_others_go_on(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(LIMITED)
    (tmp_path / "test_hanging.py").write_text(HANGING)
    done = own_pytest(tmp_path, "-n1", "-rA")
    outcomes = (line.split(" - ")[0] for line in done.stdout.splitlines())
    assert [line for line in outcomes if line.startswith(("PASSED ", "FAILED ", "ERROR "))] == [
        "PASSED test_hanging.py::test_goes_on",
        "ERROR test_hanging.py::test_fails_and_hangs",
        "FAILED test_hanging.py::test_hangs",
        "FAILED test_hanging.py::test_hangs_on",
        "FAILED test_hanging.py::test_fails_and_hangs",
    ], done.stdout + done.stderr
    for where in ("in the test", "in what it does to end", "in what a fixture puts away"):
        assert f'hang("{where}")' in done.stdout


def test_each_test_of_the_suite_has_the_limit(request: pytest.FixtureRequest) -> None:
    assert [mark.args for mark in request.node.iter_markers("timeout")] == [(time_limit.LIMIT,)]
    assert request.config.pluginmanager.is_registered(time_limit)
