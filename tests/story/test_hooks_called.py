"""The hooks that a drill offers are called, once each, in the order in which they are described."""

import subprocess
import sys
from pathlib import Path

from fixtures.record.project import ROOT

_DRILL = """
import sys, pytest
class Spy:
    def pytest_drill_stage_begins(self, stage): print("TOLD", stage, flush=True)
    def pytest_drill_checks_begin(self): print("TOLD checks", flush=True)
    def pytest_drill_evidence(self): print("TOLD evidence", flush=True)
backups, out = sys.argv[1:]
application = ("--app", "sample", "--app-python", sys.executable, "--profile", "igny8")
pytest.main(["verify", "-q", "-s", "-n0", "--no-pdf", "--backups", backups, *application, "--out", out], plugins=[Spy()])
"""


def test_a_drill_of_no_set_tells_when_a_stage_and_its_checks_begin_and_hands_its_evidence_on(tmp_path: Path) -> None:
    for name in ("backups", "out"):
        (tmp_path / name).mkdir()
    done = subprocess.run(
        [sys.executable, "-c", _DRILL, str(tmp_path / "backups"), str(tmp_path / "out")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=180,
    )
    told = [line.rsplit("TOLD ", 1)[1] for line in done.stdout.splitlines() if "TOLD " in line]
    assert told == ["locate", "checks", "evidence"], done.stdout + done.stderr
