"""Which sets may go: none that a control of the schedule asks for, the newest and the last VERIFIED never."""

from datetime import UTC, date, datetime, timedelta

import pytest

from fixtures.profile.backups import Schedule
from fixtures.shelf.schedule import compare_with_promise, never_taken, promises
from fixtures.shelf.thinning import NothingVerified, Standing, decide
from tests.support.record_examples import shelved_set

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
"""A Wednesday."""
GFS = Schedule(
    every_hours=24, since=date(2025, 1, 1), keep_daily=7, keep_weekly=4, keep_monthly=6, remove_after_days=200
)


def night(ago: int) -> datetime:
    return (NOW - timedelta(days=ago)).replace(hour=3)


def standing(ago: int, **fields: object) -> Standing:
    return Standing(**{"name": f"{ago}", "taken_at": night(ago)} | fields)  # type: ignore[arg-type]


def verified(ago: int) -> Standing:
    return standing(ago, verdict="VERIFIED", verified_at=night(ago) + timedelta(hours=2))


def going(schedule: Schedule, sets: list[Standing]) -> set[str]:
    return {decision.name for decision in decide(schedule, sets, NOW) if decision.goes}


def staying(schedule: Schedule, sets: list[Standing]) -> dict[str, tuple[str, ...]]:
    return {decision.name: decision.why for decision in decide(schedule, sets, NOW) if not decision.goes}


def test_days_weeks_and_months_keep_one_each_and_say_which() -> None:
    stays = staying(GFS, [verified(ago) for ago in range(240)])
    assert [int(name) for name in stays] == [0, 1, 2, 3, 4, 5, 6, 10, 17, 25, 56, 86, 117, 148]
    assert stays["6"] == ("of the last 7 days",)
    assert stays["10"] == ("that of 2026-W46",)
    assert stays["148"] == ("that of 2026-06",)
    assert stays["0"][:2] == ("VERIFIED last, on 2026-11-25", "the newest")


@pytest.mark.parametrize("every", [6, 24])
def test_pruned_every_day_the_shelf_never_breaks_what_its_schedule_promises(every: int) -> None:
    schedule = GFS.model_copy(update={"every_hours": every, "since": date(2026, 1, 1)})
    shelf: list[Standing] = []
    begin = datetime(2026, 1, 1, 2, tzinfo=UTC)
    for day in range(1, 300):
        # One day of eleven nothing was taken, and then the newest is not the last VERIFIED.
        for hour in range(0, 24, every) if day % 11 else ():
            at = begin + timedelta(days=day, hours=hour)
            good = (day + hour) % 3 == 1
            shelf.append(Standing(f"{at}", at, "VERIFIED" if good else "FAILED", at if good else None))
        now = begin + timedelta(days=day, hours=23)
        before = wrong(schedule, shelf, now)
        last = max(one.verified_at for one in shelf if one.verified_at is not None)
        decisions = decide(schedule, shelf, now)
        shelf = [one for one, decision in zip(shelf, decisions, strict=True) if not decision.goes]
        assert wrong(schedule, shelf, now) <= before
        assert any(one.verified_at == last for one in shelf)
    assert len(shelf) <= 7 * 24 / every + 24 / every + 4 + 6


def wrong(schedule: Schedule, shelf: list[Standing], now: datetime) -> set[str]:
    """What BAK-10 and BAK-11 would find."""
    sets = [shelved_set(one.name, one.taken_at) for one in shelf]
    kept = [compare_with_promise(schedule, promise, sets, now) for promise in promises(schedule)]
    return {name for looked in (never_taken(schedule, sets, now, 26), *kept) for name in looked.wrong}


def test_the_last_verified_stays_however_old_and_so_does_the_only_one() -> None:
    old = verified(300)
    nights = [standing(ago, verdict="FAILED") for ago in range(30)]
    assert staying(GFS, [*nights, old])["300"] == ("VERIFIED last, on 2026-01-29", "and older than 200 days")
    assert "300" in going(GFS, [*nights, old, verified(9)])
    assert staying(GFS, [old]).keys() == {"300"}


def test_a_drill_of_an_older_set_takes_nothing_from_the_newest_that_is_known_to_be_good() -> None:
    failed = [standing(ago, verdict="FAILED") for ago in range(60)]
    good, older = verified(70), standing(90, verdict="VERIFIED", verified_at=night(0))
    stays = staying(GFS.model_copy(update={"keep_monthly": None}), [*failed, good, older])
    assert stays["70"] == ("the newest that was VERIFIED",)
    assert stays["90"] == ("VERIFIED last, on 2026-11-25",)


def test_nothing_goes_where_no_set_was_ever_verified() -> None:
    with pytest.raises(NothingVerified):
        decide(GFS, [standing(ago) for ago in range(40)], NOW)


def test_of_a_week_a_verified_set_stays_rather_than_a_newer_one_that_failed() -> None:
    failed = standing(10, verdict="FAILED")
    assert {"11", "10"} & staying(GFS, [verified(0), failed, verified(11)]).keys() == {"11"}
    assert {"11", "10"} & staying(GFS, [verified(0), failed, standing(11)]).keys() == {"11"}
    assert {"11", "10"} & staying(GFS, [verified(0), standing(10), standing(11)]).keys() == {"10"}


@pytest.mark.parametrize(
    ("left_alone", "why"),
    [
        (Standing("other", None), "nothing tells when it was taken"),
        (Standing("other", NOW + timedelta(days=3)), "its time lies ahead"),
        (standing(400, name="other", doubt="it has no dump"), "it has no dump"),
    ],
)
def test_what_cannot_be_judged_by_its_age_stays_and_keeps_nothing_else_from_staying(
    left_alone: Standing, why: str
) -> None:
    sets = [verified(0), verified(1), left_alone]
    assert staying(GFS, sets)["other"] == (why,)
    assert staying(GFS, sets).keys() == {"0", "1", "other"}


def test_without_keep_daily_only_age_removes_and_a_contradiction_keeps() -> None:
    sets = [verified(ago) for ago in (0, 30, 60, 90)]
    all_asked_for = GFS.model_copy(update={"keep_daily": None, "remove_after_days": None})
    assert going(all_asked_for, sets) == set()
    assert going(all_asked_for.model_copy(update={"remove_after_days": 70}), sets) == {"90"}
    contradictory = GFS.model_copy(update={"remove_after_days": 70})
    assert staying(contradictory, sets)["90"] == ("that of 2026-08", "and older than 70 days")
