"""A confined program sees nothing of the machine but what it is given, and nothing of it outlives it."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from fixtures.sandbox.account import Account, unprivileged_account
from fixtures.sandbox.child import plain_environment, run_child, start
from fixtures.sandbox.guardian import Guardian, GuardianLost
from fixtures.sandbox.isolation import Isolation, Kind, network_isolation
from fixtures.sandbox.view import View
from fixtures.server import ServerRequest, serve
from tests.support.clock import set_forward

ACCOUNTS = [None, unprivileged_account()] if os.geteuid() == 0 else [None]
CONFINING: tuple[Kind, ...] = ("bubblewrap", "unshare")
EVERY: tuple[Kind, ...] = (
    *CONFINING,
    *(("unshare --net",) if os.geteuid() == 0 else ("unshare --user --net",)),
    "none",
)
# A daemon as attackers write one: two forks, a session of its own, deaf to SIGTERM, its outputs closed.
DAEMON = """
import os, signal, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        for descriptor in (0, 1, 2):
            os.close(descriptor)
        os.execv('/bin/sleep', ['sleep', '{seconds}'])
    os._exit(0)
os.wait()
"""


def within(place: str) -> Path:
    return Path(f"{place}/rdt-confined-{os.getpid()}-{time.monotonic_ns()}")


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder that any account may enter, where the machine keeps its own temporary files."""
    folder = within("/tmp")
    folder.mkdir(mode=0o755)
    yield folder
    shutil.rmtree(folder)


def said(
    guardian: Guardian,
    script: str,
    kind: Kind,
    account: Account | None = None,
    view: View | None = None,
) -> tuple[int, str]:
    done = run_child(
        ["sh", "-c", script],
        environment=plain_environment(),
        guardian=guardian,
        account=account,
        isolation=Isolation(kind, ""),
        view=view or View(),
        limit=30,
    )
    return done.returncode, "\n".join((*done.stdout, *done.stderr))


def running(*words: str) -> list[psutil.Process]:
    return [each for each in psutil.process_iter(["cmdline"]) if each.info["cmdline"] == list(words)]


