"""An interrupt ends the check of a worker that it comes in, and leaves no report half made where it comes between two."""

import subprocess
import sys
from pathlib import Path

import pytest

from fixtures.record.project import ROOT
from tests.support.own_pytest import heed_interrupts

_PLUGIN = """
import os, signal
import pytest
from fixtures.plugin.ending import WorkerEnding

def pytest_configure(config):
    config.pluginmanager.register(WorkerEnding())
"""
_REPORTING = """
@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_logfinish():
    yield
    os.kill(os.getpid(), signal.SIGINT)
"""
_TWO = "def test_first(): pass\ndef test_second(): pass\n"
_WAITS_DROPPED = """import os, signal, time
class Destroyed:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.1)
def test_waits():
    Destroyed()
    time.sleep(300)
"""
_WAITS = "import os, signal, time\ndef test_waits():\n    os.kill(os.getpid(), signal.SIGINT)\n    time.sleep(300)\n"


@pytest.mark.parametrize(
    ("more", "tests", "said"),
    [(_REPORTING, _TWO, "1 passed"), ("", _WAITS, "no tests ran"), ("", _WAITS_DROPPED, "no tests ran")],
)
def test_an_interrupt(more: str, tests: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(_PLUGIN + more)
    (tmp_path / "test_two.py").write_text(tests)
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-W",
            "error",
            "-p",
            "no:cacheprovider",
            "--rootdir",
            str(tmp_path),
            str(tmp_path),
        ],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=120,
        preexec_fn=heed_interrupts,
    )
    assert done.returncode == pytest.ExitCode.INTERRUPTED, done.stdout + done.stderr
    assert said in done.stdout
    assert "INTERNALERROR" not in done.stdout + done.stderr
