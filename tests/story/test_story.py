"""The story is whole: each stage has steps, and each step is given what was found before it."""

import pytest

from fixtures.record import stages
from fixtures.record.stages import Stage
from fixtures.story.step import Step
from fixtures.story.story import STEPS, steps_of


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


def test_every_stage_is_told_under_its_own_name() -> None:
    assert len(stages.BY_NAME) == len(stages.GATE)
    assert {step.stage for step in STEPS} == set(stages.GATE)
