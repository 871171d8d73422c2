"""Measures a draft: how much of what an application's confirmed profile says it found, and how much of what it said is so.

The profile beside each application is the truth: a healthy set is VERIFIED by it, and planted faults go red. What is so
though a profile need not say it stands in `besides.toml`: columns of money that nothing adds up, and references."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from psycopg import Connection, sql

from fixtures.commands.continuing.commented import Written
from fixtures.commands.drafting.draft import draft
from fixtures.commands.drafting.look import Wanted, looked_at
from fixtures.database.money_columns import declared_money
from fixtures.ownership import OwnerPath, Ownership, derive_ownership
from fixtures.profile import Profile
from fixtures.profile.each_schema import said_of_each, schemas_of_tenants
from fixtures.profile.reading import read_profile
from fixtures.record.facts import Facts
from fixtures.record.names import TableName
from fixtures.record.progress import named_on_stderr
from tests.apps.changed_lines import ChangedLines, changed_lines

DRAFTED = "what a draft found"
"""Under this name a test leaves an application's figures, for the last lines of the run."""

CHANGED = "what a person changes of a draft"
"""Under this name it leaves the application, and how many lines are to be written and to be taken out."""

Said = Mapping[str, frozenset[str]]


@dataclass(frozen=True)
class Figures:
    """Of `true` things a draft said `drafted`, of which `right` are among them."""

    true: int
    drafted: int
    right: int

    def __add__(self, other: "Figures") -> "Figures":
        return Figures(self.true + other.true, self.drafted + other.drafted, self.right + other.right)

    @property
    def recall(self) -> float:
        return self.right / self.true if self.true else 1.0

    @property
    def precision(self) -> float:
        return self.right / self.drafted if self.drafted else 1.0


@dataclass(frozen=True)
class Compared:
    """What a draft and the truth say, by kind."""

    truth: Said
    drafted: Said
    changed: ChangedLines

    def figures(self) -> dict[str, Figures]:
        return {
            kind: Figures(len(true), len(self.drafted[kind]), len(true & self.drafted[kind]))
            for kind, true in self.truth.items()
        }

    def __str__(self) -> str:
        return "\n".join(("missed:", *self._missed(), "wrong:", *self._wrong(), str(self.changed)))

    def _missed(self) -> list[str]:
        return [f"{kind}: {each}" for kind, true in self.truth.items() for each in sorted(true - self.drafted[kind])]

    def _wrong(self) -> list[str]:
        return [f"{kind}: {each}" for kind, true in self.truth.items() for each in sorted(self.drafted[kind] - true)]


def drafted_from(backups: Path, profile: Path, checkout: Path) -> Compared:
    """Drafts a profile from the newest set, and holds it against the one that lies in the folder `profile`."""
    with looked_at(Wanted(backups), named_on_stderr) as (record, server), server.reading("restored") as session:
        facts = record.facts
        assert facts is not None
        text = draft(record, session, profile.parent.name, checkout)
        true = _OnData(facts, session, _for_each(read_profile(profile).profile, facts))
        made = _OnData(facts, session, _for_each(Profile.model_validate(tomllib.loads(text)), facts))
        crossings = frozenset(str(entry["reference"]) for entry in Written(text).entries("tenancy.crossing"))
        agreed = {name: made.agrees(true, name) for name in made.ownership.ways}
        said = true.said(dict.fromkeys(true.ownership.ways, True)) | {"crossings": true.crossings}
        confirmed = tomllib.loads((profile / "profile.toml").read_text(encoding="utf-8"))
        return Compared(
            {kind: each | _besides(profile.parent).get(kind, frozenset()) for kind, each in said.items()},
            made.said(agreed) | {"crossings": crossings},
            changed_lines(tomllib.loads(text), confirmed),
        )


def _besides(folder: Path) -> dict[str, frozenset[str]]:
    file = folder / "besides.toml"
    said = tomllib.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    return {kind: frozenset(each) for kind, each in said.items()}


