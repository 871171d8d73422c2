"""Programs of the drill: cut off from the network, unprivileged, ended in time, told nothing of our environment."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fixtures.sandbox.account import Account, unprivileged_account
from fixtures.sandbox.child import CUT, LONGEST_LINE, plain_environment, run_child
from fixtures.sandbox.guardian import Guardian
from fixtures.sandbox.isolation import Isolation, network_isolation
from fixtures.server import ServerRequest, serve

REACH = "exec 3<>/dev/tcp/127.0.0.1/$1"


@contextmanager
def a_listening_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.fixture
def account() -> Account | None:
    return unprivileged_account()


def test_this_machine_isolates_and_says_how() -> None:
    isolation = network_isolation()
    assert isolation.kind == "bubblewrap", isolation.reason
    assert isolation.confines
    assert isolation.cuts_off


def test_an_isolated_program_reaches_no_port_and_an_open_one_does(guardian: Guardian) -> None:
    with a_listening_port() as port:
        argv = ["bash", "-c", REACH, "bash", str(port)]
        free = run_child(argv, environment=plain_environment(), guardian=guardian)
        cut = run_child(argv, environment=plain_environment(), guardian=guardian, isolation=network_isolation())
    assert free.succeeded
    assert not cut.succeeded
    assert "Connection refused" in "\n".join(cut.stderr)


def test_an_isolated_program_reaches_the_servers_socket(guardian: Guardian) -> None:
    with serve(ServerRequest("0123abcd", "local"), guardian) as server:
        done = run_child(
            [str(server.clients.psql), "-XAtc", "SELECT current_database()"],
            environment=server.environment("postgres"),
            guardian=guardian,
            account=server.account,
            isolation=network_isolation(server.host),
            view=server.view(),
            cwd=server.scratch,
        )
    assert (done.returncode, done.stdout) == (0, ("postgres",))


def test_a_server_over_tcp_is_not_said_to_be_isolated() -> None:
    isolation = network_isolation("db.example")
    assert not isolation.cuts_off
    assert "TCP" in isolation.reason
    assert str(isolation).startswith("none")


@pytest.mark.skipif(os.geteuid() != 0, reason="left out: only root can hand a program to another account")
@pytest.mark.parametrize(
    "isolation",
    [Isolation(kind, "") for kind in ("bubblewrap", "unshare", "unshare --net", "unshare --user --net", "none")],
)
@pytest.mark.further
def test_root_hands_programs_to_an_account_without_groups_or_capabilities(
    guardian: Guardian, account: Account, isolation: Isolation
) -> None:
    done = run_child(
        ["sh", "-c", "id -u; id -g; grep -E '^(Groups|CapPrm)' /proc/self/status"],
        environment=plain_environment(),
        guardian=guardian,
        account=account,
        isolation=isolation,
    )
    said = "\n".join(done.stdout)
    assert done.stdout[:2] == (str(account.uid), str(account.gid))
    assert "Groups:\t \n" in said + "\n" or "Groups:\t\n" in said + "\n"
    assert isolation.kind == "unshare --user --net" or "CapPrm:\t0000000000000000" in said


def test_nothing_of_our_environment_is_handed_on(guardian: Guardian, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PGPASSWORD", "DATABASE_URL", "AWS_SECRET_ACCESS_KEY", "DJANGO_SETTINGS_MODULE", "PGSERVICE"):
        monkeypatch.setenv(name, "s3cr3t-w0rd")
    done = run_child(["env"], environment=plain_environment(), guardian=guardian)
    assert "s3cr3t-w0rd" not in "\n".join(done.stdout)


def test_both_outputs_come_line_by_line_and_neither_blocks_the_other(guardian: Guardian) -> None:
    heard: list[tuple[str, str]] = []
    script = (
        "import sys\n"
        "for n in range(40000): print('o' * 20, n); print('e' * 20, n, file=sys.stderr)\n"
        "print('no newline', end='')"
    )
    done = run_child(
        [sys.executable, "-c", script],
        environment=plain_environment(),
        guardian=guardian,
        on_line=lambda stream, line: heard.append((stream, line)),
    )
    assert (len(done.stdout), len(done.stderr)) == (40001, 40000)
    assert done.stdout[-1] == "no newline"
    assert len(heard) == 80001


def test_input_larger_than_a_pipe_is_fed_while_output_is_read(guardian: Guardian, tmp_path: Path) -> None:
    feed = b"one line of it\n" * 100_000
    (tmp_path / "feed").write_bytes(feed)
    for stdin in (feed, tmp_path / "feed"):
        done = run_child(["cat"], environment=plain_environment(), guardian=guardian, stdin=stdin)
        assert (done.returncode, len(done.stdout)) == (0, 100_000)


@pytest.mark.further
def test_a_program_that_takes_too_long_ends_with_all_it_started(guardian: Guardian) -> None:
    began = time.monotonic()
    done = run_child(
        ["sh", "-c", "trap '' TERM; sleep 61.75 & echo started; sleep 61.75; sleep 61.75"],
        environment=plain_environment(),
        guardian=guardian,
        limit=0.5,
    )
    assert done.timed_out
    assert not done.succeeded
    assert done.stdout == ("started",)
    assert time.monotonic() - began < 10
    assert subprocess.run(["pgrep", "-f", "sleep 61.75"], capture_output=True).stdout == b""


def test_an_interrupt_ends_the_program_before_it_goes_on_up(guardian: Guardian) -> None:
    def interrupt(stream: str, line: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_child(
            ["sh", "-c", "echo go; sleep 62.75"], environment=plain_environment(), guardian=guardian, on_line=interrupt
        )
    assert subprocess.run(["pgrep", "-f", "sleep 62.75"], capture_output=True).stdout == b""


@pytest.mark.parametrize(("program", "code"), [("no-such-program", 127), ("/etc/passwd", 126), ("false", 1)])
@pytest.mark.further
def test_how_a_program_ended_is_told_by_its_exit_code(guardian: Guardian, program: str, code: int) -> None:
    done = run_child([program], environment=plain_environment(), guardian=guardian)
    assert done.returncode == code


def test_a_signal_that_ended_a_program_is_told(guardian: Guardian) -> None:
    done = run_child(["sh", "-c", "kill -9 $$"], environment=plain_environment(), guardian=guardian)
    assert done.returncode == -9


def test_an_output_held_open_by_a_stray_does_not_hang_the_drill(guardian: Guardian) -> None:
    began = time.monotonic()
    done = run_child(["sh", "-c", "sleep 63.75 & echo done"], environment=plain_environment(), guardian=guardian)
    assert done.stdout == ("done",)
    assert time.monotonic() - began < 10
    assert subprocess.run(["pgrep", "-f", "sleep 63.75"], capture_output=True).stdout == b""


def test_programs_run_side_by_side(guardian: Guardian) -> None:
    codes: list[int] = []

    def one() -> None:
        codes.append(run_child(["sleep", "0.2"], environment=plain_environment(), guardian=guardian).returncode)

    threads = [threading.Thread(target=one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == [0] * 8


def test_a_line_that_never_ends_is_cut_and_what_follows_it_is_read(guardian: Guardian) -> None:
    say = f"import os\nfor _ in range({LONGEST_LINE >> 16} + 9): os.write(1, b'x' * 65536)\nos.write(1, b'\\nthe end')"
    done = run_child([sys.executable, "-c", say], environment=plain_environment(), guardian=guardian)
    assert done.succeeded
    first, last = done.stdout
    assert (len(first), first.endswith(CUT), last) == (LONGEST_LINE + len(CUT), True, "the end")


def test_a_program_that_never_stops_talking_is_heard_and_not_kept(
    guardian: Guardian, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fixtures.sandbox.child.MOST_KEPT", 1000)
    heard: list[str] = []
    done = run_child(
        [sys.executable, "-c", "for number in range(5000): print(number)"],
        environment=plain_environment(),
        guardian=guardian,
        on_line=lambda _, line: heard.append(line),
    )
    assert heard == [str(number) for number in range(5000)]
    assert done.stdout[-1] == CUT
    assert len(done.stdout) < 400
