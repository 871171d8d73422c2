"""Names of tables survive being written down, read back and put into SQL; what is told of a key is no person's text."""

from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from fixtures.checks.masking import masked, masked_text
from fixtures.record.names import TableName

KEY = b"of this drill alone"


@pytest.mark.parametrize(
    ("text", "schema", "name"),
    [
        ("igny8_sites", "public", "igny8_sites"),
        ("igny8_reports.site_content", "igny8_reports", "site_content"),
        ("igny8_AuditTrail", "public", "igny8_AuditTrail"),
        ('"igny8_AuditTrail"', "public", "igny8_AuditTrail"),
        ('Sales."a.b"', "Sales", "a.b"),
        ('"say ""when""".t', 'say "when"', "t"),
        ("two words", "public", "two words"),
    ],
)
def test_a_name_is_read_as_written_and_reads_back(text: str, schema: str, name: str) -> None:
    parsed = TableName.parse(text)
    assert parsed == TableName(schema, name)
    assert TableName.parse(str(parsed)) == parsed


@pytest.mark.parametrize("text", ["", ".", "a.", ".a", "a..b", '"', 'a"b', '"a"b', "a.b.c"])
def test_what_is_no_name_is_refused_with_the_way_to_write_one(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a table's name: .*\(write (table or )?schema\.table\)"):
        TableName.parse(text)


def test_a_name_goes_into_sql_quoted_whatever_is_in_it() -> None:
    assert TableName("public", 'x"; DROP TABLE y; --').identifier.as_string() == '"public"."x""; DROP TABLE y; --"'


def test_names_are_sorted_by_schema_first() -> None:
    names = [TableName("b", "a"), TableName("a", "b"), TableName("a", "a")]
    assert [str(name) for name in sorted(names)] == ["a.a", "a.b", "b.a"]


def test_surrogate_keys_and_figures_are_told_as_they_are() -> None:
    row = {"id": 17, "task_key": UUID(int=5), "day": date(2026, 1, 2), "difference": Decimal("-0.010"), "parent": None}
    assert masked(row, KEY) == (
        "id=17 task_key=00000000-0000-0000-0000-000000000005 day=2026-01-02 difference=-0.010 parent=None"
    )
    assert (
        masked({"at": datetime(2026, 1, 2, tzinfo=UTC), "live": True}, KEY) == "at=2026-01-02 00:00:00+00:00 live=True"
    )


@pytest.mark.parametrize("value", ["someone@example.org", b"4539148803436467", ["Ottoline"], {"name": "Ottoline"}, ""])
def test_anything_that_a_person_may_have_written_is_told_as_a_keyed_hash(value: object) -> None:
    sample = masked({"key": value}, KEY)
    assert sample == f"key={masked_text(str(value), KEY)}"
    assert sample.startswith("key=hmac:")
    assert len(sample) == len("key=hmac:") + 12


def test_the_same_text_has_the_same_hash_in_one_drill_and_another_in_the_next() -> None:
    assert masked_text("acme", KEY) == masked_text("acme", KEY) != masked_text("acme", b"of the next drill")
