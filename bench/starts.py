"""From a set to a server with its dump restored: loaded, loaded and kept, and begun with what was kept."""

import secrets
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from bench.drills import order_of
from bench.timing import Times, take_turns
from fixtures.profile.reading import ReadProfile
from fixtures.record import stages
from fixtures.record.progress import silent
from fixtures.restore.cache.own_restore import KeepIn
from fixtures.restore.cache.restores import Bounds
from fixtures.sandbox.guardian import Guardian
from fixtures.story.run_drill import run_drill

COLD = "a cold start: a new cluster, the dump loaded"
KEEPING = "the same, and what was restored is kept"
CACHED = "a cached start: every file verified while it is copied"
_UP_TO_THE_RESTORE = (stages.LOCATE, stages.INSPECT, stages.SERVE, stages.RESTORE)
_ROOM = Bounds(10**12, timedelta(days=1))


def starts(backups: Path, profile: ReadProfile, work: Path, rounds: int) -> dict[str, Times]:
    """Seconds of the stages `serve` and `restore` together."""
    folders = [work / f"kept-{number}" for number in range(rounds + 1)]
    _seconds(backups, profile, KeepIn(folders[0], _ROOM))
    anew = iter(folders[1:])
    return take_turns(
        {
            COLD: lambda: _seconds(backups, profile, None),
            KEEPING: lambda: _seconds(backups, profile, KeepIn(next(anew), _ROOM)),
            CACHED: lambda: _seconds(backups, profile, KeepIn(folders[0], _ROOM), cached=True),
        },
        rounds,
    )


def _seconds(backups: Path, profile: ReadProfile, keep: KeepIn | None, cached: bool = False) -> float:
    """SystemExit when it does not get there, or not in the way that was meant: its time would mean nothing."""
    run_id = secrets.token_hex(4)
    with ExitStack() as stack:
        guardian = stack.enter_context(Guardian(run_id))
        order = replace(order_of(run_id, backups, profile, guardian), keep=keep)
        record = run_drill(order, stack, lambda name: silent, _UP_TO_THE_RESTORE).record
    if any(stage.state != "ok" for stage in record.stages) or bool(record.cached_start) is not cached:
        raise SystemExit(f"the start was not {'cached' if cached else 'cold'}: {record.stages}")
    return sum(stage.seconds for stage in record.stages if stages.BY_NAME[stage.name].from_cache == "restored")
