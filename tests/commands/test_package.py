"""The wheel drills in an environment of its own, outside any checkout, and shadows no other package."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.drills import PROFILE, ROOT, SAMPLE, environment_of_drills

OURS = '''"""What only this shop has."""

from psycopg import sql

from restore_drill.fixtures.checks.databases import Database
from restore_drill.fixtures.checks.probe import Probe
from restore_drill.fixtures.plugin.declare import control


@control("BIL-81", title="Every invoice has a number", impact="high", remediation="Give it one.")
def test_every_invoice_has_a_number(migrated: Database) -> None:
    """An invoice without a number cannot be booked."""
    migrated.expect_none(_invoices(sql.SQL("number IS NULL")))


@control("BIL-82", title="No invoice was issued by hand", impact="low", remediation="Issue it by the shop.")
def test_no_invoice_was_issued_by_hand(migrated: Database) -> None:
    """Stands for a rule that this data breaks."""
    migrated.expect_none(_invoices(sql.SQL("total > 0")))


def _invoices(broken: sql.SQL) -> Probe:
    table = sql.SQL("FROM public.igny8_invoices")
    return Probe(
        sql.SQL("SELECT tenant_id, number {} WHERE {}").format(table, broken),
        sql.SQL("SELECT count(*) {}").format(table),
        says="invoices break a rule of this shop",
        unit="invoices",
    )
'''


def run(words: Sequence[str | Path], folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in environment_of_drills().items() if name != "PYTHONPATH"}
    return subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, timeout=600)


def done(words: Sequence[str | Path], folder: Path) -> str:
    ended = run(words, folder)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def install(python: Path, requirement: str, folder: Path) -> None:
    """By uv where there is one: pip takes ten times as long."""
    ours = ROOT / ".venv" / "locker" / "bin" / "uv"
    uv = str(ours) if ours.is_file() else shutil.which("uv")
    if uv is not None:
        done([uv, "pip", "install", "--quiet", "--python", python, requirement], folder)
    else:
        done([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", requirement], folder)


@pytest.mark.whole
def test_the_wheel_drills_an_application_elsewhere_with_a_control_of_its_own(whole_set: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    done([sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", tmp_path, ROOT], home)
    (wheel,) = tmp_path.glob("restore_drill-*.whl")
    done([sys.executable, "-m", "venv", tmp_path / "environment"], home)
    programs = tmp_path / "environment" / "bin"
    install(programs / "python", f"{wheel}[sample]", home)
    for name in ("fixtures", "reports", "verify", "sample", "conftest"):
        assert run([programs / "python", "-c", f"import {name}"], home).returncode == 1, f"{name} is shadowed"

    shutil.copytree(SAMPLE, home / "shop", ignore=shutil.ignore_patterns("backups", "__pycache__"))
    shutil.copytree(PROFILE, home / "drills")
    (home / "drills" / "test_ours.py").write_text(OURS)
    assert whole_set.name in done([programs / "restore-drill", "list", "--backups", whole_set.parent], home)
    drilled = run(
        [
            *(programs / "restore-drill", "drill", "--backups", whole_set.parent, "--app", "shop"),
            *("--app-python", programs / "python", "--profile", "drills", "--no-pdf", "--workers", "2"),
        ],
        home,
    )
    evidence = json.loads((home / "drill-reports" / "latest" / "evidence.json").read_text())
    failed = {result["control"]: result for result in evidence["results"] if result["outcome"] == "failed"}
    assert (drilled.returncode, evidence["verdict"], set(failed)) == (1, "FAILED", {"BIL-82"}), drilled.stdout
    assert failed["BIL-82"]["broken"] > 0
    (ours,) = [result for result in evidence["results"] if result["control"] == "BIL-81"]
    assert (ours["outcome"], ours["examined"]) == ("passed", failed["BIL-82"]["examined"])
    assert evidence["command"][:2] == ["restore-drill", "drill"]
    assert not any(os.fspath(ROOT) in json.dumps(each) for each in (evidence["command"], evidence["controls"]))
    assert "Every invoice has a number" in (home / "drill-reports" / "latest" / "index.html").read_text()
