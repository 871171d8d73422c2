"""The story is whole: each stage has steps, and each step is given what was found before it."""

from pathlib import Path

import pytest

from fixtures.ownership import Ownership, derive
from fixtures.record import stages
from fixtures.record.stages import Stage
from fixtures.server.packaged import programs_of
from fixtures.story.step import Step
from fixtures.story.story import STEPS, TEMPLATE0, needed_last_in, steps_of
from tests.support.short_drills import Standing


@pytest.mark.parametrize("stage", stages.GATE, ids=str)
def test_a_stage_stands_on_one_before_it_and_has_steps(stage: Stage) -> None:
    before = stages.GATE[: stages.GATE.index(stage)]
    assert set(stage.grounds) <= set(before)
    assert steps_of(stage)


@pytest.mark.parametrize("number", range(len(STEPS)), ids=lambda number: f"{STEPS[number].stage}-{number}")
def test_a_step_needs_nothing_that_may_be_missing(number: int) -> None:
    step: Step[object] = STEPS[number]
    for needed in step.needs:
        assert needed in STEPS[:number]
        assert needed.stage in (step.stage, *step.stage.grounds)


def test_what_template0_has_is_held_until_both_databases_were_compared_with_it() -> None:
    facts, both = frozenset({stages.FACTS}), frozenset({stages.FACTS, stages.MIGRATE})
    assert needed_last_in(stages.FACTS, facts) == ()
    assert needed_last_in(stages.MIGRATE, both) == needed_last_in(stages.FACTS, both) == (TEMPLATE0,)
    assert needed_last_in(stages.APPLICATION, both | {stages.APPLICATION}) == ()


def test_every_stage_is_told_under_its_own_name() -> None:
    assert len(stages.BY_NAME) == len(stages.GATE)
    assert {step.stage for step in STEPS} == set(stages.GATE)


def test_a_drill_derives_owners_once_for_each_database_and_says_whose_programs_it_used_and_how_it_cloned(
    standing: Standing, whole_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    walked: list[object] = []

    class Counted(derive._Walk):
        def ownership(self) -> Ownership:
            walked.append(self.facts)
            return super().ownership()

    monkeypatch.setattr(derive, "_Walk", Counted)
    outcome = standing.drill(whole_set.parent, tmp_path)
    record = outcome.evidence.record
    assert outcome.evidence.verdict == "VERIFIED", outcome.output
    assert walked == [record.facts, record.migrated_facts]
    assert record.server is not None
    assert record.server.programs == programs_of(standing.server.clients)
    assert record.server.cloning == standing.server.cloning is not None
