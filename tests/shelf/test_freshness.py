"""How old a backup may be is asked of the newest set there is, whichever of them was drilled."""

from datetime import timedelta

import pytest

from fixtures.profile.backups import Targets
from fixtures.record.record import DrillRecord
from fixtures.record.set_record import ShelvedSet
from fixtures.story.measures import measures, newest_set
from tests.support import record_examples
from tests.support.record_examples import shelved_set

TARGETS = Targets(rpo_hours=24, rto_minutes=60)


def shelved(hours: float, kind: str = "custom", dump: str | None = "a.dump") -> ShelvedSet:
    """A set that was taken so long before the drill."""
    return shelved_set(
        f"set_of_{hours:g}_hours",
        record_examples.STARTED - timedelta(hours=hours),
        taken_at_source="manifest",
        kind=kind,
        manifest=True,
        dump=dump,
    )


def drilled(hours: float, *shelf: ShelvedSet) -> DrillRecord:
    backup_set = record_examples.backup_set().model_copy(
        update={"taken_at": record_examples.STARTED - timedelta(hours=hours), "shelf": shelf or None}
    )
    return record_examples.record(backup_set=backup_set)


def test_an_old_set_that_was_asked_for_breaks_no_rpo_that_the_newest_keeps() -> None:
    record = drilled(70, shelved(70), shelved(46), shelved(22))
    newest = newest_set(record)
    assert newest is not None
    assert (newest.name, newest.age, newest.told_by) == ("set_of_22_hours", 22, "manifest")
    assert newest.passed_over == (
        "judged by set_of_22_hours, the newest of the sets there; the set that was asked for, "
        f"{record_examples.STEM}, is 2 d 22 h old"
    )
    assert measures(record, TARGETS)[0].measured == 22


def test_the_newest_set_is_too_old_whichever_was_asked_for() -> None:
    newest = newest_set(drilled(70, shelved(70), shelved(30)))
    assert newest is not None
    assert newest.age > TARGETS.rpo_hours


@pytest.mark.parametrize("other", [shelved(1, kind="sqlite"), shelved(1, dump=None), shelved(40)])
def test_what_a_loss_could_not_fall_back_on_makes_no_set_fresh(other: ShelvedSet) -> None:
    newest = newest_set(drilled(30, shelved(30), other))
    assert newest is not None
    assert (newest.name, newest.age, newest.passed_over) == (record_examples.STEM, 30, "")


def test_a_set_that_was_named_by_itself_stands_for_itself() -> None:
    newest = newest_set(drilled(30))
    assert newest is not None
    assert (newest.age, newest.passed_over) == (30, "")
    assert newest_set(record_examples.record(backup_set=None)) is None
