"""An application that turns on the drill reaches nothing but its own database, alters nothing else, leaves nothing."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from fixtures.application.closed import Closed
from fixtures.application.migrate import migrate
from fixtures.record.stage import StageFailed
from tests.support.application_under_test import Bench, copy_of_the_sample
from tests.support.spoiled_sets import replace_in
from tests.support.trusting_cluster import trusting_cluster

CONNECT = """
import os, psycopg
def to(name):
    return psycopg.connect(dbname=name, host=os.environ["DB_HOST"], port=os.environ["DB_PORT"],
                           user=os.environ["DB_USER"], password=os.environ["DB_PASSWORD"], autocommit=True)
"""
ALTERED = {
    "an update": ("UPDATE igny8_content SET title = 'changed' WHERE id = 2", "public.igny8_content"),
    "a deletion": (
        "DELETE FROM igny8_deployments WHERE id = (SELECT max(id) FROM igny8_deployments)",
        "igny8_deployments",
    ),
    "the same rows written anew": ("UPDATE igny8_plans SET id = id", "public.igny8_plans"),
    "a table written anew": ("CLUSTER igny8_plans USING igny8_plans_pkey", "igny8_plans"),
    "a sequence": ("SELECT setval('igny8_content_id_seq', 1)", "igny8_content_id_seq"),
    "a policy": ("CREATE POLICY open ON igny8_content USING (true)", "pg_catalog.pg_policy"),
}


@pytest.fixture
def restored(place: Bench) -> Iterator[psycopg.Connection]:
    with place.restored() as connection:
        yield connection


@pytest.fixture
def hostile(tmp_path: Path) -> Callable[[str], Path]:
    """A checkout whose migrate does first what the body says."""

    def made(body: str) -> Path:
        checkout = copy_of_the_sample(tmp_path)
        (checkout / "hostile.py").write_text(body)
        start = 'if __name__ == "__main__":\n'
        replace_in(
            checkout / "manage.py", {start: f"import sys\nif 'migrate' in sys.argv:\n    import hostile\n{start}"}
        )
        return checkout

    return made


def failing(place: Bench, checkout: Path) -> StageFailed:
    with pytest.raises(StageFailed) as failed:
        migrate(place.server, place.interpreter(checkout, checkout.parent / "private"), 60)
    return failed.value


def titles(place: Bench) -> list[tuple[int, str]]:
    with place.server.connect("restored") as connection:
        return connection.execute("SELECT id, title FROM igny8_content ORDER BY id").fetchall()


def test_the_restored_database_lets_nobody_in_while_the_application_runs(
    place: Bench, restored: psycopg.Connection, hostile: Callable[[str], Path]
) -> None:
    restored.close()
    before = titles(place)
    failed = failing(place, hostile(f'{CONNECT}\nto("restored").execute("DELETE FROM igny8_content")'))
    assert type(failed) is StageFailed
    assert titles(place) == before
    with place.server.connect() as connection:
        row = "SELECT datallowconn, pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'restored'"
        assert connection.execute(row).fetchone() == (True, "igny8_owner")


def test_a_view_that_holds_nothing_yet_is_none_of_what_is_compared(
    place: Bench, restored: psycopg.Connection, tmp_path: Path
) -> None:
    restored.execute("CREATE MATERIALIZED VIEW empty AS SELECT 1 AS one WITH NO DATA")
    restored.close()
    closed = Closed(place.server)
    with closed.while_it_runs():
        pass
    assert "are as they were" in closed.require_untouched()


@pytest.mark.parametrize("alteration", ALTERED)
@pytest.mark.further
def test_what_is_altered_while_it_should_be_closed_is_found(
    place: Bench, restored: psycopg.Connection, alteration: str
) -> None:
    restored.close()
    statement, relation = ALTERED[alteration]
    closed = Closed(place.server)
    with closed.while_it_runs():
        with place.server.administer() as connection:
            connection.execute("ALTER DATABASE restored ALLOW_CONNECTIONS true")
        with place.server.connect("restored") as connection:
            connection.execute(statement.encode())
    with pytest.raises(StageFailed) as failed:
        closed.require_untouched()
    assert failed.value.cause.startswith("the application altered the restored database while it ran: ")
    assert relation in failed.value.cause


@pytest.mark.parametrize(
    "how",
    [
        "ALTER DATABASE restored ALLOW_CONNECTIONS true",
        "DROP DATABASE restored WITH (FORCE)",
        "ALTER DATABASE restored RENAME TO other",
    ],
)
@pytest.mark.further
def test_the_application_cannot_open_it_again(
    how: str, place: Bench, restored: psycopg.Connection, hostile: Callable[[str], Path]
) -> None:
    restored.close()
    before = titles(place)
    opened = f"to('postgres').execute({how!r})"
    failed = failing(place, hostile(f"{CONNECT}\n{opened}\nto('restored').execute('DELETE FROM igny8_content')"))
    assert type(failed) is StageFailed
    assert titles(place) == before


@pytest.mark.further
def test_an_application_that_leaves_it_alone_is_said_to(
    place: Bench, restored: psycopg.Connection, tmp_path: Path
) -> None:
    restored.close()
    interpreter = place.interpreter(copy_of_the_sample(tmp_path), tmp_path / "private")
    migrated = migrate(place.server, interpreter, 60).migrated
    assert "are as they were before the application ran" in migrated.kept_apart


@pytest.mark.further
def test_no_daemon_of_its_migrate_is_left_and_nothing_is_written_elsewhere(
    place: Bench, restored: psycopg.Connection, hostile: Callable[[str], Path]
) -> None:
    restored.close()
    canary = Path(f"/tmp/rdt-canary-{os.getpid()}")
    body = f"""
import os, signal
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        for descriptor in (0, 1, 2):
            os.close(descriptor)
        os.execv("/bin/sleep", ["sleep", "5432.5"])
    os._exit(0)
os.wait()
open({str(canary)!r}, "w").write("x")
"""
    checkout = hostile(body)
    migrate(place.server, place.interpreter(checkout, checkout.parent / "private"), 60)
    assert not canary.exists()
    assert not [each for each in psutil.process_iter(["cmdline"]) if each.info["cmdline"] == ["sleep", "5432.5"]]


@pytest.mark.further
def test_another_cluster_of_the_machine_that_trusts_everybody_is_out_of_reach(
    place: Bench, restored: psycopg.Connection, hostile: Callable[[str], Path]
) -> None:
    restored.close()
    with trusting_cluster() as (folder, port):
        with psycopg.connect(host=str(folder), port=port, user="postgres", dbname="postgres") as ours:
            assert ours.execute("SELECT 1").fetchone() == (1,)
        tried = "\n".join(
            f"try:\n    psycopg.connect(host={host!r}, port={port}, user='postgres', dbname='postgres', connect_timeout=5)"
            f".execute('CREATE TABLE canary ()')\nexcept psycopg.OperationalError:\n    pass"
            for host in (str(folder), "127.0.0.1")
        )
        checkout = hostile(f"{CONNECT}\n{tried}")
        migrate(place.server, place.interpreter(checkout, checkout.parent / "private"), 60)
        with psycopg.connect(host=str(folder), port=port, user="postgres", dbname="postgres") as ours:
            assert ours.execute("SELECT to_regclass('canary')").fetchone() == (None,)
