"""Holds SECURITY.md to its word: each promise names a test, and the test is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_ROW = re.compile(
    r"^\| (?!promise|-)(?P<promise>[^|]+) \| `(?P<file>tests/[\w/]+\.py)::(?P<test>\w+)` \|$", re.MULTILINE
)
TEXT = (ROOT / "SECURITY.md").read_text()


@pytest.mark.parametrize("row", list(_ROW.finditer(TEXT)), ids=lambda row: row["test"])
def test_each_promise_has_its_test(row: re.Match[str]) -> None:
    assert f"\ndef {row['test']}(" in (ROOT / row["file"]).read_text(), row["promise"]


def test_no_promise_stands_there_without_one() -> None:
    _, promises = TEXT.split("## Promises and their tests")
    rows = [line for line in promises.splitlines() if line.startswith("| ") and not line.startswith("| promise")]
    assert len(rows) == len(list(_ROW.finditer(TEXT)))
