"""A cluster is made once for several servers of the same programs, and of nothing that others could have written to."""

import os
import time
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from fixtures.sandbox.account import unprivileged_account
from fixtures.sandbox.guardian import Guardian
from fixtures.server import Server, ServerRequest, ServerUnavailable, serve
from fixtures.server.choose import first_fit
from fixtures.server.cluster import LocalCluster
from fixtures.server.settings import for_comparison
from fixtures.server.templates import NAMED_BY, ClusterTemplates

REQUEST = ServerRequest("0123abcd", "local")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "clusters"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv(NAMED_BY, str(folder))
    return folder


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The data directories that initdb has made since."""
    by_initdb: list[Path] = []
    really = LocalCluster.make

    def make(cluster: LocalCluster, password: str) -> None:
        by_initdb.append(cluster.data)
        really(cluster, password)

    monkeypatch.setattr(LocalCluster, "make", make)
    return by_initdb


def passwords_kept(server: Server) -> object:
    with server.administer() as connection:
        return connection.execute("SELECT rolpassword FROM pg_authid WHERE rolcanlogin").fetchall()


def test_the_next_server_begins_with_what_initdb_made_and_nothing_else_of_the_one_before(
    folder: Path, made: list[Path], guardian: Guardian
) -> None:
    with serve(REQUEST, guardian) as first:
        first.create_database("restored")
        password, verifier = first.password, passwords_kept(first)
        assert len(made) == 1
        # Another at the same time: what is kept is not the first one's own folder.
        with serve(REQUEST, guardian) as second:
            assert len(made) == 1
            with second.administer() as connection:
                names = connection.execute("SELECT datname FROM pg_database ORDER BY 1").fetchall()
            assert [name for (name,) in names] == ["postgres", "template0", "template1"]
            assert passwords_kept(second) != verifier
            assert second.cluster is not None
            assert not second.cluster.reconfigured
            with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
                replace(second, password=password).administer_alone()
    assert all(trace.gone for trace in guardian.leftovers())
    assert [path.stat().st_uid for path in folder.iterdir()] == [os.geteuid()]


@pytest.mark.further
def test_a_server_whose_kept_cluster_is_too_old_or_broken_is_made_by_initdb(
    folder: Path, made: list[Path], guardian: Guardian
) -> None:
    with serve(REQUEST, guardian):
        pass
    (kept,) = folder.iterdir()
    (kept / "global" / "pg_control").write_bytes(b"")
    with serve(REQUEST, guardian) as server:
        assert len(made) == 2
        assert passwords_kept(server)
    yesterday = time.time() - 25 * 3600
    os.utime(kept, (yesterday, yesterday))
    with serve(REQUEST, guardian):
        assert len(made) == 3


def test_a_cluster_of_other_programs_options_account_or_machine_is_none_of_these(
    folder: Path, tmp_path: Path, guardian: Guardian
) -> None:
    binaries, _ = first_fit(REQUEST)
    assert binaries is not None
    home = tmp_path / "home"
    home.mkdir()
    shape = LocalCluster(binaries, home, None, Guardian("0"), for_comparison()).shape
    data = tmp_path / "data"
    data.mkdir()
    (data / "PG_VERSION").write_text("15\n")
    templates = ClusterTemplates(folder, guardian)
    templates.keep(binaries, shape, data)
    others = [
        replace(shape, programs="15.18 0"),
        replace(shape, made_with="--locale=C"),
        replace(shape, account=shape.account + 1),
        replace(shape, machine="another"),
    ]
    assert [templates.bring(binaries, other, tmp_path / "other", None) for other in others] == [False] * 4
    read = tmp_path / "postgres.bki"
    read.write_text("of another build")
    assert not templates.bring(replace(binaries, shares=(tmp_path,)), shape, tmp_path / "other", None)
    assert templates.bring(binaries, shape, tmp_path / "copy", None)
    assert (tmp_path / "copy" / "PG_VERSION").read_text() == "15\n"


def test_a_folder_that_others_can_write_to_gives_no_cluster(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, guardian: Guardian
) -> None:
    folder.chmod(0o770)
    with pytest.raises(ServerUnavailable, match=NAMED_BY), serve(REQUEST, guardian):
        pass
    folder.chmod(0o700)
    linked = tmp_path / "linked"
    linked.symlink_to(folder)
    for named in (linked, tmp_path / "nowhere"):
        monkeypatch.setenv(NAMED_BY, str(named))
        with pytest.raises(ServerUnavailable, match="no cluster may be taken"), serve(REQUEST, guardian):
            pass
    account = unprivileged_account()
    if account is not None:
        os.chown(folder, account.uid, account.gid)
        monkeypatch.setenv(NAMED_BY, str(folder))
        with pytest.raises(ServerUnavailable, match="no cluster may be taken"), serve(REQUEST, guardian):
            pass
