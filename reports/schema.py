"""The JSON schema of evidence.json, for readers without this suite: `python -m reports.schema` writes it anew."""

import json
from pathlib import Path

from fixtures.drill.evidence import Evidence

SCHEMA = Path(__file__).with_name("evidence.schema.json")
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def text() -> str:
    """The schema of what is written, not of what would be read: everything that is always there is required."""
    schema = Evidence.model_json_schema(mode="serialization")
    return json.dumps({"$schema": DIALECT, **schema}, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    SCHEMA.write_text(text(), encoding="utf-8")
