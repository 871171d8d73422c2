"""Programs that a test needs and that not every machine has."""

import os
import shutil
from typing import NoReturn

import pytest


def program(name: str, package: str) -> str:
    """Where the program lies. The test is left out, aloud, where it is not installed, and fails on the build machine."""
    path = shutil.which(name)
    if path is None:
        missing(f"left out: {name} is not installed (Debian: apt-get install {package})")
    return str(path)


def missing(message: str) -> NoReturn:
    """Skips a test whose program is not on this machine; on the build machine it has to be."""
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)
