"""Each control names what plants its fault, or says why only the suite's own tests can show it."""

import ast
from pathlib import Path

import pytest

VERIFY = Path(__file__).parents[2] / "verify"
NAMED = ("proven_by", "shown_by_tests")
IMPOSSIBLE = ("only a superuser can make", "another session never sees what is planted")
"""A reason names the right that no planter has, or why what is planted cannot be seen."""


def proofs_in(source: str) -> dict[str, list[str]]:
    """By control, which of the two marks stand above it."""
    marks = {}
    for function in ast.walk(ast.parse(source)):
        if isinstance(function, ast.FunctionDef):
            calls = [each for each in function.decorator_list if isinstance(each, ast.Call)]
            called = {ast.unparse(each.func): each for each in calls}
            if (control := called.get("control")) is not None:
                marks[ast.literal_eval(control.args[0])] = [name for name in called if name in NAMED]
    return marks


@pytest.mark.parametrize("path", sorted(VERIFY.rglob("test_*.py")), ids=lambda path: path.stem)
def test_every_control_says_how_it_is_seen_to_fail(path: Path) -> None:
    proofs = proofs_in(path.read_text())
    assert proofs or path.stem == "test_rules"
    assert {control: marks for control, marks in proofs.items() if len(marks) != 1} == {}


def reasons_in(source: str) -> list[str]:
    calls = [each for each in ast.walk(ast.parse(source)) if isinstance(each, ast.Call)]
    return [ast.literal_eval(each.args[0]) for each in calls if ast.unparse(each.func) == "shown_by_tests"]


def test_every_reason_says_why_no_drill_can_show_it() -> None:
    reasons = [reason for path in VERIFY.rglob("test_*.py") for reason in reasons_in(path.read_text())]
    assert reasons
    assert [reason for reason in reasons if not any(why in reason for why in IMPOSSIBLE)] == []


def test_a_control_without_either_is_seen() -> None:
    source = '@control("BAK-99", title="x")\ndef test_one() -> None: ...\n'
    assert proofs_in(source) == {"BAK-99": []}
    assert proofs_in(f'@shown_by_tests("why")\n{source}') == {"BAK-99": ["shown_by_tests"]}
