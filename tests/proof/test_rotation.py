"""A rotation tries each check in turn within the budget, and says how long each has waited."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

from fixtures.proof import rotation
from fixtures.proof.rotation import OUT_OF_BUDGET, Check, Earlier, Sample, carried, choose
from fixtures.record.proof import Proof, Proven, Proving

EVENING = datetime(2026, 11, 20, 3, tzinfo=UTC)
CHECKS = [("TEN-02", f"table_{number}") for number in range(40)] + [("BAK-01", "whole")]


def night(earlier: Earlier, number: int, seconds: float, took: float = 1, share: float = 0.15) -> Proving:
    """One drill whose stages took so long, and each of whose proofs takes `took` seconds."""
    at = EVENING + timedelta(days=number)
    sample = choose(CHECKS, earlier, share, 0, 7, f"run-{number}", seconds)
    return proven(earlier, number, [proof(check, sample, took) for check in CHECKS], share, at)


def proven(earlier: Earlier, number: int, proofs: Iterable[Proof], share: float, at: datetime) -> Proving:
    return carried(proofs, earlier, "budget", f"run-{number}", 7, share, at)


def proof(check: Check, sample: Sample, took: float) -> Proof:
    chosen = sample.chosen is None or check in sample.chosen
    outcome: Proven = "proven" if chosen else "unproven"
    return Proof(
        control=check[0], subject=check[1], outcome=outcome, says="", seconds=took if chosen else 0, tried=chosen
    )


def tried(proving: Proving) -> set[Check]:
    return {(each.control, each.subject) for each in proving.proofs if each.tried}


def test_each_check_is_tried_once_in_a_round_though_no_drill_has_room_for_more_than_its_part() -> None:
    earlier, rounds = Earlier(), []
    for number in range(7):
        proving = night(earlier, number, seconds=1)
        rounds.append(tried(proving))
        earlier = Earlier(proving)
    assert [len(each) for each in rounds] == [6] * 6 + [6]
    assert set.union(*rounds) == set(CHECKS)
    assert proving.recent.startswith("41 of 41 checks proven able to fail in the last 7 drills; 0 blind")
    assert proving.overdue == ""
    oldest = proving.oldest
    assert oldest is not None
    assert (oldest.control, oldest.subject) in rounds[0] - set.union(*rounds[1:])
    assert oldest.last_proven == EVENING


def test_what_a_drill_measured_fills_the_budget_of_the_next_and_the_same_seed_chooses_the_same() -> None:
    first = night(Earlier(), 0, seconds=1000)
    assert len(tried(first)) == 6
    second = night(Earlier(first), 1, seconds=200)
    assert len(tried(second)) == 30
    assert not tried(first) & tried(second)
    assert tried(night(Earlier(first), 1, seconds=200)) == tried(second)
    assert tried(night(Earlier(first), 2, seconds=200)) != tried(second)


def test_two_workers_hold_twice_as_much_and_each_of_them_heeds_the_budget() -> None:
    first = night(Earlier(), 0, seconds=1)
    alone, both = (
        choose(CHECKS, Earlier(first), 0.15, 0, 7, "run-1", 100, workers=workers).chosen or () for workers in (1, 2)
    )
    assert (len(alone), len(both)) == (15, 30)
    assert set(alone) < set(both)


def test_a_check_that_was_blind_is_tried_again_whatever_the_budget() -> None:
    first = night(Earlier(), 0, seconds=1)
    blind = next(each for each in first.proofs if each.tried)
    seen = [each.model_copy(update={"outcome": "blind"}) if each is blind else each for each in first.proofs]
    earlier = Earlier(first.model_copy(update={"proofs": tuple(seen)}))
    check = (blind.control, blind.subject)
    sample = choose(CHECKS, earlier, 0.0, 0, 7, "run-1", 1)
    assert sample.chosen is not None
    assert check in sample.chosen
    assert sample.left_out(check) == ""
    other = next(each for each in sample.chosen if each != check)
    sample.spent = 1
    assert "out of the time budget" in sample.left_out(other)


def test_once_the_budget_is_used_up_no_further_proof_begins() -> None:
    """By a clock that stands: 100 seconds after the drill began, of which proofs may have 15 %."""
    sample = Sample(frozenset(CHECKS), 0.15, began=0, expected=dict.fromkeys(CHECKS, 1.0))
    begun = []
    with patch.object(rotation.time, "time", lambda: 100.0):
        for check in CHECKS:
            why = sample.left_out(check)
            begun.append(not why)
            assert why in ("", OUT_OF_BUDGET)
            sample.spent += 1 if not why else 0
    assert begun == [True] * 13 + [False] * 28


def test_checks_that_the_budget_never_holds_are_counted_once_a_round_has_gone_by() -> None:
    earlier, said = Earlier(), []
    for number in range(8):
        at = EVENING + timedelta(days=number)
        none = [proof(check, Sample(frozenset(CHECKS[:1])), 1) for check in CHECKS]
        proving = proven(earlier, number, none, 0.15, at)
        said.append(proving.overdue)
        earlier = Earlier(proving)
    assert said == [""] * 6 + ["40 checks were not tried in 7 drills"] * 2
    assert proving.recent == (
        "1 of 41 checks proven able to fail in the last 7 drills; 0 blind; 40 checks were not tried in 7 drills"
    )


def test_drills_that_proved_nothing_let_every_proof_grow_older() -> None:
    before = night(Earlier(), 0, seconds=1)
    after = proven(
        Earlier(before, between=3), 4, [proof(each, Sample(frozenset()), 0) for each in CHECKS], 0.15, EVENING
    )
    there = next(each for each in before.proofs if each.tried)
    now = next(each for each in after.proofs if (each.control, each.subject) == (there.control, there.subject))
    assert (now.waits, now.proven_drills_ago, after.drills, now.last_proven) == (4, 4, 5, EVENING)
    assert now.cost == 1
