"""Running a program as a person does: its stdout is a terminal."""

import os
import pty
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.support.drills import ROOT


@dataclass(frozen=True)
class Seen:
    """`shown` is what the terminal showed, `said` what went to stderr."""

    exit_code: int
    shown: str
    said: str


def on_a_terminal(argv: list[str], environment: dict[str, str], folder: Path, seconds: float = 240) -> Seen:
    ours, theirs = pty.openpty()
    said = folder / "stderr"
    with said.open("w") as errors:
        process = subprocess.Popen(argv, cwd=ROOT, env=environment, stdout=theirs, stderr=errors)
    os.close(theirs)
    shown = b""
    with os.fdopen(ours, "rb", buffering=0) as terminal:
        try:
            while part := terminal.read(4096):
                shown += part
        except OSError:
            # Linux tells so that nobody holds the other end any more.
            pass
    return Seen(process.wait(seconds), shown.decode().replace("\r\n", "\n"), said.read_text())
