"""What [release] accepts of rows and of settings has its bound: what is beyond it is told, and all of it is counted."""

from collections.abc import Callable
from contextlib import nullcontext

import pytest

from fixtures.checks.examination import Examination, Finding
from fixtures.checks.release.accepted import deploy_problems, expect_every_row_stays, expect_no_row_lost, tables_lost
from fixtures.checks.tenancy.kept_owners import Exchanged
from fixtures.profile.release import Release
from fixtures.record.names import TableName
from tests.release.test_released import STANDING
from tests.support.catalogues import table

NOTES = TableName("public", "notes")
WHY = "the old notes were imported twice"
UP_TO_TWO = {"public.notes": {"at_most": 2, "reason": WHY}}


def release(**declared: object) -> Release:
    return Release.model_validate(declared)


def counted(examination: Examination) -> list[tuple[str, str, int, int | None]]:
    return [(each.what, each.entry, each.count, each.at_most) for each in examination.excepted]


@pytest.mark.parametrize(
    ("after", "declared", "message"),
    [
        (9, {}, "1 of 10 rows are gone"),
        (8, UP_TO_TWO, ""),
        (7, UP_TO_TWO, "3 of 10 rows are gone; public.notes: 3 rows, and its entry accepts at most 2"),
        (10, UP_TO_TWO, "[release.lost] names this table, and no row of it is gone: remove the entry"),
        (11, UP_TO_TWO, "[release.lost] names this table, and no row of it is gone: remove the entry"),
    ],
)
def test_rows_are_lost_up_to_the_bound(after: int, declared: dict[str, object], message: str) -> None:
    examination = Examination()
    said = _said(lambda: expect_no_row_lost(NOTES, 10, after, release(lost=declared), examination))
    assert (said, examination.examined) == (message, 10)
    assert counted(examination) == ([("lost", "public.notes", max(0, 10 - after), 2)] if declared else [])


def test_a_table_is_dropped_with_rows_in_it_up_to_the_bound() -> None:
    for rows, broken in ((2, []), (3, ["public.notes: 3 rows, and its entry accepts at most 2"])):
        examination = Examination()
        dropped = table("notes").model_copy(update={"rows": rows})
        assert tables_lost([dropped], release(lost=UP_TO_TWO), examination) == broken
        assert counted(examination) == [("lost", "public.notes", rows, 2)]
        assert tables_lost([dropped], release(), Examination()) == [f"public.notes ({rows} rows)"]


@pytest.mark.parametrize(
    ("exchange", "message", "samples"),
    [
        (Exchanged(9, ("id=1", "id=2"), 2, 0), "", ()),
        (Exchanged(9, (), 0, 2), "", ()),
        (
            Exchanged(9, ("id=1", "id=2"), 2, 1),
            "3 of 9 rows have another tenant, or were replaced by other rows; public.notes: 3 rows, and its entry accepts at "
            "most 2",
            ("id=1", "id=2", "1 rows are gone, and other rows replaced them"),
        ),
        (Exchanged(9, (), 0, 0), "is named in [release.moved], and no row changed its tenant: remove the entry", ()),
    ],
)
def test_rows_change_their_tenant_up_to_the_bound(exchange: Exchanged, message: str, samples: tuple[str, ...]) -> None:
    examination = Examination()
    with pytest.raises(Finding) if message else nullcontext() as told:
        expect_every_row_stays(NOTES, exchange, release(moved=UP_TO_TWO), examination)
    if told is not None:
        assert (told.value.message, told.value.samples) == (message, samples)
    assert examination.examined == 9
    assert counted(examination) == [("moved", "public.notes", exchange.moved_total + exchange.gone, 2)]


def test_what_a_deployment_is_warned_of_is_accepted_up_to_the_bound() -> None:
    check = "security.W008"
    accepted = release(deploy_checks={check: {"at_most": 1, "reason": "TLS ends before the application"}})
    for said, problems in (
        ((check,), []),
        ((check, check), [f"{check}: 2 messages, and its entry accepts at most 1"]),
        ((check, "security.W009"), ["security.W009"]),
        ((), [f"{check}, accepted by the profile, and no longer reported: remove the entry"]),
    ):
        examination = Examination()
        standing = STANDING.model_copy(update={"deploy_problems": said})
        assert deploy_problems(standing, accepted, examination) == problems
        assert counted(examination) == ([("deploy_checks", check, said.count(check), 1)] if said else [])


def _said(tried: Callable[[], None]) -> str:
    try:
        tried()
    except Finding as finding:
        return finding.message
    return ""
