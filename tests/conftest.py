"""What the suite's own tests share: a guardian, and whether Docker is there."""

import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import psycopg
import pytest

from fixtures.sandbox.guardian import Guardian
from fixtures.server.templates import NAMED_BY
from tests.support import kept_server, time_limit

if TYPE_CHECKING:
    from tests.support.application_under_test import Bench
    from tests.support.drills import Drill, Drilling, Healthy, Signed
    from tests.support.short_drills import Standing


CLUSTERS = pytest.StashKey[str]()
IN_MEMORY = pytest.StashKey[str]()
MEMORY, ROOM = Path("/dev/shm"), 6 << 30
"""Where the tests' servers lie while this many bytes are free there: a clone of a database is hundreds of small files, which
take a fifth of the time that they take on a disk."""
LEFT_OUT = pytest.StashKey[Counter[str]]()
MARKS = {"whole": "whole drills", "further": "costly cases, for which another test of their room stood here"}
"""What `make test` leaves to `make test-all`, by marker."""


def pytest_configure(config: pytest.Config) -> None:
    """Once for all workers, and for the drills that they start: initdb is a second of processor time for each server."""
    config.pluginmanager.register(time_limit)
    if hasattr(config, "workerinput"):
        return
    if "TMPDIR" not in os.environ and has_room(MEMORY):
        # What a test that failed wrote stays where pytest keeps it.
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", tempfile.gettempdir())
        forget_the_dead(MEMORY)
        config.stash[IN_MEMORY] = os.environ["TMPDIR"] = tempfile.mkdtemp(prefix=f"rdt-{os.getpid()}-", dir=MEMORY)
        os.chmod(config.stash[IN_MEMORY], 0o1777)  # noqa: PTH101
        tempfile.tempdir = None
    if NAMED_BY not in os.environ:
        config.stash[CLUSTERS] = os.environ[NAMED_BY] = tempfile.mkdtemp(prefix="rdt-clusters-")


def has_room(memory: Path) -> bool:
    try:
        return min(shutil.disk_usage(memory).free, psutil.virtual_memory().available) >= ROOM
    except OSError:
        return False


def forget_the_dead(memory: Path) -> None:
    """Removes what sessions of this user's left there that were killed: it would hold memory until the machine restarts."""
    for folder in memory.glob("rdt-*-*"):
        pid = folder.name.split("-")[1]
        if pid.isdigit() and folder.stat().st_uid == os.geteuid() and not psutil.pid_exists(int(pid)):
            shutil.rmtree(folder, ignore_errors=True)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Once -m has left out what it leaves out; in each worker the same."""
    if hasattr(config, "workerinput"):
        from tests.support.shared_first import in_shares

        items[:] = in_shares(items, config.workerinput["workercount"])


def pytest_deselected(items: Sequence[pytest.Item]) -> None:
    """Counts what -m left out; each worker hands its count to the controller."""
    config = items[0].config
    left_out = Counter(mark for item in items for mark in MARKS if item.get_closest_marker(mark))
    config.stash[LEFT_OUT] = config.stash.get(LEFT_OUT, Counter()) + left_out
    if hasattr(config, "workeroutput"):
        config.workeroutput["left_out"] = dict(config.stash[LEFT_OUT])


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Every worker collects the same tests, so each leaves out the same ones."""
    left_out = getattr(node, "workeroutput", {}).get("left_out")
    if left_out:
        node.config.stash[LEFT_OUT] = Counter(left_out)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    left_out = config.stash.get(LEFT_OUT, Counter())
    if left_out:
        terminalreporter.section("left to make test-all")
        for mark, number in left_out.items():
            terminalreporter.write_line(f"{number} tests marked {mark}: {MARKS[mark]}")
    if skipped := terminalreporter.stats.get("skipped", []):
        terminalreporter.section("left out on this machine")
        for report in skipped:
            _, _, reason = report.longrepr
            terminalreporter.write_line(
                f"{report.nodeid}: {reason.removeprefix('Skipped: ').removeprefix('left out: ')}"
            )


