"""No test knows which day it is before it runs: a suite that goes on past midnight would compare yesterday with today."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.record.project import ROOT

TESTS = sorted(path for path in (ROOT / "tests").rglob("*.py") if "project" not in path.parts)
DAYS = {"date", "today", "strftime", "isoformat"}


def days_taken_on_import(text: str) -> Iterator[int]:
    """The lines of what is run as the module is imported, defaults of parameters included, that ask which day it is."""
    waiting: list[ast.AST] = [ast.parse(text)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            defaults = [*node.args.defaults, *(each for each in node.args.kw_defaults if each is not None)]
            waiting += defaults + (node.decorator_list if not isinstance(node, ast.Lambda) else [])
            continue
        called = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr
        asks = called in DAYS or isinstance(node, ast.FormattedValue)
        if asks and (called == "today" or "now(" in ast.unparse(node)):
            yield node.lineno  # type: ignore[attr-defined]
        waiting += ast.iter_child_nodes(node)


def test_no_module_of_the_tests_takes_the_day_as_it_is_imported() -> None:
    assert len(TESTS) > 300
    taken = {
        str(path.relative_to(ROOT)): lines for path in TESTS if (lines := [*days_taken_on_import(path.read_text())])
    }
    assert taken == {}


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("TODAY = datetime.now(UTC).date()", [1]),
        ("DAY = date.today()", [1]),
        ("class A:\n    NAME = datetime.now(UTC).strftime('%Y')", [2]),
        ("NAME = f'{datetime.now(UTC):%Y%m%d}.dump'", [1]),
        ("def waiver(until=datetime.now(UTC).date()): ...", [1]),
        ("@pytest.mark.parametrize('day', [date.today()])\ndef test(day): ...", [1]),
        ("def today():\n    return datetime.now(UTC).date()", []),
        ("each = lambda: date.today()", []),
        ("LATER = datetime.now(UTC) + timedelta(days=3)", []),
    ],
)
def test_what_it_finds(text: str, lines: list[int]) -> None:
    assert [*days_taken_on_import(text)] == lines


def test_it_reads_this_folder() -> None:
    assert Path(__file__) in TESTS
