"""A restore that failed names what the server said, the most telling first, and counts what it leaves out."""

from fixtures.record.restored import ErrorLine
from fixtures.restore.failure import failure
from tests.support import record_examples

RESTORED = record_examples.record().restored


def cause(*lines: ErrorLine) -> str:
    assert RESTORED is not None
    failed = failure(RESTORED.model_copy(update={"lines": lines}), ())
    return failed.cause if failed is not None else ""


def test_each_thing_that_was_said_is_named_once() -> None:
    harmless = ErrorLine(kind="harmless", text='schema "public" already exists', count=1)
    assert cause(harmless) == ""
    of_data = ErrorLine(kind="data", text="a row of b breaks c", count=3)
    of_role = ErrorLine(kind="role", text='role "x" does not exist', count=2)
    assert cause(harmless, of_data, of_role) == (
        'the dump names a role that is not there: role "x" does not exist; a row of b breaks c'
    )


def test_what_is_not_named_is_counted() -> None:
    lines = [ErrorLine(kind="data", text=f"a row of t{number} breaks c", count=2) for number in range(8)]
    assert cause(*lines).startswith("rows of the dump were refused: a row of t0 breaks c; a row of t1 breaks c; ")
    assert cause(*lines).endswith("; a row of t4 breaks c; and 6 other lines")
