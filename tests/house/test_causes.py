"""What failed and what to do about it are two sentences, wherever they stand in one text."""

import ast
import re
from collections.abc import Iterator

import pytest

from fixtures.record.stage import cause_and_fix
from tests.house.test_layering import MODULES, ROOT, below

BOTH = {"cause", "fix"}
SOURCES = {
    name: path.read_text()
    for name, path in MODULES.items()
    if below(name, ("conftest", "fixtures", "reports", "verify"))
}


@pytest.mark.parametrize(
    ("cause", "fix", "said"),
    [
        (
            "no key (and 40 other lines)",
            "install it for the user",
            "no key (and 40 other lines). Install it for the user.",
        ),
        ("age ended with 1.", "Name the key.", "age ended with 1. Name the key."),
        ("db.example did not answer: timeout", "", "db.example did not answer: timeout."),
        ("", "drill again", "Drill again."),
        ("  a gap before ", " and after ", "a gap before. And after."),
    ],
)
def test_each_is_a_sentence_of_its_own(cause: str, fix: str, said: str) -> None:
    assert cause_and_fix(cause, fix) == said


def test_they_are_joined_nowhere_else() -> None:
    name_both = [name for name, source in SOURCES.items() if all(re.search(rf"\b{word}\b", source) for word in BOTH)]
    assert len(name_both) >= 10
    apart = {name: texts for name in name_both if (texts := list(joined(ast.parse(SOURCES[name]))))}
    assert apart == {}, "use cause_and_fix, or begin a new line"


def test_no_template_joins_them_either() -> None:
    both = [
        line
        for template in sorted((ROOT / "reports" / "templates").glob("*.j2"))
        for line in template.read_text().splitlines()
        if re.search(r"\.cause\b.*\.fix\b", line)
    ]
    assert both, "no template says both any more"
    for line in both:
        assert re.search(r"cause_and_fix\([\w.]+\.cause, [\w.]+\.fix\)", line), line


@pytest.mark.parametrize(
    ("line", "joins"),
    [
        ('f"{error.cause} {error.fix}"', True),
        ('f"{cause}. {fix}"', True),
        ('error.cause + " " + error.fix', True),
        ('" ".join((error.cause, error.fix))', True),
        ('"%s %s" % (error.cause, error.fix)', True),
        ('"{} {}".format(error.cause, error.fix)', True),
        ('f"{cause_and_fix(error.cause, error.fix)}"', False),
        ('f"{cause}\\nTo fix this: {fix}"', False),
        ('StageBlocked(f"kept: {lost.cause}", lost.fix)', False),
    ],
)
def test_a_text_that_joins_them_is_seen(line: str, joins: bool) -> None:
    assert bool(list(joined(ast.parse(line)))) == joins


def joined(tree: ast.AST) -> Iterator[str]:
    """Every expression that makes one text of a cause and a fix, and no new line between them."""
    for node in ast.walk(tree):
        text = isinstance(node, ast.JoinedStr | ast.BinOp) or (
            isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("join", "format")
        )
        if text and set(named(node)) >= BOTH and "\n" not in "".join(words(node)):
            yield ast.unparse(node)


def named(node: ast.AST) -> Iterator[str]:
    """What is put into a text: not what a call makes of it."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return
    if isinstance(node, ast.Name | ast.Attribute):
        yield node.id if isinstance(node, ast.Name) else node.attr
    for inner in ast.iter_child_nodes(node):
        yield from named(inner)


def words(node: ast.AST) -> Iterator[str]:
    yield from (each.value for each in ast.walk(node) if isinstance(each, ast.Constant) and isinstance(each.value, str))
