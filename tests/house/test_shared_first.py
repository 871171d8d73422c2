"""Each worker begins with the tests that share what is costly to make, and no test is lost by that."""

from itertools import groupby

import pytest

from tests.support.shared_first import ROOT, SHARED, in_shares, shared_in


def group(item: pytest.Item) -> str:
    return shared_in(item.nodeid.partition("::")[0])


@pytest.mark.parametrize("workers", [1, 2, 3, 8])
def test_no_test_is_lost_and_what_is_shared_comes_first_in_one_part(
    request: pytest.FixtureRequest, workers: int
) -> None:
    items = request.session.items
    ordered = in_shares(items, workers)
    assert sorted(item.nodeid for item in ordered) == sorted(item.nodeid for item in items)
    shared = [(name, list(part)) for name, part in groupby(ordered, group) if name]
    # Each group is in one piece.
    assert len({name for name, _ in shared}) == len(shared)
    if workers > 1 and all(len(part) <= len(items) // workers for _, part in shared):
        beginnings = {sum(_shares(len(items), workers)[:number]) for number in range(workers)}
        assert {ordered.index(part[0]) for _, part in shared} <= beginnings


def test_each_kind_of_what_is_shared_is_asked_for_by_some_file() -> None:
    files = [str(path.relative_to(ROOT)) for path in (ROOT / "tests").rglob("test_*.py")]
    assert {shared_in(file) for file in files} == {"", *SHARED}


def _shares(left: int, workers: int) -> list[int]:
    """As the scheduler gives them out: what is left by the workers that are left, rounded down."""
    shares = []
    for number in range(workers):
        shares.append(left // (workers - number))
        left -= shares[-1]
    return shares
