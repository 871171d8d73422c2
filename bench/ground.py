"""The ground that restores are timed on: a fast and a stock server, and a dump where their account can read it."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fixtures.restore.make_roles import make_roles
from fixtures.restore.roles import RolesFile
from fixtures.restore.roles_file import read_roles_file
from fixtures.sandbox.account import unprivileged_account
from fixtures.sandbox.guardian import Guardian
from fixtures.server import Server, ServerRequest, serve
from fixtures.shelf.locate import LocatedSet
from fixtures.shelf.staging import staged_dump

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
    owner: str
    made: int = 0

    def fresh(self, server: Server) -> str:
        """An empty database; earlier ones are dropped, so that the disk holds one at a time."""
        if self.made:
            for other in (self.fast, self.stock):
                with other.connect() as connection:
                    connection.execute(f"DROP DATABASE IF EXISTS bench{self.made} WITH (FORCE)")
        self.made += 1
        server.create_database(f"bench{self.made}", owner=self.owner)
        return f"bench{self.made}"

    def by_hand(self, server: Server, *options: str) -> float:
        """Seconds of one pg_restore process. Raises SystemExit when it fails."""
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


def application_on(server: Server, database: str) -> dict[str, str]:
    """The environment in which the sample's manage.py works on a database of a server, by its real name."""
    return {
        **{"PATH": os.environ.get("PATH", os.defpath), "DB_HOST": server.host, "DB_PORT": str(server.port)},
        **{"DB_NAME": database, "DB_USER": server.user, "DB_PASSWORD": server.password},
    }


@contextmanager
def ground_for(located: LocatedSet, owner: str = "igny8_owner") -> Iterator[Ground]:
    """The ground of one set, whose databases belong to the role `owner`."""
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
        yield Ground(fast, stock, guardian, located, staged_dump(located, folder, account), roles, owner)
