"""What is broken was looked at: no sentence has more of it than there is, however the whole was counted."""

import pytest
from psycopg import sql

from fixtures.checks.access import Access
from fixtures.checks.databases import Database
from fixtures.checks.examination import Examination, Finding
from fixtures.checks.probe import Accepted, Probe
from fixtures.record.facts import Facts
from tests.support.kept_server import kept_server

TWO, NONE = sql.SQL("SELECT n AS id FROM generate_series(1, 2) n"), sql.SQL("SELECT 1 AS id WHERE false")
MEANT = Accepted(TWO, "are meant", "ownerless", "as agreed", at_most=1)


@pytest.mark.parametrize(
    ("of", "counted", "says"), [(0, None, "2 of 2 files"), (0, 7, "7 of 7 files"), (9, None, "2 of 9 files")]
)
def test_a_finding_has_no_more_broken_than_it_looked_at(of: int, counted: int | None, says: str) -> None:
    examination = Examination()
    with pytest.raises(Finding) as found:
        examination.expect_none(["one", "other"], "are broken", of=of, unit="files", counted=counted)
    assert (found.value.message, examination.examined) == (f"{says} are broken", int(says.split()[2]))


@pytest.mark.parametrize(
    ("broken", "accepted", "says"),
    [(TWO, (), "2 of 2 rows are lost"), (NONE, (MEANT,), "2 of 2 rows are meant, which accepts at most 1")],
)
def test_nor_has_one_that_is_asked_of_a_database(
    broken: sql.Composable, accepted: tuple[Accepted, ...], says: str
) -> None:
    probe = Probe(broken, sql.SQL("SELECT 0"), "are lost", accepted=accepted)
    examination, access = Examination(), Access("", 0, "", "", "", "", "", b"key")
    with kept_server() as server, server.reading("postgres") as session, pytest.raises(Finding, match=f"^{says}$"):
        Database(Facts.model_construct(), examination, access, "postgres", session).expect_none(probe)
    assert all(" of 0 " not in note for note in examination.note.split("; "))
    assert bool(accepted) == ("2 of 2 rows are meant: as agreed" in examination.note)


def test_what_was_not_looked_at_and_breaks_nothing_counts_as_nothing() -> None:
    examination = Examination()
    examination.expect_none([], "are broken", of=0, unit="files")
    assert examination.examined == 0
