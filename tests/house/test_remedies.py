"""A way out leads somewhere: what it names is there, and it is a way out for every application."""

import ast
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from fixtures.plan.cards import read_controls
from fixtures.profile import schema
from tests.house.test_layering import MODULES, ROOT, below

REMEDIES = {each.card.id: each.card.remediation for each in read_controls(ROOT / "verify", gate=True)}
SOURCES = {
    name: path.read_text()
    for name, path in MODULES.items()
    if below(name, ("conftest", "fixtures", "reports", "verify"))
}
SHIPPED = schema.schema()
PART = re.compile(r"\[{1,2}([a-z_]+(?:\.[a-z_]+)*)\]{1,2}(?: ([a-z_]+))?|\b([a-z_]+(?:\.[a-z_]+)+)\b")
# What one application runs beside its database, another has not: who has none looks for it in vain.
OF_SOME = re.compile(r"\b(redis|memcached|rabbitmq|celery|kafka|nginx|gunicorn|uwsgi|sentry|stripe)\b", re.IGNORECASE)
# It serves the empty Redis that a profile asked for itself.
ASKED_FOR = {"fixtures.sandbox.redis"}
SAYS = {"StageFailed", "StageBlocked", "BackupFailed", "Finding", "Blocked", "NothingThere"}
FILES = {"gz", "jsonl", "log", "py", "sql", "sqlite", "tar", "tgz", "toml", "xz", "zip", "zst"}


def test_a_remedy_names_what_is_there() -> None:
    for remedy in REMEDIES.values():
        assert list(named_in_vain(remedy)) == [], remedy
        assert set(re.findall(r"\b[A-Z]{3}-\d\d\b", remedy)) <= REMEDIES.keys(), remedy
        assert not OF_SOME.search(remedy), remedy


def test_every_part_of_a_profile_that_a_message_names_is_one_of_its_parts() -> None:
    vain = {(name, each) for name in parsed(lambda source: any(named_in_vain(source))) for each in in_texts(name)}
    assert vain == set(), "a reader is sent to a part that no profile has"


def test_no_way_out_leads_to_a_program_that_the_application_may_not_have() -> None:
    led = [(name, said) for name in parsed(OF_SOME.search) for said in ways_out(name) if OF_SOME.search(said)]
    assert [(name, said) for name, said in led if name not in ASKED_FOR] == []
    assert {name for name, _ in led} >= ASKED_FOR, "they name none any more: take them out of the exceptions"


def test_rows_may_belong_to_nobody_only_where_no_column_says_whose_they_are() -> None:
    of_messages = [said for name in parsed(lambda source: "ownerless" in source) for said in ways_out(name)]
    remedies = [said for said in (*REMEDIES.values(), *of_messages) if "[tenancy.ownerless]" in said]
    assert remedies, "none offers it any more"
    for said in remedies:
        assert 0 <= said.find("owner_via") < said.find("ownerless"), said


@pytest.mark.parametrize(
    ("said", "vain"),
    [
        ("name it in [tenancy.owner_via]", []),
        ("add it to [[domain]] one_of", []),
        ("raise [limits] migrate in the profile", []),
        ("say why in release.not_rolling", []),
        ("name it in [tenancy.owner_by]", ["tenancy.owner_by"]),
        ("raise [release] lock_secs", ["release lock_secs"]),
        ("say why in release.rolling", ["release.rolling"]),
    ],
)
def test_a_part_that_is_not_there_is_seen(said: str, vain: list[str]) -> None:
    assert list(named_in_vain(said)) == vain


def named_in_vain(said: str) -> Iterator[str]:
    """The parts and keys of a profile that a text names and no profile has. A word behind a part may be its key; one with
    an underscore is."""
    for match in PART.finditer(said):
        path, key = match[1] or match[3], match[2]
        if path.partition(".")[0] not in SHIPPED["properties"] or path.rpartition(".")[2] in FILES:
            continue
        definition = at(path)
        if definition is None:
            yield path
        elif key and "_" in key and "properties" in definition and key not in definition["properties"]:
            yield f"{path} {key}"


def at(path: str) -> dict[str, Any] | None:
    """What the schema says of a part or a key; None where it has none."""
    field: dict[str, Any] = SHIPPED
    for step in path.split("."):
        if step not in field.get("properties", {}):
            return None
        field = opened(field["properties"][step])
    return field


def opened(field: dict[str, Any]) -> dict[str, Any]:
    """The part that a field is, or lists, or may be."""
    for inner in (field, field.get("items", {}), *field.get("anyOf", ())):
        if "$ref" in inner:
            return SHIPPED["$defs"][inner["$ref"].removeprefix("#/$defs/")]
    return field


def parsed(worth: Callable[[str], object]) -> list[str]:
    """The modules whose source is worth a closer look."""
    return [name for name, source in SOURCES.items() if worth(source)]


def in_texts(name: str) -> Iterator[str]:
    """What its texts name in vain: docstrings are none of them; of a text with values in it, what stands between them."""
    tree = ast.parse(SOURCES[name])
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield from named_in_vain(node.value)


def ways_out(name: str) -> Iterator[str]:
    """What is said where something is wrong or could not be tried, and whatever is called a fix."""
    for node in ast.walk(ast.parse(SOURCES[name])):
        if isinstance(node, ast.Call):
            if ast.unparse(node.func).rpartition(".")[2] in SAYS:
                yield from (ast.unparse(each) for each in node.args)
            yield from (ast.unparse(each.value) for each in node.keywords if each.arg in ("fix", "remediation"))
