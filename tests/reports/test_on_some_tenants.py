"""A pass on some tenants reads in no document like one on all, and the time budget stands beside it."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from fixtures.record.budget import NO_TIME, ChecksBudget, OnTenants
from fixtures.record.evidence import Evidence
from reports import metrics, summary, terminal
from reports.audit import page as audit
from reports.story import Story
from tests.support import evidence_examples as examples
from tests.support.whole_documents import junit_of, oscal_of, page_of

ON = OnTenants(tenants=10, of=600)
BUDGET = ChecksBudget(
    minutes=30,
    estimate_minutes=95,
    seed="20261122-031509-7f3a",
    tenants=10,
    of=600,
    microseconds_per_row=0.6,
    measured_by="as measured on two cores",
)
ESTIMATED = "the checks were estimated at 1 h 35 min of one worker, at 0.60 µs a row (as measured on two cores)"


def on_some() -> Evidence:
    """One pass of two is on some tenants, and a check that has none could not be tried."""
    some = examples.result("TEN-02", "public.igny8_content", on_tenants=ON)
    return examples.evidence([examples.result("BAK-01"), some], checks_budget=BUDGET)


def on_a_terminal(evidence: Evidence) -> str:
    printed = io.StringIO()
    terminal.show(evidence, Path("run"), Console(file=printed, width=200))
    return printed.getvalue()


def test_the_verdict_says_it() -> None:
    assert on_some().headline == "all 2 checks passed, 1 of them on 10 of 600 tenants alone"
    assert "tenants" not in examples.verified().headline
    results = on_some().results
    for outcome, headline in (
        ("failed", "1 of 3 checks found a fault (BIL-02), 1 of the 2 that passed on 10 of 600 tenants alone"),
        ("blocked", "1 of 3 checks could not be tried (BIL-02), 1 of the 2 that passed on 10 of 600 tenants alone"),
    ):
        assert examples.evidence([*results, examples.result("BIL-02", outcome=outcome)]).headline == headline


@pytest.mark.parametrize(
    "document",
    [lambda story: summary.write_up(story), page_of, lambda story: audit.write_up(story)],
)
def test_the_documents_for_people_count_such_passes_and_tell_the_estimate(document) -> None:
    text = " ".join(document(Story(on_some())).split())
    assert "1 pass on 10 of 600 tenants alone" in text
    assert ESTIMATED in text
    assert "tenants alone" not in document(Story(examples.verified()))


def test_the_terminal_does() -> None:
    printed = on_a_terminal(on_some())
    assert "1 pass on 10 of 600 tenants alone" in printed
    assert ESTIMATED in printed


def test_programs_are_told_of_each_result() -> None:
    story = Story(on_some())
    assert "1,200 rows examined, on 10 of 600 tenants" in junit_of(story)
    observations = json.loads(oscal_of(story))["assessment-results"]["results"][0]["observations"]
    props = [{each["name"]: each["value"] for each in one["props"]} for one in observations]
    assert [(each.get("tenants"), each.get("tenants-out-of")) for each in props] == [(None, None), ("10", "600")]
    figures = metrics.write_up(story)
    for line in (
        "restore_drill_checks_on_some_tenants 1.0",
        "restore_drill_tenants 600.0",
        "restore_drill_tenants_tried 10.0",
        "restore_drill_checks_budget_seconds 1800.0",
        "restore_drill_checks_estimate_seconds 5700.0",
    ):
        assert line in figures.splitlines()
    assert "restore_drill_tenants" not in metrics.write_up(Story(examples.verified()))


def test_what_no_time_was_left_for_is_one_cause_with_its_remedy() -> None:
    blocked = [
        examples.result(
            "TEN-03", f"public.t{rows}", "blocked", message=f"no tenant owns it{NO_TIME}; it reads {rows} rows"
        )
        for rows in (1, 2)
    ]
    (cause,) = Story(examples.evidence(blocked)).causes
    assert (cause.checks, cause.message) == (2, f"no tenant owns it{NO_TIME}")
