"""Visitors are shared out among processes that ask beside each other, and their answers are those of one that asks as all."""

import os
import signal
import time
from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest

from fixtures.application import visits as module
from fixtures.application.probes.visiting.sharing import asked_by_shares, shares_of
from tests.support.application_under_test import copy_of_the_sample
from tests.support.visited_sample import Migrated, by_pattern

Asked = tuple[tuple[int, ...], Collection[str] | None]
WHO_ASKS = """

import os
from django.http import JsonResponse


def process(request):
    print("asked by", os.getpid())
    return JsonResponse([], safe=False)


def breaks_beside(request):
    # As where two wait for each other: it works for whoever asks alone.
    asks = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    beside = [open("/proc/%d/stat" % each).read().split()[4] for each in asks]
    if beside.count(str(os.getpgrp())) > 1:
        raise RuntimeError
    return JsonResponse([], safe=False)


def shown_to_all(request, site_id):
    print("for all")
    return JsonResponse({"id": site_id})


urlpatterns += [
    path("process/", process),
    path("breaks-beside/", breaks_beside),
    path("for-all/<int:site_id>/", shown_to_all),
]
"""


def answers(numbers: Collection[int], foreign: str = "refused") -> list[dict[str, Any]]:
    return [
        {"pattern": "rows/<pk>/", "why": "", "own": {"shown": len(numbers)}, "foreign": {foreign: 2 * len(numbers)}},
        {"pattern": "rows/", "why": "", "outcomes": {"shown": len(numbers)}, "seen": [{"visitor": n} for n in numbers]},
        {"pattern": "logout/", "why": "it ends the session"},
    ]


def asked_in(shares: list[list[int]], answer: Callable[..., list[dict[str, Any]]]) -> tuple[list[Any], list[Asked]]:
    """What came of it, and as whom this very process asked for what."""
    asked: list[Asked] = []

    def ask(numbers: list[int], patterns: Collection[str] | None) -> list[dict[str, Any]]:
        asked.append((tuple(numbers), patterns))
        return [each for each in answer(numbers, patterns) if patterns is None or each["pattern"] in patterns]

    return asked_by_shares(ask, shares), asked


def test_only_what_is_forked_shares_its_visitors_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RESTORE_DRILL_FORKED", raising=False)
    assert shares_of(3, 2) == [[0, 1, 2]]
    monkeypatch.setenv("RESTORE_DRILL_FORKED", "yes")
    assert shares_of(3, 2) == [[0, 2], [1]]
    assert shares_of(2, 8) == [[0], [1]]
    assert shares_of(3, 1) == [[0, 1, 2]]


def test_each_share_is_asked_by_a_process_of_its_own_and_their_answers_are_one() -> None:
    together, asked = asked_in([[0, 2], [1]], lambda numbers, _: answers(numbers))
    assert asked == [((0, 2), None)]
    one_by_one = {each["pattern"]: each for each in answers([0, 2, 1])}
    assert {each["pattern"]: each for each in together} == one_by_one


def test_what_broke_is_asked_again_by_one_that_asks_as_all() -> None:
    def answer(numbers: list[int], patterns: Collection[str] | None) -> list[dict[str, Any]]:
        return answers(numbers, "refused" if patterns is not None or 1 not in numbers else "broken")

    together, asked = asked_in([[0, 2], [1]], answer)
    assert asked == [((0, 2), None), ((0, 1, 2), {"rows/<pk>/"})]
    assert together[0] == answers([0, 1, 2])[0]


def test_where_no_time_is_left_to_ask_again_what_broke_is_told() -> None:
    def answer(numbers: list[int], patterns: Collection[str] | None) -> list[dict[str, Any]]:
        return [dict(each, why="no time") if patterns is not None else each for each in answers(numbers, "broken")]

    together, _ = asked_in([[0], [1]], answer)
    assert (together[0]["why"], together[0]["foreign"]) == ("", {"broken": 4})


def test_the_share_of_a_process_that_did_not_come_to_its_end_is_asked_by_another() -> None:
    ours = os.getpid()

    def answer(numbers: list[int], _: object) -> list[dict[str, Any]]:
        if os.getpid() != ours:
            os.kill(os.getpid(), signal.SIGKILL)
        return answers(numbers)

    together, asked = asked_in([[0], [1]], answer)
    assert asked == [((0,), None), ((1,), None)]
    assert together[0]["own"] == {"shown": 2}


def test_no_process_is_left_where_one_cannot_ask() -> None:
    ours, others = os.getpid(), set(psutil.Process().children())

    def answer(numbers: list[int], _: object) -> list[dict[str, Any]]:
        if os.getpid() != ours:
            time.sleep(600)
        raise LookupError(str(numbers))

    with pytest.raises(LookupError, match=r"\[0\]"):
        asked_in([[0], [1]], answer)
    assert set(psutil.Process().children()) <= others


def said(private: Path, what: str) -> list[str]:
    lines = (private / "said-stdout").read_text().splitlines()
    return [line for line in lines if line.startswith(what)]


def test_an_application_is_asked_by_as_many_processes_as_there_are_cores(
    migrated: Migrated, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own answers are the same as of one process, whatever breaks where two ask at once."""
    checkout = copy_of_the_sample(tmp_path)
    with (checkout / "igny8_core" / "urls.py").open("a") as urls:
        urls.write(WHO_ASKS)
    told, asked_by = {}, []
    for processes in (1, 2):
        monkeypatch.setattr(module, "cores", partial(int, processes))
        private = tmp_path / f"private-{processes}"
        told[processes] = by_pattern(migrated.visited(checkout, private))
        asked_by.append(len(set(said(private, "asked by "))))
    assert asked_by == [1, 2]
    assert told[1]["breaks-beside/"].why == "it showed an empty list"
    assert told[1] == told[2]


def test_what_anybody_may_see_is_asked_for_by_each_visitor_once(migrated: Migrated, tmp_path: Path) -> None:
    checkout = copy_of_the_sample(tmp_path)
    with (checkout / "igny8_core" / "urls.py").open("a") as urls:
        urls.write(WHO_ASKS)
    pattern = "for-all/<int:site_id>/"
    closed = by_pattern(migrated.visited(checkout, tmp_path / "closed"))[pattern]
    assert (closed.shown, len(said(tmp_path / "closed", "for all"))) == (12, 18)
    public = by_pattern(migrated.visited(checkout, tmp_path / "public", public={pattern: "a page for anybody"}))[
        pattern
    ]
    assert (public.shown, public.why) == (0, "it is meant to be open to anybody")
    assert len(said(tmp_path / "public", "for all")) == 3
