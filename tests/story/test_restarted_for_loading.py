"""A gate's server is as production's for the rehearsal alone: the stages after it run with the settings that load fast."""

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from fixtures.record.project import ROOT

_GATE = """
import sys, psutil, pytest
class Spy:
    def pytest_drill_stage_begins(self, stage):
        server = [each.info["cmdline"] for each in psutil.process_iter(["cmdline"]) if "-D" in (each.info["cmdline"] or ())]
        ours = [" ".join(words) for words in server if words[words.index("-D") + 1].startswith(folder)]
        print("TOLD", stage, *sorted({word for words in ours for word in words.split() if word.startswith("fsync=")}))
backups, out, folder = sys.argv[1:]
application = ("--app", "sample", "--app-python", sys.executable, "--profile", "igny8")
asked = ("verify", "-q", "-s", "-n0", "--no-pdf", "--prove", "none", "--gate", "--server", "local")
pytest.main([*asked, "--backups", backups, *application, "--out", out], plugins=[Spy()])
"""


@pytest.mark.whole
def test_what_comes_after_the_rehearsal_runs_as_what_came_before_it(
    whole_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # By it its server is told from those of other tests; the server's account can enter it.
    folder = Path(tempfile.mkdtemp(prefix="rd-gate-"))
    folder.chmod(0o1777)
    monkeypatch.setenv("TMPDIR", str(folder))
    try:
        done = subprocess.run(
            [sys.executable, "-c", _GATE, str(whole_set.parent), str(tmp_path / "out"), str(folder)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=300,
        )
    finally:
        folder.rmdir()
    told = [line.rsplit("TOLD ", 1)[1].rstrip() for line in done.stdout.splitlines() if "TOLD " in line]
    before, after = told.index("rehearse fsync=off"), told.index("compare fsync=off")
    assert before < after, done.stdout + done.stderr
