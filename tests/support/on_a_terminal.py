"""Running a program as a person does: its stdout is a terminal, and what is typed comes from there where it asks."""

import fcntl
import os
import pty
import select
import subprocess
import termios
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.drills import ROOT, SECONDS


@dataclass(frozen=True)
class Seen:
    """`shown` is what the terminal showed, `said` what went to stderr."""

    exit_code: int
    shown: str
    said: str


CTRL_C = "\x03"
_ASKS = b"): "
_PATIENCE = 3
"""Seconds after which Ctrl-C is pressed again, as a person would: Python can miss one between two reads."""


def on_a_terminal(
    argv: list[str],
    environment: dict[str, str],
    folder: Path,
    seconds: float = SECONDS,
    typed: Sequence[str] | None = None,
) -> Seen:
    """`typed` is typed answer by answer, each when the program asks with "(…): ", and Ctrl-C where it asks for more. Without
    it stdin is no terminal. A program that shows nothing for `seconds` is killed: TimeoutError."""
    ours, theirs = pty.openpty()
    said = folder / "stderr"
    with said.open("w") as errors:
        process = subprocess.Popen(
            argv,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL if typed is None else theirs,
            stdout=theirs,
            stderr=errors,
            start_new_session=typed is not None,
            # Ctrl-C reaches those alone whose own terminal it is.
            preexec_fn=None if typed is None else lambda: fcntl.ioctl(theirs, termios.TIOCSCTTY, 0),
        )
    os.close(theirs)
    shown, answers, pressed = b"", list(typed or ()), False
    with os.fdopen(ours, "r+b", buffering=0) as terminal:
        heard = time.monotonic()
        while True:
            if not select.select([terminal], [], [], _PATIENCE)[0]:
                if time.monotonic() - heard > seconds:
                    process.kill()
                    raise TimeoutError(f"nothing more came in {seconds} s behind {shown[-200:]!r}")
                if pressed:
                    terminal.write(CTRL_C.encode())
                continue
            try:
                part = terminal.read(4096)
            except OSError:
                # Linux tells so that nobody holds the other end any more.
                break
            if not part:
                break
            heard = time.monotonic()
            shown += part
            if typed is not None and shown.endswith(_ASKS):
                answer = answers.pop(0) if answers else CTRL_C
                pressed = answer == CTRL_C
                terminal.write(answer.encode() if pressed else f"{answer}\n".encode())
    return Seen(process.wait(seconds), shown.decode().replace("\r\n", "\n"), said.read_text())
