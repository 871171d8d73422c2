"""What a drill leaves that was killed with its guardian is told by the next one, and removed by a command."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg
import pytest

from fixtures.sandbox.account import unprivileged_account
from fixtures.sandbox.child import plain_environment, run_child
from fixtures.sandbox.guardian import Guardian
from fixtures.sandbox.isolation import OPEN, network_isolation
from fixtures.sandbox.owned_folder import owned_folders
from fixtures.sandbox.view import View
from fixtures.server import ServerRequest, serve
from fixtures.story.not_shown import folders_left
from tests.server.test_server_scratch import PASSWORD, Standing
from tests.story.test_server_lost import kill, postmasters

REPOSITORY = Path(__file__).parents[2]
RUN = "20260101T000000Z-0123ab"
NO_FOLDER = "No drill left a folder on this machine."
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
    print(server.scratch.parents[1], flush=True)
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


@pytest.fixture(autouse=True)
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where the drills of these tests make their folders, and no other."""
    # The folder of all tests is made at its first use, and not here.
    tmp_path_factory.getbasetemp()
    with tempfile.TemporaryDirectory(prefix="rdt-", dir="/tmp") as made, pytest.MonkeyPatch.context() as patching:
        patching.setenv("TMPDIR", made)
        patching.setattr(tempfile, "tempdir", None)
        Path(made).chmod(0o711)
        yield Path(made)


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
        at_work = [f"drill {RUN}: 1 database, 1 role", f"folder {folder} of drill {RUN}"]
        assert (code, sorted(said.splitlines())) == (0, [f"{each}: at work, left alone" for each in at_work])
        assert list(folders_left()) == []
        drill.communicate("now\n", timeout=30)
    assert [f"{folder} of drill {RUN}" in said for said in folders_left()] == [True]
    assert standing.databases() - before[0] == {f"drill_{RUN}_restored"}
    assert standing.roles() - before[1] == {"an_owner"}
    with serve(ServerRequest("0123abcd", standing.url), guardian) as server:
        assert server.left == (f"drill {RUN}: 1 database, 1 role",)
    code, said = removing(standing.url)
    assert code == 0, said
    assert f"folder {folder} of drill {RUN} removed" in said
    assert not folder.exists()
    assert f"database drill_{RUN}_restored removed" in said
    assert "role an_owner removed" in said
    assert (standing.databases(), standing.roles()) == before
    assert removing(standing.url) == (0, f"{NO_FOLDER}\nNo drill left anything there.\n")


def test_a_folder_that_nobody_knows_the_drill_of_is_left_alone(place: Path, tmp_path: Path) -> None:
    """Its name alone makes none a drill's: neither one without a mark, nor one whose mark is another's or leads elsewhere."""
    unmarked, just_begun, linked, linking = (place / f"rd-0000000{number}" for number in range(4))
    marked = tmp_path / "marked"
    for folder in (unmarked, just_begun, linked, marked):
        folder.mkdir()
    (just_begun / "of-drill").touch()
    (marked / "of-drill").write_text(RUN)
    (linked / "of-drill").symlink_to(marked / "of-drill")
    linking.symlink_to(marked)
    code, said = removing("local")
    assert code == 0
    assert [f"folder {each}: nobody can tell whose it is" in said for each in (unmarked, just_begun, linked)] == [
        True
    ] * 3
    assert list(folders_left()) == []
    assert all(each.is_dir() for each in (unmarked, just_begun, linked, linking, marked))


def test_a_folder_of_the_drills_account_cannot_pass_for_a_drills(place: Path, guardian: Guardian) -> None:
    """Its mark lies out of the reach of what runs as that account, and its own folder within."""
    account = unprivileged_account()
    isolation = network_isolation() if account is None else OPEN
    with guardian.folder("a program's files", account) as within:
        mark = within.parent / "of-drill"
        tried = f"rm -f {mark}; echo {RUN} >{mark}; mv {within} {within.parent}/other; exec flock -x -n {mark} true"
        done = run_child(
            ["sh", "-c", tried],
            environment=plain_environment(),
            guardian=guardian,
            account=account,
            isolation=isolation,
            view=View(write=(within,)),
        )
        assert not done.succeeded
        assert mark.read_text() == guardian.run_id
        (only,) = owned_folders()
        assert (only.path, only.state) == (within.parent, "at work")
        assert not only.remove()


def test_what_cannot_be_removed_is_told(standing: Standing) -> None:
    with standing.server.connect() as connection:
        connection.execute(f'CREATE DATABASE "drill_{RUN}_restored"')
    try:
        code, said = removing(standing.url)
        assert (code, said.splitlines()[2]) == (
            1,
            f"  database drill_{RUN}_restored is still there: must be owner of database drill_{RUN}_restored",
        )
    finally:
        with standing.server.connect() as connection:
            connection.execute(f'DROP DATABASE "drill_{RUN}_restored"')


def test_without_a_server_that_was_named_folders_alone_are_looked_at() -> None:
    code, said = removing("local")
    assert (code, said.startswith(f"{NO_FOLDER}\nNo server was named")) == (0, True)
    assert removing("bigserver/postgres")[0] == 2
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
