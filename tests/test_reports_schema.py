"""evidence.json can be checked by anyone with the schema that is shipped, and no field of it could hold a row."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from reports import schema
from tests import evidence_examples as examples

SHIPPED: dict[str, Any] = json.loads(schema.SCHEMA.read_text())


def test_the_schema_that_is_shipped_is_that_of_the_code() -> None:
    assert schema.SCHEMA.read_text() == schema.text(), "write it anew: .venv/bin/python -m reports.schema"
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
