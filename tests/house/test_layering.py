"""Imports point one way: from a room to those on the storeys below it, and never round in a circle."""

import ast
from collections.abc import Iterable, Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
OURS = ("conftest", "fixtures", "igny8_core", "reports", "sample", "tests", "verify")

# The rooms of fixtures/, from the ground up: each may import those above it in this list, and none below it.
STOREYS = (
    "record",
    "archives",
    "sandbox",
    "server",
    "profile",
    "dump",
    "ownership",
    "shelf",
    "restore",
    "sites",
    "database",
    "application",
    "release",
    "custody",
    "story",
    "checks",
    "proof",
    "plan",
    "recovery",
    "plugin",
    "commands",
)
# Where pytest lives.
UPSTAIRS = ("plugin", "commands")


class Room(NamedTuple):
    """What the modules below a name may import of ours, and what they must not of others'."""

    ours: tuple[str, ...]
    never: tuple[str, ...] = ()


PYTEST = ("pytest", "_pytest", "pluggy", "xdist", "allure", "allure_pytest")
APPLICATION = ("django", "celery", "kombu")

# What each room may import of ours, and never of others'. The longest name that a module stands below is its room.
ROOMS = {
    "conftest": Room((), APPLICATION),
    "verify": Room(("fixtures",), (*APPLICATION, "psycopg", "allure")),
    **{
        f"fixtures.{room}": Room(
            tuple(f"fixtures.{below}" for below in STOREYS[: STOREYS.index(room) + 1]),
            APPLICATION if room in UPSTAIRS else (*PYTEST, *APPLICATION),
        )
        for room in STOREYS
    },
    # Run inside the application, by its interpreter: of everybody else's there is only what it brings itself.
    "fixtures.application.probes": Room((), (*PYTEST, "psycopg", "pydantic", "rich")),
    "reports": Room(("reports", "fixtures.record"), (*APPLICATION, "psycopg")),
    "sample": Room(("sample", "fixtures"), PYTEST),
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
    yield from _imports(ast.walk(ast.parse(path.read_text())), package)


def at_run_time(name: str, path: Path) -> Iterator[str]:
    """Those that are imported when it runs: types that name each other are no circle."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    tree = ast.parse(path.read_text())
    for_types = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    yield from _imports((node for node in ast.walk(tree) if node not in for_types), package)


def _imports(nodes: Iterable[ast.AST], package: str) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            source = ".".join([*parents, *([node.module] if node.module else [])])
            within = ROOT.joinpath(*source.split("."))
            modules = [alias.name for alias in node.names if (within / f"{alias.name}.py").exists()]
            yield from (f"{source}.{each}" for each in modules)
            if len(modules) < len(node.names):
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
    wrong = {name: rooms for name in inside if (rooms := astray(name, MODULES[name]))}
    assert wrong == {}


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ("fixtures/restore/x.py", "import pytest"),
        ("fixtures/server/x.py", "from fixtures.plugin import session"),
        ("fixtures/record/x.py", "from fixtures.archives import decompress"),
        ("fixtures/story/x.py", "def late():\n    from django.db import models"),
        ("fixtures/application/probes/x.py", "from fixtures.record import names"),
        ("fixtures/checks/x.py", "import verify.test_restore"),
        ("fixtures/commands/x.py", "from sample import build"),
        ("reports/x.py", "from fixtures.restore import restore"),
        ("reports/x.py", "from fixtures.record.evidence import Evidence\nfrom fixtures.plugin.gathering import plan"),
        ("sample/igny8_core/x.py", "from ..build import build"),
        ("verify/test_x.py", "from reports import words"),
    ],
)
def test_an_import_that_points_the_other_way_is_seen(place: str, line: str, tmp_path: Path) -> None:
    written = tmp_path / Path(place).name
    written.write_text(line + "\n")
    assert len(astray(place.removesuffix(".py").replace("/", "."), written)) == 1


def test_no_module_imports_itself_by_a_circle() -> None:
    graph = {name: [each for each in at_run_time(name, path) if each in MODULES] for name, path in MODULES.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as circle:
        pytest.fail(" → ".join(circle.args[1]))


def test_every_room_of_fixtures_has_its_storey_and_nothing_lies_loose() -> None:
    inside = {path.name for path in (ROOT / "fixtures").iterdir() if path.name != "__pycache__"}
    assert inside == {"__init__.py", *STOREYS}
