"""What controls leave of their probes, asked in a pass that others share and each alone."""

from dataclasses import replace

from fixtures.checks.databases import Database
from fixtures.checks.examination import Examination, Finding
from fixtures.checks.probe import Probe


def tried(database: Database, probe: Probe) -> tuple[object, ...]:
    """All that a control leaves of a probe but for its queries."""
    examination, said = Examination(), None
    try:
        replace(database, examination=examination).expect_none(probe)
    except Finding as finding:
        said = (finding.message, finding.broken, finding.samples)
    return said, examination.examined, examination.note, tuple(examination.excepted)


def apart(asked: dict[str, Probe]) -> dict[str, Probe]:
    return {name: replace(probe, share=None) for name, probe in asked.items()}


def answered(database: Database, asked: dict[str, Probe]) -> dict[str, tuple[object, ...]]:
    return {name: tried(database, probe) for name, probe in asked.items()}
