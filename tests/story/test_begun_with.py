"""Stages that begin with another run beside it and each other, where there is room, and are told in their places."""

import threading
from pathlib import Path

import pytest

from fixtures.record.stage import StageBlocked, StageFailed
from fixtures.record.stages import COMPARE, PREVIOUS, REVERSE, STAND_UP
from fixtures.sandbox.guardian import Guardian
from fixtures.story.drill import Drill
from fixtures.story.running import Running
from fixtures.story.step import alone, first
from tests.story.test_ahead import PATIENCE, Watched, sets, states, waits

OF_A_GATE = (COMPARE, REVERSE, PREVIOUS, STAND_UP)
ALL_OK = {"compare": "ok", "reverse": "ok", "previous": "ok", "stand up": "ok"}


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, guardian: Guardian) -> Watched:
    monkeypatch.setattr(Running, "_has_room", lambda _: True)
    return Watched(monkeypatch, tmp_path, guardian)


def test_it_runs_beside_those_before_it_once_all_is_done_that_comes_first(watched: Watched) -> None:
    stands, reversed_ = threading.Event(), threading.Event()
    run = watched.run(
        first(watched.step(COMPARE, "schemas")),
        watched.step(COMPARE, "compared", waits(stands)),
        first(watched.step(REVERSE, "before")),
        watched.step(REVERSE, "reversed", sets(reversed_)),
        watched.step(PREVIOUS, "previous"),
        first(watched.step(STAND_UP, "cloned")),
        watched.step(STAND_UP, "stands", sets(stands)),
        watched.step(STAND_UP, "still stands", waits(reversed_)),
        story=OF_A_GATE,
    )
    assert [each.name for each in run.outcomes] == list(ALL_OK)
    assert states(run) == ALL_OK
    assert watched.did[:3] == ["cloned", "before", "schemas"]


def test_several_run_beside_it_and_one_that_comes_after_another_waits_until_that_is_over(watched: Watched) -> None:
    reversed_, previous = threading.Event(), threading.Event()

    def goes_first(_: Drill) -> None:
        assert not previous.wait(0.5), "the one after it did not wait"
        reversed_.set()

    run = watched.run(
        watched.step(COMPARE, "compared", waits(previous)),
        watched.step(REVERSE, "reversed", goes_first),
        watched.step(PREVIOUS, "previous", sets(previous)),
        watched.step(STAND_UP, "stands", waits(reversed_)),
        story=OF_A_GATE,
    )
    assert states(run) == ALL_OK
    told = [each for each in watched.told if each.startswith(("reverse", "previous"))]
    assert told == ["reverse begins", "reverse ok", "previous begins", "previous ok"]


def test_what_is_done_alone_waits_for_all_that_it_runs_beside(watched: Watched) -> None:
    stands = threading.Event()
    run = watched.run(
        watched.step(COMPARE, "compared", waits(stands)),
        watched.step(REVERSE, "reversed"),
        watched.step(PREVIOUS, "previous"),
        watched.step(STAND_UP, "stands", sets(stands)),
        alone(watched.step(STAND_UP, "looked at again")),
        story=OF_A_GATE,
    )
    assert states(run) == ALL_OK
    assert sorted(watched.did[:-1]) == ["compared", "previous", "reversed", "stands"]
    assert watched.did[-1] == "looked at again"


def test_where_there_is_no_room_it_comes_in_its_place(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Running, "_has_room", lambda _: False)
    run = watched.run(
        first(watched.step(STAND_UP, "cloned")),
        alone(watched.step(STAND_UP, "stands")),
        watched.step(COMPARE, "compared"),
        watched.step(REVERSE, "reversed"),
        story=(COMPARE, REVERSE, STAND_UP),
    )
    assert set(states(run).values()) == {"ok"}
    assert watched.did == ["compared", "reversed", "cloned", "stands"]


@pytest.mark.parametrize("clone_is_made", [True, False])
def test_what_fails_of_one_takes_nothing_from_the_others(watched: Watched, clone_is_made: bool) -> None:
    def fails(_: Drill) -> None:
        raise StageFailed("it breaks", "Mend it.")

    nothing = sets(threading.Event())
    run = watched.run(
        first(watched.step(COMPARE, "schemas", fails)),
        watched.step(COMPARE, "compared"),
        watched.step(REVERSE, "reversed"),
        watched.step(PREVIOUS, "previous"),
        first(watched.step(STAND_UP, "cloned", nothing if clone_is_made else fails)),
        alone(watched.step(STAND_UP, "stands")),
        story=OF_A_GATE,
    )
    assert states(run) == ALL_OK | {"compare": "failed"} | ({} if clone_is_made else {"stand up": "failed"})
    assert [each.cause for each in run.outcomes if each.state == "failed"] == ["it breaks"] * (2 - clone_is_made)
    assert ("stands" in watched.did, "compared" in watched.did) == (clone_is_made, False)


def test_an_interrupt_ends_what_runs_beside_and_blames_nothing_of_it(watched: Watched) -> None:
    runs = threading.Event()
    ended: list[bool] = []

    def interrupted(_: Drill) -> None:
        assert runs.wait(PATIENCE)
        raise KeyboardInterrupt("SIGTERM")

    def stands(drill: Drill) -> None:
        runs.set()
        ended.append(drill.in_vain.wait(PATIENCE))
        raise StageFailed("the application does not start")

    run = watched.run(
        watched.step(COMPARE, "compared", interrupted),
        watched.step(STAND_UP, "stands", stands),
        story=OF_A_GATE,
    )
    assert ended == [True], "its program was not ended"
    assert {states(run)[each] for each in ("compare", "stand up")} == {"blocked"}
    assert not any("does not start" in each.cause for each in run.outcomes)


def test_an_interrupt_leaves_nobody_waiting_for_stages_that_never_come(watched: Watched) -> None:
    runs = threading.Event()

    def interrupted(_: Drill) -> None:
        assert runs.wait(PATIENCE)
        raise KeyboardInterrupt("SIGTERM")

    run = watched.run(
        watched.step(COMPARE, "compared", interrupted),
        watched.step(STAND_UP, "stands", sets(runs)),
        alone(watched.step(STAND_UP, "looked at again")),
        story=OF_A_GATE,
    )
    assert states(run)["stand up"] == "blocked"
    assert run.outcomes[-1].cause == str(StageBlocked("given up: the drill has ended"))
    assert "looked at again" not in watched.did
