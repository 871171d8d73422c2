"""One start of the application's interpreter answers several questions, each as if it had been started for it."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psutil
import pytest

from fixtures.application.clones import marked_clone
from fixtures.application.interpreter import Interpreter
from fixtures.application.migrate import migrate
from fixtures.application.run_application import stand_up
from fixtures.record.stage import StageFailed
from tests.support.application_under_test import Bench, copy_of_the_sample

# What the sample's pages do once they are imported, which this question alone has done.
PAGES = {"RESTORE_DRILL_UNMADE": "1"}
DAEMON = """
import os
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for descriptor in (0, 1, 2):
            os.close(descriptor)
        os.execv("/bin/sleep", ["sleep", "5432.6"])
    os._exit(0)
os.wait()
"""

Asked = Callable[..., dict[str, Any]]


def starts(interpreter: Interpreter) -> int:
    """How many interpreters of the application loaded the watch on its connections."""
    return (interpreter.private / "connections").read_text().splitlines().count("watching")


def asking(interpreter: Interpreter, token: str) -> Asked:
    def ask(more: dict[str, str] | None = None, limit: float = 120) -> dict[str, Any]:
        variables = {"RESTORE_DRILL_TOKEN": token, **(more or {})}
        return interpreter.ask("history", limit=limit, more=variables, held=True)

    return ask


@pytest.fixture
def token(place: Bench) -> Iterator[str]:
    with place.restored() as connection:
        connection.close()
        yield marked_clone(place.server, "migrated")


@pytest.fixture
def kept() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def appended(checkout: Path, name: str, code: str) -> None:
    with (checkout / "igny8_core" / name).open("a") as file:
        file.write(code)


def test_what_is_asked_after_the_migrations_takes_one_start(place: Bench, kept: ExitStack, tmp_path: Path) -> None:
    with place.restored() as connection:
        connection.close()
        interpreter = place.interpreter(copy_of_the_sample(tmp_path), tmp_path / "private", keep=kept)
        migrated = migrate(place.server, interpreter, 120).migrated
        run = stand_up(interpreter, tmp_path / "private", 120)
    assert (migrated.pending, migrated.unmade, migrated.unmade_error) == ((), False, "")
    assert (run.check_exit, run.health_status, run.static_repeatable, run.static_error) == (0, 200, True, "")
    assert run.connections_tried == ()
    # Before with migrate itself, after, and collecting static files again.
    assert starts(interpreter) == 3


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("import os, sys\nprint('ValueError: of the pages', file=sys.stderr)\nos._exit(7)\n", "ValueError"),
        ("import os\nos._exit(7)\n", "exit code 7"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n", "exit code -11"),
    ],
)
def test_a_crash_is_told_of_the_question_that_it_came_with_alone(
    place: Bench, token: str, kept: ExitStack, tmp_path: Path, code: str, told: str
) -> None:
    checkout = copy_of_the_sample(tmp_path)
    appended(checkout, "urls.py", code)
    interpreter = place.interpreter(checkout, tmp_path / "private", keep=kept)
    ask = asking(interpreter, token)
    before = ask()
    with pytest.raises(StageFailed) as failed:
        ask(PAGES)
    assert told in failed.value.cause
    assert ask() == before
    assert starts(interpreter) == 1


def test_a_time_limit_is_one_questions_own(place: Bench, token: str, kept: ExitStack, tmp_path: Path) -> None:
    checkout = copy_of_the_sample(tmp_path)
    appended(checkout, "urls.py", "import time\ntime.sleep(600)\n")
    interpreter = place.interpreter(checkout, tmp_path / "private", keep=kept)
    ask = asking(interpreter, token)
    before = ask()
    with pytest.raises(StageFailed, match="within its time limit"):
        ask(PAGES, limit=1)
    assert ask() == before


@pytest.mark.parametrize(
    "held",
    [
        "import threading, time\nthreading.Thread(target=time.sleep, args=(600,), daemon=True).start()\n",
        "import socket\nopened = socket.socketpair()\n",
        "import asyncio\nopened = asyncio.new_event_loop()\n",
    ],
)
def test_what_a_fork_would_not_take_with_it_is_started_for_each_question(
    place: Bench, token: str, kept: ExitStack, tmp_path: Path, held: str
) -> None:
    checkout = copy_of_the_sample(tmp_path)
    appended(checkout, "settings.py", held)
    interpreter = place.interpreter(checkout, tmp_path / "private", keep=kept)
    ask = asking(interpreter, token)
    first = ask()
    assert ask() == first
    assert ask(PAGES)["unmade"]["exit"] == 0
    assert starts(interpreter) == 3


def test_nothing_that_a_question_left_running_outlives_it(
    place: Bench, token: str, kept: ExitStack, tmp_path: Path
) -> None:
    checkout = copy_of_the_sample(tmp_path)
    appended(checkout, "urls.py", DAEMON)
    interpreter = place.interpreter(checkout, tmp_path / "private", keep=kept)
    ask = asking(interpreter, token)
    before = ask()
    assert ask(PAGES)["unmade"]["exit"] == 0
    assert not [each for each in psutil.process_iter(["cmdline"]) if each.info["cmdline"] == ["sleep", "5432.6"]]
    assert ask() == before
    assert starts(interpreter) == 2


def test_one_that_does_not_start_says_why(place: Bench, token: str, kept: ExitStack, tmp_path: Path) -> None:
    checkout = copy_of_the_sample(tmp_path)
    appended(checkout, "settings.py", "raise RuntimeError\n")
    interpreter = place.interpreter(checkout, tmp_path / "private", keep=kept)
    with pytest.raises(StageFailed, match="the application does not start: RuntimeError"):
        asking(interpreter, token)()


def test_one_that_was_begun_runs_nothing_of_the_application_before_it_is_asked(
    place: Bench, token: str, kept: ExitStack, tmp_path: Path
) -> None:
    checkout = copy_of_the_sample(tmp_path)
    written = tmp_path / "private" / "home" / "ran"
    appended(checkout, "settings.py", f"open({str(written)!r}, 'w').close()\n")
    interpreter = place.interpreter(checkout, tmp_path / "private", keep=kept)
    interpreter.begin()
    (process,) = until(lambda: [each for each in interpreters(checkout) if waits(each)])
    assert not written.exists()
    # What Python runs of a virtual environment as it starts has nothing to log in with either.
    assert set(interpreter.environment()) - set(process.environ()) == {"DB_PASSWORD"}
    asking(interpreter, token)()
    assert written.exists()
    assert (process in interpreters(checkout), starts(interpreter)) == (True, 1)


def test_one_that_was_begun_and_is_never_asked_ends_with_the_drill(place: Bench, tmp_path: Path) -> None:
    checkout = copy_of_the_sample(tmp_path)
    with place.restored() as connection, ExitStack() as kept:
        connection.close()
        place.interpreter(checkout, tmp_path / "private", keep=kept).begin()
        assert until(lambda: interpreters(checkout))
    assert not interpreters(checkout)


def test_one_that_was_begun_is_let_go_of_with_the_one_that_was_asked(
    place: Bench, token: str, kept: ExitStack, tmp_path: Path
) -> None:
    checkout = copy_of_the_sample(tmp_path)
    interpreter = place.interpreter(checkout, tmp_path / "private", keep=kept)
    asking(interpreter, token)()
    interpreter.begin()
    assert until(lambda: interpreters(checkout)[1:])
    interpreter.let_go()
    assert not interpreters(checkout)


def test_one_that_was_begun_and_died_is_started_anew(place: Bench, token: str, kept: ExitStack, tmp_path: Path) -> None:
    checkout = copy_of_the_sample(tmp_path)
    interpreter = place.interpreter(checkout, tmp_path / "private", keep=kept)
    interpreter.begin()
    (process,) = until(lambda: [each for each in interpreters(checkout) if waits(each)])
    process.kill()
    process.wait()
    assert asking(interpreter, token)()["history"]["graph_error"] == ""
    assert starts(interpreter) == 2


def interpreters(checkout: Path) -> list[psutil.Process]:
    """Those that run now to be asked, without what confines them."""
    manage = str(checkout / "manage.py")
    running = psutil.process_iter(["cmdline"])
    return [each for each in running if each.info["cmdline"] and each.info["cmdline"][2:3] == [manage]]


def waits(process: psutil.Process) -> bool:
    """Whether it has imported what it can, and waits for its first question."""
    loaded = any("libpq" in each.path or "psycopg" in each.path for each in process.memory_maps())
    return loaded and process.status() == psutil.STATUS_SLEEPING


def until(looked: Callable[[], list[psutil.Process]]) -> list[psutil.Process]:
    """The first that there are: one that never comes is the time limit's to tell."""
    while not (there := looked()):
        time.sleep(0.05)
    return there
