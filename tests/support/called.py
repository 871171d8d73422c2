"""Calls a command of the suite in this process: its interpreter and all that it imports are there already."""

import io
import subprocess
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout


def called(main: Callable[[list[str]], int], *arguments: object) -> subprocess.CompletedProcess[str]:
    """What the command ends with and prints, as if it were a process of its own. Raises SystemExit for a wrong call."""
    words = [str(each) for each in arguments]
    with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
        code = main(words)
    return subprocess.CompletedProcess(words, code, out.getvalue(), err.getvalue())
