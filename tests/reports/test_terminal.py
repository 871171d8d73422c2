"""The terminal summary and the plugin that prints it: what a person can act on, colour or not."""

import io
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from rich.console import Console

from fixtures.record.evidence import Evidence
from fixtures.record.release.rehearsal import LockWait
from reports.render import DOCUMENTS
from reports.terminal import show
from tests.support import evidence_examples as examples

ROOT = Path(__file__).parents[2]


def printed(evidence: Evidence, *, width: int = 110, colour: bool = False) -> str:
    text = io.StringIO()
    console = Console(file=text, width=width, force_terminal=colour, color_system="standard" if colour else None)
    show(evidence, Path("out/run"), console)
    return text.getvalue()


@pytest.mark.parametrize("drill", [examples.verified, examples.failed, examples.inconclusive])
def test_verdict_is_the_first_word(drill) -> None:
    evidence = drill()
    assert printed(evidence).startswith(f"{evidence.verdict}  {evidence.headline}")


def test_a_gate_says_what_each_migration_costs_and_how_long_the_application_stalls() -> None:
    text = " ".join(printed(examples.gate()).split())
    assert text.startswith("VERIFIED GO: ")
    lock = "ACCESS EXCLUSIVE on public.igny8_content for 1.2 s"
    assert f"migration igny8_core.0007_site_region_not_null 1.9 s, 3.1 MiB of WAL, {lock}" in text
    load = "480 requests to public.igny8_content while they ran; the longest wait was 1.3 s, a read during"
    assert f"under load {load} igny8_core.0007_site_region_not_null" in text
    assert "migration " not in printed(examples.verified())


def test_a_lock_that_a_migration_waits_for_without_end_stands_beside_its_costs() -> None:
    gate = examples.gate()
    release = gate.record.release
    assert release is not None
    assert release.rehearsal is not None
    (cost,) = release.rehearsal.migrations
    waits = (
        LockWait(relation="public.igny8_content", mode="ACCESS EXCLUSIVE", seconds=None),
        LockWait(relation="public.igny8_tags", mode="SHARE", seconds=2),
    )
    rehearsal = release.rehearsal.model_copy(update={"migrations": (cost.model_copy(update={"waits": waits}),)})
    record = gate.record.model_copy(update={"release": release.model_copy(update={"rehearsal": rehearsal})})
    text = " ".join(printed(gate.model_copy(update={"record": record})).split())
    assert "; no lock_timeout: waits without end for ACCESS EXCLUSIVE on public.igny8_content" in text
    assert "public.igny8_tags" not in text
    assert "no lock_timeout" not in printed(gate)


def test_the_fault_is_the_title_and_the_rule_the_small_print() -> None:
    lines = printed(examples.failed()).splitlines()
    place = next(number for number, line in enumerate(lines) if line.startswith("failed "))
    assert lines[place] == "failed credits: 2 balances differ by 15.00 EUR (critical impact)"
    assert lines[place + 1] == "  BIL-02 The balance equals the ledger (critical impact)"


def test_failed_control_says_where_how_many_which_and_what_to_do() -> None:
    text = printed(examples.failed())
    for line in (
        "TEN-02 Every reference stays inside one tenant (critical impact)",
        "18 of 1,200 rows broken",
        "Rows: id=#000000",
        "to do: Do not promote this backup. Quarantine the rows.",
        "and 11 more subjects, in the report",
    ):
        assert line in text


def test_blocked_is_told_by_its_cause_once() -> None:
    text = printed(examples.inconclusive())
    assert "blocked 38 checks could not be tried:" in text
    assert text.count("restore failed: extension") == 1
    assert "to do: Install postgis for PostgreSQL 17, then drill again." in text
    assert "TEN-02 on 30 subjects" in text


def test_measures_completeness_teardown_and_report_are_told() -> None:
    text = printed(examples.verified())
    for line in (
        "RPO        1 h 15 min, target 24 h: met",
        "RTO        1 min 36 s, target 1 h: met",
        "complete   34 planned, 34 collected, 34 reported",
        "2 things made, all removed",
        "out/run/index.html",
        "not shown  2 limits of this drill: out/run/index.html#not-shown",
        "waived APP-04",
        "1 pass had nothing to examine",
    ):
        assert line in text


def test_without_colour_no_escape_is_written() -> None:
    assert "\x1b" not in printed(examples.failed())
    assert "\x1b[" in printed(examples.failed(), colour=True)


def test_names_cannot_steer_the_terminal_or_be_read_as_markup() -> None:
    hostile = "[bold]x[/bold] [/nope] \x1b[2J\x07"
    text = printed(examples.evidence([examples.result("TEN-02", hostile, "failed", message=hostile)]))
    assert "\x1b" not in text
    assert "[bold]x[/bold] [/nope] \\x1b[2J\\x07" in text


def test_nothing_is_wider_than_the_terminal() -> None:
    assert max(len(line) for line in printed(examples.failed(), width=60).splitlines()) <= 60


def test_two_thousand_results_stay_on_few_screens() -> None:
    assert len(printed(examples.large()).splitlines()) < 250


CONFTEST = """
import pytest
from fixtures.plugin import hooks
from pathlib import Path
from tests.support import evidence_examples as examples
from reports import plugin

def pytest_configure(config):
    if not config.pluginmanager.has_plugin("reports.plugin"):
        config.pluginmanager.register(plugin, "reports.plugin")

def pytest_addhooks(pluginmanager):
    pluginmanager.add_hookspecs(hooks)

def pytest_sessionfinish(session):
    out = Path("out"); out.{make}
    session.config.hook.pytest_drill_evidence(config=session.config, evidence=examples.failed(), directory=out)
"""


def run_pytest(folder: Path, make: str) -> subprocess.CompletedProcess[str]:
    (folder / "conftest.py").write_text(CONFTEST.replace("{make}", make))
    (folder / "test_one.py").write_text("def test_one(): pass\n")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-c",
        "/dev/null",
        "--rootdir",
        ".",
        "-p",
        "no:cacheprovider",
        "test_one.py",
    ]
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "COLUMNS": "100"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)


def test_plugin_renders_and_prints_what_the_drill_handed_over(tmp_path: Path) -> None:
    done = run_pytest(tmp_path, "mkdir()")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "FAILED  15 of 49 checks found a fault" in done.stdout
    written = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert written == sorted(DOCUMENTS)
    # What pytest counts itself, one test that passed, is said nowhere.
    counted = Counter(result.outcome for result in examples.failed().results)
    last = done.stdout.splitlines()[-1].strip("= ")
    assert last.startswith(f"{counted['failed']} failed, {counted['blocked']} blocked, ")
    assert sum(map(int, re.findall(r"(\d+) (?:passed|failed|blocked|waived|exempt)", last))) == counted.total()


@pytest.mark.further
def test_document_that_cannot_be_written_does_not_pass_in_silence(tmp_path: Path) -> None:
    done = run_pytest(tmp_path, "joinpath('absent')")
    assert done.returncode != 0
    assert "FileNotFoundError" in done.stdout + done.stderr
    assert "checks found a fault" not in done.stdout
