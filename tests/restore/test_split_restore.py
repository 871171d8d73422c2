"""A dominating table's rows come in over several connections, and nothing else is told from one pg_restore alone."""

import secrets
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from fixtures.dump.archive_data import TableRows, table_rows
from fixtures.dump.dump_kind import kind_of
from fixtures.dump.format import Inspection
from fixtures.dump.formats import format_named
from fixtures.record.names import TableName
from fixtures.record.restored import Restored
from fixtures.restore.failure import RestoreFailed
from fixtures.restore.parallel.split_restore import LEAST_BYTES, dominating
from fixtures.restore.restore import restore
from fixtures.sandbox.account import make_private_folder
from fixtures.sandbox.guardian import Guardian
from fixtures.server import Server, ServerRequest
from tests.support.further import first_of
from tests.support.small_source import another_server, script

NEVER = 1 << 60
BIG = TableName("my schema", 'Big "Rows"')
ROLES = "CREATE ROLE big_owner; CREATE ROLE big_reader;"
SCHEMA = r'''
CREATE SCHEMA "my schema" AUTHORIZATION big_owner;
CREATE TYPE public.mood AS ENUM ('glad', 'sad');
CREATE FUNCTION public.never() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'fired'; END$$;
CREATE TABLE public.few (id int PRIMARY KEY, note text);
INSERT INTO public.few SELECT g, 'few ' || g FROM generate_series(1, 300) g;
CREATE TABLE "my schema"."Big ""Rows""" (
    "Number" bigint GENERATED ALWAYS AS IDENTITY, few int, body text CHECK (body <> 'never'), mood public.mood,
    raw bytea, twice bigint GENERATED ALWAYS AS (few * 2) STORED
);
INSERT INTO "my schema"."Big ""Rows""" (few, body, mood, raw)
    SELECT 1 + g % 300, repeat(md5(g::text), g % 9) || E'\\.\n\t\\' || g, 'sad', sha256(g::text::bytea)
    FROM generate_series(1, 60000) g;
INSERT INTO "my schema"."Big ""Rows""" (few, body) VALUES (1, NULL), (2, ''), (3, repeat('long ', 700000)), (4, E'\\.');
ALTER TABLE "my schema"."Big ""Rows""" ADD PRIMARY KEY ("Number"),
    ADD CONSTRAINT to_few FOREIGN KEY (few) REFERENCES public.few;
CREATE INDEX by_mood ON "my schema"."Big ""Rows""" (mood, few);
CREATE TRIGGER never BEFORE INSERT ON "my schema"."Big ""Rows""" FOR EACH ROW EXECUTE FUNCTION public.never();
ALTER TABLE "my schema"."Big ""Rows""" ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON "my schema"."Big ""Rows""" TO big_reader USING (few = 1);
CREATE MATERIALIZED VIEW public.counted AS SELECT count(*) FROM "my schema"."Big ""Rows""";
COMMENT ON INDEX "my schema".by_mood IS 'a comment';
ALTER TABLE "my schema"."Big ""Rows""" OWNER TO big_owner;
ALTER TABLE public.few OWNER TO big_owner;
GRANT SELECT ON "my schema"."Big ""Rows""" TO big_reader;
REVOKE ALL ON "my schema"."Big ""Rows""" FROM big_owner;
SELECT lo_create(0);
'''
# Whoever writes into it has to be a superuser, which nothing but its rows tells.
GUARDED = """
SET ROLE big_owner;
CREATE FUNCTION public.privileged(int) RETURNS bool LANGUAGE plpgsql AS $$BEGIN RETURN true; END$$;
CREATE TABLE public.guarded (id int CHECK (public.privileged(id)));
INSERT INTO public.guarded SELECT generate_series(1, 20000);
CREATE OR REPLACE FUNCTION public.privileged(int) RETURNS bool LANGUAGE plpgsql AS $$BEGIN
    IF NOT (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = session_user) THEN
        RAISE EXCEPTION 'permission denied for this' USING ERRCODE = '42501';
    END IF;
    RETURN true;
END$$;
"""
WITHOUT = '--exclude-table-data="my schema".*'
# One row of 60,004, somewhere in the middle, is not what its column takes where it comes back.
SPOILT = b"sad\t\\\\x", b"bad\t\\\\x"