def once_running(*words: str) -> list[psutil.Process]:
    """Waits at most 30 s for the program: whoever starts one in the background does not wait until it is there."""
    deadline = time.monotonic() + 30
    while not (processes := running(*words)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return processes


@pytest.mark.parametrize("account", ACCOUNTS)
@pytest.mark.parametrize("kind", CONFINING)
def test_nothing_of_the_machine_is_to_be_seen(
    guardian: Guardian, kind: Kind, account: Account | None, home: Path
) -> None:
    (home / "canary").write_text("canary")
    (home / "canary").chmod(0o666)
    for place in ("/tmp", "/run", "/var/tmp"):
        assert said(guardian, f"ls -A {place} | wc -l", kind, account) == (0, "0"), place
    for hidden in (
        "/root",
        "/home",
        "/srv",
        "/mnt",
        "/var/lib",
        "/var/run/docker.sock",
        "/sys",
        "/etc/shadow",
        "/etc/ssh",
    ):
        code, _ = said(guardian, f"ls {hidden}", kind, account)
        assert code != 0, hidden
    code, text = said(guardian, "ls /proc | grep -c '^[0-9]'", kind, account)
    assert (code, int(text) <= 6) == (0, True), text
    code, _ = said(guardian, f"echo changed > {home}/canary", kind, account)
    assert code != 0
    assert (home / "canary").read_text() == "canary"


@pytest.mark.parametrize("kind", CONFINING)
@pytest.mark.parametrize("place", ["/tmp", "/dev/shm"])
def test_it_writes_where_it_is_let_and_reads_where_it_is_shown(guardian: Guardian, kind: Kind, place: str) -> None:
    home = within(place)
    home.mkdir()
    for name in ("shown", "own"):
        (home / name).mkdir()
        (home / name / "file").write_text(name)
    (home / "link").symlink_to("shown")
    view = View(read=(home / "link",), write=(home / "own",))
    script = (
        f"cat {home}/link/file; echo; echo more > {home}/own/file; "
        f"(echo more > {home}/link/file) 2>/dev/null || echo kept"
    )
    assert said(guardian, script, kind, view=view) == (0, "shown\nkept")
    assert (home / "own" / "file").read_text() == "more\n"
    assert (home / "shown" / "file").read_text() == "shown"
    # Beside what is named there, nothing is to be seen.
    assert said(guardian, f"ls {place}", kind, view=view) == (0, home.name)
    shutil.rmtree(home)


@pytest.mark.parametrize("account", ACCOUNTS)
@pytest.mark.parametrize("kind", EVERY)
def test_no_new_privileges_can_be_had(guardian: Guardian, kind: Kind, account: Account | None) -> None:
    code, text = said(guardian, "grep -E '^(NoNewPrivs|CapEff)' /proc/self/status", kind, account)
    privileges, rights = sorted(text.splitlines(), reverse=True)
    assert (code, privileges.split()[1]) == (0, "1")
    # CAP_DAC_OVERRIDE at most, where root gave nothing up; CAP_SETFCAP for a namespace of users.
    assert int(rights.split()[1], 16) & ~(1 << 1 | 1 << 31) == 0 or kind == "unshare --user --net"


@pytest.mark.parametrize("account", ACCOUNTS)
@pytest.mark.parametrize("kind", EVERY)
@pytest.mark.further
def test_no_daemon_outlives_it(guardian: Guardian, kind: Kind, account: Account | None) -> None:
    seconds = str(5400 + EVERY.index(kind) + (100 if account else 0))
    done = run_child(
        ["/usr/bin/python3", "-I", "-c", DAEMON.format(seconds=seconds)],
        environment=plain_environment(),
        guardian=guardian,
        account=account,
        isolation=Isolation(kind, ""),
    )
    assert done.succeeded, done.stderr
    assert running("sleep", seconds) == []
    assert all(trace.gone for trace in guardian.leftovers())


@pytest.mark.parametrize("kind", EVERY)
@pytest.mark.further
def test_a_daemon_ends_with_a_program_that_takes_too_long(
    guardian: Guardian, kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    def until_it_runs(stream: str, line: str) -> None:
        # What a program says as it ends comes later, and the daemon runs no more.
        if line == "begun":
            assert once_running("sleep", seconds)
            set_forward(monkeypatch)

    seconds = str(5600 + EVERY.index(kind))
    script = DAEMON.format(seconds=seconds) + "print('begun', flush=True)\ntime.sleep(600)"
    done = run_child(
        ["/usr/bin/python3", "-I", "-c", script],
        environment=plain_environment(),
        guardian=guardian,
        isolation=Isolation(kind, ""),
        limit=60,
        on_line=until_it_runs,
    )
    assert done.timed_out
    assert done.stdout == ("begun",)
    assert running("sleep", seconds) == []


@pytest.mark.parametrize("kind", CONFINING)
def test_the_proof_of_teardown_looks_into_the_namespace(guardian: Guardian, kind: Kind) -> None:
    begun = start(
        ["/usr/bin/python3", "-I", "-c", DAEMON.format(seconds="5700") + "time.sleep(600)"],
        environment=plain_environment(),
        guardian=guardian,
        label="a program with a daemon",
        isolation=Isolation(kind, ""),
    )
    (daemon,) = once_running("sleep", "5700")
    assert begun.namespace is not None
    assert begun.namespace.number == Path(f"/proc/{daemon.pid}/ns/pid").stat().st_ino
    *_, within = guardian.leftovers()
    assert (within.label, within.gone) == ("all that the programs started", False)
    assert "processes run in the 1 namespaces" in within.how
    guardian.remove(begun.key)
    begun.process.wait(10)
    *_, within = guardian.leftovers()
    assert (within.gone, within.how) == (True, "no process is left in the 1 namespaces that the programs ran in")
    assert running("sleep", "5700") == []


@pytest.mark.parametrize("kind", CONFINING)
def test_what_was_just_let_begin_ends_where_the_guardian_cannot_be_told_of_its_namespace(
    guardian: Guardian, kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost_before_it_hears_more(self: Guardian, message: dict[str, str]) -> None:
        if message["watch"] in self._remnants:
            raise GuardianLost("it was ended from outside")

    monkeypatch.setattr(Guardian, "_say", lost_before_it_hears_more)
    # Its first process is left, if it is, where it waits for what was killed: in most of these, not in each.
    for _ in range(8):
        with pytest.raises(GuardianLost):
            start(
                ["sleep", "5750"],
                environment=plain_environment(),
                guardian=guardian,
                label="x",
                isolation=Isolation(kind, ""),
            )
    monkeypatch.undo()
    ended = time.monotonic() + 30
    while not guardian.leftovers()[-1].gone and time.monotonic() < ended:
        time.sleep(0.02)
    *programs, within = guardian.leftovers()
    assert all(trace.gone for trace in programs), programs
    assert (within.gone, within.how) == (True, "no process is left in the 8 namespaces that the programs ran in")


@pytest.mark.parametrize("guarded", [True, False])
@pytest.mark.parametrize("kind", CONFINING)
def test_the_namespace_of_a_drill_that_was_killed_ends_with_it_and_with_its_guardian_too(
    kind: Kind, guarded: bool
) -> None:
    seconds = "5800" if guarded else "5900"
    drill = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import time\n"
            "from fixtures.sandbox.child import plain_environment, start\n"
            "from fixtures.sandbox.guardian import Guardian\n"
            "from fixtures.sandbox.isolation import Isolation\n"
            "with Guardian('0123abcd') as guardian:\n"
            f"    start(['/usr/bin/python3', '-I', '-c', {DAEMON.format(seconds=seconds)!r} + 'time.sleep(600)'],\n"
            "        environment=plain_environment(), guardian=guardian, label='x',\n"
            f"        isolation=Isolation({kind!r}, ''))\n"
            "    print(guardian.pid, flush=True)\n"
            "    time.sleep(600)",
        ],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with drill:
        assert drill.stdout is not None
        guardian = psutil.Process(int(drill.stdout.readline()))
        assert guardian.ppid() == drill.pid
        assert once_running("sleep", seconds)
        if not guarded:
            guardian.kill()
        drill.kill()
    deadline = time.monotonic() + 30
    while running("sleep", seconds) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert running("sleep", seconds) == []


def test_a_listener_on_loopback_and_one_without_a_name_on_disk_are_out_of_reach(guardian: Guardian) -> None:
    with socket.create_server(("127.0.0.1", 0)) as port, socket.socket(socket.AF_UNIX) as nameless:
        nameless.bind(f"\0rdt-{os.getpid()}")
        nameless.listen()
        reach = (
            "import socket\n"
            f"for family, address in ((2, ('127.0.0.1', {port.getsockname()[1]})), (1, '\\0rdt-{os.getpid()}')):\n"
            "    with socket.socket(family) as one:\n"
            "        print(one.connect_ex(address) == 0)\n"
        )
        for isolation, expected in (
            (network_isolation(), ("False", "False")),
            (Isolation("open", ""), ("True", "True")),
        ):
            done = run_child(
                ["/usr/bin/python3", "-I", "-c", reach],
                environment=plain_environment(),
                guardian=guardian,
                isolation=isolation,
            )
            assert done.stdout == expected, done.stderr


def test_what_a_superuser_of_the_server_starts_there_sees_nothing_and_ends_with_it(
    guardian: Guardian, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.chmod(0o777)
    monkeypatch.setattr(tempfile, "tempdir", "/tmp")
    with serve(ServerRequest("0123abcd", "local"), guardian) as server, server.connect() as connection:
        # With its outputs elsewhere: the server reads a program's to their end.
        daemon = "(setsid nohup sleep 5900 > /dev/null 2>&1 < /dev/null &)"
        look = f"echo x > {home}/canary; ls /tmp > /tmp/seen; cat /tmp/seen; true"
        connection.execute("CREATE TEMP TABLE said (line text)")
        connection.execute(f"COPY said FROM PROGRAM '{daemon} ; {look}'")
        lines = [row[0] for row in connection.execute("SELECT line FROM said")]
        # Its own folder alone, on the way to which that of temporary files is.
        assert sorted(lines) == sorted([Path(server.host).relative_to("/tmp").parts[0], "seen"])
        assert once_running("sleep", "5900")
    assert running("sleep", "5900") == []
    assert not (home / "canary").exists()
    assert all(trace.gone for trace in guardian.leftovers())
