"""Findings keep their identity from night to night: new, still there, gone, or not tried."""

import hashlib
import io
from pathlib import Path

import pytest
from rich.console import Console

from fixtures.custody.drill_before import DrillBefore
from fixtures.custody.drill_ledger import NAME, enter_drill, read_ledger
from fixtures.custody.look_back import look_back
from fixtures.custody.since import DrillsBefore, compare_findings
from fixtures.record.budget import OnTenants
from fixtures.record.evidence import Evidence, Outcome, Result, Since
from fixtures.record.figures import figures
from reports import summary
from reports.audit import page as audit
from reports.story import Story
from reports.terminal import show
from tests.support import evidence_examples as examples
from tests.support.whole_documents import junit_of, page_of


def result(control: str, outcome: Outcome) -> Result:
    return examples.result(control).model_copy(update={"outcome": outcome, "broken": int(outcome == "failed")})


def drilled(out: Path, run_id: str, evidence: Evidence) -> Path:
    evidence = evidence.model_copy(update={"run_id": run_id})
    run = out / run_id
    run.mkdir(parents=True)
    content = evidence.model_dump_json().encode()
    (run / "evidence.json").write_bytes(content)
    enter_drill(out / NAME, evidence, hashlib.sha256(content).hexdigest())
    return run


def test_a_finding_is_not_gone_where_some_tenants_rows_alone_were_looked_at() -> None:
    """Nor is it on the next night, though it is in nobody's results in between."""
    some = result("BAK-01", "passed").model_copy(update={"on_tenants": OnTenants(tenants=1, of=600)})
    night = examples.evidence([result("BAK-01", "failed")])
    since = compare_findings(night, [some])
    assert (since.gone, since.untried, since.nights) == ((), ("BAK-01[set]",), {"BAK-01[set]": 2})
    next_night = examples.evidence([some]).model_copy(update={"since": since})
    assert compare_findings(next_night, [some]).nights == {"BAK-01[set]": 3}
    found = some.model_copy(update={"outcome": "failed", "broken": 1})
    assert compare_findings(next_night, [found]).still == ("BAK-01[set]",)
    assert compare_findings(next_night, [result("BAK-01", "passed")]).gone == ("BAK-01[set]",)


def test_each_finding_is_new_still_there_gone_or_not_tried() -> None:
    outcomes: dict[str, tuple[Outcome, Outcome]] = {
        "BAK-01": ("failed", "failed"),
        "BAK-02": ("waived", "failed"),
        "BAK-03": ("passed", "failed"),
        "BAK-04": ("failed", "passed"),
        "BAK-05": ("failed", "blocked"),
        "BAK-06": ("passed", "passed"),
        "BAK-07": ("blocked", "failed"),
    }
    before = examples.evidence([result(control, then) for control, (then, _) in outcomes.items()])
    gone_with_its_subject = result("BAK-08", "failed")
    before = before.model_copy(update={"results": (*before.results, gone_with_its_subject)})
    compared = compare_findings(before, [result(control, now) for control, (_, now) in outcomes.items()])
    subject = before.results[0].subject
    named = {
        part: [name.removesuffix(f"[{subject}]") for name in getattr(compared, part)]
        for part in ("new", "still", "gone", "untried")
    }
    assert named == {
        "new": ["BAK-03", "BAK-07"],
        "still": ["BAK-01", "BAK-02"],
        "gone": ["BAK-04"],
        "untried": ["BAK-05", "BAK-08"],
    }


def test_the_last_drill_is_the_newest_of_this_profile_that_nobody_altered(tmp_path: Path) -> None:
    ours = examples.verified()
    profile = ours.record.profile_name
    other = ours.model_copy(update={"record": ours.record.model_copy(update={"profile_name": "another"})})
    assert DrillsBefore().last(tmp_path, read_ledger(tmp_path / NAME), profile) is None
    drilled(tmp_path, "run-1", ours)
    altered = drilled(tmp_path, "run-2", ours)
    drilled(tmp_path, "run-3", other)
    (altered / "evidence.json").write_text((altered / "evidence.json").read_text() + " ")
    last = DrillsBefore().last(tmp_path, read_ledger(tmp_path / NAME), profile)
    assert last is not None
    assert last.run_id == "run-1"


