"""What a process of a drill does without: libraries that few drills use, and plugins that no control does."""

import subprocess
import sys

import pytest

from fixtures.record.project import ROOT

# Clients of clouds and containers, the typesetter of the PDF, what notifies, the tests' own library.
_HEAVY = ("apprise", "boto3", "docker", "fontTools", "fsspec", "hypothesis", "testcontainers", "weasyprint")
# What the controller imports while its stages run, or on a terminal alone, and a worker never.
_LATER = ("jinja2", "prometheus_client", "reports.render", "rich.progress")
_WITHIN = 180
_COLLECTING = """
import gc, sys, pytest
class Spy:
    def pytest_configure(self, config):
        self.plugins = config.pluginmanager
spy = Spy()
pytest.main(["verify", "--collect-only", "-q"], plugins=[spy])
there = map(spy.plugins.has_plugin, ("tmpdir", "timeout"))
print("TOLD", gc.get_threshold()[0], *there, *sorted(set(sys.argv[1:]) & set(sys.modules)))
"""


def test_a_drill_imports_what_it_uses_removes_no_folder_of_other_runs_ends_no_check_and_seldom_looks_for_garbage() -> (
    None
):
    done = subprocess.run(
        [sys.executable, "-c", _COLLECTING, *_HEAVY, *_LATER], cwd=ROOT, capture_output=True, text=True, timeout=_WITHIN
    )
    assert done.stdout.splitlines()[-1] == "TOLD 20000 False False", done.stdout + done.stderr


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("fixtures.sandbox.guardian", ["psycopg", "fixtures.record.record"]),
        # It reads the command line, and becomes the process that drills.
        ("fixtures.commands.front.drilling", ["psycopg", "pydantic", "fixtures.server"]),
    ],
)
def test_what_stands_beside_a_drill_imports_no_client_of_a_database(module: str, heavy: list[str]) -> None:
    asked = f"import sys, {module}; print(sorted(set({heavy}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, timeout=_WITHIN)
    assert done.stdout == "[]\n", done.stdout + done.stderr


@pytest.mark.parametrize(
    "ends",
    [
        "from fixtures.sandbox.guardian import main; main()",
        "import click; from fixtures.commands.front.called import run; run(click.Command('any', callback=int), [], 'any')",
    ],
)
def test_a_process_that_ends_looks_for_no_more_garbage(ends: str) -> None:
    asked = f"import atexit, gc; atexit.register(lambda: print(gc.get_freeze_count() > 5_000)); {ends}"
    done = subprocess.run(
        [sys.executable, "-c", asked], cwd=ROOT, input="", capture_output=True, text=True, timeout=_WITHIN
    )
    assert (done.returncode, done.stdout) == (0, "True\n"), done.stderr
