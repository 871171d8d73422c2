"""axe-core, which looks at a drill's page for those who cannot see it: pinned by the lock beside, installed on first use."""

import fcntl
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.chromium import Opened
from tests.support.programs import missing

HERE = Path(__file__).parent


def axe_script() -> str:
    """The library as one script, of the version that package.json names; two test processes install it once."""
    wanted = json.loads((HERE / "package.json").read_text())["dependencies"]["axe-core"]
    installed = HERE / "node_modules" / "axe-core"
    with (HERE / "package-lock.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not installed.is_dir() or json.loads((installed / "package.json").read_text())["version"] != wanted:
            _install()
    return (installed / "axe.min.js").read_text()


def _install() -> None:
    npm = shutil.which("npm")
    if npm is None:
        missing("npm is not on PATH: install Node.js 20 or newer, with npm")
    command = [npm, "ci", "--omit=dev", "--no-progress"]
    done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        pytest.fail(f"npm ci failed in {HERE}:\n{done.stderr[-2000:]}")


def violations(page: Opened, script: str) -> list[tuple[Any, ...]]:
    """What is wrong with what is shown now: the rule, what it asks for, and the first places."""
    page.run(f"{script}; void 0")
    broken = page.run(
        "axe.run(document, {resultTypes: ['violations']}).then(found => found.violations.map("
        "each => [each.id, each.help, each.nodes.length, each.nodes.slice(0, 3).map(node => node.html.slice(0, 200))]))"
    )
    return [tuple(each) for each in broken]
