"""The table of contents is read as the archive holds it; programs that cannot read a dump are told from a bad dump."""

import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from psycopg import sql
from psycopg.rows import dict_row

from fixtures.checks.restore.toc import RESTORED_KINDS, missing_objects
from fixtures.checks.restore.toc_grants import lost_grants
from fixtures.database.catalogue import QUERIES, take_facts
from fixtures.dump.archive_toc import entries_of, header_of, read_archive
from fixtures.record.stage import StageBlocked, StageFailed
from fixtures.sandbox.account import unprivileged_account
from fixtures.sandbox.guardian import Guardian
from fixtures.server.contract import SUPERUSER
from tests.support.archive_bytes import archive, encoding, entry, number, text
from tests.support.dump_formats import FORMATS, dump_as
from tests.support.small_source import Small, Staged, made_ready, small_source


def test_programs_that_do_not_run_are_not_held_against_the_dump(guardian: Guardian, tmp_path: Path) -> None:
    programs = tmp_path / "postgres" / "bin"
    programs.mkdir(parents=True)
    for name in ("initdb", "postgres", "pg_dump", "pg_restore", "psql", "pg_config"):
        said = "echo 'postgres (PostgreSQL) 18.0'" if name == "postgres" else "echo no such library >&2; exit 127"
        (programs / name).write_text(f"#!/bin/sh\n{said}\n")
        (programs / name).chmod(0o755)
    dump = tmp_path / "x.dump"
    dump.write_bytes(b"PGDMP")
    with pytest.raises(StageBlocked, match=r"pg_restore 18\.0 .* does not run \(exit code 127: no such library\)"):
        read_archive(dump, guardian, account=unprivileged_account(), binaries=programs)


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
"""


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    with small_source(tmp_path_factory.mktemp("small")) as ready:
        ready.run('CREATE ROLE "the owner"', "postgres")
        ready.server.create_database("named")
        ready.run(NAMES, "named")
        yield ready


NAMES = """
CREATE SCHEMA "my schema" AUTHORIZATION "the owner";
CREATE SCHEMA "my" AUTHORIZATION "small app";
CREATE TABLE "my schema"."order items" (id int);
CREATE TABLE "my"."schema order items" (id int);
CREATE TABLE "my schema"."two\nlines\r\f\u2028; and ""quotes"" too" (id int CONSTRAINT "a check" CHECK (id > 0));
CREATE TABLE "my schema"."9; 0 0 TABLE public t the owner" (id int);
ALTER TABLE "my schema"."order items" OWNER TO "the owner";
ALTER TABLE "my"."schema order items" OWNER TO "small app";
ALTER TABLE "my schema"."two\nlines\r\f\u2028; and ""quotes"" too" OWNER TO "the owner";
GRANT SELECT ON "my schema"."two\nlines\r\f\u2028; and ""quotes"" too" TO small_readers;
"""


LONG = 'two\nlines\r\f\u2028; and "quotes" too'


@pytest.mark.parametrize("name", ["custom", "custom, gzip", "tar", "directory"])
def test_names_are_read_as_they_are_whatever_stands_in_them(named: Small, name: str, tmp_path: Path) -> None:
    entries = dumped(named, name, tmp_path).toc
    assert {(each.schema_name, each.name): each.owner for each in entries if each.kind == "TABLE"} == {
        ("my schema", "order items"): "the owner",
        ("my", "schema order items"): "small app",
        ("my schema", LONG): "the owner",
        ("my schema", "9; 0 0 TABLE public t the owner"): SUPERUSER,
    }
    assert {each.name: each.owner for each in entries if each.kind == "SCHEMA"} == {
        "my schema": "the owner",
        "my": "small app",
    }


@pytest.mark.parametrize("name", ["custom", "plain"])
def test_what_is_called_strangely_is_found_again(named: Small, name: str, tmp_path: Path) -> None:
    inspected = dumped(named, name, tmp_path)
    with named.server.connect("named") as connection:
        facts = take_facts(connection)
        privileges = connection.cursor(row_factory=dict_row).execute(
            sql.SQL((QUERIES / "changed_acls.sql").read_text())
        )
        granted = privileges.fetchall()
    entries = [each for each in inspected.toc if each.kind in RESTORED_KINDS]
    assert len(entries) >= 4
    assert missing_objects(entries, facts, inspected.header) == []
    assert missing_objects([*entries, *entries], facts, inspected.header) == missing_objects(
        entries, facts.model_copy(update=dict.fromkeys(("tables", "constraints"), ())), inspected.header
    )
    assert any(each.kind == "ACL" and "two" in each.name for each in inspected.toc)
    assert lost_grants(inspected.toc, granted, inspected.header) == []
    assert len(lost_grants(inspected.toc, (), inspected.header)) == 1


def dumped(named: Small, name: str, into: Path) -> Staged:
    """The database as a drill of this format has read it."""
    clients, environment = named.server.clients, named.server.environment("named")
    written = dump_as(FORMATS[name], clients, environment, into, "small_20260101")
    return made_ready(written, named.server, named.guardian)


@pytest.mark.parametrize(
    ("forged", "why"),
    [
        (archive([entry(1), entry(1)]), "two entries have the number 1"),
        (archive([entry(1)]).replace(bytes((4, 8, 1)), bytes((4, 9, 1))) + b"\0", "not laid out as any pg_dump does"),
        (archive([entry(1)]).replace(b"COPY s.t (a)", b"COPY s.t\0(a)"), "not laid out as any pg_dump does"),
    ],
)
def test_an_archive_that_its_readers_understand_in_two_ways_is_refused(
    forged: bytes, why: str, guardian: Guardian, tmp_path: Path
) -> None:
    dump = tmp_path / "x.dump"
    dump.write_bytes(forged)
    dump.chmod(0o644)
    tmp_path.chmod(0o755)
    with pytest.raises(StageFailed, match=why):
        read_archive(dump, guardian, account=None)


def test_a_list_that_says_otherwise_than_the_archive_is_not_believed(tmp_path: Path) -> None:
    dump = tmp_path / "x.dump"
    dump.write_bytes(archive([entry(1)]))
    (only,) = entries_of(dump, ["; a comment", "1; 0 0 TABLE DATA s t o"])
    assert (only.kind, only.schema_name, only.name, only.owner) == ("TABLE DATA", "s", "t", "o")
    for line in ("1; 0 0 TABLE DATA s u o", "2; 0 0 TABLE DATA s t o", "no entry"):
        with pytest.raises(StageFailed, match="in another way than it is written"):
            entries_of(dump, [line])


def test_names_are_read_in_the_encoding_that_the_archive_names(tmp_path: Path) -> None:
    dump = tmp_path / "x.dump"
    in_latin = entry(2).replace(text("t") + text("TABLE DATA"), number(1) + b"\xe4" + text("TABLE DATA"))
    dump.write_bytes(archive([encoding(1, "LATIN1"), in_latin]))
    (only,) = entries_of(dump, ["2; 0 0 TABLE DATA s \N{REPLACEMENT CHARACTER} o"])
    assert only.name == "ä"


def test_the_header_says_which_pg_dump_wrote_it() -> None:
    header = header_of(LIST.splitlines())
    assert (header.database, header.compression, header.server_major, header.least_major) == (
        "a name: with colon",
        "gzip",
        15,
        17,
    )


def test_an_entry_of_many_is_kept_in_little_memory(tmp_path: Path) -> None:
    """An archive may have a million large objects, an entry each. A shape like any other takes 1,000 bytes, and each text of
    its own 50."""

    def kept(number: int) -> int:
        dump = tmp_path / "x.dump"
        dump.write_bytes(archive([entry(each) for each in range(number)]))
        lines = [f"{each}; 0 0 TABLE DATA s t o" for each in range(number)]
        entries_of(dump, lines)
        tracemalloc.start(1)
        try:
            before, _ = tracemalloc.get_traced_memory()
            entries = entries_of(dump, lines)
            after, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert len(entries) == number
        return after - before

    assert (kept(800) - kept(200)) / 600 < 400
