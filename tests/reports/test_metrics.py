"""metrics.prom is what Prometheus reads, tells the evidence's own figures, and leaves out what was not measured."""

from datetime import UTC, datetime

import pytest
from prometheus_client.parser import text_string_to_metric_families

from fixtures.record.evidence import Evidence, Since
from reports import metrics
from reports.story import Story
from tests.support import evidence_examples as examples
from tests.support import record_examples


def figures(evidence: Evidence) -> dict[str, float]:
    """Every sample by its name and labels, as Prometheus would have it."""
    return {
        sample.name + "".join(f" {value}" for value in sample.labels.values()): sample.value
        for family in text_string_to_metric_families(metrics.write_up(Story(evidence)))
        for sample in family.samples
    }


@pytest.mark.parametrize("drill", [examples.verified, examples.failed, examples.inconclusive])
def test_the_figures_are_those_of_the_evidence(drill) -> None:
    evidence = drill()
    metrics = figures(evidence)
    verdicts = {name.split()[1]: value for name, value in metrics.items() if name.startswith("restore_drill_verdict ")}
    assert verdicts == {each: float(each == evidence.verdict) for each in ("VERIFIED", "FAILED", "INCONCLUSIVE")}
    for outcome in ("passed", "failed", "blocked"):
        total = sum(
            value for name, value in metrics.items() if name.startswith("restore_drill_checks ") and outcome in name
        )
        assert total == sum(result.outcome == outcome for result in evidence.results)
    assert metrics["restore_drill_finished_timestamp_seconds"] == evidence.finished_at.timestamp()
    assert metrics["restore_drill_rpo_seconds"] == evidence.measures[0].measured * 3600


def test_what_was_not_measured_has_no_sample() -> None:
    results = [examples.result("BAK-01")]
    metrics = figures(examples.evidence(results, rto=None))
    assert "restore_drill_rto_seconds" not in metrics
    assert metrics["restore_drill_rto_target_seconds"] == 3600


def test_the_last_success_outlives_a_failure() -> None:
    failed = examples.failed()
    assert "restore_drill_last_verified_timestamp_seconds" not in figures(failed)
    at = datetime(2026, 11, 20, 3, tzinfo=UTC)
    verified_before = failed.model_copy(update={"record": failed.record.model_copy(update={"last_verified": at})})
    assert figures(verified_before)["restore_drill_last_verified_timestamp_seconds"] == at.timestamp()
    verified = examples.verified()
    assert figures(verified)["restore_drill_last_verified_timestamp_seconds"] == verified.finished_at.timestamp()


def test_what_changed_since_the_drill_before_is_counted_where_one_is_known() -> None:
    evidence = examples.failed()
    assert not any(name.startswith("restore_drill_findings") for name in figures(evidence))
    since = Since(
        run_id="before",
        finished_at=record_examples.STARTED,
        new=("BIL-02[credits]", "TEN-02[a]"),
        still=("TEN-02[b]",),
        gone=(),
        untried=(),
    )
    metrics = figures(evidence.model_copy(update={"since": since}))
    states = {state: metrics[f"restore_drill_findings {state}"] for state in ("new", "still", "gone", "untried")}
    assert states == {"new": 2, "still": 1, "gone": 0, "untried": 0}


def test_a_waiver_that_ends_within_a_fortnight_is_counted() -> None:
    verified = examples.verified()
    assert figures(verified)["restore_drill_waivers_ending"] == 0
    late = datetime(2027, 1, 25, 3, tzinfo=UTC)
    assert figures(verified.model_copy(update={"finished_at": late}))["restore_drill_waivers_ending"] == 1
