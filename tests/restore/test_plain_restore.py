"""A plain dump is loaded so that nothing gets out: what is left out of it is told, and its first error ends the load."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fixtures.dump.plain_dump import read_script
from fixtures.record.stage import StageBlocked, StageFailed
from fixtures.restore.failure import RestoreFailed
from fixtures.restore.plain_restore import require_restrict
from fixtures.restore.restore import restore
from fixtures.sandbox.guardian import Guardian
from fixtures.server import Clients, Server, ServerRequest
from tests.support.plain_dumps import HARMLESS, HEAD, TABLE, TAIL, read
from tests.support.small_source import another_server, script


@pytest.fixture(scope="module")
def target() -> Iterator[tuple[Server, Guardian]]:
    with another_server(ServerRequest("7a26e704")) as ready:
        yield ready


def load(target: tuple[Server, Guardian], folder: Path, text: str) -> tuple[str, ...]:
    """Loads it as a drill would, and returns the notes."""
    server, guardian = target
    dump = folder / "dump.sql"
    dump.write_text(text)
    read = read_script(dump)
    try:
        done = restore(server, dump, read, guardian, limit_minutes=1)
    finally:
        server.drop_database("restored")
    return done.notes


def test_harmless_looks_are_loaded_as_they_stand(target: tuple[Server, Guardian], tmp_path: Path) -> None:
    assert (
        load(
            target, tmp_path, HEAD + TABLE + "".join(HARMLESS[name] for name in HARMLESS if "named" not in name) + TAIL
        )
        == ()
    )


def test_a_public_schema_and_a_tablespace_that_are_not_the_servers_affair_are_left_out(
    target: tuple[Server, Guardian], tmp_path: Path
) -> None:
    body = "SET default_tablespace = fast;\nCREATE SCHEMA public;\nCOMMENT ON SCHEMA public IS 'ours';\n"
    assert load(target, tmp_path, HEAD + body + TABLE + TAIL) == ()


def test_security_labels_are_left_out_and_told(target: tuple[Server, Guardian], tmp_path: Path) -> None:
    labels = """
SECURITY LABEL FOR anon ON COLUMN public.t.body IS 'MASKED WITH VALUE NULL';
SECURITY LABEL FOR anon ON TABLE public.t IS 'x';
SECURITY LABEL FOR selinux ON TABLE public.t IS 'system_u:object_r:sepgsql_table_t:s0';
"""
    assert load(target, tmp_path, HEAD + TABLE + labels + TAIL) == (
        "left out of the dump: the security labels of the provider anon",
        "left out of the dump: the security labels of the provider selinux",
    )


def test_an_event_trigger_is_made_by_the_drill_itself(target: tuple[Server, Guardian], tmp_path: Path) -> None:
    trigger = """
-- Name: e; Type: EVENT TRIGGER; Schema: -; Owner: -
CREATE FUNCTION public.e() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN END$$;
CREATE EVENT TRIGGER e ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION public.e();
ALTER EVENT TRIGGER e OWNER TO postgres;
COMMENT ON EVENT TRIGGER e IS 'it''s ours';
"""
    assert load(target, tmp_path, HEAD + TABLE + trigger + TAIL) == ()
    assert read(TABLE + trigger).for_superuser == ()


def test_the_first_error_ends_the_load_and_names_its_entry(target: tuple[Server, Guardian], tmp_path: Path) -> None:
    broken = TABLE.replace("1\tone", "one\tsecret words\n2\ttwo")
    with pytest.raises(RestoreFailed) as failed:
        load(target, tmp_path, HEAD + broken + "CREATE TABLE public.t (id integer);" + TAIL)
    assert failed.value.cause == (
        "rows of the dump were refused: invalid input syntax for type integer: … [TABLE DATA public.t]"
    )
    assert "secret" not in failed.value.restored.model_dump_json()


def test_an_extension_that_the_server_lacks_is_named(target: tuple[Server, Guardian], tmp_path: Path) -> None:
    body = "-- Name: nowhere; Type: EXTENSION; Schema: -; Owner: -\nCREATE EXTENSION IF NOT EXISTS nowhere;\n"
    with pytest.raises(RestoreFailed, match="the server lacks the extension nowhere, which the dump needs"):
        load(target, tmp_path, HEAD + body + TABLE + TAIL)


@pytest.mark.parametrize("version", ["15.13", "16.9", "17.5", "14.18", "13.21", "12.22", "9.6.24"])
def test_a_psql_that_cannot_be_restricted_is_refused(version: str) -> None:
    with pytest.raises(StageBlocked, match=re.escape(f"psql {version} does not know \\restrict")) as blocked:
        require_restrict(Clients(Path("/nowhere"), version))
    assert "15.14" in blocked.value.fix


@pytest.mark.parametrize("version", ["13.22", "15.14", "15.18", "16.10", "17.6", "18.0", "18.6", "19.1"])
def test_one_that_can_is_taken(version: str) -> None:
    require_restrict(Clients(Path("/nowhere"), version))


def test_a_psql_that_does_not_read_to_the_end_is_not_believed(target: tuple[Server, Guardian], tmp_path: Path) -> None:
    server, guardian = target
    script(server.scratch / "psql", "#!/bin/sh\nhead -c 10 > /dev/null\nexit 0\n")
    eager = replace(server, clients=Clients(server.scratch, server.clients.version))
    rows = "1\tx\n" * 2_000_000
    with pytest.raises(StageFailed, match="psql ended before it had read all of"):
        load((eager, guardian), tmp_path, HEAD + TABLE.replace("1\tone\n", rows) + TAIL)
