"""A whole gate beside what a careful person does by hand: restore the dump onto a stock server, and migrate it."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.drills import drill
from bench.ground import CORES, application_on, ground_for
from bench.timing import Times, take_turns
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

        def by_hand() -> float:
            restored = ground.by_hand(ground.stock, "-j", str(CORES))
            began = time.perf_counter()
            subprocess.run(
                [sys.executable, "manage.py", "migrate", "--no-input"],
                cwd=ROOT / "sample",
                env=application_on(ground.stock, f"bench{ground.made}"),
                check=True,
                stdout=subprocess.DEVNULL,
            )
            return restored + time.perf_counter() - began

        ways: dict[str, Callable[[], float]] = {
            BY_HAND: by_hand,
            GATE: lambda: drill(backups, work / "out", ("--gate",)).spent.seconds,
            CACHED: lambda: drill(backups, work / "out", keeping).spent.seconds,
        }
        return take_turns(ways, rounds)
