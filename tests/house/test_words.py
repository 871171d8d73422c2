"""The code speaks plainly: what a test can hold of the rules for words in CONTRIBUTING.md."""

import ast
import re

import pytest

from tests.house.test_layering import MODULES, below

# A docstring that begins so names a question, and leaves the reader to guess what the module does about it.
QUESTIONS = re.compile(r"(What|Which|Whose|Where|How|Why|Who|Whether|When)\b")
HELD = {name: path for name, path in MODULES.items() if below(name, ("fixtures", "reports", "verify"))}


@pytest.mark.parametrize("name", HELD)
def test_a_modules_docstring_begins_with_what_the_module_does(name: str) -> None:
    said = ast.get_docstring(ast.parse(HELD[name].read_text()))
    assert said, f"{name} says nothing of itself"
    assert not QUESTIONS.match(said), f"{name} begins with a question: {said.splitlines()[0]}"
