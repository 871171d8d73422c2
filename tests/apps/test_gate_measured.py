"""A gate on an application that nobody here wrote is measured beside its own restore and migrations by hand."""

from pathlib import Path

from bench.app_gates import CHECKS, INSTALLED, gate_of
from bench.gates import BY_HAND, GATE
from fixtures.record import stages
from tests.apps.foreign import filled
from tests.apps.test_apps import FAULTS


def test_every_application_can_be_measured() -> None:
    assert set(INSTALLED) == set(FAULTS)


def test_a_gate_takes_turns_with_a_restore_and_migrations_by_hand(tmp_path: Path) -> None:
    with filled("rentals", tmp_path) as application:
        gate = gate_of(application, tmp_path, rounds=1)
    assert list(gate.ways) == [BY_HAND, GATE]
    assert all(len(each.seconds) == 1 and each.seconds[0] > 0 for each in gate.ways.values())
    assert list(gate.parts) == [*map(str, stages.GATE), CHECKS]
    assert gate.parts[CHECKS].median > 0
