"""A release is whole and made of its commit alone; its wheel drills outside any checkout, and shadows no other package."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.house.test_locks import pins
from tests.support.drills import PROFILE, ROOT, SAMPLE, environment_of_drills
from tests.support.programs import missing

RELEASER = Path(sys.prefix) / "release" / "bin" / "python"
LEFT_OUT = "of_this_machine.py"
"""A file of the checkout that git ignores."""
RELEASED_AT = datetime(2026, 11, 29, 12, 0, 2, tzinfo=UTC)

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


def run(words: Sequence[str | Path], folder: Path, **beside: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in environment_of_drills().items() if name != "PYTHONPATH"} | beside
    return subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, timeout=600)


def done(words: Sequence[str | Path], folder: Path, **beside: str) -> str:
    ended = run(words, folder, **beside)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def install(python: Path, requirement: str, folder: Path) -> None:
    """By uv where there is one: pip takes ten times as long. It compiles, as pip does: a drill's calls of manage.py write no
    bytecode, and each would compile Django anew."""
    ours = ROOT / ".venv" / "locker" / "bin" / "uv"
    uv = str(ours) if ours.is_file() else shutil.which("uv")
    if uv is not None:
        done([uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", python, requirement], folder)
    else:
        done([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", requirement], folder)


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The release of what lies here, as of the day of RELEASED_AT: the folder that `make release` fills."""
    if not RELEASER.exists():
        missing(f"left out: {RELEASER} is not there, and make test-all makes it")
    checkout = tmp_path_factory.mktemp("release") / "checkout"
    for name in done(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], ROOT).split("\0"):
        if (ROOT / name).is_file():
            (checkout / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, checkout / name)
    changes = checkout / "CHANGELOG.md"
    dated = re.sub(
        rf"^## {re.escape(version())}, .*$", f"## {version()}, 2026-11-29", changes.read_text(), flags=re.MULTILINE
    )
    changes.write_text(dated)
    person = ("-c", "user.name=somebody", "-c", "user.email=somebody@shop.example", "-c", "commit.gpgsign=false")
    done(["git", "init", "--quiet"], checkout)
    done(["git", "add", "--all"], checkout)
    done(
        ["git", *person, "commit", "--quiet", "--message", "released"],
        checkout,
        GIT_COMMITTER_DATE=RELEASED_AT.isoformat(),
    )
    (checkout / ".git" / "info" / "exclude").write_text(f"{LEFT_OUT}\n")
    (checkout / "fixtures" / LEFT_OUT).touch()
    done([RELEASER, checkout / ".ci" / "release" / "make_release.py"], checkout)
    return checkout / "dist"


def version() -> str:
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"])


@pytest.mark.further
def test_a_release_is_made_of_its_commit_alone_and_lists_what_it_stands_on(release: Path) -> None:
    """Nothing in it tells the machine's clock, so whoever builds that commit again has the same sums."""
    name = f"restore_drill-{version()}"
    wheel, sdist, bill = f"{name}-py3-none-any.whl", f"{name}.tar.gz", f"{name}.cdx.json"
    sums = dict(reversed(line.split("  ")) for line in (release / "SHA256SUMS").read_text().splitlines())
    assert sums == {each: hashlib.sha256((release / each).read_bytes()).hexdigest() for each in (wheel, sdist, bill)}
    with zipfile.ZipFile(release / wheel) as packed:
        assert {entry.date_time for entry in packed.infolist()} == {RELEASED_AT.timetuple()[:6]}
        assert not [each for each in packed.namelist() if each.endswith(LEFT_OUT)]
    with tarfile.open(release / sdist) as packed_source:
        assert {entry.mtime for entry in packed_source} == {RELEASED_AT.timestamp()}
    listed = json.loads((release / bill).read_text())
    assert (listed["bomFormat"], listed["metadata"]["component"]["version"]) == ("CycloneDX", version())
    assert datetime.fromisoformat(listed["metadata"]["timestamp"]) == RELEASED_AT
    assert "serialNumber" not in listed
    assert {each["name"]: each["version"] for each in listed["components"]} == pins("requirements.lock")


@pytest.mark.whole
def test_the_wheel_drills_an_application_elsewhere_with_a_control_of_its_own(
    release: Path, whole_set: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (wheel,) = release.glob("restore_drill-*.whl")
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
