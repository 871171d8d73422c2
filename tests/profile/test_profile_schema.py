"""An editor that has the schema that is shipped completes and checks a profile; each key says what it is."""

import json
import re
import tomllib
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel

from fixtures.profile import Profile, schema
from fixtures.profile.columns import KEY, Column, NoColumn
from fixtures.profile.environment import PLACEHOLDERS
from fixtures.profile.rule_header import RuleHeader
from fixtures.record.names import TableName

SHIPPED: dict[str, Any] = json.loads(schema.SCHEMA.read_text())
PROFILES = sorted(
    (*schema.ROOT.glob("verify/profiles/*/profile.toml"), *schema.ROOT.glob("tests/apps/*/profile/profile.toml"))
)
PARTS = {part.headings[0]: part for part in schema.parts(SHIPPED)}

Leaf = tuple[str, Any, tuple[Any, ...], tuple[type[BaseModel], ...]]


def read(file: Path) -> dict[str, Any]:
    """A profile as JSON has it."""
    values: dict[str, Any] = json.loads(json.dumps(tomllib.loads(file.read_text()), default=str))
    return values


def leaves(shapes: tuple[type[BaseModel], ...] = (Profile,)) -> Iterator[Leaf]:
    """Every text and table that a profile may hold: its key, its type, its marks, and the shapes around it."""
    for name, field in shapes[-1].model_fields.items():
        yield from within(f"{shapes[-1].__name__}.{name}", field.annotation, tuple(field.metadata), shapes)


def within(key: str, annotation: Any, marks: tuple[Any, ...], shapes: tuple[type[BaseModel], ...]) -> Iterator[Leaf]:
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        yield from within(key, inner[0], (*marks, *annotation.__metadata__), shapes)
    elif origin in (Union, types.UnionType, tuple, dict):
        for each in inner:
            yield from within(key, each, marks, shapes)
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield from leaves((*shapes, annotation))
    elif annotation in (str, TableName):
        yield key, annotation, marks, shapes


def type_at(of: str, shapes: tuple[type[BaseModel], ...]) -> Any:
    """The type that a column's table has by the models, whatever a profile holds."""
    around, shape = list(shapes), shapes[0] if of.startswith("/") else shapes[-1]
    for step in filter(None, of.split("/")):
        if step == "..":
            around.pop()
            shape = around[-1]
        elif step.startswith("{"):
            assert step.strip("{}") in shapes[-1].model_fields
        elif step in shape.model_fields:
            shape = bare(shape.model_fields[step].annotation)
        else:
            getter: Any = getattr(shape, step)
            shape = bare(get_type_hints(getter.fget)["return"])
    return shape


def bare(annotation: Any) -> Any:
    """What a field is, or is one of, or is None instead of."""
    inner = [each for each in get_args(annotation) if each not in (type(None), Ellipsis)]
    return bare(inner[0]) if inner else annotation


def test_the_schema_and_the_list_of_keys_that_are_shipped_are_those_of_the_models() -> None:
    assert schema.SCHEMA.read_text() == schema.text(), "write it anew: make schema"
    assert schema.PAGE.read_text() == schema.page(), "write it anew: make schema"
    Draft202012Validator.check_schema(SHIPPED)


@pytest.mark.parametrize("file", PROFILES, ids=lambda file: str(file.relative_to(schema.ROOT)))
def test_each_profile_fits_it_and_names_it_to_editors(file: Path) -> None:
    Draft202012Validator(SHIPPED).validate(read(file))
    first = file.read_text().splitlines()[0]
    assert (file.parent / first.removeprefix("#:schema ")).resolve() == schema.SCHEMA
    assert len(PROFILES) >= 4


@pytest.mark.parametrize(
    "spoiled",
    [
        {"tenency": {"root": "igny8_tenants"}},
        {"targets": {"rpo_hours": 26, "rto_minute": 60}},
        {"targets": {"rpo_hours": "26", "rto_minutes": 60}},
        {"targets": {"rpo_hours": 26}},
        {"exempt": {"TEN-4": "no generic foreign keys in this application"}},
        {"exempt": {"TEN-04": "none"}},
        {"tolerated": {"function x": "is meant to be there"}},
        {"ledger": [{"name": "credits"}]},
    ],
    ids=str,
)
def test_what_no_profile_may_say_does_not_fit_it(spoiled: dict[str, Any]) -> None:
    assert not Draft202012Validator(SHIPPED).is_valid(read(PROFILES[-1]) | spoiled)


def test_every_key_says_what_it_is_in_the_section_of_its_part() -> None:
    page = schema.PAGE.read_text()
    for heading, part in PARTS.items():
        _, _, rest = page.partition(f"\n### `{heading}`\n")
        section = rest.partition("\n### ")[0]
        for key, field in part.definition["properties"].items():
            assert field.get("description", "").endswith((".", '".', '"."')), f"say below {heading} {key} what it is"
            assert f"| `{key}` |" in section, (heading, key)
    assert {"[hosts]", "[[tenancy.soft_reference]]", "[tenancy.login.members.groups]", "[[files]]"} <= PARTS.keys()


def test_every_text_is_a_column_of_a_table_or_said_to_be_none() -> None:
    all_leaves = list(leaves())
    assert len(all_leaves) > 150
    for key, kind, marks, shapes in all_leaves:
        columns = [mark for mark in marks if isinstance(mark, Column)]
        if kind is str:
            assert columns or any(isinstance(mark, NoColumn) for mark in marks), f"{key}: Column(of=…), or Text"
        for column in columns:
            assert column.of == KEY or type_at(column.of, shapes) is TableName, f"{key} is of no table: {column.of}"


def test_every_key_of_a_rules_header_is_listed() -> None:
    section = schema.PAGE.read_text().partition("\n### `rules/*.sql`\n")[2]
    for key in RuleHeader.model_fields:
        assert f"| `{key}` |" in section


def test_every_placeholder_of_the_settings_is_listed() -> None:
    said = PARTS["[application]"].definition["properties"]["environment"]["description"]
    assert set(re.findall(r"\{([a-z]+)\}", said)) == set(PLACEHOLDERS)
