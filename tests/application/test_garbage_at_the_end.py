"""The application's interpreter looks for no garbage while it ends, be it whole or a fork: that takes longer than most
probes."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fixtures.application import probes
from tests.support.drills import SAMPLE

START = Path(probes.__path__[0]) / "start.py"
PROBE = """
import atexit, gc
atexit.register(lambda: print(gc.get_freeze_count(), flush=True))
"""


def whole(probe: Path, folder: Path) -> str:
    argv = [sys.executable, str(START), str(SAMPLE / "manage.py"), str(probe)]
    return subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=True, timeout=60).stdout


def forked(probe: Path, folder: Path) -> str:
    (read_by_it, asked), (ended, written_by_it) = os.pipe(), os.pipe()
    argv = [sys.executable, str(START), str(SAMPLE / "manage.py"), str(read_by_it), str(written_by_it)]
    question = {
        "probe": str(probe),
        "environment": {},
        "variables": {},
        "command": [],
        "stdout": str(folder / "stdout"),
        "stderr": str(folder / "stderr"),
    }
    with subprocess.Popen(argv, cwd=folder, pass_fds=(read_by_it, written_by_it)):
        os.close(read_by_it)
        os.close(written_by_it)
        os.write(asked, json.dumps(question).encode() + b"\n")
        with os.fdopen(ended) as answer:
            # Other processes of this machine may have come meanwhile: outside a namespace they are seen as left.
            assert answer.readline().split()[0] == "0", (folder / "stderr").read_text()
            os.close(asked)
    return (folder / "stdout").read_text()


@pytest.mark.parametrize("run", [whole, forked])
def test_an_interpreter_that_ends_leaves_all_that_it_imported_out_of_its_last_looks(
    run: Callable[[Path, Path], str], tmp_path: Path
) -> None:
    probe = tmp_path / "probe.py"
    probe.write_text(PROBE)
    assert int(run(probe, tmp_path)) > 20_000
