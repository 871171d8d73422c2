"""A schema that the drill itself changed is not compared, and what cannot be compared is no pass."""

from collections.abc import Iterator
from typing import cast

import pytest

from fixtures.checks.blocked import Blocked, Exempt
from fixtures.checks.examination import Examination
from fixtures.checks.release.released import undeclared_drift
from fixtures.profile.release import Release
from fixtures.record.release.comparison import Comparison
from fixtures.record.stage import StageBlocked
from fixtures.server.rights import POLICIES
from fixtures.story.drill import Drill
from fixtures.story.steps.compare_release import read_schemas
from fixtures.story.steps.start_server import Served
from tests.support.guarded_source import Guarded, guarded_source

NOTHING_FROM_ZERO = Comparison(
    objects=9,
    columns=9,
    changes=(),
    dropped=(),
    from_zero_seconds=1,
    from_zero_problem="shop.0002_needs_rows: DoesNotExist",
)


@pytest.fixture(scope="module")
def guarded() -> Iterator[Guarded]:
    with guarded_source() as ready:
        yield ready


def test_a_schema_whose_force_the_drill_lifted_is_not_compared(guarded: Guarded) -> None:
    with guarded.spoiled() as look:
        facts = look.database.facts
        lifted = [
            table.model_copy(update={"force_lifted": True}) if table.row_security else table for table in facts.tables
        ]
        after = facts.model_copy(update={"tables": tuple(lifted)})
        with pytest.raises(StageBlocked, match="FORCE ROW LEVEL SECURITY was lifted for this drill") as blocked:
            # Nothing is started for it: neither the drill's means nor its server are asked.
            read_schemas(cast("Drill", None), cast("Served", None), facts, after)
        assert POLICIES in blocked.value.fix


def test_code_that_cannot_migrate_an_empty_database_is_blocked_until_the_profile_says_why() -> None:
    with pytest.raises(Blocked, match=r"nothing to compare with: shop\.0002_needs_rows: DoesNotExist"):
        undeclared_drift(NOTHING_FROM_ZERO, Release(), Examination())
    said = Release(not_from_zero="its first migrations were squashed by hand")
    with pytest.raises(Exempt, match="squashed by hand"):
        undeclared_drift(NOTHING_FROM_ZERO, said, Examination())
