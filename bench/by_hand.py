"""A recovery by hand, step by step as the source's guide has it, with one job on a stock server, beside a whole drill."""

import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from bench.ground import application_on
from bench.processor import Spent, run_on
from fixtures.record.project import ROOT
from fixtures.sandbox.guardian import Guardian
from fixtures.server import Server, ServerRequest, serve
from fixtures.shelf.locate import LocatedSet

BY_HAND = "by hand: the guide's steps one after the other"
WHOLE = "the whole drill, with its checks and documents"
DIGEST, ROLES, CREATED = "sha256sum of every file", "psql: the roles", "psql: CREATE DATABASE"
RESTORED, ANALYZED, UNPACKED = "pg_restore -c, one job", "psql: ANALYZE", "tar: the sites"
MIGRATED, CHECKED, COLLECTED = "manage.py migrate", "manage.py check", "manage.py collectstatic"
STEPS = (DIGEST, ROLES, CREATED, RESTORED, ANALYZED, UNPACKED, MIGRATED, CHECKED, COLLECTED)
_DATABASE = "recovered"


def beside(
    located: LocatedSet, rounds: int, drill: Callable[[], Spent]
) -> tuple[dict[str, tuple[Spent, ...]], dict[str, tuple[Spent, ...]]]:
    """What a recovery by hand and a whole drill take, in turns, and then each step by hand, for every round."""
    recoveries: list[dict[str, Spent]] = []
    drills: list[Spent] = []
    for _ in range(rounds):
        recoveries.append(recover(located))
        drills.append(drill())
    whole = tuple(sum(steps.values(), Spent(0, 0)) for steps in recoveries)
    steps = {name: tuple(recovery[name] for recovery in recoveries) for name in STEPS}
    return {BY_HAND: whole, WHOLE: tuple(drills)}, steps


def recover(located: LocatedSet) -> dict[str, Spent]:
    """What each step takes. The server stands before the first of them, as it does where somebody recovers.

    Raises SystemExit when a step fails."""
    with (
        Guardian("be4c4be4") as guardian,
        serve(ServerRequest("be4c4be4", choice="local", stock=True), guardian) as server,
        tempfile.TemporaryDirectory(prefix="bench-by-hand-") as folder,
    ):
        work = Path(folder)
        environment = {**application_on(server, _DATABASE), "STATIC_ROOT": str(work / "static")}
        took = {}
        for name, command in _commands(located, server, work):
            of_application = command[0] == sys.executable
            variables = environment if of_application else server.environment("postgres")
            took[name] = run_on(server, command, variables, ROOT / "sample" if of_application else work)
        return took


def _commands(located: LocatedSet, server: Server, work: Path) -> Iterator[tuple[str, list[str]]]:
    clients, files = server.clients, {role: str(path) for role, path in located.paths.items()}
    psql = [str(clients.psql), "-X", "-q", "-v", "ON_ERROR_STOP=1"]
    manage = [sys.executable, "manage.py"]
    yield DIGEST, ["sha256sum", *files.values()]
    yield ROLES, [*psql, "-f", files["roles"]]
    yield CREATED, [*psql, "-c", f"CREATE DATABASE {_DATABASE} OWNER igny8_owner TEMPLATE template0"]
    yield RESTORED, [str(clients.pg_restore), "-c", "--if-exists", "-d", _DATABASE, files["dump"]]
    yield ANALYZED, [*psql, "-d", _DATABASE, "-c", "ANALYZE"]
    yield UNPACKED, ["tar", "-x", "-C", str(work), "-f", files["sites"]]
    yield MIGRATED, [*manage, "migrate", "--noinput"]
    yield CHECKED, [*manage, "check"]
    yield COLLECTED, [*manage, "collectstatic", "--noinput"]
