"""No control without its fault: what nobody has seen go red may never go red."""

import importlib
from pathlib import Path

from fixtures.plan.cards import read_controls, read_rules
from tests.support.drills import PROFILE, ROOT


def planted() -> dict[str, list[str]]:
    """The modules that plant a fault for each control, by the control's id."""
    files_of_control: dict[str, list[str]] = {}
    for file in sorted(Path(__file__).parent.glob("test_*.py")):
        if file.name not in ("test_completeness.py", "test_faults_met.py", "test_healthy_kinds.py"):
            for control in importlib.import_module(f"tests.planted.{file.stem}").PLANTED:
                files_of_control.setdefault(control, []).append(file.name)
    return files_of_control


def declared() -> set[str]:
    controls = [declared.card.id for declared in read_controls(ROOT / "verify", gate=True)]
    return {*controls, *(rule.card.id for rule in read_rules(PROFILE))}


def test_every_control_and_every_rule_has_a_planted_fault() -> None:
    without = sorted(declared() - planted().keys())
    assert not without, f"no fault is planted for {', '.join(without)}: add one to PLANTED in a tests/planted/test_*.py"


def test_every_planted_fault_is_of_a_control_that_exists() -> None:
    unknown = sorted(planted().keys() - declared())
    assert not unknown, f"faults are planted for {', '.join(unknown)}, and there is no such control"
