"""What .ci downloads is tried again: one error of a mirror is no fault of a commit."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.support.front_door import ROOT

AGAIN = ROOT / ".ci/again"
# These make one request for each file and take its answer; pip, uv and npm ci have a setting of their own.
DOWNLOADERS = re.compile(r"\bapt-get (?:update|install)\b|\bdebootstrap --|\bpip\W? install\b|\bnpm install\b")


@pytest.mark.parametrize("failures", [0, 1, 4])
def test_a_command_that_fails_is_tried_again(tmp_path: Path, failures: int) -> None:
    done = _tried(tmp_path, failures)

    assert done.returncode == 0
    assert done.stdout == "".join(f"try {number}\n" for number in range(1, failures + 2))
    assert done.stderr.count("trying again") == failures


def test_the_last_try_is_the_answer(tmp_path: Path) -> None:
    done = _tried(tmp_path, 5)

    assert done.returncode == 105
    assert done.stdout.count("try") == 5


def _tried(folder: Path, failures: int) -> subprocess.CompletedProcess[str]:
    """A command that ends with 100 and its number of tries until it has failed so often, and with 0 from then on."""
    command = folder / "command"
    lines = [
        "#!/bin/sh",
        f"echo x >>{folder}/tries",
        f"n=$(wc -l <{folder}/tries)",
        'echo "try $n"',
        f'[ "$n" -gt {failures} ] || exit $((100 + n))',
    ]
    command.write_text("".join(f"{line}\n" for line in lines))
    command.chmod(0o755)
    return subprocess.run([AGAIN, command], capture_output=True, text=True, env={**os.environ, "PAUSE": "0"})


def test_each_line_that_downloads_goes_by_it() -> None:
    lines = [
        f"{script.name}: {line.strip()}"
        for script in sorted((ROOT / ".ci").iterdir())
        if script.is_file() and script != AGAIN
        for line in script.read_text().replace("\\\n", " ").splitlines()
        if DOWNLOADERS.search(line) and not line.lstrip().startswith("#")
    ]

    assert len(lines) >= 6
    assert [line for line in lines if not re.search(r"/again\b|^run: install=|grep -q", line)] == []
