"""An application that runs no command without Redis gets an empty one of its own, where nothing else can be reached."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from fixtures.application.migrate import migrate
from fixtures.application.run_application import stand_up
from fixtures.profile.reading import read_profile
from fixtures.record.stage import StageBlocked
from fixtures.sandbox.account import Account
from fixtures.sandbox.isolation import Isolation, network_isolation
from fixtures.sandbox.redis import Redis, redis_for
from fixtures.story.not_shown import not_shown
from tests.support.application_under_test import APPLICATION, Bench, copy_of_the_sample
from tests.support.drills import PROFILE
from tests.support.evidence_examples import verified
from tests.support.programs import missing

# No command of it starts without an empty Redis; what it writes there the next command must not find.
NEEDS_REDIS = """
import socket
import urllib.parse

_at = urllib.parse.urlsplit(os.environ["REDIS_URL"])
with socket.create_connection((_at.hostname, _at.port), timeout=5) as _redis:
    _redis.sendall(b"DBSIZE\\r\\nSET started yes\\r\\n")
    if not _redis.recv(64).startswith(b":0\\r\\n"):
        raise RuntimeError("it is not empty")
with socket.socket() as _other:
    _other.connect_ex(("127.0.0.1", 6380))
"""


@pytest.fixture(scope="module")
def redis() -> Redis:
    try:
        return redis_for(network_isolation())
    except StageBlocked as none:
        missing(f"left out: {none.cause}")


@pytest.mark.usefixtures("redis")
@pytest.mark.further
def test_each_command_has_an_empty_one_and_reaches_nothing_else(place: Bench, tmp_path: Path) -> None:
    checkout = copy_of_the_sample(tmp_path)
    settings = checkout / "igny8_core" / "settings.py"
    settings.write_text(settings.read_text() + NEEDS_REDIS)
    environment = {**APPLICATION.environment, "REDIS_URL": "redis://{redis}/0"}
    with place.restored() as connection:
        connection.close()
        interpreter = place.interpreter(
            checkout, tmp_path / "private", APPLICATION.model_copy(update={"environment": environment})
        )
        migrated = migrate(place.server, interpreter, 120).migrated
        run = stand_up(interpreter, tmp_path / "private", 120)
    assert migrated.applied
    assert (run.check_exit, run.health_status, run.static_error) == (0, 200, "")
    # Its own Redis is nobody outside; another port is.
    assert run.connections_tried == ("connect 127.0.0.1:6380",)
    assert "an empty one for each command at 127.0.0.1:6379 of its own network" in run.redis
    record = verified().record.model_copy(update={"application": run})
    notes = [line for line in not_shown(record, read_profile(PROFILE).profile) if "was given an empty Redis" in line]
    assert len(notes) == 1


def test_without_being_asked_for_there_is_none(place: Bench, tmp_path: Path) -> None:
    (tmp_path / "igny8").mkdir()
    interpreter = place.interpreter(copy_of_the_sample(tmp_path), tmp_path / "private")
    assert interpreter.redis is None
    assert interpreter.isolation == network_isolation(interpreter.login.host)


def test_where_there_is_no_network_of_its_own_there_is_no_redis() -> None:
    with pytest.raises(StageBlocked, match="there is no network to put it in: this machine gives none"):
        redis_for(Isolation("none", "this machine gives none"))


def test_the_programs_own_end_is_told(redis: Redis) -> None:
    isolation = Isolation(network_isolation().kind, "", loopback=True)
    for end in ("exit 7", "kill -TERM $$"):
        argv = isolation.around([], redis.around(["sh", "-c", end]), view=redis.view)
        # Without this shell's TMPDIR, which is not shown there.
        done = subprocess.run(argv, env={"PATH": os.environ["PATH"]}, timeout=60)
        assert done.returncode == {"exit 7": 7, "kill -TERM $$": 143}[end]


@pytest.mark.skipif(os.geteuid() != 0, reason="left out: this run is an ordinary user's already")
def test_an_ordinary_user_has_one_too_and_no_rights_besides(redis: Redis) -> None:
    python = Path("/usr/bin/python3")
    if not python.exists():
        pytest.skip(f"left out: no {python} that an ordinary user can run")
    folder = Path(f"/tmp/rdt-redis-{os.getpid()}")
    folder.mkdir(mode=0o755)
    try:
        shutil.copy(redis.program, folder / "redis-server")
        own = Redis(folder / "redis-server", redis.version).around(["sh", "-c", "grep CapEff /proc/self/status; id -u"])
        wrapper = shutil.copy(own[3], folder)
        isolation = Isolation("unshare --user --net", "", loopback=True)
        done = subprocess.run(
            isolation.around([], [str(python), "-I", "-S", wrapper, *own[4:]], account=Account(65534, 65534, "nobody")),
            env={"PATH": os.defpath, "TMPDIR": "/tmp"},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.stderr == ""
        assert done.stdout.split() == ["CapEff:", "0" * 16, "65534"]
    finally:
        shutil.rmtree(folder)
