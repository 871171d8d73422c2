"""One planted fault as a row of a table: where it is planted, the drill that meets it, and what must come of it.

Faults that do not touch each other are met in one drill: each must be told by its own control, and nothing else be red."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

from tests.support.application_under_test import copy_of_the_sample
from tests.support.drills import PROFILE, SAMPLE, Drill, Drilling, Healthy
from tests.support.seen_faults import expect_red
from tests.support.spoiled_sets import copy_of, profile_with, truth_of

# What cannot be tried any more once a stage left nothing. Without all stages there is no time to recover (RST-08).
WITHOUT_APPLICATION = ("RST-08", *(f"APP-0{n}" for n in range(1, 7)))
WITHOUT_MIGRATED = ("MIG", "TEN", "BIL", *WITHOUT_APPLICATION)
# What compares the sites data with site records.
OF_SITES = tuple(f"SIT-{n:02}" for n in (*range(3, 8), 9, 10, *range(12, 16)))
WITHOUT_FACTS = (
    *("BAK-13", "BAK-14", "BAK-16", "FID"),
    *(f"RST-{n:02}" for n in (*range(2, 9), *range(10, 18))),
    *OF_SITES,
    *("SIT-16", "SIT-17", "FIL"),
    *WITHOUT_MIGRATED,
)
WITHOUT_RESTORED = ("RST", *WITHOUT_FACTS)
WITHOUT_DUMP = ("BAK-07", "BAK-08", *WITHOUT_RESTORED)
_HASH = re.compile(r"hmac:[0-9a-f]{12}\b")


@dataclass(frozen=True)
class Fault:
    """Where the fault is planted, and what the drill must say of it.

    `sql` and `in_files` spoil the source, `in_set` the set that was taken of it, `as_it_lies` the modes and times of its
    files and not what they hold, `in_code` a copy of the application, `profile` lines of a copy of the profile. `lost`: the
    manifest is that of a source without the fault. `part`: what `in_set` spoils is this part of the set alone, and of the
    manifest what it tells of that part.
    `also` are controls that rightly see the same fault; `blocked` names controls, or whole areas, that cannot be
    tried any more for the cause in `because`. In `samples`, `#` stands for a keyed hash. `alone`: it changes what the
    controls of other faults count. `beside`: other faults of the code that say so too can be planted in the same copy.

    How deep it must go: in a short drill what stands already becomes what a load would make of this set, by `arrives`, or by
    `sql` where nothing else is said; `really` are the calls that this fault needs all the same; `whole` is a fault that
    no short drill shows."""

    says: str
    subjects: tuple[str, ...] = ("whole",)
    samples: tuple[str, ...] = ()
    broken: int = 1
    sql: str | Callable[[Healthy], str] = ""
    in_files: Callable[[Path], None] | None = None
    in_set: Callable[[Path, Healthy], None] | None = None
    part: str = ""
    as_it_lies: Callable[[Path], None] | None = None
    in_code: Callable[[Path], None] | None = None
    profile: Mapping[str, str] = field(default_factory=dict)
    lost: bool = False
    also: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    blocked: tuple[str, ...] = ()
    because: str = ""
    alone: bool = False
    beside: bool = False
    arrives: str | None = None
    really: frozenset[str] = frozenset()
    whole: bool = False

    @property
    def ways(self) -> set[str]:
        spoiled = {"sql", "in_files", "in_set", "as_it_lies", "in_code", "profile", "lost"}
        return {name for name in spoiled if getattr(self, name)} | self.really

    def planted(self, healthy: Healthy) -> str:
        """What is executed in the source."""
        return self.sql if isinstance(self.sql, str) else self.sql(healthy)


Planted = Mapping[str, Mapping[str, Fault]]


@dataclass
class Company:
    """Faults that one drill meets, each with its control."""

    faults: list[tuple[str, Fault]] = field(default_factory=list)

    def __str__(self) -> str:
        return "+".join(sorted(self.controls))

    @property
    def controls(self) -> set[str]:
        return {control for control, _ in self.faults}

    @property
    def red(self) -> dict[str, set[str]]:
        subjects_by_control: dict[str, set[str]] = {}
        for control, fault in self.faults:
            for each, subjects in {control: fault.subjects, **fault.also}.items():
                subjects_by_control.setdefault(each, set()).update(subjects)
        return subjects_by_control

    @property
    def ways(self) -> set[str]:
        """The areas of its controls, what is spoiled for their faults, and what a short drill takes over no more."""
        return {each for control, fault in self.faults for each in (control[:3], *fault.ways)}

    @property
    def blocked(self) -> set[str]:
        return {each for _, fault in self.faults for each in fault.blocked}

    def admits(self, other: "Company") -> bool:
        """Whether the other's faults can be planted beside these, and be told from them by what is said of what."""
        ours, theirs = ([fault for _, fault in company.faults] for company in (self, other))
        both = [*ours, *theirs]
        in_source = [fault for fault in both if fault.sql or fault.in_files]
        return (
            not any(fault.alone for fault in both)
            and not any(_spoils_what_is_planted(*each) for each in (*product(ours, theirs), *product(theirs, ours)))
            and len({fault.lost for fault in in_source}) < 2
            and (
                sum(fault.in_code is not None for fault in both) < 2
                or all(each.beside for each in both if each.in_code)
            )
            and sum(fault.in_files is not None for fault in both) < 2
            and not any(mine.profile.keys() & its.profile.keys() for mine in ours for its in theirs)
            and not any(self.red.get(control, set()) & subjects for control, subjects in other.red.items())
            and not _hidden(self.red, other.blocked)
            and not _hidden(other.red, self.blocked)
        )


