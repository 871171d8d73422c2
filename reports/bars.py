"""Bars of the plots: what took how much of the whole, on one axis."""

from dataclasses import dataclass
from itertools import accumulate


@dataclass(frozen=True)
class Bar:
    """A share of the whole, in percent from the left: what a bar of a plot is drawn from."""

    start: float
    width: float


def one_after_another(seconds: list[float]) -> list[Bar]:
    """One bar for each length of time, on one axis, each beginning where the one before ends."""
    whole = sum(seconds) or 1.0
    starts = accumulate(seconds, initial=0.0)
    return [
        Bar(round(100 * start / whole, 2), round(100 * length / whole, 2))
        for start, length in zip(starts, seconds, strict=False)
    ]
