"""Measures what one thing more takes of Python's memory, wherever a reader could keep it."""

import tracemalloc
from collections.abc import Callable

TIMES = 4


def bytes_for_one_more(run: Callable[[int], object], few: int) -> float:
    """Bytes by which the highest mark of `run(number)` grows with each, from `few` to four times as many.

    What each of the first few costs is no part of it, nor what is held up to a bound below `few`."""
    run(few)
    return (_highest(run, few * TIMES) - _highest(run, few)) / (few * TIMES - few)


def _highest(run: Callable[[int], object], number: int) -> int:
    tracemalloc.start()
    try:
        run(number)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