@dataclass
class Ground:
    server: Server
    guardian: Guardian
    folder: Path
    number: int = 0

    def dump(self, *options: str, piped: bool = False) -> Path:
        path = self.folder / f"dump-{secrets.token_hex(4)}"
        argv = [str(self.server.clients.pg_dump), *options]
        environment = self.server.environment("source")
        if piped:
            with path.open("wb") as file:
                done = subprocess.run(argv, env=environment, check=True, stdout=subprocess.PIPE)
                file.write(done.stdout)
        else:
            subprocess.run([*argv, "-f", str(path)], env=environment, check=True)
        return path

    def load(self, dump: Path, split_from: int, server: Server | None = None, **limits: float) -> Restored:
        """As a drill does it, each time into a database of its own."""
        self.number += 1
        folder = self.server.scratch / secrets.token_hex(4)
        make_private_folder(folder, self.server.account)
        copy = folder / "dump"
        shutil.copytree(dump, copy) if dump.is_dir() else shutil.copyfile(dump, copy)
        for path in (copy, *copy.glob("*")):
            if self.server.account is not None:
                shutil.chown(path, self.server.account.uid, self.server.account.gid)
        inspection = Inspection("dump", self.guardian, self.server.account)
        archive = format_named(kind_of(copy)).inspect(copy, inspection)
        return restore(
            server or self.server,
            copy,
            archive,
            self.guardian,
            limit_minutes=limits.get("minutes", 2),
            database=self.database,
            jobs=2,
            split_from=split_from,
        )

    @property
    def database(self) -> str:
        return f"restored_{self.number}"

    def rows(self, table: TableName) -> tuple[object, ...]:
        """How many, and a digest of them in any order."""
        query = sql.SQL("SELECT count(*), sum(hashtextextended((__r.*)::text, 0)) FROM {} __r").format(table.identifier)
        with self.server.connect(self.database) as connection:
            row = connection.execute(query).fetchone()
        assert row is not None
        return row

    def schema(self) -> str:
        """Everything but the rows, as pg_dump writes it: owners, rights, triggers, indexes, sequences."""
        argv = [str(self.server.clients.pg_dump), "--schema-only", self.database]
        done = subprocess.run(
            argv, env=self.server.environment(self.database), capture_output=True, check=True, text=True
        )
        lines = [line for line in done.stdout.splitlines() if "restrict " not in line]
        with self.server.connect(self.database) as connection:
            sequences = connection.execute('SELECT last_value, is_called FROM "my schema"."Big ""Rows""_Number_seq"')
            lines.append(str(sequences.fetchall()))
            lines.append(str(connection.execute("SELECT count(*) FROM pg_largeobject_metadata").fetchall()))
            lines.append(str(connection.execute("SELECT * FROM public.counted").fetchall()))
        return "\n".join(lines)


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    with another_server(ServerRequest("5b117000")) as (server, guardian):
        with server.connect() as connection:
            connection.execute(ROLES)
        server.create_database("source", owner="big_owner")
        with server.connect("source") as connection:
            connection.execute(SCHEMA)
        yield Ground(server, guardian, tmp_path_factory.mktemp("dumps"))


@dataclass(frozen=True)
class Unsplit:
    """What one pg_restore makes of it."""

    rows: tuple[object, ...]
    schema: str


@pytest.fixture(scope="module")
def unsplit(ground: Ground) -> Unsplit:
    restored = ground.load(ground.dump("-Fc"), NEVER)
    assert (restored.exit_code, restored.lines, restored.dealt_out) == (0, (), None)
    return Unsplit(ground.rows(BIG), ground.schema())


