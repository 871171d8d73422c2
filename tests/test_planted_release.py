"""Each REL control goes red on its own fault in a release, and no other control does; a sound release is let go."""

from pathlib import Path

import pytest

from tests.drills import Drill, Healthy, drill
from tests.planted_release import (
    RELEASE,
    Planted,
    findings,
    migration_name,
    planted_checkout,
    planted_in_source,
    previous_checkout,
)

PLANTED = {
    control: [planted.name for planted in RELEASE if control in planted.findings]
    for control in findings()
    if control.startswith("REL")
}


@pytest.fixture(scope="module")
def gate(healthy: Healthy, tmp_path_factory: pytest.TempPathFactory) -> Drill:
    folder = tmp_path_factory.mktemp("gate")
    healthy.backup(folder / "backups", planted_in_source())
    checkout = planted_checkout(folder)
    previous = previous_checkout(folder / "previous")
    arguments = ("--gate", "--previous", str(previous))
    return drill(folder / "backups", folder / "out", app=checkout, arguments=arguments, seconds=600)


def test_every_fault_is_found_and_nothing_else_is(gate: Drill) -> None:
    assert (gate.red, gate.blocked) == (findings(), {}), gate.output
    assert (gate.exit_code, gate.evidence.kind) == (1, "gate")
    assert "FAILED  NO-GO: " in gate.output
    assert gate.evidence.completeness.whole


@pytest.mark.parametrize("planted", RELEASE, ids=[planted.name for planted in RELEASE])
def test_the_finding_names_its_fault(gate: Drill, planted: Planted) -> None:
    for control, subjects in planted.findings.items():
        for subject in subjects:
            found = gate.result(control, subject)
            named = planted.samples.get(control, (f"igny8.{migration_name(planted)}",))
            assert set(named) <= set(found.samples), found


def test_the_samples_own_release_goes(whole_set: Path, tmp_path: Path) -> None:
    outcome = drill(whole_set.parent, tmp_path / "out", arguments=("--gate",), seconds=600)
    assert (outcome.red, outcome.blocked, outcome.exit_code) == ({}, {}, 0), outcome.output
    assert "VERIFIED  GO: " in outcome.output
