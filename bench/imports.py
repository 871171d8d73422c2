"""What each process of a drill imports before it begins, by package, as `python -X importtime` tells it."""

import re
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass

from fixtures.record.project import ROOT

_LINE = re.compile(r"import time:\s+(?P<own>\d+) \|\s+\d+ \|\s+(?P<module>\S+)")
_OF_THE_SUITE = ("fixtures", "reports")
_MOST = 4

_PLUGINS = "import pytest, conftest\nfor each in conftest.pytest_plugins: __import__(each)\n"
_DJANGO = "import os, sys\nsys.path.insert(0, 'sample')\nos.environ['DJANGO_SETTINGS_MODULE'] = 'igny8_core.settings'\n"

# Of each process what has it import what is there before it does anything, and what was imported before that.
PROCESSES: dict[str, tuple[str, str]] = {
    "the controller, and a worker that is not forked": (_PLUGINS, ""),
    "the controller, while its stages run": ("import reports.render, reports.terminal", _PLUGINS),
    "the guardian": ("import fixtures.sandbox.guardian", ""),
    "the courier, where the set lies in a store": ("import fixtures.shelf.stores.__main__", ""),
    "what sets the PDF": ("import reports.audit.typeset, weasyprint", ""),
    "the sample's interpreter, its Django set up": (f"{_DJANGO}import django\ndjango.setup()", ""),
}


@dataclass(frozen=True)
class Imports:
    """Milliseconds of all imports, how many modules these are, and those of the packages that take most of it."""

    milliseconds: float
    modules: int
    packages: tuple[tuple[str, float], ...]

    def __str__(self) -> str:
        return ", ".join(f"{name} {milliseconds:.0f}" for name, milliseconds in self.packages)


def imports() -> dict[str, Imports]:
    """Of each process, started once before: compiled modules lie on the disk then."""
    return {name: _of(*code) for name, code in PROCESSES.items()}


def _of(code: str, before: str) -> Imports:
    _times(before + code)
    there, times = _times(before), _times(before + code)
    own = {module: microseconds for module, microseconds in times.items() if not before or module not in there}
    packages: Counter[str] = Counter()
    for module, microseconds in own.items():
        packages[_package(module)] += microseconds
    most = tuple((name, microseconds / 1000) for name, microseconds in packages.most_common(_MOST))
    return Imports(sum(own.values()) / 1000, len(own), most)


def _times(code: str) -> dict[str, int]:
    """Microseconds of each module's own. Raises CalledProcessError."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return {found["module"]: int(found["own"]) for found in _LINE.finditer(done.stderr)}


def _package(module: str) -> str:
    """The suite's own by their rooms."""
    names = module.split(".")
    return ".".join(names[:2]) if names[0] in _OF_THE_SUITE else names[0]
