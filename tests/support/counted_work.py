"""Counts what a reader does, in steps of our code and calls of C, and ends one whose work no size of input explains."""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

ENOUGH = 20
"""Seconds of processor time: hundreds of times of what a reader that is linear takes for what the tests give it."""


class EndlessWork(BaseException):
    """No reader may catch it."""


def steps(read: Callable[[], object], within: str = "/fixtures/") -> int:
    """How many lines are executed of files with `within` in their path, and functions of C that those call."""
    counted = 0

    def traced(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal counted
        if within not in frame.f_code.co_filename:
            return None
        counted += event == "line"
        return traced

    def profiled(frame: FrameType, event: str, _: Any) -> None:
        nonlocal counted
        counted += event == "c_call" and within in frame.f_code.co_filename

    before, profile = sys.gettrace(), sys.getprofile()
    sys.settrace(traced)
    sys.setprofile(profiled)
    try:
        read()
    finally:
        sys.settrace(before)
        sys.setprofile(profile)
    return counted


@contextmanager
def ends() -> Iterator[None]:
    """Raises EndlessWork in what takes a reader that is worse than linear hours: within a pattern's search there is
    nothing to count, and no size in between shows the two apart."""

    def give_up(number: int, frame: FrameType | None) -> None:
        raise EndlessWork(f"more than {ENOUGH} seconds of processor time")

    before = signal.signal(signal.SIGVTALRM, give_up)
    signal.setitimer(signal.ITIMER_VIRTUAL, ENOUGH)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
