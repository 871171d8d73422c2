"""A pass of the control that asks the application says on how many of its addresses it rests."""

import pytest

from fixtures.checks.examination import Examination
from fixtures.checks.tenancy.visited_addresses import expect_own_rows_alone
from fixtures.profile.people import Visits
from fixtures.record.visited import AskedAddress, Visited
from reports import words
from tests.support import evidence_examples as examples


@pytest.mark.parametrize("tried", [1, 600])
def test_a_pass_on_one_address_does_not_read_like_one_on_all(tried: int) -> None:
    asked = [AskedAddress(pattern=f"a{each}/", kind="list", asked=2, shown=0) for each in range(tried)]
    closed = [
        AskedAddress(pattern=f"b{each}/", kind="list", asked=0, shown=0, why="closed") for each in range(666 - tried)
    ]
    examination = Examination()
    expect_own_rows_alone(Visited(visitors=2, addresses=(*asked, *closed)), Visits(), examination)
    result = examples.result("TEN-16", examined=examination.examined, out_of=examination.out_of, unit=examination.unit)
    assert words.looked_at(result) == f"{tried} of 666 addresses examined"
