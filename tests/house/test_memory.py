"""What the tests' servers leave in memory is gone once their session is."""

import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import forget_the_dead


def test_the_folder_of_a_session_that_was_killed_is_removed_and_no_other(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    dead, living, others = (tmp_path / name for name in (f"rdt-{ended.pid}-x", f"rdt-{os.getpid()}-x", "rdt-old"))
    for folder in (dead, living, others):
        (folder / "data").mkdir(parents=True)
    forget_the_dead(tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted([living, others])
