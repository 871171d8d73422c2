"""Whether production has a fault, or the backup made it, follows from what was compared with the source."""

import pytest

from fixtures.record.evidence import Result
from reports.whose_fault import whose_fault
from tests.support import evidence_examples as examples

WRONG = examples.result("BIL-02", "credits", "failed", in_backup=True)
MADE_BY_MIGRATIONS = examples.result("BIL-02", "credits", "failed", in_backup=False)
EQUAL = (examples.result("FID-01", "public.a"), examples.result("FID-04", "public.a"))
LOST = examples.result("FID-01", "public.b", "failed")
UNTRIED = tuple(examples.result(id, "not-enumerated", "blocked") for id in ("FID-01", "FID-04"))


@pytest.mark.parametrize(
    ("results", "begins", "ids"),
    [
        ((*EQUAL, WRONG), "The restored data equals the source at its snapshot: the backup is faithful", "BIL-02"),
        ((*EQUAL, LOST), "The backup or its restore damaged it", "FID-01"),
        ((*EQUAL, LOST, WRONG), "The backup or its restore damaged it", "BIL-02"),
        ((*UNTRIED, WRONG), "The restored data could not be compared with the source", "BIL-02"),
        ((*EQUAL[:1], WRONG), "The restored data could not be compared with the source", "BIL-02"),
        ((*EQUAL, *UNTRIED, WRONG), "The restored data could not be compared with the source", "BIL-02"),
    ],
)
def test_whose_fault_it_is_follows_from_what_was_compared(results: tuple[Result, ...], begins: str, ids: str) -> None:
    sentence = whose_fault(results)
    assert sentence.startswith(begins)
    assert ids in sentence


def test_nothing_is_said_where_there_is_nothing_to_say_it_of() -> None:
    assert whose_fault(EQUAL) == ""
    assert whose_fault((*EQUAL, MADE_BY_MIGRATIONS)) == "", (
        "what migrations made is neither in production nor in the backup"
    )
    assert whose_fault((*EQUAL, examples.result("SIT-03", "whole", "failed"))) == "", (
        "files are compared with no source"
    )