@pytest.mark.parametrize(
    ("options", "piped"),
    first_of([(["-Fc"], False), (["-Fc"], True), (["-Fc", "-Z0"], False), (["-Fd"], False)]),
    ids=["custom", "custom, written into a pipe", "custom, not compressed", "directory"],
)
def test_a_dominating_table_comes_back_as_one_pg_restore_brings_it(
    ground: Ground, unsplit: Unsplit, options: list[str], piped: bool
) -> None:
    restored = ground.load(ground.dump(*options, piped=piped), 1)
    assert (restored.exit_code, restored.lines) == (0, ())
    assert restored.dealt_out is not None
    assert (restored.dealt_out.table, restored.dealt_out.connections) == (BIG, 2)
    assert restored.dealt_out.share > 0.9
    assert ground.rows(BIG) == unsplit.rows
    assert ground.schema() == unsplit.schema


@pytest.mark.further
def test_both_connections_bring_rows(ground: Ground) -> None:
    ground.load(ground.dump("-Fc"), 1)
    query = sql.SQL("SELECT count(DISTINCT xmin::text) FROM {}").format(BIG.identifier)
    with ground.server.connect(ground.database) as connection:
        assert connection.execute(query).fetchone() == (2,)


@pytest.mark.parametrize("options", first_of([["-Fc"], ["-Fd"]]), ids=["custom", "directory"])
def test_a_small_set_is_left_to_pg_restore(ground: Ground, options: list[str]) -> None:
    dump = ground.dump(*options)
    assert max(rows.size for rows in table_rows(dump)) < LEAST_BYTES
    assert ground.load(dump, LEAST_BYTES).dealt_out is None


@pytest.mark.parametrize(
    "options",
    [["-Fc", WITHOUT], ["-Fc", "--inserts"], ["-Ft"]],
    ids=["too few rows", "INSERTs", "tar"],
)
@pytest.mark.further
def test_what_cannot_be_dealt_out_is_left_to_pg_restore(ground: Ground, options: list[str]) -> None:
    least = 1 << 14 if options[-1] == WITHOUT else 1
    restored = ground.load(ground.dump(*options), least)
    assert (restored.exit_code, restored.lines, restored.dealt_out) == (0, (), None)


@pytest.mark.parametrize(
    ("sizes", "jobs", "which"),
    [
        ((60, 40), 2, 0),
        ((50, 50), 2, None),
        ((30, 40, 30), 2, None),
        ((30, 40, 30), 3, 1),
        ((9, 1), 2, None),
        ((), 2, None),
    ],
)
def test_a_table_dominates_with_more_than_a_workers_share(sizes: tuple[int, ...], jobs: int, which: int | None) -> None:
    tables = [TableRows(number, "", size) for number, size in enumerate(sizes)]
    dominating_table = dominating(tables, jobs, 10)
    assert (dominating_table.dump_id if dominating_table else None) == which


