"""Writes the JSON schema of evidence.json, and the same for people in docs/evidence.md: `make schema`."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fixtures.record.evidence import Evidence
from fixtures.record.texts import HOLDS, KINDS

SCHEMA = Path(__file__).with_name("evidence.schema.json")
PAGE = Path(__file__).resolve().parents[1] / "docs" / "evidence.md"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
WHOLE = "Evidence"
_DEFINITION = "#/$defs/"


def schema() -> dict[str, Any]:
    """Of what is written, not of what would be read: everything that is always there is required."""
    whole = {"$schema": DIALECT, **Evidence.model_json_schema(mode="serialization")}
    for _, definition in shapes(whole):
        for property in definition["properties"].values():
            if "description" in property:
                property["description"] = " ".join(property["description"].split())
    return whole


def shapes(whole: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every shape with fields, by its name: the evidence itself first."""
    yield WHOLE, whole
    for name, definition in sorted(whole["$defs"].items()):
        if "properties" in definition:
            yield name, definition


def text() -> str:
    return json.dumps(schema(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def page() -> str:
    """docs/evidence.md: a table for each shape."""
    whole = schema()
    lines = [
        "# evidence.json, field by field",
        "",
        "Written by `make schema` from the shapes in `fixtures/record/`, as is `reports/evidence.schema.json` for machines.",
        "No field can hold a row: there are counts, digests, names out of the catalogue, surrogate keys, and masks in place",
        "of whatever a person may have written. Moments are UTC, sizes bytes, digests SHA-256 in lower-case hex, unless the",
        "field says otherwise. Of every text that is bound to no list and no pattern, its type says what may stand in it:",
        "",
        "| text | holds |",
        "|---|---|",
        *(f"| {kind} | {holds} |" for kind, holds in KINDS.items()),
    ]
    for name, definition in shapes(whole):
        lines += ["", f"## {name}", ""]
        description = definition.get("description", "")
        lines += [description.replace("\n\n", "\0").replace("\n", " ").replace("\0", "\n\n"), ""] if description else []
        lines += ["| field | is | says |", "|---|---|---|"]
        lines += [
            f"| `{field}` | {_type(each)} | {each.get('description', '')} |"
            for field, each in definition["properties"].items()
        ]
    return "\n".join(lines) + "\n"


def _type(node: dict[str, Any]) -> str:
    """In a cell: `whole number, or null`."""
    if "$ref" in node:
        name = node["$ref"].removeprefix(_DEFINITION)
        return f"[{name}](#{name.lower()})"
    if "anyOf" in node:
        return ", or ".join(_type(each) for each in node["anyOf"])
    if "const" in node:
        return f"`{node['const']}`"
    if "enum" in node:
        return ", ".join(f"`{each}`" for each in node["enum"])
    if node.get("type") == "array":
        return f"list of {_type(node['items'])}"
    if node.get("type") == "object":
        keys = node.get("propertyNames", {})
        return f"map of {_type({'type': 'string', **keys})} to {_type(node['additionalProperties'])}"
    if node.get("format") == "date-time":
        return "moment"
    if HOLDS in node:
        return str(node[HOLDS])
    kind = str(node["type"])
    return {"integer": "whole number", "boolean": "true or false", "string": "text"}.get(kind, kind)


if __name__ == "__main__":
    SCHEMA.write_text(text(), encoding="utf-8")
    PAGE.write_text(page(), encoding="utf-8")
