"""Reports tell how the recovery was rehearsed: step by step, what needs production, and what went wrong."""

import subprocess
from pathlib import Path
from typing import Any, get_args

import pytest

from fixtures.record.evidence import Evidence
from fixtures.record.recovery_rehearsal import RecoveryRehearsal, RehearsedPart, RehearsedStep
from reports import metrics, summary
from reports.audit import page as audit
from reports.rehearsed import command
from reports.runbook import write_up
from reports.story import Story
from tests.support import evidence_examples as examples
from tests.support.whole_documents import page_of

STEPS = tuple(RehearsedStep(name=name, seconds=10 + place) for place, name in enumerate(get_args(RehearsedPart)))
CAUSE = "the load ended with 1 beside production"


def of(state: Any, steps: tuple[RehearsedStep, ...] = STEPS, results: Any = None) -> Evidence:
    wrong = {"cause": CAUSE, "fix": "Load the roles"} if state != "ok" else {}
    rehearsal = RecoveryRehearsal(state=state, seconds=100, steps=steps, **wrong)
    return examples.evidence(results or examples.passes(), rehearsal=rehearsal)


def test_every_document_has_the_times_of_a_rehearsal_and_says_what_needs_production() -> None:
    story = Story(of("ok"))
    assert story.evidence.verdict == "VERIFIED"
    assert story.clear
    runbook = write_up(story)
    assert "| load | The dump is loaded into a database beside production's. | 10 s |" in runbook
    assert runbook.count("not rehearsed: it needs production") == 3
    assert "| drill | This very set is drilled once more, and must be VERIFIED. | this drill: 21.5 s |" in runbook
    assert "make recover BACKUPS=" in runbook
    assert "No recovery was rehearsed" not in runbook
    for document in (page_of(story), audit.write_up(story)):
        assert "its steps took 1 min 31 s" in document
        assert document.count("not rehearsed: it needs production") == 3
    assert 'restore_drill_recovery_step_seconds{step="swap"} 16.0' in metrics.write_up(story)
    assert "restore_drill_recovery_rehearsed 1.0" in metrics.write_up(story)


def test_a_drill_without_a_rehearsal_says_nothing_of_one_but_in_its_runbook() -> None:
    story = Story(examples.verified())
    assert "No recovery was rehearsed." in write_up(story)
    for document in (page_of(story), audit.write_up(story), summary.write_up(story), metrics.write_up(story)):
        assert "rehears" not in document.replace("rehearsed-h", "").replace("What was rehearsed", "")


@pytest.mark.parametrize(
    ("state", "verdict", "words"),
    [
        ("failed", "FAILED", "the recovery that was rehearsed failed"),
        ("blocked", "INCONCLUSIVE", "the recovery could not be rehearsed"),
    ],
)
def test_a_rehearsal_that_does_not_end_well_is_seen_first(state: Any, verdict: str, words: str) -> None:
    story = Story(of(state, STEPS[:1]))
    assert story.evidence.verdict == verdict
    assert words in story.evidence.headline
    assert not story.clear
    assert "| compare | That database is held against what the drill of the set restored. | did not come" in write_up(
        story
    )
    for document in (write_up(story), page_of(story), audit.write_up(story), summary.write_up(story)):
        assert CAUSE in document
        assert "Load the roles" in document
    assert "restore_drill_recovery_rehearsed 0.0" in metrics.write_up(story)


def test_one_that_was_not_tried_after_a_fault_is_no_second_reason() -> None:
    evidence = of("blocked", (), [*examples.passes(), examples.result("TEN-02", "public.notes", "failed", broken=1)])
    assert evidence.verdict == "FAILED"
    assert "rehearsed" not in evidence.headline


def test_the_command_is_shell() -> None:
    said = subprocess.run(
        ["bash", "-c", f"make() {{ printf '%s\\n' \"$@\"; }}\n{command(Story(of('ok')))}"],
        env={"BACKUP_SET": "/backups/it's one", "APPLICATION": "/srv/shop", "SITES_PARENT": "/data"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.splitlines()[:2] == ["recover", "BACKUPS=/backups"]
    assert "SITES_DATA=/data/sites-data" in said.stdout
    assert f"PROFILE={Path(examples.verified().record.profile_path).parent}" in said.stdout.splitlines()
