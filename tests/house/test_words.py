"""The code speaks plainly: what a test can hold of the rules for words in CONTRIBUTING.md."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.house.test_layering import MODULES, ROOT, below

# A docstring that begins so names a question, and leaves the reader to guess what the module does about it.
QUESTIONS = re.compile(r"(What|Which|Whose|Where|How|Why|Who|Whether|When)\b")
# Whatever they are given to was told, found or kept: such a name leaves the reader to guess what it is.
EMPTY = {"told", "found", "asked", "kept", "known", "seen", "given"}
# The log of `resolve` and the evidence are formats: their keys are the fields' names.
LEFT = {
    ("fixtures/commands/resolving/log.py", "found"),
    ("fixtures/record/evidence.py", "kept"),
    ("fixtures/record/release/reversal.py", "kept"),
    ("fixtures/record/visited.py", "asked"),
}
HELD = {name: path for name, path in MODULES.items() if below(name, ("fixtures", "reports", "verify"))}


@pytest.mark.parametrize("name", HELD)
def test_a_modules_docstring_begins_with_what_the_module_does(name: str) -> None:
    said = ast.get_docstring(ast.parse(HELD[name].read_text()))
    assert said, f"{name} says nothing of itself"
    assert not QUESTIONS.match(said), f"{name} begins with a question: {said.splitlines()[0]}"


@pytest.mark.parametrize("name", HELD)
def test_a_name_says_what_it_holds(name: str) -> None:
    path = str(HELD[name].relative_to(ROOT))
    tree = ast.parse(HELD[name].read_text())
    bound = {(path, each) for each in _bound(tree)} - LEFT
    assert not {each for _, each in bound} & EMPTY, f"{path} binds a name that says nothing of what it holds"


def _bound(tree: ast.Module) -> Iterator[str]:
    """Every name that the module gives to something: variables, parameters, functions, classes, imports, fields."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.alias):
            yield node.asname or node.name
