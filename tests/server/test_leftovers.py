"""What a drill leaves that was killed with its guardian is told by the next one, and removed by a command."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg
import pytest

from fixtures.sandbox.guardian import Guardian
from fixtures.server import ServerRequest, serve
from tests.server.test_server_scratch import PASSWORD, Standing
from tests.story.test_server_lost import kill, postmasters

REPOSITORY = Path(__file__).parents[2]
RUN = "20260101T000000Z-0123ab"
# A drill that was under way when the machine was switched off.
KILLED = """
import os, signal, sys
from fixtures.restore.make_roles import make_roles
from fixtures.restore.roles import RolesFile
from fixtures.sandbox.guardian import Guardian
from fixtures.server import ServerRequest, serve
run, url = sys.argv[1:]
with Guardian(run) as guardian, serve(ServerRequest(run, url), guardian) as server:
    make_roles(server, RolesFile(), ["an_owner", "their_app"])
    server.create_database("restored", owner="an_owner")
    print(server.scratch.parent, flush=True)
    sys.stdin.readline()
    os.kill(guardian.pid, signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(scope="module")
def standing() -> Iterator[Standing]:
    with Guardian("1ef70fe5") as guardian, serve(ServerRequest("1ef70fe5", "local"), guardian) as server:
        with server.connect() as connection:
            connection.execute(f"CREATE ROLE drills LOGIN CREATEDB CREATEROLE PASSWORD '{PASSWORD}'")
            connection.execute("CREATE DATABASE theirs OWNER drills")
            connection.execute("CREATE DATABASE drill_it OWNER drills")
            connection.execute("CREATE ROLE their_app")
            connection.execute("COMMENT ON ROLE their_app IS 'made by restore drill of ours'")
        yield Standing(server)


def removing(url: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "fixtures.commands.leftovers"],
        cwd=REPOSITORY,
        env={**os.environ, "DRILL_SERVER": url},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert PASSWORD not in done.stdout + done.stderr
    return done.returncode, done.stdout + done.stderr


def test_what_a_killed_drill_left_is_told_and_removed_and_nothing_else(standing: Standing, guardian: Guardian) -> None:
    before = standing.databases(), standing.roles()
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, RUN, standing.url],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as drill:
        assert drill.stdout is not None
        folder = Path(drill.stdout.readline().strip())
        code, said = removing(standing.url)
        assert (code, said) == (0, f"drill {RUN}: 1 database, 1 role: at work, left alone\n")
        drill.communicate("now\n", timeout=30)
    shutil.rmtree(folder)
    assert standing.databases() - before[0] == {f"drill_{RUN}_restored"}
    assert standing.roles() - before[1] == {"an_owner"}
    with serve(ServerRequest("0123abcd", standing.url), guardian) as server:
        assert server.left == (f"drill {RUN}: 1 database, 1 role",)
    code, said = removing(standing.url)
    assert code == 0, said
    assert f"database drill_{RUN}_restored removed" in said
    assert "role an_owner removed" in said
    assert (standing.databases(), standing.roles()) == before
    assert removing(standing.url) == (0, "No drill left anything there.\n")


def test_what_cannot_be_removed_is_told(standing: Standing) -> None:
    with standing.server.connect() as connection:
        connection.execute(f'CREATE DATABASE "drill_{RUN}_restored"')
    try:
        code, said = removing(standing.url)
        assert (code, said.splitlines()[1]) == (
            1,
            f"  database drill_{RUN}_restored is still there: must be owner of database drill_{RUN}_restored",
        )
    finally:
        with standing.server.connect() as connection:
            connection.execute(f'DROP DATABASE "drill_{RUN}_restored"')


def test_without_a_server_that_was_named_nothing_is_looked_at() -> None:
    assert removing("local")[0] == 2
    code, said = removing("postgresql://drill@127.0.0.1:1/postgres")
    assert code == 2
    assert "refuses the connection" in said


def test_a_server_that_is_lost_is_not_known_to_be_clean(standing: Standing) -> None:
    """Nobody knows what is left on a server that gives no answer: that is not the same as something that is left."""
    others = postmasters(psutil.Process())
    with Guardian("0123abcd") as guardian, serve(ServerRequest("0123abcd", "local"), guardian) as theirs:
        with theirs.connect() as connection:
            connection.execute(f"CREATE ROLE drills LOGIN CREATEDB PASSWORD '{PASSWORD}'")
        url = f"postgresql://drills:{PASSWORD}@/postgres?host={theirs.host}"
        with (
            Guardian("0123abce") as watching,
            suppress(psycopg.OperationalError),
            serve(ServerRequest("0123abce", url), watching) as server,
        ):
            server.create_database("restored")
            kill(postmasters(psutil.Process()) - others)
        on_it = [trace for trace in watching.leftovers() if trace.kind in ("database", "roles")]
    assert [(trace.gone, trace.looked) for trace in on_it] == [(False, False)] * 2
