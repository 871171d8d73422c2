"""Imports point one way: verify → fixtures → fixtures.drill, and reports → the drill's shapes."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
OURS = ("conftest", "fixtures", "igny8_core", "reports", "sample", "tests", "verify")

# What the reports may know of a drill: what stands in its evidence. Nothing that runs, connects or reads a set.
SHAPES = tuple(
    f"fixtures.drill.{name}"
    for name in (
        "archive_record",
        "evidence",
        "facts",
        "figures",
        "manifest",
        "names",
        "origin",
        "past",
        "profile",
        "record",
        "release_record",
        "set_record",
        "shape",
    )
)


class Room(NamedTuple):
    """What the modules below a name may import of ours, and what they must not of others'."""

    ours: tuple[str, ...]
    never: tuple[str, ...] = ()


PYTEST = ("pytest", "_pytest", "pluggy", "xdist", "allure", "allure_pytest")
APPLICATION = ("django", "celery", "kombu")

# The longest name that a module stands below is its room. Nobody's list has verify in it.
ROOMS = {
    "conftest": Room((), APPLICATION),
    "verify": Room(("fixtures",), (*APPLICATION, "psycopg", "allure")),
    "fixtures": Room(("fixtures",), APPLICATION),
    "fixtures.commands.backup": Room(("fixtures.commands.backup", "fixtures.drill"), (*PYTEST, *APPLICATION)),
    "fixtures.drill": Room(("fixtures.drill",), (*PYTEST, *APPLICATION)),
    # Run inside the application, by its interpreter: of everybody else's there is only what it brings itself.
    "fixtures.drill.probes": Room((), (*PYTEST, "psycopg", "pydantic", "rich")),
    "reports": Room(("reports", *SHAPES), (*APPLICATION, "psycopg")),
    "sample": Room(("sample", "fixtures.commands.backup", "fixtures.drill"), PYTEST),
    # Stands in for somebody's application, which knows nothing of the suite.
    "sample.igny8_core": Room(("igny8_core", "sample.igny8_core"), PYTEST),
    "tests": Room(("fixtures", "reports", "sample", "tests")),
    # Copied into the application that is asked.
    "tests.support.rest_api": Room(("igny8_core",), PYTEST),
}


def modules() -> Iterator[tuple[str, Path]]:
    """Every module of ours, by its dotted name."""
    yield "conftest", ROOT / "conftest.py"
    for top in OURS:
        for path in sorted((ROOT / top).rglob("*.py")):
            if "node_modules" not in path.parts:
                yield ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"), path


def below(name: str, places: tuple[str, ...]) -> bool:
    return any(name == place or name.startswith(f"{place}.") for place in places)


def imports(name: str, path: Path) -> Iterator[str]:
    """Every module that this one imports, wherever in it: `from a import b` is `a.b` where that is a module of ours."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            source = ".".join([*parents, *([node.module] if node.module else [])])
            within = ROOT.joinpath(*source.split("."))
            found = [alias.name for alias in node.names if (within / f"{alias.name}.py").exists()]
            yield from (f"{source}.{each}" for each in found)
            if len(found) < len(node.names):
                yield source


def astray(name: str, path: Path) -> list[str]:
    """What this module imports against the rule of its room."""
    room = ROOMS[max((place for place in ROOMS if below(name, (place,))), key=len)]
    return [
        imported
        for imported in imports(name, path)
        if below(imported, room.never) or (below(imported, OURS) and not below(imported, room.ours))
    ]


MODULES = dict(modules())


@pytest.mark.parametrize("room", ROOMS)
def test_imports_point_one_way(room: str) -> None:
    inside = [name for name in MODULES if below(name, (room,))]
    assert inside, f"{room} holds nothing any more: take it out of the rules"
    wrong = {name: found for name in inside if (found := astray(name, MODULES[name]))}
    assert wrong == {}


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ("fixtures/drill/x.py", "import pytest"),
        ("fixtures/drill/server/x.py", "from fixtures import session"),
        ("fixtures/drill/x.py", "def late():\n    from django.db import models"),
        ("fixtures/drill/probes/x.py", "from fixtures.drill import names"),
        ("fixtures/x.py", "import verify.test_restore"),
        ("fixtures/x.py", "from sample import build"),
        ("reports/x.py", "from fixtures.drill import restore"),
        ("reports/x.py", "from fixtures.record.evidence import Evidence\nfrom fixtures.plugin.gathering import plan"),
        ("sample/igny8_core/x.py", "from ..build import build"),
        ("verify/test_x.py", "from reports import words"),
    ],
)
def test_an_import_that_points_the_other_way_is_seen(place: str, line: str, tmp_path: Path) -> None:
    written = tmp_path / Path(place).name
    written.write_text(line + "\n")
    assert len(astray(place.removesuffix(".py").replace("/", "."), written)) == 1
