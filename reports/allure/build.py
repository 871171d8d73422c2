"""Runs the pinned allure on one run's evidence, and on that of the drills before it, and puts its page beside it."""

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from pydantic import ValidationError

from fixtures.record.evidence import Evidence
from fixtures.record.shape import why_not_strict
from reports.allure.offline import NotOffline, offline
from reports.allure.results import HISTORY, write_history, write_results
from reports.words import EVIDENCE, write

HERE = Path(__file__).parent
_MINUTES = 10


class AllureFailed(Exception):
    """The page could not be built: what failed, what was looked at, how to fix it."""


def build(run: Path) -> Path:
    """`<run>/allure/index.html` from `<run>/evidence.json` and the runs around it: one file, without analytics. Raises
    AllureFailed."""
    evidence = _evidence(run)
    tool = _tool()
    with tempfile.TemporaryDirectory(prefix="drill-allure-") as scratch:
        results, history, made = (Path(scratch) / name for name in ("results", HISTORY, "report"))
        write_results(evidence, results)
        write_history(run, evidence, history)
        config = str(HERE / "allurerc.mjs")
        _run(
            [str(tool), "generate", "--config", config, "--output", str(made), str(results)],
            Path(scratch),
            {"DRILL_HISTORY": str(history)},
        )
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


def _evidence(run: Path) -> Evidence:
    file = run / EVIDENCE
    try:
        return Evidence.model_validate_json(file.read_bytes())
    except OSError as error:
        raise AllureFailed(f"{file} cannot be read: {error.strerror}. Give the folder of one run.") from None
    except ValidationError as error:
        why = why_not_strict(error)
        raise AllureFailed(
            f"{file} is not evidence that this version reads{': ' + why if why else ''}. Use the version that wrote it."
        ) from None


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


def _run(command: list[str], folder: Path, variables: dict[str, str] | None = None) -> None:
    """Run a program to its end; what it says is shown only when it fails. A credential in the environment that npm
    does not need stays here."""
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("PG", "DATABASE_", "ALLURE_"))
    }
    name = " ".join(Path(part).name for part in command[:2])
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=inherited | (variables or {}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_MINUTES * 60,
        )
    except subprocess.TimeoutExpired as error:
        raise AllureFailed(f"{name} did not end within {_MINUTES} minutes. Run it by hand to see why.") from error
    if done.returncode != 0:
        output = "\n".join((done.stdout + done.stderr).strip().splitlines()[-15:])
        raise AllureFailed(f"{name} failed with exit code {done.returncode}:\n{output}")
