"""A container is named and removed when its drill was killed, and an engine that is lost is no fault of the backup."""

import gc
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from fixtures.record.stage import StageBlocked
from fixtures.sandbox.guardian import Guardian
from fixtures.sandbox.remnants import RUN_LABEL
from fixtures.server import Server, ServerRequest, ServerUnavailable, serve
from fixtures.server.left_containers import OWNER_LABEL
from fixtures.story.noticed_loss import noticing_its_loss
from tests.sandbox.test_guardian import alive, within
from tests.server.test_server_container import REPOSITORY, REQUEST, containers, docker_client
from tests.support.docker_line import DockerLine, docker_line

pytestmark = pytest.mark.usefixtures("docker")

RUN = "0123abca"


@contextmanager
def another_drill() -> Iterator[dict[str, Any]]:
    """One that has a container, and is killed together with its guardian at the end."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.support.killed_drill", RUN, "container"],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as drill:
        assert drill.stdout is not None
        left_by_drill = json.loads(drill.stdout.readline())
        started = [psutil.Process(left_by_drill[name]) for name in ("child", "busy")]
        started += [each for process in started for each in process.children(recursive=True)]
        yield left_by_drill
        os.kill(left_by_drill["guardian"], signal.SIGKILL)
        drill.kill()
    for process in started:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    shutil.rmtree(Path(left_by_drill["folder"]).parent)
    assert within(10, lambda: not alive(left_by_drill["guardian"]))


def only(run_id: str) -> dict[str, Any]:
    (there,) = containers(run_id)
    return dict(there)


def volumes(container: dict[str, Any]) -> set[str]:
    return {mount["Name"] for mount in container["Mounts"] if mount["Type"] == "volume"}


def names_of_volumes() -> set[str]:
    with docker_client() as client:
        return {each.name for each in client.volumes.list()}  # type: ignore[attr-defined]


@pytest.mark.further
def test_the_next_drill_names_and_removes_a_container_whose_drill_and_guardian_were_killed(guardian: Guardian) -> None:
    with another_drill():
        left = only(RUN)
        with serve(REQUEST, guardian) as server:
            # That one is at work.
            assert server.left == ()
    assert only(RUN)["Id"] == left["Id"]
    with serve(REQUEST, guardian) as server:
        name = str(left["Name"]).removeprefix("/")
        assert server.left == (f"container {name} of drill {RUN}, which was removed",)
    assert containers(RUN) == []
    assert volumes(left)
    assert not volumes(left) & names_of_volumes()


@pytest.mark.parametrize("labels", [{}, {OWNER_LABEL: "another-machine 1@1.00"}], ids=["no owner", "elsewhere"])
def test_a_container_that_may_be_in_use_is_told_and_left_alone(labels: dict[str, str], guardian: Guardian) -> None:
    with docker_client() as client:
        theirs = client.containers.create("postgres:15", labels={RUN_LABEL: "theirs", **labels})  # type: ignore[attr-defined]
        try:
            with serve(REQUEST, guardian) as server:
                (said,) = (each for each in server.left if theirs.name in each)
                assert "is left alone, since from here nobody sees whether that drill is at work" in said
            theirs.reload()
        finally:
            theirs.remove(v=True)


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch) -> Iterator[DockerLine]:
    with docker_line() as opened:
        monkeypatch.setenv("DOCKER_HOST", opened.address)
        yield opened
        # Docker's client leaves the socket of a question open that was never answered.
        gc.collect()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_engine_that_is_lost_while_a_drill_lasts_is_named_and_its_container_with_it(line: DockerLine) -> None:
    with Guardian("0123abcf") as guardian:
        with serve(ServerRequest("0123abcf", "container", least_major=15), guardian) as server:
            name = server.called
            line.lose()
            # The socket of the server itself is mounted out: the drill goes on.
            server.create_database("restored")
        (left,) = (trace for trace in guardian.leftovers() if trace.kind == "container")
        assert (left.gone, left.looked) == (False, False)
        assert name in left.label
        line.open()
    assert containers("0123abcf") == []


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_engine_that_is_lost_while_its_container_starts_is_named(
    line: DockerLine, guardian: Guardian, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose(*_: object) -> tuple[str, ...]:
        line.lose()
        return ()

    monkeypatch.setattr("fixtures.server.container.left_by_killed_drills", lose)
    lost = "container engine was lost while container restore-drill-"
    with pytest.raises(ServerUnavailable, match=lost) as caught, serve(REQUEST, guardian):
        pass
    assert caught.value.looked_at == (f"{line.address}: ConnectionError",)


def killed_within_a_stage(server: Server) -> None:
    with noticing_its_loss(server, "during the stage facts"):
        with docker_client() as client:
            client.containers.get(server.called).kill()  # type: ignore[attr-defined]
        server.connect()


@pytest.mark.further
def test_a_container_that_is_killed_within_a_stage_is_named(guardian: Guardian) -> None:
    with serve(REQUEST, guardian) as server, pytest.raises(StageBlocked) as caught:
        killed_within_a_stage(server)
    assert caught.value.cause == (
        "the connection to the drill's server broke during the stage facts: it does not answer any more "
        f"(container: postgres:15, {server.called})"
    )
