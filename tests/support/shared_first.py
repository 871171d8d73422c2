"""Orders the tests so that what a session makes once is made in one worker, and the workers end together.

With --dist worksteal each of n workers begins with one nth of the tests in their order, and one that has ended takes half of
what another has left, from its end. So each group of tests that share something costly stands at the beginning of a worker's
part: it is done before anything is taken from there."""

import re
from collections.abc import Sequence
from functools import cache
from itertools import islice
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# By what it costs. Who asks for both is with the first.
SHARED = {
    "a drill": re.compile(
        r"^def (?:test_)?\w+\([^)]*\b(?:standing|short_drill|healthy_drill|second_drill|drilling):", re.M
    ),
    "a gate, or the application": re.compile(r"^def (?:test_)?\w+\([^)]*\b(?:gate: Drill|place: Bench)", re.M),
}


def in_shares(items: Sequence[pytest.Item], workers: int) -> list[pytest.Item]:
    """The same tests, where the nth group that shares something begins the nth worker's part.

    All that a worker has no group for, and all that is shared by nobody, keeps its order."""
    groups: dict[str, list[pytest.Item]] = {name: [] for name in SHARED}
    others: list[pytest.Item] = []
    for item in items:
        groups.get(shared_in(item.nodeid.partition("::")[0]), others).append(item)
    begin = list(groups.values())
    rest = iter([*(item for group in begin[workers:] for item in group), *others])
    ordered: list[pytest.Item] = []
    for number in range(workers):
        # As the scheduler counts it.
        share = (len(items) - len(ordered)) // (workers - number)
        part = begin[number] if number < len(begin) else []
        ordered += [*part, *islice(rest, max(0, share - len(part)))]
    return [*ordered, *rest]


@cache
def shared_in(file: str) -> str:
    """What tests of this file, by their parameters, want of a session; empty for files that share nothing."""
    text = (ROOT / file).read_text()
    return next((name for name, pattern in SHARED.items() if pattern.search(text)), "")
