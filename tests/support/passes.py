"""What controls leave of their probes, asked in a pass that others share and each alone."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import psycopg

from fixtures.checks.databases import Database
from fixtures.checks.examination import Examination, Finding
from fixtures.checks.one_pass import Answers
from fixtures.checks.probe import Probe

Session = psycopg.Connection[Any]


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


def found_alike(
    database: Database, session: Session, asked: dict[str, Probe], faults: Mapping[str, Any]
) -> dict[str, bool]:
    """Plants each fault in turn in a transaction of the session that is taken back: in the pass each probe must find what it
    finds alone. Returns whether any found it."""
    found = {}
    for fault, planted in faults.items():
        with session.transaction(force_rollback=True):
            session.execute(planted)
            within = replace(database, session=session, answers=Answers(session))
            alone = answered(within, apart(asked))
            assert answered(within, asked) == alone, fault
            found[fault] = any(said for said, *_ in alone.values())
    return found
