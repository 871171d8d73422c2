"""What proving every check takes beside the checks themselves, and beside the scan of every table that is digested."""

import json
from pathlib import Path

from bench import check_times
from bench.drills import drill
from fixtures.record import stages
from fixtures.record.evidence import Evidence

CHECKS = "all checks, with the making of what they are given"
PLANTED = "their proofs, but for tables that are read again"
SCANNED = "the stage that counts and digests every table"
AGAIN = "proofs that read a table again and digest it"
ALL = "all proofs"
_READ_AGAIN = "FID-04"


def proofs(backups: Path, out: Path) -> dict[str, float]:
    """Seconds in one process, of a drill that proves all. SystemExit where one of its checks is blind, or proven nowhere."""
    drilled = drill(backups, out, ("-n0", "--prove", "all", "-p", check_times.__name__))
    return told_by(drilled.evidence, json.loads((out / "latest" / check_times.FILE).read_text())["seconds"])


def told_by(evidence: Evidence, checks: float) -> dict[str, float]:
    """The same, of a drill that has ended and whose checks took so long. Raises SystemExit where one of its checks is blind,
    or proven nowhere."""
    facts, proving = evidence.record.stage(stages.FACTS), evidence.proving
    if facts is None or proving is None or proving.blind or not proving.counted["proven"]:
        raise SystemExit("the drill did not prove its checks, so its time means nothing")
    whole = sum(each.seconds for each in proving.proofs)
    again = sum(each.seconds for each in proving.proofs if each.control == _READ_AGAIN)
    return {
        CHECKS: checks,
        SCANNED: facts.seconds,
        PLANTED: whole - again,
        AGAIN: again,
        ALL: whole,
    }
