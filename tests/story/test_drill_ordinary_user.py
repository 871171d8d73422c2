"""An ordinary user, who may become nobody else, drills just as root does."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.sandbox.account import Account
from fixtures.sandbox.child import plain_environment
from tests.support.drills import ROOT, Drill, command
from tests.support.spoiled_sets import copy_of

NOBODY = Account(65534, 65534, "nobody")
_AS_NOBODY = ("setpriv", f"--reuid={NOBODY.uid}", f"--regid={NOBODY.gid}", "--clear-groups", "--inh-caps=-all")
_CODE = ("conftest.py", "pyproject.toml", "fixtures", "reports", "verify", "sample")
_LEFT_OUT = shutil.ignore_patterns("backups", "out", "node_modules", "data")
"""Bytecode comes along: each process of the drill would compile all that it imports."""


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder of nobody's, where nobody can reach it."""
    folder = Path(tempfile.mkdtemp(prefix="rdt-user-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.whole
@pytest.mark.skipif(os.geteuid() != 0, reason="left out: this run is an ordinary user's already")
def test_an_ordinary_users_drill_is_verified(whole_set: Path, healthy_drill: Drill, home: Path) -> None:
    python = Path(f"/usr/bin/python3.{sys.version_info.minor}")
    if not python.exists():
        pytest.skip(f"left out: no {python} that an ordinary user can run")
    tree = home / "tree"
    for name in _CODE:
        source, target = ROOT / name, tree / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=_LEFT_OUT)
        else:
            tree.mkdir(exist_ok=True)
            shutil.copy(source, target)
    copy_of(whole_set, home / "backups")
    (home / "tmp").mkdir()
    for folder, _, files in os.walk(home):
        for path in (Path(folder), *(Path(folder, name) for name in files)):
            os.chown(path, NOBODY.uid, NOBODY.gid, follow_symlinks=False)
    interpreter = _interpreter(python, home)

    argv = command(home / "backups", home / "out", tree / "sample", interpreter, "igny8")
    done = subprocess.run(
        [*_AS_NOBODY, str(interpreter), *argv[1:]],
        cwd=tree,
        env=plain_environment(TMPDIR=str(home / "tmp")),
        capture_output=True,
        text=True,
        timeout=240,
    )
    outcome = Drill(done.returncode, done.stdout + done.stderr, (home / "out" / "latest").resolve())
    assert (outcome.exit_code, outcome.evidence.verdict) == (0, "VERIFIED"), outcome.output
    server, restored = outcome.evidence.record.server, outcome.evidence.record.restored
    assert server is not None
    assert server.account == "the account that runs the drill"
    assert restored is not None
    assert restored.isolation.startswith("bubblewrap: ")
    assert len(outcome.evidence.results) == len(healthy_drill.evidence.results)
    assert not [path for path in (home / "tmp").iterdir() if not path.name.startswith("pytest-of-")]


def _interpreter(python: Path, home: Path) -> Path:
    """An interpreter that nobody can run, with the installed packages: those there are, or a copy, if nobody can read
    them."""
    installed = Path(sysconfig.get_paths()["purelib"])
    if not NOBODY.can_enter(installed):
        installed = Path(shutil.copytree(installed, home / "packages", symlinks=True))
    subprocess.run([str(python), "-m", "venv", "--without-pip", str(home / "venv")], check=True, capture_output=True)
    (its_own,) = (home / "venv" / "lib").glob("python3.*/site-packages")
    (its_own / "installed.pth").write_text(f"{installed}\n")
    return home / "venv" / "bin" / "python"
