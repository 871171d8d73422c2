"""A real browser for the tests: opens a page without a head, and tells what it complained of and whom it asked."""

import json
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.programs import missing

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_QUIET = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-features=OptimizationHints,MediaRouter,Translate",
    "--no-first-run",
    "--hide-scrollbars",
    "--enable-logging=stderr",
    "--v=0",
)


@dataclass(frozen=True)
class Visit:
    """What one visit left: console lines, the addresses that the page asked for, the size of the picture in bytes."""

    console: tuple[str, ...]
    asked: tuple[str, ...]
    picture: int


def visit(page: Path, *, width: int, height: int = 1400, dark: bool = False) -> Visit:
    """Open `page` and wait until it is drawn. What the browser asks for on its own account is left out."""
    with tempfile.TemporaryDirectory() as folder:
        picture, log = Path(folder) / "picture.png", Path(folder) / "network.json"
        command = [
            browser_program(),
            *_QUIET,
            f"--user-data-dir={folder}/profile",
            f"--log-net-log={log}",
            f"--window-size={width},{height}",
            *(["--blink-settings=preferredColorScheme=0"] if dark else []),
            "--virtual-time-budget=5000",
            f"--screenshot={picture}",
            page.resolve().as_uri(),
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
        console = tuple(line for line in done.stderr.splitlines() if "CONSOLE" in line)
        return Visit(console, _asked(json.loads(log.read_text())), picture.stat().st_size)


def _asked(log: dict[str, Any]) -> tuple[str, ...]:
    """Addresses that the page asked for, by the browser's own network log; its own requests have no origin there."""
    began = [event.get("params", {}) for event in log["events"]]
    urls = {params["url"] for params in began if params.get("initiator", "not an origin") != "not an origin"}
    return tuple(sorted(url for url in urls if not url.startswith(("file:", "data:"))))


def quiet_switches() -> tuple[str, ...]:
    return _QUIET


def browser_program() -> str:
    """The browser of this machine; the test is skipped where there is none, and fails on the build machine."""
    program = next(filter(None, map(shutil.which, _NAMES)), None)
    if program is None:
        missing(f"none of {', '.join(_NAMES)} is on PATH: install chromium")
    return str(program)
