"""Every fault of these tables is told by its own control, and no other goes red, in as few drills as can be."""

from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from tests.planted import (
    test_application,
    test_backup_set,
    test_exposure,
    test_fidelity,
    test_fidelity_rows,
    test_formats,
    test_hostile,
    test_migrations,
    test_restore,
    test_sites,
)
from tests.support.drills import Drill, Healthy, whole_drill
from tests.support.met_faults import WITHOUT_DUMP, Company, companies, expect_only, fewest_to_meet, meet
from tests.support.short_drills import Standing

TABLES = (
    test_restore.PLANTED,
    test_fidelity.PLANTED,
    test_fidelity_rows.PLANTED,
    test_sites.PLANTED,
    test_hostile.PLANTED,
    test_exposure.PLANTED,
    test_backup_set.PLANTED,
    test_formats.PLANTED,
    test_migrations.PLANTED,
)
NEVER_SHOWN = test_exposure.SECRET
LEFT_BY_A_DUMP = Path("/tmp/restore-drill-was-here")


# Each fault of these starts the application, which costs more than all else of a short drill.
STARTING = companies([test_application.PLANTED], whole=False)
SHORT = [*companies(TABLES, whole=False), *STARTING]
WHOLE = companies([*TABLES, test_application.PLANTED], whole=True)


UNREAD = [company for company in SHORT if company.blocked == set(WITHOUT_DUMP)][1:]
"""Whatever is wrong with a dump that cannot be read, no stage behind it takes place: one such drill tries every control, and
these try those of the set."""

FIRST = fewest_to_meet(SHORT)
"""Those that `make test` meets; a whole drill meets the one with most faults as well."""


def marked(companies: Iterable[Company]) -> Iterator[ParameterSet]:
    for company in companies:
        yield pytest.param(company, marks=[pytest.mark.further] * (company not in FIRST))


def test_no_fault_is_left_out() -> None:
    met = [(control, fault) for company in (*SHORT, *WHOLE) for control, fault in company.faults]
    tables = (*TABLES, test_application.PLANTED)
    planted = [(control, fault) for table in tables for control, faults in table.items() for fault in faults.values()]
    assert len(met) == len(planted)
    assert all(each in met for each in planted)


@pytest.mark.parametrize("company", list(marked(SHORT)), ids=str)
def test_each_control_and_no_other_sees_its_fault(
    company: Company, healthy: Healthy, whole_set: Path, standing: Standing, tmp_path: Path
) -> None:
    drilling = partial(standing.drill, only=("test_backup_set.py",)) if company in UNREAD else standing.drill
    outcome = meet(company, healthy, whole_set, tmp_path, drilling)
    if company in UNREAD:
        record = outcome.evidence.record
        assert (record.server, record.restored, record.migrated, record.visited) == (None,) * 4
    expect_only(company, outcome)
    nothing_left(company, outcome)


@pytest.mark.whole
@pytest.mark.parametrize("company", [max(FIRST, key=lambda company: len(company.faults)), *WHOLE], ids=str)
def test_a_whole_drill_sees_it_too(company: Company, healthy: Healthy, whole_set: Path, tmp_path: Path) -> None:
    outcome = meet(company, healthy, whole_set, tmp_path, whole_drill)
    expect_only(company, outcome)
    nothing_left(company, outcome)


def nothing_left(company: Company, outcome: Drill) -> None:
    assert NEVER_SHOWN not in outcome.output
    assert NEVER_SHOWN not in outcome.evidence.model_dump_json()
    if company.controls & test_exposure.PLANTED.keys():
        assert not [file.name for file in outcome.files if NEVER_SHOWN.encode() in file.read_bytes()]
    assert not LEFT_BY_A_DUMP.exists()
