"""What a drill pays for its guard against a dump that lies: the parts that serve nothing else, against the whole of it."""

import secrets
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

from bench.drills import order_of
from bench.timing import Times, timed
from fixtures.profile.reading import ReadProfile
from fixtures.record.progress import silent
from fixtures.record.project import ROOT
from fixtures.sandbox.child import plain_environment, run_child
from fixtures.sandbox.guardian import Guardian
from fixtures.sandbox.isolation import OPEN, Isolation, network_isolation
from fixtures.story.run_drill import run_drill

STAGES = "all stages of a drill, without its checks and documents"
WHOLE = "the whole drill, with its checks and documents"
CATALOGUE = "the server's own catalogue is compared with template0, twice"
PINNED = "the settings of sessions are pinned once more after their start"
CONFINED = "programs start in namespaces of their own"
ALL = "these together"
_AS_THEY_STAND = {
    CATALOGUE: (
        "fixtures.story.steps.compare_own.read_template0",
        "fixtures.story.steps.compare_own.compare_server_own",
    ),
    PINNED: ("fixtures.server.sessions.pin",),
}
_STARTS = 10


def safeguards(backups: Path, profile: ReadProfile, rounds: int, whole: Callable[[], float]) -> dict[str, Times]:
    """Seconds of each part and of the stages that it is a part of, from the same drill of each round; `whole` runs a
    drill of the same set as its user does, in the same round, and returns its seconds.

    What stages do beside each other is counted as if nothing else went on, so that a part is no larger than told."""
    seconds: dict[str, list[float]] = {name: [] for name in (WHOLE, STAGES, CATALOGUE, PINNED, CONFINED, ALL)}
    for _ in range(rounds):
        measured = {WHOLE: whole(), **_drill(backups, profile)}
        measured[ALL] = sum(measured[name] for name in (CATALOGUE, PINNED, CONFINED))
        for name, each in measured.items():
            seconds[name].append(each)
    return {name: Times(tuple(each)) for name, each in seconds.items()}


def _drill(backups: Path, profile: ReadProfile) -> dict[str, float]:
    """SystemExit when a stage does not come to its end: the times of the others would mean nothing."""
    run_id = secrets.token_hex(4)
    measured = dict.fromkeys(_AS_THEY_STAND, 0.0)
    with ExitStack() as stack:
        guardian = stack.enter_context(Guardian(run_id))
        for part, functions in _AS_THEY_STAND.items():
            for function in functions:
                stack.enter_context(_adding_up(function, measured, part))
        starts = stack.enter_context(_counted_starts())
        plain = order_of(run_id, backups, profile, guardian)
        order = replace(plain, application=ROOT / "sample", python=Path(sys.executable))
        began = time.perf_counter()
        outcomes = run_drill(order, stack, lambda _: silent).outcomes
        measured[STAGES] = time.perf_counter() - began
        confined = len(starts)
        if any(outcome.state != "ok" for outcome in outcomes) or not confined:
            raise SystemExit(f"the drill did not get through its stages: {outcomes}")
        measured[CONFINED] = confined * _what_namespaces_add(guardian)
    return measured


@contextmanager
def _adding_up(function: str, measured: dict[str, float], part: str) -> Iterator[None]:
    """Adds the seconds of each call of the function, named by the module that calls it."""
    module, _, name = function.rpartition(".")
    real: Callable[..., Any] = getattr(sys.modules[module], name)

    def timing(*arguments: Any, **named: Any) -> Any:
        began = time.perf_counter()
        try:
            return real(*arguments, **named)
        finally:
            measured[part] += time.perf_counter() - began

    with patch(function, timing):
        yield


@contextmanager
def _counted_starts() -> Iterator[list[str]]:
    """The kinds of isolation of the programs that start confined."""
    starts: list[str] = []
    real = Isolation.around

    def counting(isolation: Isolation, *arguments: Any, **named: Any) -> list[str]:
        if isolation.confines:
            starts.append(isolation.kind)
        return real(isolation, *arguments, **named)

    with patch.object(Isolation, "around", counting):
        yield starts


def _what_namespaces_add(guardian: Guardian) -> float:
    """Seconds that one start takes longer than an open one: the medians of starts that take turns."""

    def start(isolation: Isolation) -> float:
        return timed(
            lambda: run_child(
                ["/bin/true"], environment=plain_environment(), guardian=guardian, isolation=isolation, limit=60
            )
        )

    turns = [(start(network_isolation()), start(OPEN)) for _ in range(_STARTS)]
    confined, unconfined = (statistics.median(seconds) for seconds in zip(*turns, strict=True))
    return max(0.0, confined - unconfined)
