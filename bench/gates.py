"""A whole gate beside what a careful person does by hand: restore the dump onto a stock server, and migrate it."""

import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from bench.drills import drill
from bench.ground import CORES, Ground, application_on, ground_for
from bench.timing import Times, take_turns, timed
from fixtures.record.project import ROOT
from fixtures.shelf.locate import LocatedSet

BY_HAND = "by hand: pg_restore -j cores on a stock server, then manage.py migrate"
GATE = "the whole gate, its checks and documents"
CACHED = "the whole gate, begun with what was kept"


def gates(located: LocatedSet, backups: Path, rounds: int) -> dict[str, Times]:
    """Seconds of each way, taking turns."""
    with ground_for(located) as ground, tempfile.TemporaryDirectory(prefix="bench-gate-") as folder:
        work = Path(folder)
        keeping = ("--gate", "--restore-cache", str(work / "kept"), "--restore-cache-gb", "1000")
        drill(backups, work / "out", keeping)

        ways: dict[str, Callable[[], float]] = {
            BY_HAND: lambda: restored_and_migrated(ground, Path(sys.executable), ROOT / "sample"),
            GATE: lambda: drill(backups, work / "out", ("--gate",)).spent.seconds,
            CACHED: lambda: drill(backups, work / "out", keeping).spent.seconds,
        }
        return take_turns(ways, rounds)


def restored_and_migrated(
    ground: Ground, python: Path, project: Path, more: Mapping[str, str] = MappingProxyType({})
) -> float:
    """Seconds of a restore by hand and of the migrations of the application in `project`, which `python` runs; `more` is what
    its settings read besides where the database is. Raises CalledProcessError when it does not migrate."""
    restored = ground.by_hand(ground.stock, "-j", str(CORES))
    environment = {**application_on(ground.stock, f"bench{ground.made}"), **more}
    command = [str(python), "manage.py", "migrate", "--noinput"]
    quiet = subprocess.DEVNULL
    return restored + timed(lambda: subprocess.run(command, cwd=project, env=environment, check=True, stdout=quiet))
