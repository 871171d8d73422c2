"""A cluster that is made while a set is located is the server's where its programs are, and is told of nowhere else."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from fixtures.sandbox.guardian import Guardian
from fixtures.server import ServerRequest, ServerUnavailable, begun_cluster, cluster, serve
from fixtures.server.begun_cluster import BegunCluster, begin_cluster
from fixtures.server.choose import first_fit
from fixtures.server.templates import NAMED_BY
from tests.support.drills import drill

REQUEST = ServerRequest("0123abcd", "local")


@pytest.fixture(autouse=True)
def no_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(NAMED_BY)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The data directories that initdb was asked for since."""
    by_initdb: list[Path] = []
    really = cluster.make_data

    def make_data(binaries, data, *more):  # type: ignore[no-untyped-def]
        by_initdb.append(data)
        really(binaries, data, *more)

    monkeypatch.setattr(cluster, "make_data", make_data)
    monkeypatch.setattr(begun_cluster, "make_data", make_data)
    return by_initdb


@pytest.fixture
def programs() -> Iterator[Path]:
    """A folder that the server's account can enter, as pytest's own it cannot."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def begun(guardian: Guardian, made: list[Path]) -> Iterator[BegunCluster]:
    with ExitStack() as stack:
        cluster = begin_cluster(REQUEST, guardian, stack)
        assert cluster is not None
        yield cluster
    assert all(trace.gone for trace in guardian.leftovers())


def test_a_server_of_the_same_programs_has_it(begun: BegunCluster, made: list[Path], guardian: Guardian) -> None:
    with serve(replace(REQUEST, begun=begun), guardian) as server:
        assert len(made) == 1
        assert not made[0].exists()
        assert server.cluster is not None
        assert not server.cluster.reconfigured
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            replace(server, password="another").administer_alone()
        # The next server of the same drill finds none there any more, and gets one of its own.
        with serve(replace(REQUEST, begun=begun), guardian) as second:
            assert len(made) == 2
            assert second.cluster is not None


def test_a_dump_that_needs_other_programs_has_its_own_made(
    begun: BegunCluster, made: list[Path], guardian: Guardian
) -> None:
    usual, _ = first_fit(REQUEST)
    assert usual is not None
    newer = replace(REQUEST, begun=begun, least_major=usual.major + 1)
    with serve(newer, guardian) as server:
        assert server.major > usual.major
        assert len(made) == 2


def test_what_is_wrong_with_initdb_is_told_by_whoever_starts_the_server(programs: Path, guardian: Guardian) -> None:
    usual, _ = first_fit(REQUEST)
    assert usual is not None
    for program in usual.folder.iterdir():
        if program.name != "initdb":
            (programs / program.name).symlink_to(program)
    (programs / "initdb").write_text("#!/bin/sh\necho no room >&2\nexit 1\n")
    (programs / "initdb").chmod(0o755)
    broken = replace(REQUEST, binaries=programs)
    with ExitStack() as stack:
        begun = begin_cluster(broken, guardian, stack)
        assert begun is not None
        with pytest.raises(ServerUnavailable, match="no room"), serve(replace(broken, begun=begun), guardian):
            pass


def test_a_fault_of_our_own_is_told_and_nothing_else_is_made(
    monkeypatch: pytest.MonkeyPatch, guardian: Guardian
) -> None:
    def make_data(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(begun_cluster, "make_data", make_data)
    with ExitStack() as stack:
        begun = begin_cluster(REQUEST, guardian, stack)
        with pytest.raises(ZeroDivisionError), serve(replace(REQUEST, begun=begun), guardian):
            pass


@pytest.mark.parametrize(
    ("why", "request_"),
    [
        ("a server that was named", replace(REQUEST, choice="postgresql://x@y/z")),
        ("a container", replace(REQUEST, choice="container")),
    ],
)
def test_none_is_begun_for(why: str, request_: ServerRequest, guardian: Guardian) -> None:
    with ExitStack() as stack:
        assert begin_cluster(request_, guardian, stack) is None


def test_none_is_begun_on_one_core_or_beside_kept_ones(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, guardian: Guardian
) -> None:
    with ExitStack() as stack:
        monkeypatch.setattr(begun_cluster, "cores", lambda: 1)
        assert begin_cluster(REQUEST, guardian, stack) is None
        monkeypatch.setattr(begun_cluster, "cores", lambda: 2)
        monkeypatch.setenv(NAMED_BY, str(tmp_path))
        assert begin_cluster(REQUEST, guardian, stack) is None


def test_a_drill_runs_initdb_once_and_removes_what_was_begun(tmp_path: Path, whole_set: Path) -> None:
    outcome = drill(whole_set.parent, tmp_path / "out", environment={NAMED_BY: ""})
    assert outcome.evidence.verdict == "VERIFIED", outcome.output
    things = [each.what for each in outcome.evidence.teardown]
    assert things.count("process initdb") == 1
    assert "folder a cluster made ahead" in things
