"""metrics.prom is what Prometheus reads, tells the evidence's own figures, and leaves out what was not measured."""

from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families

from fixtures.record.evidence import Evidence, Since
from fixtures.record.set_record import Drawn, ShelvedSet
from fixtures.record.visited import AskedAddress, Visited
from reports import metrics
from reports.story import Story
from tests.support import evidence_examples as examples
from tests.support import record_examples
from tests.support.record_examples import shelved_set


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


def test_the_addresses_that_were_tried_stand_beside_those_that_there_are() -> None:
    assert not any(name.startswith("restore_drill_addresses") for name in figures(examples.verified()))
    whys = ("", "it failed when it was requested", "it showed an empty list")
    asked = tuple(AskedAddress(pattern=f"a/{why}", kind="list", asked=0, shown=0, why=why) for why in whys)
    record = record_examples.record(visited=Visited(visitors=2, addresses=asked))
    metrics = figures(examples.evidence([examples.result("BAK-01")], record=record))
    assert (metrics["restore_drill_addresses_tried"], metrics["restore_drill_addresses"]) == (1, 3)


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
    record = verified.record.model_copy(update={"started_at": late})
    assert figures(verified.model_copy(update={"record": record}))["restore_drill_waivers_ending"] == 1


def test_the_share_of_the_shelf_that_was_ever_restored_is_told_in_figures_and_in_one_line() -> None:
    evidence = examples.verified()
    record, backup_set = evidence.record, evidence.record.backup_set
    assert backup_set is not None
    assert "restore_drill_shelf_sets" not in figures(evidence)

    def shelved(days: int, name: str = "other", verified: bool = False) -> ShelvedSet:
        return shelved_set(
            name, backup_set.taken_at - timedelta(days=days), verified_at=record.started_at if verified else None
        )

    shelf = (shelved(-1), shelved(0, backup_set.name), shelved(30, verified=True), shelved(60))
    due = evidence.finished_at - timedelta(hours=1)
    drawn = Drawn(seed="march", among=3)
    older = backup_set.model_copy(update={"shelf": shelf, "newer": 1, "drawn": drawn})
    last = record.started_at - timedelta(days=2)
    changes = {"backup_set": older, "older_due_at": due, "last_verified": last}
    evidence = evidence.model_copy(update={"record": record.model_copy(update=changes)})
    metrics = figures(evidence)
    oldest = shelf[2].taken_at
    assert oldest is not None
    assert metrics["restore_drill_older_set"] == 1
    assert (metrics["restore_drill_shelf_sets"], metrics["restore_drill_shelf_verified"]) == (4, 2)
    assert metrics["restore_drill_shelf_oldest_verified_timestamp_seconds"] == oldest.timestamp()
    # It says nothing of the newest set, and is itself what was due.
    assert metrics["restore_drill_last_verified_timestamp_seconds"] == last.timestamp()
    assert "restore_drill_older_due_timestamp_seconds" not in metrics
    line = Story(evidence).shelf_shown.line
    assert line == (
        f"2 of 4 sets were VERIFIED by a drill, the oldest of {oldest:%Y-%m-%d}; "
        "this drill is of an older set, 1 are newer (drawn from 3 with the seed march)"
    )
    newest = older.model_copy(update={"shelf": shelf[1:], "newer": 0, "drawn": None})
    of_newest = record.model_copy(update={**changes, "backup_set": newest})
    failed = evidence.model_copy(update={"record": of_newest, "verdict": "FAILED"})
    assert figures(failed)["restore_drill_older_due_timestamp_seconds"] == due.timestamp()
    assert Story(failed).shelf_shown.line == (
        f"1 of 3 sets was VERIFIED by a drill, the oldest of {oldest:%Y-%m-%d}; "
        f"an older set is due by {due:%Y-%m-%d}: overdue"
    )
