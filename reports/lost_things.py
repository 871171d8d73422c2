"""Gathers what one lost table, column or schema is told by, so that it is told once with all that rests on it."""

import re
from functools import cached_property

from fixtures.record.record import DrillRecord

_LACK = re.compile(r"^(?P<place>.+?): (?P<lack>no (?:table|column) .+)$", re.DOTALL)
_TABLE = re.compile(r"^no table (?P<table>(?P<schema>.+?)\..+) in the restored database")
_NOT_FIT = re.compile(r" (?:does|did) not fit the database: ")


class LostThings:
    """What the profile names and the database of one drill has not."""

    def __init__(self, record: DrillRecord) -> None:
        self._path = record.profile_path
        self._problems = record.profile_problems
        facts = record.facts
        self._schemas = {table.name.schema for table in facts.tables} if facts is not None else set[str]()

    @cached_property
    def problems(self) -> tuple[str, ...]:
        """The profile's problems, those of one lost thing as one, with every place that names it."""
        places: dict[str, list[str]] = {}
        for problem in self._problems:
            matched = _LACK.match(problem)
            if matched is None:
                places[problem] = []
            else:
                place = matched["place"].removeprefix(f"{self._path}: ")
                places.setdefault(self._lost(matched["lack"]), []).append(place)
        return tuple(
            lost + (f" (named by {', '.join(dict.fromkeys(named))})" if named else "") for lost, named in places.items()
        )

    def cause(self, message: str) -> str | None:
        """What is lost, where that is why a check could not be tried; None where it is for something else."""
        if _NOT_FIT.search(message) is None:
            return None
        lacks = (_LACK.match(problem) for problem in self._problems)
        lost = [matched["lack"] for matched in lacks if matched is not None and matched["lack"] in message]
        return f"the profile does not fit the database: {self._lost(lost[0])}" if lost else None

    def _lost(self, lack: str) -> str:
        """The thing as a whole: the schema, where the database has no table of it."""
        matched = _TABLE.match(lack)
        if matched is None or not self._schemas or matched["schema"] in self._schemas:
            return lack
        return f"no table of the schema {matched['schema']} in the restored database"
