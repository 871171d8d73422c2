"""evidence.json can be checked by anyone with the schema that is shipped, and no field of it could hold a row."""

import json
from collections.abc import Iterator
from typing import Any, Literal

import pytest
from jsonschema import Draft202012Validator

from fixtures.record.shape import Shape
from fixtures.record.texts import HOLDS, KINDS, Name, OwnWords
from reports import schema
from tests.support import evidence_examples as examples

SHIPPED: dict[str, Any] = json.loads(schema.SCHEMA.read_text())
# What a text can be checked against is no free text.
BOUND = ("enum", "pattern", "format", "const")


def fields() -> Iterator[tuple[str, dict[str, Any]]]:
    for shape, definition in schema.shapes(SHIPPED):
        for name, field in definition["properties"].items():
            yield f"{shape}.{name}", field


def parts(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A field's own types: itself, its alternatives, what its lists hold, the keys and values of its maps."""
    yield node
    inner = [*node.get("anyOf", ()), *([node["items"]] if node.get("type") == "array" else [])]
    if node.get("type") == "object":
        inner += [{"type": "string", **node.get("propertyNames", {})}, node["additionalProperties"]]
    for each in inner:
        yield from parts(each)


def free(part: dict[str, Any]) -> bool:
    """Whether a text could be anything."""
    return part.get("type") == "string" and not any(each in part for each in BOUND) and part.get(HOLDS) not in KINDS


def test_the_schema_and_the_page_that_are_shipped_are_those_of_the_code() -> None:
    assert schema.SCHEMA.read_text() == schema.text(), "write it anew: make schema"
    assert schema.PAGE.read_text() == schema.page(), "write it anew: make schema"
    Draft202012Validator.check_schema(SHIPPED)


@pytest.mark.parametrize("drill", [examples.verified, examples.failed, examples.inconclusive])
def test_every_drills_evidence_fits_it(drill) -> None:
    Draft202012Validator(SHIPPED).validate(json.loads(drill().model_dump_json()))


def test_another_field_another_verdict_and_a_missing_part_do_not() -> None:
    whole = json.loads(examples.verified().model_dump_json())
    validator = Draft202012Validator(SHIPPED)
    for spoiled in (
        whole | {"rows": [1]},
        whole | {"verdict": "FINE"},
        {name: value for name, value in whole.items() if name != "completeness"},
    ):
        assert not validator.is_valid(spoiled)


def test_every_object_names_all_that_it_may_hold() -> None:
    """Free objects are maps of names to figures, digests and settings; there is none that takes what comes."""
    for name, shape in SHIPPED["$defs"].items():
        assert shape.get("type") != "object" or shape.get("additionalProperties") is False, name


def test_every_field_says_what_it_holds() -> None:
    silent = [name for name, field in fields() if not field.get("description", "").endswith(".")]
    assert not silent, "say below these fields what they hold"
    page = schema.PAGE.read_text()
    assert all(f"| `{name.partition('.')[2]}` |" in page for name, _ in fields())


def test_no_field_takes_what_comes() -> None:
    """A type that is not named could be anything; so could a map to it."""
    for name, field in fields():
        for part in parts(field):
            assert {"type", "$ref", "anyOf", "const", "enum"} & part.keys(), name
            assert part.get("type") != "object" or part["additionalProperties"] not in (True, {}), name


def test_every_text_that_is_not_bound_says_what_it_holds() -> None:
    unsaid = [name for name, field in fields() if any(free(part) for part in parts(field))]
    assert not unsaid, "see that nothing of a row can reach these, then give them a type of fixtures/record/texts.py"


def test_a_text_that_says_nothing_of_itself_is_found() -> None:
    class Silent(Shape):
        said: dict[Name, tuple[OwnWords, ...]]
        key: dict[str, int]
        nested: tuple[str | None, ...]
        bound: Literal["a", "b"]

    properties = Silent.model_json_schema(mode="serialization")["properties"]
    assert [name for name in properties if any(free(part) for part in parts(properties[name]))] == ["key", "nested"]
