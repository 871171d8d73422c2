"""One planted fault as a row of a table: where it is planted, the drill that meets it, and what must come of it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.application_under_test import copy_of_the_sample
from tests.drills import PROFILE, SAMPLE, Drill, Healthy, drill
from tests.seen_faults import expect_red
from tests.spoiled_sets import copy_of, profile_with, truth_of

# What cannot be tried any more once a stage left nothing. Without all stages there is no time to recover (RST-08).
WITHOUT_APPLICATION = ("RST-08", *(f"APP-0{n}" for n in range(1, 7)))
WITHOUT_MIGRATED = ("MIG", "TEN", "BIL", *WITHOUT_APPLICATION)
# What compares the sites data with site records.
OF_SITES = tuple(f"SIT-{n:02}" for n in (*range(3, 8), 9, 10, *range(12, 16)))
WITHOUT_FACTS = (
    *("BAK-13", "BAK-14", "FID"),
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

    `sql` and `in_files` spoil the source, `in_set` the set that was taken of it, `in_code` a copy of the application,
    `profile` lines of a copy of the profile. `lost`: the manifest is that of a source without the fault.
    `also` are controls that rightly see the same fault; `blocked` names controls, or whole areas, that cannot be
    tried any more for the cause in `because`. In `samples`, `#` stands for a keyed hash."""

    says: str
    subjects: tuple[str, ...] = ("whole",)
    samples: tuple[str, ...] = ()
    broken: int = 1
    sql: str | Callable[[Healthy], str] = ""
    in_files: Callable[[Path], None] | None = None
    in_set: Callable[[Path, Healthy], None] | None = None
    in_code: Callable[[Path], None] | None = None
    profile: Mapping[str, str] = field(default_factory=dict)
    lost: bool = False
    also: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    blocked: tuple[str, ...] = ()
    because: str = ""


def listed(planted: Mapping[str, Mapping[str, Fault]]) -> list[tuple[str, str]]:
    """Every fault of a table as (control, what is wrong), for parametrize."""
    return [(control, what) for control, faults in planted.items() for what in faults]


def meet(fault: Fault, healthy: Healthy, whole_set: Path, folder: Path) -> Drill:
    """Plants the fault and drills the set."""
    if fault.sql or fault.in_files:
        planted = fault.sql if isinstance(fault.sql, str) else fault.sql(healthy)
        backup = healthy.backup(folder / "backups", planted, in_files=fault.in_files)
    else:
        backup = copy_of(whole_set, folder / "backups")
    if fault.in_set:
        fault.in_set(backup, healthy)
    if fault.lost:
        truth_of(backup, whole_set)
    app = SAMPLE
    if fault.in_code:
        app = copy_of_the_sample(folder)
        fault.in_code(app)
    profile = profile_with(folder, fault.profile) if fault.profile else PROFILE
    return drill(folder / "backups", folder / "out", app=app, profile=profile)


def expect_only(control: str, fault: Fault, outcome: Drill) -> None:
    """The control is red on its subjects and says what it should; nothing else is, and all else was tried but what
    the fault makes impossible."""
    expect_red(outcome, {control: fault.subjects, **fault.also}, fault.blocked, fault.because)
    for subject in fault.subjects:
        found = outcome.result(control, subject)
        assert fault.says in found.message, found
        samples = tuple(_HASH.sub("#", sample) for sample in found.samples)
        assert (found.broken, samples) == (fault.broken, fault.samples), found
