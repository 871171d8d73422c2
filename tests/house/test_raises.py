"""Holds every public function to what it raises: its docstring names each exception that a `raise` of its own names."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("fixtures", "verify", "reports", "bench")
Function = ast.FunctionDef | ast.AsyncFunctionDef


def _public_functions(body: list[ast.stmt]) -> Iterator[Function]:
    for node in body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from _public_functions(node.body)
        elif isinstance(node, Function) and not node.name.startswith(("_", "test_")):
            yield node


def _name(node: ast.expr | None) -> str:
    if isinstance(node, ast.Call):
        return _name(node.func)
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _caught(block: ast.Try) -> set[str]:
    kinds = (handler.type for handler in block.handlers)
    return {_name(each) for kind in kinds for each in (kind.elts if isinstance(kind, ast.Tuple) else [kind])}


def _raised(node: ast.AST, caught: frozenset[str] = frozenset()) -> Iterator[str]:
    """Names of the classes that a function raises and does not catch itself; what it defines within has its own say."""
    if isinstance(node, ast.Raise) and _name(node.exc)[:1].isupper() and _name(node.exc) not in caught:
        yield _name(node.exc)
    inside = node.body if isinstance(node, ast.Try) else []
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, Function | ast.ClassDef | ast.Lambda):
            yield from _raised(child, caught | _caught(node) if child in inside else caught)


def _untold(text: str) -> list[str]:
    return [
        f"{function.name}: {name}"
        for function in _public_functions(ast.parse(text).body)
        for name in sorted(set(_raised(function)))
        if name not in (ast.get_docstring(function) or "")
    ]


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_public_function_says_what_it_raises(folder: str) -> None:
    untold = [
        f"{path.relative_to(ROOT)} {each}"
        for path in sorted((ROOT / folder).rglob("*.py"))
        for each in _untold(path.read_text())
    ]
    assert untold == [], "name the exception in the docstring: Raises X when …"


def test_what_a_function_does_not_say_is_seen() -> None:
    said = 'def reads():\n    """Raises ValueError for no number."""\n    raise ValueError\n'
    unsaid = "class Open:\n    def reads(self):\n        if self:\n            raise module.Broken('why')\n"
    caught = (
        "def reads():\n    try:\n        raise ValueError\n    except ValueError:\n        raise KeyError from None\n"
    )
    assert _untold(said + unsaid + caught) == ["reads: Broken", "reads: KeyError"]
