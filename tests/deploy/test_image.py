"""The image runs the command as a user without any right; what runs it each night does so at its time, and tells how it
ended. A whole drill in it: `test_compose.py`."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.built_image import USER, said
from tests.support.drills import ROOT

EVERY = ROOT / "deploy" / "image" / "every"
BARE = ("--rm", "--network=none", "--read-only", "--tmpfs=/tmp", "--cap-drop=ALL", "--security-opt=no-new-privileges")
"""As little as a container can be given."""
SHOWN = """
import os, pathlib, stat
files = [path for top in ("/usr", "/opt", "/etc", "/var") for path in pathlib.Path(top).rglob("*") if path.is_file()]
print(os.getuid(), len(files) > 9999, [path for path in files if path.lstat().st_mode & (stat.S_ISUID | stat.S_ISGID)])
"""


@pytest.mark.whole
def test_the_image_is_the_command_of_one_commit_and_lets_its_user_become_nobody_else(
    image: tuple[str, dict[str, Any]],
) -> None:
    name, described = image
    config = described["Config"]
    labels = {label.rpartition(".")[2]: value for label, value in config["Labels"].items()}
    assert labels["revision"] == said("git", "rev-parse", "HEAD").strip()
    # As pglast is, which is part of it.
    assert labels["licenses"] == "GPL-3.0-or-later"
    assert not [each for each in config["Env"] if "PASS" in each or "KEY" in each]
    assert "Drill the sample application's backup" in said("docker", "run", *BARE, name, "--help")
    looking = ("docker", "run", *BARE, "--entrypoint=python3", name, "-c", SHOWN)
    assert said(*looking) == f"{USER} True []\n"


def healthy(folder: Path) -> tuple[int, str]:
    done = subprocess.run(
        [EVERY, "--healthy"], env=os.environ | {"TMPDIR": str(folder)}, capture_output=True, text=True
    )
    return done.returncode, done.stdout


@contextmanager
def run_today(command: str, folder: Path) -> Iterator[tuple[subprocess.Popen[str], Iterator[str], datetime]]:
    """It waits for a time of today, what it says after that, and the time. On a busy machine a time may be over once it
    looks at it, and then it waits for tomorrow's: it is begun again with a later one."""
    for seconds in (1, 5, 25):
        due = datetime.now(UTC) + timedelta(seconds=seconds)
        words = [EVERY, f"{due:%H:%M:%S}", "sh", "-c", command]
        environment = os.environ | {"TMPDIR": str(folder)}
        with subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, text=True) as waits:
            assert waits.stdout is not None
            lines = iter(waits.stdout.readline, "")
            if f"next: {due:%Y-%m-%d} " in next(lines):
                yield waits, lines, due
                return
            waits.kill()
    raise AssertionError("each time was over before it was looked at")


@pytest.mark.parametrize(("command", "health"), [("true", (0, "")), ("exit 3", (1, "the last run ended with 3\n"))])
def test_a_command_runs_at_its_time_and_how_it_ended_is_the_health(
    command: str, health: tuple[int, str], tmp_path: Path
) -> None:
    with run_today(command, tmp_path) as (waits, lines, due):
        assert "ended with " in next(lines)
        assert f"next: {due + timedelta(days=1):%Y-%m-%d} " in next(lines)
        assert healthy(tmp_path) == health
        waits.send_signal(signal.SIGTERM)
        assert waits.wait(timeout=60) == 128 + signal.SIGTERM


def test_a_run_that_did_not_end_in_time_is_no_health(tmp_path: Path) -> None:
    (tmp_path / "every").write_text(f"0 {int((datetime.now(UTC) - timedelta(minutes=1)).timestamp())}\n")
    code, text = healthy(tmp_path)
    assert (code, text.startswith("the run that was due has not ended by ")) == (1, True)
