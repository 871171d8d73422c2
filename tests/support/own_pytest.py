"""A pytest of its own for a few tests in a folder, which knows nothing of the one that starts it."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from fixtures.record.project import ROOT


def own_pytest(
    folder: Path, *arguments: str, preexec_fn: Callable[[], None] | None = None
) -> subprocess.CompletedProcess[str]:
    """How pytest ended in that folder, which it takes for its root. subprocess.TimeoutExpired after two minutes."""
    (folder / "pytest.ini").write_text("[pytest]\n")
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:hypothesispytest", *arguments],
        cwd=folder,
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        preexec_fn=preexec_fn,
    )


def heed_interrupts() -> None:
    """For `preexec_fn`: a suite in the background or below nohup ignores these signals, and so would what it starts."""
    for each in (signal.SIGINT, signal.SIGHUP):
        signal.signal(each, signal.SIG_DFL)
