"""Restoring: the suite's own stage against pg_restore as the recovery guide writes it, and against the floor."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.timing import Times, take_turns, timed
from fixtures.drill.account import unprivileged_account
from fixtures.drill.archive_toc import read_archive
from fixtures.drill.backup_set import LocatedSet
from fixtures.drill.catalogue import take_facts
from fixtures.drill.fidelity import contents_of_restored
from fixtures.drill.guardian import Guardian
from fixtures.drill.profile import Profile
from fixtures.drill.restore import restore
from fixtures.drill.roles import make_roles
from fixtures.drill.roles_file import RolesFile, read_roles_file
from fixtures.drill.server import Server, ServerRequest, serve
from fixtures.drill.staging import staged_dump

GUIDE = "pg_restore -c -d, one job, stock server"
GUIDE_JOBS = "pg_restore -c -j cores, stock server"
FLOOR = "pg_restore -j cores, the drill's server"
OURS = "the drill's pg_restore"
STAGE = "the drill's whole stage: roles, load, ANALYZE"
FACTS = "facts and digests"
SCAN = "one sequential scan of every table"
CORES = len(os.sched_getaffinity(0))


@dataclass
class Ground:
    """Two servers with the roles of one set, and its dump where their account can read it."""

    fast: Server
    stock: Server
    guardian: Guardian
    located: LocatedSet
    dump: Path
    roles: RolesFile
    made: int = 0

    def fresh(self, server: Server) -> str:
        """An empty database; earlier ones are dropped, so that the disk holds one at a time."""
        if self.made:
            for other in (self.fast, self.stock):
                with other.connect() as connection:
                    connection.execute(f"DROP DATABASE IF EXISTS bench{self.made} WITH (FORCE)")
        self.made += 1
        server.create_database(f"bench{self.made}", owner="igny8_owner")
        return f"bench{self.made}"

    def by_hand(self, server: Server, *options: str) -> float:
        """Seconds of one pg_restore process."""
        database = self.fresh(server)
        began = time.perf_counter()
        done = subprocess.run(
            [str(server.clients.pg_restore), "-c", "--if-exists", *options, "-d", database, str(self.dump)],
            env=server.environment(database),
            user=server.account.uid if server.account else None,
            group=server.account.gid if server.account else None,
            extra_groups=[] if server.account else None,
            capture_output=True,
            cwd="/",
        )
        if done.returncode != 0:
            raise SystemExit(f"pg_restore by hand failed: {done.stderr.decode(errors='replace')[:400]}")
        return time.perf_counter() - began


def compare(located: LocatedSet, profile: Profile, rounds: int) -> tuple[dict[str, Times], dict[str, Times]]:
    """Times of every way to restore, and of reading the facts against scanning the same rows."""
    with _ground(located) as ground:
        stage: list[float] = []

        def ours() -> float:
            header, toc = read_archive(ground.dump, ground.guardian, account=unprivileged_account())
            ground.made += 1
            began = time.perf_counter()
            done = restore(
                ground.fast,
                ground.dump,
                header,
                toc,
                ground.guardian,
                roles=ground.roles,
                limit_minutes=profile.limits.restore,
                database=f"bench{ground.made}",
            )
            stage.append(time.perf_counter() - began)
            return done.restore_seconds

        times = take_turns(
            {
                GUIDE: lambda: ground.by_hand(ground.stock),
                GUIDE_JOBS: lambda: ground.by_hand(ground.stock, "-j", str(CORES)),
                FLOOR: lambda: ground.by_hand(ground.fast, "-j", str(CORES)),
                OURS: ours,
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


@contextmanager
def _ground(located: LocatedSet) -> Iterator[Ground]:
    account = unprivileged_account()
    with (
        Guardian("be4c4be4") as guardian,
        serve(ServerRequest("be4c4be4", choice="local"), guardian) as fast,
        serve(ServerRequest("be4c4be4", choice="local", stock=True), guardian) as stock,
        guardian.folder("the dump", account) as folder,
    ):
        roles = read_roles_file(located.paths["roles"])
        for server in (fast, stock):
            make_roles(server, roles, set(roles.names))
        yield Ground(fast, stock, guardian, located, staged_dump(located, folder, account), roles)
