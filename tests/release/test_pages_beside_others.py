"""A page that is asked for beside other stages is too slow for certain, or in time, or it is asked for once more alone."""

import signal
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from fixtures.application.probes.releasing import timing
from fixtures.record import stages
from fixtures.record.release.standing import AskedPage, LoadedModel, Standing
from fixtures.record.stage import StageFailed
from fixtures.release.stand_up import kept_waiting
from fixtures.story.steps import stand_up_release
from tests.release.test_released import STANDING

LIMIT = 5.0
FAST = AskedPage(address="admin: index", status=200, error="", seconds=0.1)
SLOW = AskedPage(address="admin: shop.Order, a row", status=None, error="", seconds=5.5, ended=True)
BROKEN = AskedPage(address="admin: shop.Order, the list", status=None, error="LookupError", seconds=0.1)
NAMED = AskedPage(address="/login/", status=None, error="", seconds=5.5, ended=True)
ELSEWHERE = AskedPage(address="/login/", status=302, error="", seconds=0.1)
UNLOADED = LoadedModel(model="shop.Order", row=True, decoded=(), broken="", error="QueryCanceled")


class Machine:
    """One whose clock and whose waiting for processors a test sets, in seconds."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, pressure: Path) -> None:
        self.now, self._pressure = 0.0, pressure
        self.passes(0)
        monkeypatch.setattr(timing, "time", SimpleNamespace(monotonic=lambda: self.now))
        monkeypatch.setattr(timing, "PRESSURE", str(pressure))

    def passes(self, seconds: float, waiting: float = 0) -> None:
        self.now += seconds
        waited = float(self._pressure.read_text().rpartition("=")[2]) / 1e6 if self._pressure.is_file() else 0.0
        self._pressure.write_text(
            f"some avg10=0.00 avg60=0.00 avg300=0.00 total={round((waited + waiting) * 1e6)}\nfull avg10=0.00 total=0\n"
        )


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Machine]:
    yield Machine(monkeypatch, tmp_path / "cpu")
    signal.setitimer(signal.ITIMER_REAL, 0)


@pytest.mark.parametrize(
    ("seconds", "waiting", "beside", "too_slow", "unclear"),
    [
        (4.9, 4.0, True, False, False),
        (5.1, 0.0, True, True, False),
        (5.1, 0.2, True, False, True),
        (6.0, 0.5, True, True, False),
        (5.1, 0.2, False, True, False),
    ],
)
def test_what_a_page_waited_for_others_is_not_its_own_slowness(
    machine: Machine, seconds: float, waiting: float, beside: bool, too_slow: bool, unclear: bool
) -> None:
    times, took = timing.Times(600, LIMIT, beside), timing.Took()
    machine.passes(seconds, waiting)
    assert (times.too_slow(took), times.unclear(took)) == (too_slow, unclear)


def test_where_the_kernel_tells_nothing_no_page_is_too_slow_for_certain(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(timing, "PRESSURE", str(tmp_path / "none"))
    times, took = timing.Times(600, LIMIT, True), timing.Took()
    machine.passes(LIMIT + 1)
    assert (times.too_slow(took), times.unclear(took)) == (False, True)


def test_a_page_goes_on_for_as_long_as_it_waited_and_ends_at_twice_its_time(machine: Machine) -> None:
    times, took = timing.Times(600, LIMIT, True), timing.Took()
    with times.of_a_page(took):
        machine.passes(LIMIT, waiting=300)
        signal.raise_signal(signal.SIGALRM)
        machine.passes(LIMIT, waiting=LIMIT)
        with pytest.raises(timing.TookTooLong):
            signal.raise_signal(signal.SIGALRM)


@pytest.mark.parametrize(
    ("admin", "named", "kept"),
    [
        ((200, True), (200, False), False),
        ((None, True), (200, False), True),
        ((None, False), (200, False), False),
        ((200, False), (200, True), True),
    ],
)
def test_an_answer_of_the_admin_stands_however_long_it_waited(
    admin: tuple[int | None, bool], named: tuple[int | None, bool], kept: bool
) -> None:
    pages = [[dict(zip(("status", "unclear"), page, strict=True))] for page in (admin, named)]
    assert kept_waiting(*pages) is kept


def stood_up(
    monkeypatch: pytest.MonkeyPatch, first: Standing | StageFailed, *, beside: bool = True
) -> tuple[Standing | None, list[Any]]:
    """What the first time beside others came to, and with which marks it was stood up."""
    times: list[Any] = []

    def standing(_: object, __: object, token: str | None = None) -> Standing:
        times.append(token)
        if isinstance(first, StageFailed):
            raise first
        return first

    monkeypatch.setattr(stand_up_release, "_standing", standing)
    declared = SimpleNamespace(release=SimpleNamespace(addresses={"/login/": 200}))
    drill: Any = SimpleNamespace(beside={stages.STAND_UP} if beside else set(), profile=declared)
    served: Any = None
    return stand_up_release.stand_up_beside(drill, served, "marked"), times


def standing(*pages: AskedPage, models: tuple[LoadedModel, ...] = ()) -> Standing:
    return STANDING.model_copy(update={"pages": pages, "models": models})


@pytest.mark.parametrize(
    "first",
    [
        standing(FAST, BROKEN),
        standing(FAST, NAMED),
        standing(FAST, ELSEWHERE),
        standing(FAST, models=(UNLOADED,)),
        StageFailed("a page took longer than it may"),
    ],
)
def test_what_goes_wrong_beside_others_is_not_believed(
    monkeypatch: pytest.MonkeyPatch, first: Standing | StageFailed
) -> None:
    assert stood_up(monkeypatch, first)[0] is None


@pytest.mark.parametrize("first", [standing(FAST), standing(FAST, SLOW)])
def test_what_is_well_beside_others_is_kept(monkeypatch: pytest.MonkeyPatch, first: Standing) -> None:
    assert stood_up(monkeypatch, first) == (first, ["marked"])


def test_what_goes_wrong_alone_is_told_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = standing(BROKEN)
    assert stood_up(monkeypatch, broken, beside=False)[0] == broken
    with pytest.raises(StageFailed):
        stood_up(monkeypatch, StageFailed("it does not start"), beside=False)


def test_it_is_stood_up_once_more_only_where_the_first_time_was_not_well(monkeypatch: pytest.MonkeyPatch) -> None:
    again: list[object] = []

    def once_more(*_: object) -> Standing:
        again.append(None)
        return STANDING

    monkeypatch.setattr(stand_up_release, "_standing", once_more)
    nobody: Any = None
    assert stand_up_release.stand_up_alone(nobody, nobody, STANDING) is STANDING
    assert again == []
    assert stand_up_release.stand_up_alone(nobody, nobody, None) is STANDING
    assert len(again) == 1
