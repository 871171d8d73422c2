"""Restoring: the suite's own stage against pg_restore as the recovery guide writes it, and against the floor."""

import sys
import time

from bench.ground import CORES, Ground, ground_for
from bench.timing import Times, take_turns, timed
from fixtures.database.catalogue import take_facts
from fixtures.database.fidelity import contents_of_restored
from fixtures.dump.archive_toc import read_archive
from fixtures.profile import Profile
from fixtures.restore.parallel.split_restore import LEAST_BYTES
from fixtures.restore.restore import restore
from fixtures.sandbox.account import unprivileged_account
from fixtures.shelf.locate import LocatedSet

GUIDE = "pg_restore -c -d, one job, stock server"
GUIDE_JOBS = "pg_restore -c -j cores, stock server"
FLOOR = "pg_restore -j cores, the drill's server"
OURS = "the drill's load, a dominating table's rows dealt out"
UNSPLIT = "the drill's load, left to pg_restore alone"
STAGE = "the drill's whole stage: roles, load, ANALYZE"
FACTS = "facts and digests"
SCAN = "one sequential scan of every table"


def compare(located: LocatedSet, profile: Profile, rounds: int) -> tuple[dict[str, Times], dict[str, Times]]:
    """Times of every way to restore, and of reading the facts against scanning the same rows."""
    with ground_for(located) as ground:
        stage: list[float] = []

        def ours(split_from: int = LEAST_BYTES) -> float:
            archive = read_archive(ground.dump, ground.guardian, account=unprivileged_account())
            ground.made += 1
            began = time.perf_counter()
            done = restore(
                ground.fast,
                ground.dump,
                archive,
                ground.guardian,
                roles=ground.roles,
                limit_minutes=profile.limits.restore,
                database=f"bench{ground.made}",
                split_from=split_from,
            )
            if split_from == LEAST_BYTES:
                stage.append(time.perf_counter() - began)
            return done.restore_seconds

        times = take_turns(
            {
                GUIDE: lambda: ground.by_hand(ground.stock),
                GUIDE_JOBS: lambda: ground.by_hand(ground.stock, "-j", str(CORES)),
                FLOOR: lambda: ground.by_hand(ground.fast, "-j", str(CORES)),
                OURS: ours,
                UNSPLIT: lambda: ours(sys.maxsize),
            },
            rounds,
        )
        times[STAGE] = Times(tuple(stage))
        return times, _reading(ground, profile, rounds)


def _reading(ground: Ground, profile: Profile, rounds: int) -> dict[str, Times]:
    """Both read the database that the last round restored, which is in memory for either."""
    server = ground.fast
    with server.connect() as connection:
        connection.execute(f"ALTER DATABASE bench{ground.made} RENAME TO restored")

    def facts() -> None:
        taken = contents_of_restored(server, ground.located, profile.limits.facts * 60, lambda tenant: "masked")
        assert taken is not None
        with server.connect("restored") as connection:
            take_facts(connection, taken.rows)

    def scan() -> None:
        with server.connect("restored") as connection:
            for (table,) in connection.execute(
                "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
            ).fetchall():
                connection.execute(f"SELECT count(*) FROM {table}")

    return take_turns({FACTS: lambda: timed(facts), SCAN: lambda: timed(scan)}, rounds)
