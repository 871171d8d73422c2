"""Runs the pinned allure on one run's results and puts its page beside the evidence."""

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from reports.allure.offline import NotOffline, offline
from reports.words import write

HERE = Path(__file__).parent
RESULTS = "allure-results"
_MINUTES = 10


class AllureFailed(Exception):
    """The page could not be built: what failed, what was looked at, how to fix it."""


def build(run: Path) -> Path:
    """`<run>/allure/index.html` from `<run>/allure-results`: one file, without analytics. Raises AllureFailed."""
    results = run / RESULTS
    if not any(results.glob("*-result.json")):
        raise AllureFailed(f"{results} holds no Allure results. Give the folder of a drill that ran to its end.")
    tool = _tool()
    with tempfile.TemporaryDirectory(prefix="drill-allure-") as scratch:
        made = Path(scratch) / "report"
        config = str(HERE / "allurerc.mjs")
        _run([str(tool), "generate", "--config", config, "--output", str(made), str(results.resolve())], Path(scratch))
        page = made / "index.html"
        if not page.is_file():
            raise AllureFailed(f"allure ended well but made no {page.name}. Look at {config}: singleFile must be true.")
        try:
            html = offline(page.read_text(encoding="utf-8"))
        except NotOffline as error:
            raise AllureFailed(f"{error}: nothing was written. Look at reports/allure/offline.py.") from error
    folder = run / "allure"
    folder.mkdir(exist_ok=True)
    return write(folder / "index.html", html)


def _tool() -> Path:
    """The allure that package-lock.json names, installed when it is not there yet."""
    wanted = json.loads((HERE / "package.json").read_text())["dependencies"]["allure"]
    installed = HERE / "node_modules" / "allure" / "package.json"
    if not installed.is_file() or json.loads(installed.read_text())["version"] != wanted:
        npm = shutil.which("npm")
        if npm is None:
            raise AllureFailed("npm is not on PATH; allure comes from there. Install Node.js 20 or newer, with npm.")
        _run([npm, "ci", "--omit=dev", "--no-progress"], HERE)
    if shutil.which("node") is None:
        raise AllureFailed("node is not on PATH; allure runs on it. Install Node.js 20 or newer.")
    return HERE / "node_modules" / ".bin" / "allure"


def _run(command: list[str], folder: Path) -> None:
    """Run a program to its end; what it says is shown only when it fails. A credential in the environment that npm
    does not need stays here."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "DATABASE_", "ALLURE_"))}
    name = " ".join(Path(part).name for part in command[:2])
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=kept,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_MINUTES * 60,
        )
    except subprocess.TimeoutExpired as error:
        raise AllureFailed(f"{name} did not end within {_MINUTES} minutes. Run it by hand to see why.") from error
    if done.returncode != 0:
        told = "\n".join((done.stdout + done.stderr).strip().splitlines()[-15:])
        raise AllureFailed(f"{name} failed with exit code {done.returncode}:\n{told}")
