"""Puts failed results of one cause together: those that speak of one lost table, of one damaged site, of one row.

What a finding speaks of it names by kind; no message is read. A result stands in every card whose thing it names, and in
a card of its own control for whatever it names beside them, so that nothing is left out."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from fixtures.record.evidence import Result
from fixtures.record.named_thing import NAMED, NamedThing
from fixtures.record.names import TableName
from fixtures.record.record import DrillRecord
from reports import words
from reports.chapter import IMPACTS, Chapter

_MOST_NAMES = 3
_LOST = "lost"


@dataclass(frozen=True)
class Fault:
    """One cause with every control that it failed. `things` are what its findings name alike: none where it is one
    control's own; `lost`: they were in the backup or at the source, and are not in the database."""

    chapters: tuple[Chapter, ...]
    things: tuple[NamedThing, ...] = ()
    lost: bool = False
    lost_schemas: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """The fault in a sentence: what is lost or damaged, else the finding's own words."""
        if self.lost:
            return self._lost()
        if not self.things:
            return self._of_one_control()
        if all(thing.kind == "site" and thing.tenant for thing in self.things):
            return f"{_listed(self.things)} {'is' if len(self.things) == 1 else 'are'} damaged"
        return f"{_listed(self.things)}: {self.first.sentence}"

    @property
    def first(self) -> Chapter:
        return self.chapters[0]

    @property
    def impact(self) -> str:
        return self.first.impact

    @property
    def ids(self) -> str:
        """`RST-01, FID-03`: the controls that it failed."""
        return ", ".join(chapter.id for chapter in self.chapters)

    def beyond_title(self, chapter: Chapter) -> str:
        """What a control says of it; empty where the title says that already."""
        return "" if self.title.endswith(chapter.sentence) else chapter.sentence

    @property
    def results(self) -> tuple[Result, ...]:
        return tuple(result for chapter in self.chapters for result in chapter.results)

    def _of_one_control(self) -> str:
        """What the control says, behind the path where it speaks of one file alone."""
        names = {thing for result in self.results for thing in result.names}
        said = self.first.sentence
        return f"{_listed(tuple(names))}: {said}" if [thing.kind for thing in names] == ["file"] else said

    def _lost(self) -> str:
        tables = [TableName.parse(each.name) for each in self.things if each.kind == "table"]
        sentences = []
        for schema in self.lost_schemas:
            count = sum(table.schema == schema for table in tables)
            held = f", with {words.many(count, 'table')}" if count else ""
            sentences.append(f"Schema {schema} is missing{held}")
        others = [str(table) for table in tables if table.schema not in self.lost_schemas]
        if others:
            noun = "Table" if len(others) == 1 else "Tables"
            sentences.append(f"{noun} {words.few(others, _MOST_NAMES)} {'is' if len(others) == 1 else 'are'} missing")
        return "; ".join(sentences)


class _Lost:
    """What the backup or its source has, and the restored database has not."""

    def __init__(self, record: DrillRecord) -> None:
        self.tables: set[str] = set()
        self.schemas: set[str] = set()
        if record.facts is None:
            return
        manifest = record.backup_set.manifest if record.backup_set is not None else None
        promised = set(manifest.tables) if manifest is not None else set[TableName]()
        promised |= {TableName(each.schema_name, each.name) for each in record.toc if each.kind == "TABLE"}
        there = {table.name for table in record.facts.tables}
        lost = promised - there
        self.tables = {str(table) for table in lost}
        self.schemas = {table.schema for table in lost} - {table.schema for table in there}
        self._names = lost

    def cause(self, thing: NamedThing) -> str | None:
        """The schema whose loss the thing speaks of; None where it speaks of no loss."""
        if thing.kind == "schema" and thing.name in self.schemas:
            return thing.name
        if thing.kind == "table" and thing.name in self.tables:
            return TableName.parse(thing.name).schema
        if thing.kind in ("sequence", "index") and self.tables:
            # Postgres and Django call what they make for a table `<table>_…`: an object that is lost beside such a table
            # was its own.
            name = TableName.parse(thing.name)
            own = any(each.schema == name.schema and name.name.startswith(f"{each.name}_") for each in self._names)
            return name.schema if own else None
        return None


