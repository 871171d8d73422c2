"""A night without a backup fails, tells when the last good one was, and imports nothing of what lies where it looked."""

import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.drills import Drill, drill


@dataclass(frozen=True)
class Night:
    """A drill of a folder without a set, and the folder in which all that it was given lies."""

    drill: Drill
    folder: Path


@pytest.fixture(scope="module")
def night(healthy_drill: Drill, tmp_path_factory: pytest.TempPathFactory) -> Night:
    """After the healthy drill. With the application, the interpreter and the backups lies what pytest would take for its
    own."""
    folder = tmp_path_factory.mktemp("night")
    (folder / "out").mkdir()
    shutil.copy(healthy_drill.directory.parent / "ledger.jsonl", folder / "out")
    for name in ("app", "backups", "python"):
        (folder / name / "tests").mkdir(parents=True)
        (folder / name / "pytest.ini").write_text("[pytest]\naddopts = --strict-nonsense\n")
        for place in (folder / name, folder / name / "tests"):
            (place / "conftest.py").write_text("raise SystemExit('imported')\n")
    (folder / "app" / "manage.py").write_text("raise SystemExit('started')\n")
    (folder / "python" / "python3").symlink_to(sys.executable)
    arguments = ("-o", f"cache_dir={folder / 'cache'}", "-p", "tests.support.garbage_at_the_end")
    python = folder / "python" / "python3"
    outcome = drill(folder / "backups", folder / "out", app=folder / "app", python=python, arguments=arguments)
    return Night(outcome, folder)


@pytest.mark.further
def test_a_night_without_a_backup_still_tells_when_the_last_good_one_was(healthy_drill: Drill, night: Night) -> None:
    outcome = night.drill
    assert not (night.folder / "cache").exists(), "a drill remembers nothing beside its report"
    ended = healthy_drill.evidence.finished_at
    assert (outcome.evidence.verdict, outcome.evidence.record.last_verified) == ("FAILED", ended)
    (metric,) = (
        line
        for line in (outcome.directory / "metrics.prom").read_text().splitlines()
        if line.startswith("restore_drill_last_verified_t")
    )
    assert float(metric.split()[1]) == ended.timestamp()


@pytest.mark.further
def test_what_lies_with_the_application_or_the_backups_is_no_part_of_the_drill(night: Night) -> None:
    """pytest takes every path for one of tests unless it knows the option before it."""
    assert (night.drill.exit_code, set(night.drill.red)) == (1, {"BAK-01"}), night.drill.output


@pytest.mark.further
def test_a_drill_that_ends_looks_for_no_more_garbage(night: Night) -> None:
    (left_out,) = re.findall(r"^(\d+) objects are left out$", night.drill.output, re.MULTILINE)
    # All that it imported, and more.
    assert int(left_out) > 50_000