def _spoils_what_is_planted(one: Fault, other: Fault) -> bool:
    """Whether the one spoils the set where the other is planted. Whatever spoils the dump may take it of the healthy source
    anew, and only who spoils one part alone leaves the others as they were made."""
    if not one.in_set:
        return False
    if other.in_set and (not one.part or not other.part or one.part == other.part):
        return True
    beside_the_database = one.part in ("sites", "logs", "extensions")
    return bool(other.sql and not beside_the_database) or bool(other.in_files and one.part == "sites")


def _hidden(red: Mapping[str, set[str]], blocked: set[str]) -> bool:
    return any(control in blocked or control[:3] in blocked for control in red)


def companies(tables: Iterable[Planted], whole: bool) -> list[Company]:
    """Every fault of these tables that a short drill shows, or that none does, in the first company that admits it."""
    drilled_together: list[Company] = []
    for table in tables:
        for control, faults in table.items():
            for fault in faults.values():
                if fault.whole != whole:
                    continue
                newcomer = Company([(control, fault)])
                host = next((company for company in drilled_together if company.admits(newcomer)), None)
                if host is None:
                    drilled_together.append(newcomer)
                else:
                    host.faults += newcomer.faults
    return drilled_together


def fewest_to_meet(companies: Iterable[Company]) -> list[Company]:
    """As few companies as bring faults of each area, and faults in each way in which any is planted.

    A short drill tries the same controls on the same record: the way of a fault to them is all that differs."""
    return _fewest(companies, lambda company: company.ways)


def _fewest(companies: Iterable[Company], brings: Callable[[Company], set[str]]) -> list[Company]:
    left, chosen, met = list(companies), list[Company](), set[str]()
    while newcomer := max(left, key=lambda company: len(brings(company) - met), default=None):
        if brings(newcomer) <= met:
            break
        left.remove(newcomer)
        chosen.append(newcomer)
        met |= brings(newcomer)
    return chosen


def meet(company: Company, healthy: Healthy, whole_set: Path, folder: Path, drilling: Drilling) -> Drill:
    """Plants the faults and drills the set."""
    faults = [fault for _, fault in company.faults]
    planted = [fault.planted(healthy) for fault in faults if fault.sql]
    in_files = next((fault.in_files for fault in faults if fault.in_files), None)
    if planted or in_files:
        backup = healthy.backup(folder / "backups", ";\n".join(planted), in_files=in_files)
    else:
        backup = copy_of(whole_set, folder / "backups")
    for fault in faults:
        if fault.in_set:
            fault.in_set(backup, healthy)
        if fault.lost:
            truth_of(backup, whole_set)
        if fault.as_it_lies:
            fault.as_it_lies(backup)
    in_code = [fault.in_code for fault in faults if fault.in_code]
    app = copy_of_the_sample(folder) if in_code else SAMPLE
    for spoil in in_code:
        spoil(app)
    changes = {former: latter for fault in faults for former, latter in fault.profile.items()}
    profile = profile_with(folder, changes) if changes else PROFILE
    arrives = [fault.planted(healthy) if fault.arrives is None else fault.arrives for fault in faults]
    return drilling(
        folder / "backups",
        folder / "out",
        app=app,
        profile=profile,
        planted=";\n".join(statement for statement in arrives if statement),
        really=frozenset().union(*(fault.really for fault in faults)),
    )


def expect_only(company: Company, outcome: Drill) -> None:
    """Each fault's control is red on its subjects and says what it should; nothing else is, and all else was tried but
    what the faults make impossible."""
    expect_red(outcome, company.red, company.blocked, {fault.because for _, fault in company.faults if fault.blocked})
    for control, fault in company.faults:
        for subject in fault.subjects:
            result = outcome.result(control, subject)
            assert fault.says in result.message, result
            samples = tuple(_HASH.sub("#", sample) for sample in result.samples)
            assert (result.broken, samples) == (fault.broken, fault.samples), result
