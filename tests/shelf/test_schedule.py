"""What a schedule asks of a shelf, to the hour: what was due, what is kept, what has collapsed."""

from datetime import UTC, date, datetime, timedelta

import pytest

from fixtures.profile.backups import Backup, Schedule
from fixtures.record.set_record import ShelvedSet
from fixtures.shelf.schedule import Promise, compare_with_promise, dump_shrinkage, never_taken, promises
from tests.support import record_examples
from tests.support.record_examples import shelved_set

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
"""A Wednesday."""
NIGHTLY = Schedule(every_hours=24, since=date(2026, 1, 1))


def shelved(taken_at: datetime, size: int | None = 100, name: str = "", suffix: str = ".dump") -> ShelvedSet:
    name = name or f"igny8_{taken_at:%Y%m%d_%H%M%S}"
    dump = f"{name}{suffix}" if size is not None else None
    return shelved_set(name, taken_at, dump=dump, dump_size=size, size=size or 0)


def night(ago: int, hour: int = 3) -> datetime:
    return (NOW - timedelta(days=ago)).replace(hour=hour)


def nights(*ago: int) -> list[ShelvedSet]:
    return [shelved(night(each)) for each in ago]


@pytest.mark.parametrize(
    ("shelf", "due"),
    [
        (nights(0, 1, 2, 3), []),
        (nights(0, 1, 3), [night(2)]),
        (nights(0, 4), [night(3), night(2), night(1)]),
        # Two hours late is on time, a minute more is not.
        ([*nights(0, 2), shelved(night(1, 5))], []),
        ([*nights(0, 2), shelved(night(1, 5) + timedelta(minutes=1))], [night(1)]),
        # The set of this night is missing, and the RPO would still allow it.
        (nights(1, 2), [night(0)]),
        (nights(), []),
        # Without a dump it is no backup.
        ([*nights(0, 2), shelved(night(1), None)], [night(1)]),
    ],
)
def test_every_slot_without_a_set_is_named(shelf: list[ShelvedSet], due: list[datetime]) -> None:
    looked = never_taken(NIGHTLY, shelf, NOW, rpo_hours=48)
    assert looked.wrong == tuple(f"due {at:%Y-%m-%d %H:%M} UTC" for at in due)
    assert looked.due >= len(looked.wrong)


def test_what_is_older_than_the_rpo_is_left_to_it_and_thinned_out_nights_are_not_asked_for() -> None:
    assert never_taken(NIGHTLY, nights(3, 4), NOW, rpo_hours=26).wrong == ()
    thinned = NIGHTLY.model_copy(update={"keep_daily": 3})
    assert never_taken(thinned, nights(0, 1, 2, 9, 16), NOW, rpo_hours=26).wrong == ()
    assert len(never_taken(thinned, nights(0, 9, 16), NOW, rpo_hours=26).wrong) == 2


@pytest.mark.parametrize(
    ("promise", "shelf", "wrong"),
    [
        (Promise("daily", 4), nights(0, 1, 2, 3), ()),
        (Promise("daily", 4), nights(0, 1), ("2026-11-22", "2026-11-23")),
        # A night that is missing in between is BAK-10's.
        (Promise("daily", 4), nights(0, 1, 3), ()),
        (Promise("weekly", 3), nights(0, 5, 12), ()),
        (Promise("weekly", 3), nights(0, 5), ("2026-W46",)),
        (Promise("monthly", 3), nights(0, 40, 70), ()),
        (Promise("monthly", 3), nights(0, 70), ("2026-10",)),
        (Promise("removed", 30), nights(0, 29), ()),
        (Promise("removed", 30), nights(0, 31), ("igny8_20261025_030000",)),
    ],
)
def test_what_is_not_kept_as_promised_is_named(
    promise: Promise, shelf: list[ShelvedSet], wrong: tuple[str, ...]
) -> None:
    assert compare_with_promise(NIGHTLY, promise, shelf, NOW).wrong == wrong


def test_nothing_is_asked_for_from_before_backups_were_begun() -> None:
    young = NIGHTLY.model_copy(update={"since": date(2026, 11, 24)})
    for promise in (Promise("daily", 7), Promise("weekly", 5), Promise("monthly", 12)):
        assert compare_with_promise(young, promise, nights(0, 1), NOW).wrong == ()
    schedule = NIGHTLY.model_copy(update={"keep_daily": 7, "remove_after_days": 90})
    assert [each.name for each in promises(schedule)] == ["daily", "removed"]


def test_a_dump_is_measured_against_the_median_of_its_own_kind_before_it() -> None:
    backup_set = record_examples.backup_set()
    dump = backup_set.artefact("dump")
    assert dump is not None
    before = [backup_set.taken_at - timedelta(days=days) for days in range(1, 6)]
    sizes = (10, 4, 4, 4, 1000)
    same = [shelved(at, dump.size * size) for at, size in zip(before, sizes, strict=True)]
    other = [shelved(at, 1, suffix=".sql.gz", name=f"plain_{at:%Y%m%d}") for at in before]
    later = [shelved(backup_set.taken_at + timedelta(days=1), 1)]
    shelf = tuple(sorted([*same, *other, *later], key=lambda each: str(each.taken_at), reverse=True))
    shrinkage = dump_shrinkage(
        backup_set.model_copy(update={"shelf": shelf}), Backup(required=(), least_bytes=1, shrink_over=4)
    )
    assert (shrinkage.over, shrinkage.usual, round(shrinkage.percent)) == (4, 4 * dump.size, 75)
    assert dump_shrinkage(backup_set, Backup(required=(), least_bytes=1)).over == 0
