"""A stage reads the facts of a database before it holds the profile against them: one that ends in between blocks what rests
on the profile, and every check is planned all the same."""

import pytest

from fixtures.checks.blocked import Blocked
from fixtures.checks.drilled import Drilled
from fixtures.ownership import Owners
from fixtures.plan.kinds import kinds
from fixtures.plan.subjects import enumerate_subjects
from fixtures.profile.reading import read_profile
from fixtures.record.record import StageOutcome
from fixtures.record.stages import FACTS, MIGRATE, Stage
from tests.support.drills import PROFILE, Drill

_CAUSE = "the drill was ended during this stage, by SIGHUP"


def ended_in(stage: Stage, drill: Drill) -> Drilled:
    """The drill as it is where `stage` ended once its facts were read."""
    record, source = drill.evidence.record, read_profile(PROFILE)
    whole = Drilled.of_record(record, source)
    ended = StageOutcome(name=stage.name, state="blocked", seconds=1.0, cause=_CAUSE, fix="")
    outcomes = tuple(ended if each.name == stage.name else each for each in record.stages)
    owners = Owners(whole.restored_ownership if stage is MIGRATE else None, None)
    return Drilled(record.model_copy(update={"stages": outcomes}), whole.source, owners)


@pytest.mark.parametrize("stage", [FACTS, MIGRATE])
def test_every_check_is_planned(stage: Stage, short_drill: Drill) -> None:
    drilled = ended_in(stage, short_drill)
    assert all(enumerate_subjects(kind, drilled) for kind in kinds())


def test_what_rests_on_the_profile_is_blocked(short_drill: Drill) -> None:
    before_all = ended_in(FACTS, short_drill)
    for blocked in ("profile", "restored_ownership", "ownership"):
        with pytest.raises(Blocked, match=_CAUSE):
            getattr(before_all, blocked)
    before_migrated = ended_in(MIGRATE, short_drill)
    assert before_migrated.restored_ownership.owned
    with pytest.raises(Blocked, match=_CAUSE):
        _ = before_migrated.ownership
