"""The image of the suite, built of the checkout's commit where Docker does not have it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.support.drills import ROOT
from tests.support.programs import missing, program

USER = 10001
"""Whom the image runs as."""
_RELEASER = Path(sys.prefix) / "release" / "bin" / "python"


def said(*words: str | Path, **environment: str) -> str:
    """What a program prints that ends well."""
    done = subprocess.run(
        words, cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, timeout=900, errors="replace"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def said_until(words: str, seconds: float, *command: str | Path, **environment: str) -> str:
    """What a program that goes on printing has printed once these words are among it; all of it, where they never are."""
    given = ("timeout", str(seconds), *command)
    printed = ""
    with subprocess.Popen(
        given, cwd=ROOT, env=os.environ | environment, stdout=subprocess.PIPE, text=True, errors="replace"
    ) as program:
        assert program.stdout is not None
        for line in program.stdout:
            printed += line
            if words in line:
                program.terminate()
                break
    return printed


def image_of_commit() -> tuple[str, dict[str, Any]]:
    """Its name, and what Docker says of it. What is not committed is no part of it."""
    name = f"restore-drill:{said('git', 'rev-parse', 'HEAD')[:12]}"
    if subprocess.run(["docker", "image", "inspect", name], capture_output=True).returncode != 0:
        program("mmdebstrap", "mmdebstrap")
        if not _RELEASER.exists():
            missing(f"left out: {_RELEASER} is not there, and make test-all makes it")
        ours = ROOT / ".venv" / "locker" / "bin" / "uv"
        uv = str(ours) if ours.is_file() else shutil.which("uv")
        if uv is None:
            missing("left out: there is no uv, and make test-all installs it")
        said(ROOT / "deploy" / "image" / "build", uv, _RELEASER)
    (described,) = json.loads(said("docker", "image", "inspect", name))
    return name, described
