"""A server named outright: only this run's own databases and roles come and go on it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from fixtures.sandbox.guardian import Guardian
from fixtures.server import Server, ServerRequest, ServerUnavailable, serve
from fixtures.server.cloning import cloning
from tests.sandbox.test_guardian import alive, within

REPOSITORY = Path(__file__).parents[2]
PASSWORD = "p4ssw0rd-in-the-url"


@dataclass(frozen=True)
class Standing:
    """A server that was there before the drill, with a database and a role of its own."""

    server: Server

    @property
    def address(self) -> str:
        return f"/theirs?host={self.server.host}"

    @property
    def url(self) -> str:
        return f"postgresql://drills:{PASSWORD}@{self.address}"

    def databases(self) -> set[str]:
        with self.server.connect() as connection:
            return {row[0] for row in connection.execute("SELECT datname FROM pg_database WHERE NOT datistemplate")}

    def roles(self) -> set[str]:
        with self.server.connect() as connection:
            return {row[0] for row in connection.execute("SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_'")}


@pytest.fixture(scope="module")
def standing() -> Iterator[Standing]:
    with Guardian("standing") as guardian, serve(ServerRequest("standing", "local"), guardian) as server:
        with server.connect() as connection:
            connection.execute(f"CREATE ROLE drills LOGIN CREATEDB CREATEROLE PASSWORD '{PASSWORD}'")
            connection.execute("CREATE DATABASE theirs OWNER drills")
            connection.execute("CREATE ROLE their_app")
        yield Standing(server)


def test_what_the_drill_made_is_dropped_and_what_was_there_stays(standing: Standing, guardian: Guardian) -> None:
    before = standing.databases(), standing.roles()
    with serve(ServerRequest("0123abcd", standing.url, least_major=15), guardian) as server:
        assert server.cloning == cloning(server.major, (), None)
        assert server.create_database("restored") == "drill_0123abcd_restored"
        server.create_database("migrated", template="restored")
        assert not server.may_make_role("their_app")
        assert server.may_make_role("igny8_app")
        with server.connect() as connection:
            connection.execute("CREATE ROLE igny8_app")
        with server.connect("restored") as connection:
            connection.execute("CREATE TABLE t (n int); GRANT ALL ON t TO igny8_app")
        assert standing.databases() - before[0] == {"drill_0123abcd_restored", "drill_0123abcd_migrated"}
    assert (standing.databases(), standing.roles()) == before
    traces = guardian.leftovers()
    assert {trace.kind for trace in traces} >= {"database", "role"}
    assert all(trace.gone for trace in traces)


@pytest.mark.parametrize("state", ["ALLOW_CONNECTIONS false", "CONNECTION LIMIT 0", "IS_TEMPLATE true"])
def test_a_database_that_is_closed_or_kept_is_dropped_all_the_same(
    state: str, standing: Standing, guardian: Guardian
) -> None:
    """A drill closes the restored database while the application runs, and may die within."""
    before = standing.databases()
    with serve(ServerRequest("0123abcd", standing.url), guardian) as server:
        server.create_database("restored")
        with server.connect() as connection:
            connection.execute(f"ALTER DATABASE drill_0123abcd_restored {state}")
    assert standing.databases() == before
    assert all(trace.gone for trace in guardian.leftovers())


def test_a_failure_inside_drops_them_too(standing: Standing, guardian: Guardian) -> None:
    before = standing.databases()

    def fail_midway() -> None:
        with serve(ServerRequest("0123abcd", standing.url), guardian) as server:
            server.create_database("restored")
            with server.connect("restored"):
                raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_midway()
    assert standing.databases() == before


@pytest.mark.further
def test_a_drill_killed_on_a_scratch_server_leaves_no_database_and_no_role(standing: Standing) -> None:
    before = standing.databases(), standing.roles()
    drill = subprocess.Popen(
        [sys.executable, "-m", "tests.support.killed_drill", "0123abcf", standing.url],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert drill.stdout is not None
    left_by_drill = json.loads(drill.stdout.readline())
    assert left_by_drill["made_role"]
    assert left_by_drill["database"] in standing.databases()
    assert left_by_drill["role"] in standing.roles()
    drill.kill()
    drill.communicate(timeout=30)
    assert within(20, lambda: not alive(left_by_drill["guardian"]))
    assert (standing.databases(), standing.roles()) == before


def test_a_database_of_that_name_is_refused_and_left_alone(standing: Standing, guardian: Guardian) -> None:
    with standing.server.connect() as connection:
        connection.execute("CREATE DATABASE drill_0123abcd_restored")
    try:
        drill = serve(ServerRequest("0123abcd", standing.url), guardian)
        with drill as server, pytest.raises(FileExistsError, match="did not make"):
            server.create_database("restored")
        assert "drill_0123abcd_restored" in standing.databases()
    finally:
        with standing.server.connect() as connection:
            connection.execute("DROP DATABASE drill_0123abcd_restored")


def test_the_maintenance_database_is_never_dropped(standing: Standing, guardian: Guardian) -> None:
    with serve(ServerRequest("0123abcd", standing.url), guardian) as server:
        for name in ("theirs", "postgres"):
            with pytest.raises(PermissionError):
                server.drop_database(name)


def test_two_drills_on_one_server_do_not_meet(standing: Standing, guardian: Guardian) -> None:
    with (
        serve(ServerRequest("one", standing.url), guardian) as first,
        serve(ServerRequest("two", standing.url), guardian) as two,
    ):
        assert first.create_database("restored") != two.create_database("restored")


def test_the_password_is_in_no_text(standing: Standing, guardian: Guardian) -> None:
    request = ServerRequest("0123abcd", standing.url)
    with serve(request, guardian) as server:
        server.create_database("restored")
        texts = [repr(request), repr(server), repr(server.keeper), repr(guardian.leftovers())]
        assert server.environment("restored")["PGPASSWORD"] == PASSWORD
    assert PASSWORD not in "".join(texts)


@pytest.mark.parametrize("through", ["PGPASSWORD", "PGPASSFILE"])
@pytest.mark.further
def test_the_password_may_come_from_the_environment(
    standing: Standing, guardian: Guardian, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, through: str
) -> None:
    file = tmp_path / "pgpass"
    file.write_text(f"*:*:*:drills:{PASSWORD}\n")
    file.chmod(0o600)
    monkeypatch.setenv(through, PASSWORD if through == "PGPASSWORD" else str(file))
    with serve(ServerRequest("0123abcd", f"postgresql://drills@{standing.address}"), guardian) as server:
        server.create_database("restored")
        assert server.environment("restored")["PGPASSWORD"] == PASSWORD


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda url: url.replace(PASSWORD, "wr0ng-one"), "refuses the connection"),
        (lambda url: url + "&sslmode=nonsense", "refuses the connection"),
        (lambda url: url + "&load_balance_hosts=random", "load_balance_hosts, which client programs"),
        (lambda url: url + "&nonsense=1", "cannot be read"),
        (lambda url: url.replace("postgresql://", "mysql://"), "no such provider"),
    ],
)
@pytest.mark.further
def test_a_url_that_will_not_do_is_told_without_its_password(
    standing: Standing, guardian: Guardian, change: object, says: str
) -> None:
    url = change(standing.url)  # type: ignore[operator]
    with pytest.raises(ServerUnavailable, match=says) as caught, serve(ServerRequest("0123abcd", url), guardian):
        pass
    assert PASSWORD not in str(caught.value)
    assert "wr0ng-one" not in str(caught.value)


@pytest.mark.parametrize(
    ("more", "says"),
    [({"least_major": 99}, "older than the dump"), ({"extensions": ("no_such_extension",)}, "no_such_extension")],
)
def test_a_server_that_cannot_hold_the_dump_is_refused(
    standing: Standing, guardian: Guardian, more: dict[str, object], says: str
) -> None:
    wanted = ServerRequest("0123abcd", standing.url, **more)  # type: ignore[arg-type]
    with pytest.raises(ServerUnavailable, match=says), serve(wanted, guardian):
        pass


def test_a_user_who_may_not_make_databases_is_refused(standing: Standing, guardian: Guardian) -> None:
    with standing.server.connect() as connection:
        connection.execute("CREATE ROLE weak LOGIN PASSWORD 'weak'")
    try:
        url = f"postgresql://weak:weak@/postgres?host={standing.server.host}"
        with (
            pytest.raises(ServerUnavailable, match="may not create databases"),
            serve(ServerRequest("x", url), guardian),
        ):
            pass
    finally:
        with standing.server.connect() as connection:
            connection.execute("DROP ROLE weak")


def test_a_user_who_is_a_superuser_is_refused_unless_that_is_allowed(standing: Standing, guardian: Guardian) -> None:
    with standing.server.connect() as connection:
        connection.execute("CREATE ROLE mighty LOGIN SUPERUSER PASSWORD 'mighty'")
    url = f"postgresql://mighty:mighty@/postgres?host={standing.server.host}"
    try:
        with (
            pytest.raises(ServerUnavailable, match="is a superuser there") as refused,
            serve(ServerRequest("x", url), guardian),
        ):
            pass
        assert "--scratch-superuser" in refused.value.fix
        with serve(ServerRequest("x", url, superuser=True), guardian) as server:
            assert server.superuser
    finally:
        with standing.server.connect() as connection:
            connection.execute("DROP ROLE mighty")


@pytest.mark.parametrize(
    ("change", "back", "says"),
    [
        ("ALTER ROLE their_app LOGIN", "ALTER ROLE their_app NOLOGIN", "role their_app altered"),
        ("ALTER ROLE their_app PASSWORD 'x'", "ALTER ROLE their_app PASSWORD NULL", "role their_app altered"),
        ("GRANT pg_monitor TO their_app", "REVOKE pg_monitor FROM their_app", "role their_app altered"),
        ("ALTER ROLE their_app SET work_mem TO '1MB'", "ALTER ROLE their_app RESET ALL", "role their_app altered"),
        ("CREATE ROLE backdoor LOGIN", "DROP ROLE backdoor", "role backdoor left behind"),
        ("DROP ROLE their_app", "CREATE ROLE their_app", "role their_app gone"),
    ],
)
def test_a_role_that_is_not_as_it_was_is_named_by_the_teardown(
    change: str, back: str, says: str, standing: Standing, guardian: Guardian
) -> None:
    with standing.server.connect() as connection:
        connection.execute("GRANT pg_read_all_data TO drills")
        with serve(ServerRequest("0123abcd", standing.url), guardian):
            connection.execute(change)  # type: ignore[call-overload]
        try:
            (of_roles,) = (trace for trace in guardian.leftovers() if trace.kind == "roles")
        finally:
            connection.execute(back)  # type: ignore[call-overload]
            connection.execute("REVOKE pg_read_all_data FROM drills")
    assert (of_roles.gone, of_roles.how) == (False, says)


@pytest.mark.further
def test_a_name_too_long_for_postgres_is_an_error_and_not_cut(standing: Standing, guardian: Guardian) -> None:
    with serve(ServerRequest("x" * 60, standing.url), guardian) as server, pytest.raises(ValueError, match="63 bytes"):
        server.create_database("restored")
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(host=standing.server.host, user="drills", password="no", dbname="theirs")
