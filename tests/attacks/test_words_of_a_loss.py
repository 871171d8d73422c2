"""What the data or the application says of a lost server or a full disk blames neither: the drill looks for itself."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.application.migrate import migrate
from fixtures.record.stage import StageFailed
from fixtures.restore.failure import RestoreFailed
from fixtures.restore.own_look import has_room
from fixtures.restore.stderr_lines import StderrLines
from fixtures.server import Server
from fixtures.story.noticed_loss import noticing_its_loss
from tests.restore.test_restore_loader import load
from tests.support.application_under_test import Bench, copy_of_the_sample, new_migration
from tests.support.drills import Healthy
from tests.support.further import first_of
from tests.support.kept_server import kept_server

LOST = "server closed the connection unexpectedly"
SAYS = "lambda apps, schema: __import__('{module}').{call}"
IN_A_MIGRATION = {
    "it raises the server's message with the server's code": (
        f"migrations.RunSQL(\"DO $$BEGIN RAISE EXCEPTION '{LOST}' USING ERRCODE = '08006'; END$$\")"
    ),
    "it raises what a server says that shuts down": (
        "migrations.RunSQL(\"DO $$BEGIN RAISE EXCEPTION 'the database system is shutting down' "
        "USING ERRCODE = '57P01'; END$$\")"
    ),
    "its own code raises the driver's exception": (
        "migrations.RunPython(lambda apps, schema: (_ for _ in ()).throw("
        f"__import__('django').db.OperationalError('{LOST}')))"
    ),
    "it prints it and exits": (
        f"migrations.RunPython(lambda apps, schema: (print('{LOST}', file=__import__('sys').stderr), "
        "__import__('os')._exit(2)))"
    ),
    "it ends its own session": "migrations.RunSQL('SELECT pg_terminate_backend(pg_backend_pid())')",
}
# Quiet in the source; where it is loaded, it says what its argument says.
AT_LOAD = """
    SET ROLE igny8_owner;
    CREATE FUNCTION public.says(v text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $f$BEGIN
        IF pg_catalog.current_setting('application_name') IN ('pg_restore', 'psql') THEN {says}; END IF;
        RETURN v;
    END$f$;
    CREATE INDEX spoken ON igny8_plans (public.says(name));
"""
_DISK = 'could not extend file "base/5/1": No space left on device'
_NEXT = "pg_restore: error: could not execute query: ERROR:  "
IN_A_LOAD = {
    "a full disk, by an assertion": (
        f"ASSERT false, '{_DISK}'",
        "the load says that the disk ran full, and there is room",
    ),
    "a full disk, by a cast": (f"PERFORM '{_DISK}'::int", "the load says that the disk ran full, and there is room"),
    "a lost connection, behind another message": (
        f"RAISE EXCEPTION USING MESSAGE = E'no\\n{_NEXT}{LOST}\\npg_restore: error: no'",
        "the load says that its connection was lost, and the server went on",
    ),
}
HARMLESS = 'schema "public" already exists'
_TAIL = [
    "CONTEXT:  PL/pgSQL function says(text) line 2 at RAISE",
    "Command was: CREATE INDEX spoken ON plans (says(name));",
]


@pytest.mark.parametrize("way", first_of(IN_A_MIGRATION))
def test_a_migration_that_says_that_the_server_was_lost_has_failed(way: str, place: Bench, tmp_path: Path) -> None:
    checkout = copy_of_the_sample(tmp_path)
    new_migration(checkout, "0010_says", IN_A_MIGRATION[way])
    with place.restored() as connection:
        connection.close()
        interpreter = place.interpreter(checkout, tmp_path / "private")
        with pytest.raises(StageFailed) as failed, noticing_its_loss(place.server, "while it migrates"):
            migrate(place.server, interpreter, 60)
    assert type(failed.value) is StageFailed
    assert failed.value.cause.startswith("migration igny8.0010_says failed: ")


@pytest.mark.further
@pytest.mark.parametrize("way", IN_A_LOAD)
def test_a_load_that_says_that_the_machine_gave_way_has_failed(way: str, healthy: Healthy, tmp_path: Path) -> None:
    says, cause = IN_A_LOAD[way]
    healthy.backup(tmp_path, AT_LOAD.format(says=says))
    with pytest.raises(RestoreFailed) as failed:
        load(tmp_path)
    assert failed.value.cause.startswith(cause)


@pytest.mark.parametrize(
    "lines",
    [
        [f"pg_restore: error: could not execute query: ERROR:  {HARMLESS}", "pg_restore: NOTICE:  and goes on", *_TAIL],
        [
            f"pg_restore: error: could not execute query: ERROR:  {HARMLESS}",
            _TAIL[0].replace("RAISE", "ASSERT"),
            _TAIL[1],
        ],
        [
            f"pg_restore: error: could not execute query: ERROR:  {HARMLESS}",
            *("Command was: CREATE SCHEMA public;", "", "", "pg_restore: NOTICE:  and goes on", *_TAIL),
        ],
    ],
)
def test_a_function_makes_no_error_harmless_by_what_it_says(lines: list[str]) -> None:
    said = StderrLines()
    for line in lines:
        said.take(line)
    assert "unknown" in [each.kind for each in said.classified()]


@pytest.fixture
def server() -> Iterator[Server]:
    with kept_server() as ready:
        yield ready


def test_room_is_what_can_be_written_and_nothing_of_it_is_left(server: Server) -> None:
    assert has_room(server, 1 << 20)
    assert not has_room(server, 1 << 60)
    with server.administer() as connection:
        left = connection.execute("SELECT count(*) FROM pg_class WHERE relname = 'restore_drill_room'").fetchone()
    assert left == (0,)