def _for_each(profile: Profile, facts: Facts) -> Profile:
    return said_of_each(profile, schemas_of_tenants(facts, profile.tenancy.root, profile.tenancy.schemas))


def table_of(measured: Mapping[str, Mapping[str, Figures]]) -> str:
    """For each application and kind, and for all of them: recall and precision, each with what was counted."""
    lines = []
    of_all: dict[str, Figures] = {}
    for application, figures in sorted(measured.items()):
        for kind, each in figures.items():
            of_all[kind] = of_all.get(kind, Figures(0, 0, 0)) + each
        lines += [_row(application, kind, each) for kind, each in figures.items() if each.true or each.drafted]
    lines += [_row("all", kind, each) for kind, each in of_all.items()]
    return "\n".join(lines)


def _row(application: str, kind: str, each: Figures) -> str:
    found = f"found {each.right:>3} of {each.true:>3} ({each.recall:4.0%})"
    return f"{application:<10} {kind:<14} {found}   right {each.right:>3} of {each.drafted:>3} ({each.precision:4.0%})"


class _OnData:
    """A profile, and whose rows are whose by it."""

    def __init__(self, facts: Facts, session: Connection[Any], profile: Profile) -> None:
        self.facts = facts
        self.session = session
        self.profile = profile
        self.ownership: Ownership = derive_ownership(facts, profile.tenancy)

    @property
    def crossings(self) -> frozenset[str]:
        return frozenset(each.reference for each in self.profile.tenancy.crossing)

    def said(self, agreed: Mapping[TableName, bool]) -> dict[str, frozenset[str]]:
        """What the profile says of what is there, by kind. An owner that is not `agreed` is told as another one."""
        tenancy = self.profile.tenancy
        return {
            "root": frozenset([str(tenancy.root)]),
            "owners": frozenset(str(name) + ("" if same else ", by another way") for name, same in agreed.items()),
            "shared": frozenset(str(name) for name in tenancy.shared if self.facts.table(name) is not None),
            "references": frozenset(
                [*(each.id for each in tenancy.soft_reference), *map(tenancy.id_of, tenancy.generic_reference)]
            ),
            "money columns": frozenset(f"{each.table}.{each.column}" for each in declared_money(self.profile)),
            "money": frozenset(self._money()),
            "files": frozenset(f"{each.table}.{each.path}" for each in self.profile.files),
            "members": frozenset(self._members()),
        }

    def _money(self) -> Iterator[str]:
        for part in ("invoice", "payment", "ledger", "period", "usage"):
            for entry in getattr(self.profile, part):
                yield f"{part} {entry.table}"

    def _members(self) -> Iterator[str]:
        for login in self.profile.tenancy.login:
            yield f"users {login.users}"
            members = login.members
            yield f"members {members.table}.{members.user}" if members is not None else f"owner by {login.owner}"

    def agrees(self, other: "_OnData", name: TableName) -> bool:
        """Whether both give every row of the table the same owner; by the same way where there is no row."""
        ours, theirs = self.ownership.owned[name], other.ownership.owned.get(name)
        if theirs is None or ours.root != theirs.root:
            return False
        if str(ours) == str(theirs) and ours.steps == theirs.steps:
            return True
        (differing, rows) = self.session.execute(
            sql.SQL(
                "SELECT count(*) FILTER (WHERE a.tenant IS DISTINCT FROM b.tenant), count(*) "
                "FROM ({}) a FULL JOIN ({}) b ON a.row = b.row"
            ).format(_owners(ours), _owners(theirs))
        ).fetchone() or (0, 0)
        return rows > 0 and differing == 0


def _owners(path: OwnerPath) -> sql.Composed:
    return sql.SQL("SELECT r.ctid AS row, {} AS tenant FROM {} r {}").format(
        path.owner("r"), path.table.identifier, path.joins("r")
    )
