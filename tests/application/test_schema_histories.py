"""A migrate that goes from schema to schema is followed in each, and a schema that lacks what others have is named."""

import pytest

from fixtures.application.migration_output import Applying
from fixtures.application.schema_histories import histories
from fixtures.record.migrated import SchemaHistory

# What `migrate -v 2 --no-color` of django-tenants 4.0 prints, and of the versions before it, which end each write.
PRINTED = (
    "[standard:public] === Starting migration",
    "[standard:public]   Applying shop.0002_note... OK (0.010s)",
    "[1/2 (50%) standard:acme] === Starting migration",
    "[1/2 (50%) standard:acme]   Applying shop.0002_note... OK (0.020s)",
    "[2/2 (100%) standard:globex]   Applying shop.0001_initial...",
    "[2/2 (100%) standard:globex]  OK (0.030s)",
    "[2/2 (100%) standard:globex]   Applying shop.0002_note...",
    "[2/2 (100%) standard:globex]  OK (0.040s)",
)
NODES = frozenset({"shop.0001_initial", "shop.0002_note"})
SCHEMAS = ("public", "acme", "globex")


def test_what_is_applied_is_read_with_the_schema_that_it_is_applied_in() -> None:
    applying = Applying(("shop.0002_note",), nodes=NODES, schemas=SCHEMAS)
    for line in PRINTED:
        applying.line("stdout", line)
    assert [(each.schema_name, each.name, each.seconds) for each in applying.applied] == [
        ("public", "0002_note", 0.01),
        ("acme", "0002_note", 0.02),
        ("globex", "0001_initial", 0.03),
        ("globex", "0002_note", 0.04),
    ]
    assert applying.current is None


@pytest.mark.parametrize(
    "line",
    [
        "[standard:elsewhere]   Applying shop.0002_note... OK",
        "[standard:acme]   Applying shop.0009_of_nobody... OK",
        "  Applying shop.0001_initial... OK",
    ],
)
def test_a_line_that_names_no_schema_or_no_migration_of_the_codes_is_not_believed(line: str) -> None:
    applying = Applying(("shop.0002_note",), nodes=NODES, schemas=SCHEMAS)
    applying.line("stdout", line)
    assert applying.applied == []


FIRST, NOTE = ("shop", "0001_initial"), ("shop", "0002_note")
SHARED, NEW, GONE = ("customers", "0001_initial"), ("stock", "0001_initial"), ("shop", "0000_gone")
KNOWN = frozenset(".".join(each) for each in (FIRST, NOTE, SHARED, NEW))


def lacking(**recorded: frozenset[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    return {each.schema_name: each.lacks for each in histories(KNOWN, recorded, recorded) if each.lacks}


def test_a_schema_that_lacks_what_others_have_is_named() -> None:
    whole = frozenset({FIRST, NOTE, NEW})
    assert lacking(a=whole, b=whole, c=whole) == {}
    assert lacking(a=whole, b=whole - {NOTE}, c=whole) == {"b": ("shop.0002_note",)}
    # Every tenant behind the shared schema's history, and a whole application that one lacks.
    assert lacking(public=whole, b=whole - {NOTE}, c=whole - {NOTE}) == dict.fromkeys("bc", ("shop.0002_note",))
    assert lacking(a=whole, b=whole - {NEW}, c=whole) == {"b": ("stock.0001_initial",)}


def test_what_the_shared_schema_has_alone_and_what_the_code_has_no_more_is_nobodys_lack() -> None:
    tenants = frozenset({FIRST, NOTE})
    assert lacking(public=frozenset({SHARED}), b=tenants, c=tenants | {GONE}) == {
        "public": ("shop.0001_initial", "shop.0002_note")
    }
    assert histories(KNOWN, {"public": tenants}, {"public": tenants}) == ()


def test_what_the_migrations_mended_is_told_of_the_backup() -> None:
    before = {"a": frozenset({FIRST, NOTE}), "b": frozenset({FIRST})}
    after = dict.fromkeys("ab", frozenset({FIRST, NOTE}))
    assert histories(KNOWN, before, after)[1] == SchemaHistory(
        schema_name="b", lacked_before=("shop.0002_note",), lacks=()
    )
