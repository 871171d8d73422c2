"""Drafts a profile for a schema that a test writes down, as `make profile` would for its restored database."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from fixtures.commands.drafting.draft import draft
from fixtures.database.catalogue import take_facts
from fixtures.profile import Profile
from tests.support import record_examples

TENANTS = (
    "CREATE TABLE organizations (id int PRIMARY KEY, name text); INSERT INTO organizations VALUES (1, 'a'), (2, 'b');"
)


@dataclass(frozen=True)
class Draft:
    """`prose` is the text with each comment on one line: where it breaks its lines is not what is tried."""

    text: str

    @property
    def prose(self) -> str:
        return re.sub(r"(?m)(?<=^# )(.*)$(\n# .*)+", lambda line: line[0].replace("\n# ", " "), self.text)

    @property
    def profile(self) -> Profile:
        return Profile.model_validate(tomllib.loads(self.text))


def drafted(
    database: psycopg.Connection[Any], schema: str, checkout: Path | None = None, **of_the_record: object
) -> Draft:
    database.execute(schema)  # type: ignore[call-overload]
    record = record_examples.record(facts=take_facts(database), **of_the_record)
    return Draft(draft(record, database, "shop", checkout))