def faults(record: DrillRecord, failed: tuple[Chapter, ...]) -> tuple[Fault, ...]:
    """The failed controls by cause, the greatest impact first, and of one impact what failed most controls."""
    lost = _Lost(record)
    shared = _shared(lost, failed)
    made = [
        Fault(
            _with(failed, things),
            _in_order(things),
            lost=cause[0] == _LOST,
            lost_schemas=tuple(lost.schemas.intersection(cause[1:])) if cause[0] == _LOST else (),
        )
        for cause, things in shared.items()
    ]
    shared_things = {thing for things in shared.values() for thing in things}
    for chapter in failed:
        rest = tuple(result for result in chapter.results if not _shared_whole(result, shared_things))
        if rest:
            made.append(Fault((replace(chapter, results=rest),)))
    return tuple(sorted(made, key=lambda fault: (IMPACTS.index(fault.impact), -len(fault.chapters), fault.first.id)))


def _shared_whole(result: Result, shared_things: set[NamedThing]) -> bool:
    names = set(result.names) - _own_place(result)
    return bool(names & shared_things) and names <= shared_things and len(result.names) < NAMED


def _own_place(result: Result) -> set[NamedThing]:
    """The table of which a finding names rows: the rows say more."""
    rows = any(thing.kind == "row" for thing in result.names)
    return {thing for thing in result.names if thing.kind == "table"} if rows else set()


_Cause = tuple[str, ...]
"""What tells causes apart: the kind of thing and the controls that name it, or a loss and its schema."""


def _shared(lost: _Lost, failed: tuple[Chapter, ...]) -> Mapping[_Cause, set[NamedThing]]:
    """The things that more than one control names, those of one cause together."""
    controls: defaultdict[NamedThing, set[str]] = defaultdict(set)
    unlike: set[NamedThing] = set()
    for chapter in failed:
        for thing in (thing for result in chapter.results for thing in result.names):
            controls[thing].add(chapter.id)
            if chapter.area == "FID":
                unlike.add(thing)
    causes: defaultdict[_Cause, set[NamedThing]] = defaultdict(set)
    for thing, ids in controls.items():
        schema = lost.cause(thing)
        if schema is not None:
            causes[_LOST, schema].add(thing)
        # Two faults of one table need not have one cause, unless its rows are no longer the source's.
        elif len(ids) > 1 and thing.kind != "object" and (thing.kind != "table" or thing in unlike):
            causes[thing.kind, *sorted(ids)].add(thing)
    return _few_enough(causes)


def _few_enough(causes: Mapping[_Cause, set[NamedThing]]) -> Mapping[_Cause, set[NamedThing]]:
    """Never more cards of one kind than controls that fill them: beyond that, the kind is one card."""
    together: dict[_Cause, set[NamedThing]] = {}
    for kind in dict.fromkeys(cause[0] for cause in sorted(causes)):
        of_kind = {cause: things for cause, things in causes.items() if cause[0] == kind}
        controls = {control for cause in of_kind for control in cause[1:]}
        if kind != _LOST and len(of_kind) > len(controls):
            of_kind = {(kind, *sorted(controls)): set().union(*of_kind.values())}
        together |= of_kind
    return together


def _with(failed: tuple[Chapter, ...], things: set[NamedThing]) -> tuple[Chapter, ...]:
    chapters = []
    for chapter in failed:
        results = tuple(result for result in chapter.results if things.intersection(result.names))
        if results:
            chapters.append(replace(chapter, results=results))
    return tuple(chapters)


def _in_order(things: Iterable[NamedThing]) -> tuple[NamedThing, ...]:
    return tuple(sorted(things, key=lambda thing: (thing.kind, len(thing.name), thing.name)))


def _listed(things: tuple[NamedThing, ...]) -> str:
    kind = things[0].kind
    noun = kind.capitalize() if len(things) == 1 else f"{words.many(len(things), kind)}:"
    owners = {thing.tenant for thing in things if thing.tenant}
    of = f" of tenant {owners.pop()}" if len(owners) == 1 else ""
    return f"{noun} {words.few([thing.name for thing in things], _MOST_NAMES)}{of}"
