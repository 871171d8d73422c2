"""The table of contents is read as pg_restore lists it; programs that cannot read a dump are told from a bad dump."""

from pathlib import Path

import pytest

from fixtures.dump.archive_toc import parse_list, read_archive
from fixtures.record.stage import StageBlocked
from fixtures.sandbox.account import unprivileged_account
from fixtures.sandbox.guardian import Guardian


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