def test_a_bad_row_in_one_part_is_told_by_its_table_and_none_is_kept(ground: Ground) -> None:
    plain = ground.dump("-Fc", "-Z0")
    text = plain.read_bytes()
    middle = text.index(SPOILT[0], len(text) // 2)
    plain.write_bytes(text[:middle] + text[middle:].replace(*SPOILT, 1))
    failures = []
    for least in (NEVER, 1):
        with pytest.raises(RestoreFailed) as failed:
            ground.load(plain, least)
        assert (failed.value.restored.dealt_out is None) == (least == NEVER)
        failures.append((failed.value.cause, failed.value.restored.exit_code, failed.value.restored.lines))
        assert ground.rows(BIG) == (0, None)
        assert ground.rows(TableName("public", "few"))[0] == 300
    assert failures[0] == failures[1]
    assert failures[1][0].startswith('rows of the dump were refused: COPY failed for table "')


def test_what_is_not_permitted_to_the_loader_within_the_rows_is_tried_by_nobody_else(ground: Ground) -> None:
    ground.server.create_database("guarded", owner="big_owner")
    with ground.server.connect("guarded") as connection:
        connection.execute(GUARDED)
    dump = ground.dump("-Fc", "--dbname=guarded")
    with pytest.raises(
        RestoreFailed, match=r"a function of the database raised an error \(in function public\.privileged\)"
    ):
        ground.load(dump, 1)
    assert ground.rows(TableName("public", "guarded"))[0] == 0


def test_an_archive_that_ends_within_the_rows_is_called_cut(ground: Ground) -> None:
    dump = ground.dump("-Fc")
    whole = dump.read_bytes()
    dump.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(RestoreFailed, match="the dump is cut short or damaged"):
        ground.load(dump, 1)


@pytest.mark.further
def test_a_flipped_bit_within_the_rows_is_found_and_none_is_kept(ground: Ground) -> None:
    dump = ground.dump("-Fc")
    spoilt = bytearray(dump.read_bytes())
    spoilt[len(spoilt) // 2] ^= 0x10
    dump.write_bytes(spoilt)
    with pytest.raises(RestoreFailed) as failed:
        ground.load(dump, 1)
    assert {line.kind for line in failed.value.restored.lines} & {"truncated", "data"}
    assert failed.value.restored.dealt_out is not None
    assert ground.rows(BIG)[0] == 0


def test_rows_that_are_commands_are_never_run(ground: Ground, tmp_path: Path) -> None:
    trace = Path("/tmp/never-made-by-a-row")
    dump = ground.dump("-Fc", "-Z0")
    text = dump.read_bytes()
    at = text.index(b"\n", text.index(SPOILT[0], len(text) // 2)) + 1
    evil = f"\\.\r\n\\! touch {trace}\nSELECT 1;\n".encode()
    dump.write_bytes(text[:at] + evil + text[at + len(evil) :])
    with pytest.raises(RestoreFailed):
        ground.load(dump, 1)
    assert not trace.exists()
    assert ground.rows(BIG)[0] == 0


@pytest.mark.parametrize("broken", first_of(["pg_restore", "psql"]))
@pytest.mark.further
def test_a_part_that_ends_without_a_word_fails_the_restore(ground: Ground, tmp_path: Path, broken: str) -> None:
    folder = ground.server.scratch / secrets.token_hex(4)
    make_private_folder(folder, ground.server.account)
    for name in ("pg_restore", "psql"):
        real = ground.server.clients.folder / name
        quits = 'case "$*" in *--file=-*--use-list*) exit 5;; esac\n' if name == "pg_restore" else "exit 5\n"
        script(folder / name, f'#!/bin/sh\n{quits if name == broken else ""}exec {real} "$@"\n')
    front = replace(ground.server, clients=replace(ground.server.clients, folder=folder))
    with pytest.raises(RestoreFailed, match='not all rows of table "Big "'):
        ground.load(ground.dump("-Fc"), 1, front)
    assert ground.rows(BIG)[0] == 0


@pytest.mark.further
def test_a_restore_past_its_time_leaves_no_program_and_no_rows(ground: Ground) -> None:
    locked, done = threading.Event(), threading.Event()
    dump, database = ground.dump("-Fc"), f"restored_{ground.number + 1}"

    def hold() -> None:
        """Locks the table as soon as it is there, so that no part of its rows gets in."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not locked.is_set():
            try:
                with ground.server.connect(database, autocommit=False) as connection:
                    connection.execute(sql.SQL("LOCK TABLE {}").format(BIG.identifier))
                    locked.set()
                    done.wait(60)
            except psycopg.Error:  # the database or the table is not there yet
                time.sleep(0.01)

    holder = threading.Thread(target=hold, daemon=True)
    began = time.monotonic()
    holder.start()
    try:
        with pytest.raises(RestoreFailed, match=r"longer than its limit of 6 s"):
            ground.load(dump, 1, minutes=0.1)
    finally:
        done.set()
        holder.join(30)
    assert locked.is_set()
    assert time.monotonic() - began < 60
    assert [trace.label for trace in ground.guardian.leftovers() if "rows" in trace.label and not trace.gone] == []
    assert not [path for path in ground.server.scratch.iterdir() if path.name.startswith("entries-")]
