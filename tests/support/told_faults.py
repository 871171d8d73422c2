"""A fault in the source as a row of a table: the SQL that plants it, and to the letter what its control must say."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from fixtures.record.evidence import Result
from sample.igny8_core.igny8.filling import canary
from tests.support.drills import PROFILE, Drill, Drilling, Healthy
from tests.support.profiles import profile_and

HASH = re.compile(r"hmac:[0-9a-f]{12}\b")
_HAPPENS = re.compile(r"\bof \d+ ")


@dataclass(frozen=True)
class Told:
    """What a control says of one subject; `samples` are the keys of the broken rows. In the message, `of …` stands for how
    many the sample happens to have of what was looked at; in `samples`, `#` for a keyed hash; `looked`: it has any."""

    message: str
    samples: tuple[str, ...] = ()
    broken: int = 1
    looked: bool = True

    @classmethod
    def of(cls, result: Result) -> Self:
        return cls(
            _HAPPENS.sub("of … ", result.message),
            tuple(HASH.sub("#", each) for each in result.samples),
            result.broken,
            bool(result.examined),
        )


@dataclass(frozen=True)
class Fault:
    """SQL for a clone of the healthy source, and what its own control says, by subject; `profile` is what the sample's
    own says of what the SQL makes. `loosens`: the SQL takes away what the models promise, which MIG-07 rightly sees."""

    sql: str
    told: Mapping[str, Told]
    profile: str = ""
    loosens: bool = False


def expect_their_controls_alone(
    planted: Mapping[str, Fault], healthy: Healthy, folder: Path, drilling: Drilling
) -> None:
    """Drills a backup of the source with all these faults: each control is red on the subjects of its own, in these
    words; no other is."""
    lines = "".join(fault.profile for fault in planted.values())
    profile = profile_and(folder, lines) if lines else PROFILE
    statements = ";".join(fault.sql for fault in planted.values())
    healthy.backup(folder / "backups", statements, profile=profile)
    outcome = drilling(folder / "backups", folder / "out", profile=profile, planted=statements)
    loosened = {"MIG-07": ["whole"]} if any(fault.loosens for fault in planted.values()) else {}
    expect(outcome, red={control: sorted(fault.told) for control, fault in planted.items()} | loosened)
    told_to_the_letter(outcome, planted)


def told_to_the_letter(outcome: Drill, planted: Mapping[str, Fault]) -> None:
    """Each control says of each subject what its fault is told by."""
    for control, fault in planted.items():
        for subject, expected in fault.told.items():
            result = outcome.result(control, subject)
            assert Told.of(result) == expected, control


def expect(outcome: Drill, *, red: Mapping[str, Sequence[str]] = {}, blocked: Mapping[str, Sequence[str]] = {}) -> None:
    """Exactly these controls failed and could not be tried, on exactly these subjects, and no row's content is told."""
    assert (outcome.red, outcome.blocked) == (red, blocked), outcome.output
    assert outcome.exit_code == (1 if red else 2)
    assert outcome.evidence.completeness.whole
    for secret in canary.ALL:
        assert secret not in outcome.output
        assert not [file.name for file in outcome.files if secret.encode() in file.read_bytes()]
