"""A whole gate beside what a careful person does by hand: restore the dump onto a stock server, and migrate it."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.drills import ROOT, drill
from bench.ground import CORES, ground_for
from bench.timing import Times, take_turns
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
            server, database = ground.stock, f"bench{ground.made}"
            environment = {
                **{"PATH": os.environ.get("PATH", os.defpath), "DB_HOST": server.host, "DB_PORT": str(server.port)},
                **{"DB_NAME": database, "DB_USER": server.user, "DB_PASSWORD": server.password},
            }
            began = time.perf_counter()
            subprocess.run(
                [sys.executable, "manage.py", "migrate", "--no-input"],
                cwd=ROOT / "sample",
                env=environment,
                check=True,
                stdout=subprocess.DEVNULL,
            )
            return restored + time.perf_counter() - began

        ways: dict[str, Callable[[], float]] = {
            BY_HAND: by_hand,
            GATE: lambda: drill(backups, work / "out", ("--gate",))[0],
            CACHED: lambda: drill(backups, work / "out", keeping)[0],
        }
        return take_turns(ways, rounds)