def test_an_earlier_drill_is_taken_out_of_its_evidence_once_and_believed_while_the_file_is_as_entered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is kept says what all of the evidence said."""
    ours, read = examples.failed(), list[int]()
    validate = Evidence.model_validate_json

    def counting(content: bytes) -> Evidence:
        read.append(len(content))
        return validate(content)

    run = drilled(tmp_path, "run-1", ours)
    monkeypatch.setattr(Evidence, "model_validate_json", counting)
    before, ledger, profile = DrillsBefore(), read_ledger(tmp_path / NAME), ours.record.profile_name
    first = before.last(tmp_path, ledger, profile)
    assert first is not None
    assert before.last(tmp_path, ledger, profile) is first
    before.last_proving(tmp_path, ledger, profile)
    past = look_back(tmp_path, ledger, profile, None, ours.finished_at, first)
    assert [(each.report, each.figures) for each in past.drills] == [("as entered", figures(ours))]
    assert len(read) == 1
    assert compare_findings(first, ours.results) == compare_findings(
        ours.model_copy(update={"run_id": "run-1"}), ours.results
    )
    (run / "evidence.json").write_text((run / "evidence.json").read_text() + " ")
    assert before.last(tmp_path, ledger, profile) is None


def test_of_an_earlier_drill_no_check_is_kept_that_passed() -> None:
    """A drill of many checks would hold as many of the one before it."""
    results = [result(f"BAK-{number:02}", "passed") for number in range(50)]
    kept = DrillBefore.of(examples.evidence([*results, result("BAK-60", "failed")]))
    assert [each.control for each in kept.results] == ["BAK-60"]


def test_every_reader_is_told_what_changed() -> None:
    failed = examples.failed()
    compared = failed.model_copy(update={"since": compare_findings(examples.verified(), failed.results)})
    assert Story(failed).since.said == ""
    assert Story(compared).since.said.startswith(f"{len(compared.since.new)} new (")
    healthy = examples.evidence([result("BAK-01", "passed")])
    quiet = healthy.model_copy(update={"since": compare_findings(healthy, healthy.results)})
    assert Story(quiet).since.said.startswith("no finding then or now, since ")


def compared_nights(nights: list[dict[str, Outcome]]) -> list[Since | None]:
    """What each night says beside the one before it."""
    compared: list[Since | None] = []
    before: Evidence | None = None
    for outcomes in nights:
        results = [result(control, outcome) for control, outcome in outcomes.items()]
        since = compare_findings(before, results) if before is not None else None
        before = examples.evidence(results, since=since)
        compared.append(since)
    return compared


def test_a_gate_beside_the_nights_counts_nights_and_is_none() -> None:
    found = [result("BAK-01", "failed")]
    second = compare_findings(examples.evidence(found), found)
    before = examples.evidence(found, since=second)
    results = [*found, result("BAK-02", "failed")]
    compared = compare_findings(before, results, "gate")
    subject = results[0].subject
    assert (compared.new, compared.nights) == ((f"BAK-02[{subject}]",), {f"BAK-01[{subject}]": 2})
    gate = examples.evidence(results, since=compared, kind="gate")
    assert Story(gate).since.said.startswith(
        f"1 new (BAK-02[{subject}]); 1 still there (BAK-01[{subject}] open for 2 nights)"
    )
    after = compare_findings(gate, results, "gate")
    assert after.nights == {f"BAK-01[{subject}]": 2, f"BAK-02[{subject}]": 2}
    assert Story(examples.evidence(results, since=after, kind="gate")).since.open_for(2) == "open for 2 gates"


def test_a_finding_says_for_how_many_nights_it_has_been_open() -> None:
    found: dict[str, Outcome] = {"BAK-01": "failed"}
    both: dict[str, Outcome] = {"BAK-01": "waived", "BAK-02": "failed"}
    *_, last = compared_nights([found, found, both, both])
    assert last is not None
    assert last.nights == {"BAK-01[set]": 4, "BAK-02[set]": 2}
    evidence = examples.evidence([result(control, "failed") for control in both], since=last)
    story = Story(evidence)
    assert [story.since.age(fault.results) for fault in story.faults] == ["open for 4 nights", "open for 2 nights"]
    assert story.since.groups == (("Still there", ("BAK-01[set] open for 4 nights", "BAK-02[set] open for 2 nights")),)
    documents = (page_of(story), summary.write_up(story), audit.write_up(story), junit_of(story))
    assert all("open for 4 nights" in document for document in documents)
    text = io.StringIO()
    show(evidence, Path("out"), Console(file=text, width=120))
    assert "impact, open for 4 nights)" in text.getvalue()


def test_a_night_that_could_not_look_leaves_a_finding_open() -> None:
    nights: list[dict[str, Outcome]] = [{"BAK-01": outcome} for outcome in ("failed", "blocked", "blocked", "failed")]
    _, second, third, fourth = compared_nights(nights)
    assert second is not None
    assert third is not None
    assert fourth is not None
    assert [(each.untried, each.nights["BAK-01[set]"]) for each in (second, third)] == [
        (("BAK-01[set]",), 2),
        (("BAK-01[set]",), 3),
    ]
    assert (fourth.new, fourth.still, fourth.nights) == ((), ("BAK-01[set]",), {"BAK-01[set]": 4})


def test_a_finding_whose_subject_went_is_told_of_once() -> None:
    there: dict[str, Outcome] = {"BAK-01": "failed", "BAK-02": "passed"}
    without: dict[str, Outcome] = {"BAK-02": "passed"}
    _, second, third = compared_nights([there, without, without])
    assert second is not None
    assert third is not None
    assert (second.untried, third.untried) == (("BAK-01[set]",), ())
