"""A page that was ended for its time: of the admin it is told, of the profile's own addresses it is a finding."""

import pytest

from fixtures.checks.blocked import Blocked
from fixtures.checks.examination import Examination, Finding
from fixtures.checks.release.released import expect_pages
from fixtures.profile.release import Release
from fixtures.record.release import ReleaseRecord
from fixtures.record.release.standing import AskedPage, CutChoices, Standing
from fixtures.story.release_not_shown import not_shown_of_release
from tests.release.test_released import STANDING

RELEASE = Release.model_validate({"addresses": {"/login/": 200}, "page_seconds": 2})
FAST = AskedPage(address="admin: index", status=200, error="", seconds=0.1)
SLOW = AskedPage(address="admin: shop.Order, a row", status=None, error="", seconds=2.04, ended=True)
BROKEN = AskedPage(address="admin: shop.Order, the list", status=None, error="LookupError", seconds=0.1)
NAMED = AskedPage(address="/login/", status=None, error="", seconds=2.04, ended=True)


def standing(*pages: AskedPage) -> Standing:
    return STANDING.model_copy(update={"pages": pages, "admin_sites": 1, "admin_user": True})


def test_a_slow_page_of_the_admin_is_told_and_is_no_fault_of_the_release() -> None:
    examination = Examination()
    expect_pages(standing(FAST, SLOW), RELEASE, examination)
    assert examination.note == (
        "1 page of the admin took longer than 2 s, too slow at this size of data, and had to be ended: "
        "admin: shop.Order, a row (2.0 s)"
    )
    assert examination.examined == STANDING.url_patterns + 1
    (line,) = not_shown_of_release(ReleaseRecord(standing=standing(FAST, SLOW)), Release(not_rolling="it never is"))
    assert "admin: shop.Order, a row (2.0 s)" in line


def test_how_many_rows_a_long_select_holds_is_told() -> None:
    cut = (CutChoices(model="shop.Order", rows=30000), CutChoices(model="shop.Part", rows=None))
    record = ReleaseRecord(standing=standing(FAST).model_copy(update={"choices_cut": cut}))
    (line,) = not_shown_of_release(record, RELEASE)
    assert line.endswith("the first 100 were rendered: shop.Order (30,000 rows), shop.Part (rows not counted).")


def test_nothing_is_told_where_every_page_answers_in_its_time() -> None:
    examination = Examination()
    expect_pages(standing(FAST), RELEASE, examination)
    assert (examination.note, list(not_shown_of_release(ReleaseRecord(standing=standing(FAST)), RELEASE))) == ("", [])


def test_a_page_that_breaks_is_found_beside_slow_ones() -> None:
    with pytest.raises(Finding) as finding:
        expect_pages(standing(FAST, SLOW, BROKEN), RELEASE, Examination())
    assert finding.value.samples == ("admin: shop.Order, the list: LookupError",)


def test_an_address_that_the_profile_names_fails_where_it_is_ended() -> None:
    with pytest.raises(Finding) as finding:
        expect_pages(standing(FAST, NAMED), RELEASE, Examination())
    assert finding.value.samples == ("/login/: ended after 2.0 s, and no answer",)


def test_an_admin_of_which_no_page_was_seen_to_answer_is_not_passed() -> None:
    with pytest.raises(Blocked, match="each of the admin's 2 pages was ended after 2 s"):
        expect_pages(standing(SLOW, SLOW), RELEASE, Examination())


def test_no_more_pages_are_named_than_a_line_holds() -> None:
    examination = Examination()
    expect_pages(standing(FAST, *[SLOW] * 7), RELEASE, examination)
    assert examination.note.count("shop.Order") == 5
    assert examination.note.endswith("and 2 more")
