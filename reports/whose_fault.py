"""Tells whether faults are in production, or came of the backup or its restore: from what was compared with the source."""

from collections.abc import Iterable

from fixtures.record.evidence import Result
from reports import words

_MOST_IDS = 6
# Together they say that every table has the source's rows, value by value.
_EQUAL = ("FID-01", "FID-04")


def whose_fault(results: Iterable[Result]) -> str:
    """One sentence; empty where nothing is wrong with rows and none differs from the source's."""
    tried = list(results)
    compared = [result for result in tried if result.control.startswith("FID")]
    faults = [result for result in tried if result.outcome == "failed" and result.in_backup and result not in compared]
    unlike = [result for result in compared if result.outcome in ("failed", "waived")]
    if unlike:
        more = f"; whether production has the faults of {_ids(faults)} is not known" if faults else ""
        return f"The backup or its restore damaged it: what was restored is not what the source held ({_ids(unlike)}){more}."
    if not faults:
        return ""
    passed = {result.control for result in compared if result.outcome == "passed"}
    if passed.issuperset(_EQUAL) and not any(result.outcome == "blocked" for result in compared):
        return (
            "The restored data equals the source at its snapshot: the backup is faithful, and these faults are in "
            f"production now: {_ids(faults)}."
        )
    return (
        "The restored data could not be compared with the source: whether production or the backup alone has the faults of "
        f"{_ids(faults)} is not known."
    )


def _ids(results: list[Result]) -> str:
    return words.few(sorted({result.control for result in results}), _MOST_IDS)