def pytest_unconfigure(config: pytest.Config) -> None:
    kept_server.end()
    if CLUSTERS in config.stash:
        shutil.rmtree(config.stash[CLUSTERS])
        del os.environ[NAMED_BY]
    if IN_MEMORY in config.stash:
        shutil.rmtree(config.stash[IN_MEMORY])
        del os.environ["TMPDIR"]
        tempfile.tempdir = None


@pytest.fixture
def guardian() -> Iterator[Guardian]:
    with Guardian("0123abcd") as watching:
        yield watching


@pytest.fixture(scope="session")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Healthy"]:
    """The sample as a source of backups, made once: each test plants its fault in a clone."""
    from tests.support.drills import healthy_source

    with healthy_source(tmp_path_factory.mktemp("healthy")) as ready:
        yield ready


@pytest.fixture(scope="session")
def place(healthy: "Healthy") -> Iterator["Bench"]:
    """The sample on that same server, to try the application on: each test drills a clone."""
    from tests.support.application_under_test import bench

    with bench(healthy) as ready:
        yield ready


@pytest.fixture
def restored(place: "Bench") -> Iterator[psycopg.Connection]:
    """The sample's database as it was restored; the connection plants faults in it, and is closed before it is cloned."""
    with place.restored() as connection:
        yield connection


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the sample's code, which the test may spoil."""
    from tests.support.application_under_test import copy_of_the_sample

    return copy_of_the_sample(tmp_path)


@pytest.fixture(scope="session")
def whole_set(healthy: "Healthy", tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup set in which nothing is wrong: tests spoil copies of it."""
    return healthy.backup(tmp_path_factory.mktemp("whole") / "backups", name="whole")


@pytest.fixture(scope="session")
def healthy_drill(whole_set: Path, tmp_path_factory: pytest.TempPathFactory) -> "Drill":
    """A whole drill of that set in this one process: what others are compared with."""
    from tests.support.drills import drill

    return drill(whole_set.parent, tmp_path_factory.mktemp("healthy-drill"), pdf=True)


@pytest.fixture(scope="session")
def second_drill(healthy_drill: "Drill", whole_set: Path, tmp_path_factory: pytest.TempPathFactory) -> "Signed":
    """The same set drilled once more into the same folder of reports: with workers, signed, and from a shell that has set
    libpq's variables."""
    from tests.support.drills import signed_drill_after

    return signed_drill_after(healthy_drill, whole_set.parent, tmp_path_factory.mktemp("second-drill"))


@pytest.fixture(scope="session")
def standing(whole_set: Path) -> Iterator["Standing"]:
    """What a drill of that set left standing: short drills go on from there."""
    from tests.support.short_drills import standing_drill

    with standing_drill(whole_set) as ready:
        yield ready


@pytest.fixture(scope="session")
def short_drill(whole_set: Path, standing: "Standing", tmp_path_factory: pytest.TempPathFactory) -> "Drill":
    """A short drill of that set: its evidence and its report are those of a whole one."""
    return standing.drill(whole_set.parent, tmp_path_factory.mktemp("short-drill"))


@pytest.fixture
def drilling(request: pytest.FixtureRequest) -> "Drilling":
    """The way to drill a set in which a fault is planted: short, or as the test says; on what is loaded of the set as
    well where it asks for LOADED_AS_WELL."""
    from tests.support.drills import whole_drill

    way = getattr(request, "param", "short")
    if way == "whole":
        return whole_drill
    ready: Standing = request.getfixturevalue("standing")
    return ready.drill_loaded if way == "loaded" else ready.drill


@pytest.fixture(scope="session")
def docker() -> None:
    """Leaves the test out, aloud, where no Docker answers; in CI that is a failure."""
    from fixtures.server.container import why_no_docker
    from tests.support.programs import missing

    why = why_no_docker()
    if why:
        missing(f"left out: the container provider, since {why}")
