"""What a reader does grows as what it reads: lines of our code are counted at one size and at four times that."""

import io
import json
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import cast

import pytest

from fixtures.application.names import Names
from fixtures.application.own_words import own_words
from fixtures.application.stderr_summary import stderr_summary
from fixtures.custody.drill_ledger import read_ledger
from fixtures.dump.archive_data import loaded_as_data, table_rows
from fixtures.dump.archive_toc import entries_of
from fixtures.dump.plain_dump import read_text
from fixtures.record.dump_list import TocEntry
from fixtures.record.names import TableName
from fixtures.restore.names_of_dump import NamesOfDump
from fixtures.restore.roles_file import read_roles
from fixtures.restore.stderr_lines import StderrLines
from fixtures.server import Server
from fixtures.shelf.choosing import look_over
from tests.dump.test_fuzz import MANIFEST_TEXT, PLAIN_TEXT
from tests.support.archive_bytes import archive, block, entry
from tests.support.counted_work import ends, steps
from tests.support.kept_server import kept_server

SMALL, TIMES = 60, 4
BODY, END = PLAIN_TEXT.split(b"COPY public.t")[0], b"\n--\n-- PostgreSQL database dump complete\n--\n\\unrestrict abc\n"


def lines(said: list[str]) -> object:
    taken = StderrLines()
    for line in said:
        taken.take(line)
    return taken.classified()


def plain(statements: bytes) -> object:
    return read_text(io.BytesIO(BODY + statements + END).read, "dump.sql")


READERS: dict[str, Callable[[int, Path], object]] = {
    "messages of pg_restore": lambda n, _: lines(
        ["pg_restore: error: could not execute query: ERROR:  x", "DETAIL: y"] * n
    ),
    "one message of many lines": lambda n, _: lines(["pg_restore: error: x", *["go on"] * n]),
    "one long line": lambda n, _: lines([f"pg_restore: error: {'x ' * n * 100}"]),
    "a traceback": lambda n, folder: stderr_summary(
        ["Traceback (most recent call last):", '  File "a"', "ValueError: x"] * n, Names(folder, Path(sys.executable))
    ),
    "a list of an archive": lambda n, folder: listed(folder, n),
    "system checks": lambda n, folder: stderr_summary(
        ["SystemCheckError: x", "(auth.E003)"] * n, Names(folder, Path(sys.executable))
    ),
    "statements": lambda n, _: plain(b"SET lock_timeout = 0;\n" * n),
    "rows": lambda n, _: plain(b"COPY public.t (a) FROM stdin;\n" + b"x\n" * n + b"\\.\n"),
    "one long statement": lambda n, _: plain(b"COMMENT ON TABLE public.t IS '" + b"x\n" * n + b"';\n"),
    "comments within comments": lambda n, _: plain(b"/* " * n + b"*/ " * n + b"SET lock_timeout = 0;\n"),
    "roles": lambda n, _: read_roles("".join(f"CREATE ROLE r{each};\n" for each in range(n)), "roles.sql"),
    "a ledger": lambda n, folder: read_ledger(ledger(folder, n)),
    "a manifest of many tables": lambda n, folder: manifest(folder, tables=[f"s.{each}" for each in range(n)]),
    "a manifest of many wrong tables": lambda n, folder: manifest(folder, tables=[f"a.s.{each}" for each in range(n)]),
    "a manifest of many wrong keys": lambda n, folder: manifest(folder, keys=[str(each) for each in range(n)]),
    "an archive of many entries": lambda n, folder: rows(folder, [entry(each) for each in range(n)]),
    "an archive of many dependencies": lambda n, folder: rows(folder, [entry(1, needs=n)]),
    "an archive of many blocks": lambda n, folder: rows(folder, [entry(1)], [block(1, pieces=1) for _ in range(n)]),
    "a block of many pieces": lambda n, folder: rows(folder, [entry(1)], [block(1, pieces=n)]),
    "a block of many large objects": lambda n, folder: rows(folder, [entry(1)], [block(1, pieces=2, objects=n)]),
}


def listed(folder: Path, entries: int) -> None:
    dump = folder / "x.dump"
    dump.write_bytes(archive([entry(each) for each in range(entries)]))
    assert len(entries_of(dump, [f"{each}; 0 0 TABLE DATA s t o" for each in range(entries)])) == entries


def manifest(folder: Path, tables: Sequence[str] = (), keys: Sequence[str] = ()) -> str:
    """What is said of a manifest with these tables and keys more."""
    told = json.loads(MANIFEST_TEXT)
    told["tables"] |= dict.fromkeys(tables, 1)
    (folder / "a_20260101_000000.manifest.json").write_text(json.dumps(told | dict.fromkeys(keys, 1)))
    (only,) = look_over(folder, "(?P<date>$)", "here").candidates
    return only.problem


def rows(folder: Path, entries: list[bytes], blocks: Sequence[bytes] = ()) -> None:
    dump = folder / "x.dump"
    dump.write_bytes(archive(entries, blocks))
    assert len(table_rows(dump)) == len(list(loaded_as_data(dump))) == len(entries)


def ledger(folder: Path, entries: int) -> Path:
    file = folder / f"ledger-{entries}.jsonl"
    file.write_text('{"run_id": "a", "set_name": "s", "verdict": "VERIFIED", "previous": "00"}\n' * entries)
    return file


LONG = 2_000_000
ENDLESS: dict[str, Callable[[Path], object]] = {
    "the name in a command": lambda _: lines(
        ["pg_restore: error: could not execute query: ERROR:  x", f"Command was: CREATE TABLE {'a' * LONG}!"]
    ),
    "a comment that begins as an entry's": lambda _: plain(
        b"-- Name: " + b"; Type: A; Schema: " * (LONG // 20) + b"\n"
    ),
    "an exception's place": lambda folder: stderr_summary(
        ["Traceback (most recent call last):", f"ImportError: x{' (' * LONG}"], Names(folder, Path(sys.executable))
    ),
    "a table's name of many parts": lambda _: no_table("a." * LONG),
    "a text of the code with much put in": lambda folder: own_words(["x " * 400 + "y"], with_code(folder)),
}


@pytest.mark.parametrize("named", ["a key", "a table"])
def test_a_long_name_in_a_manifest_is_not_told_in_full(named: str, tmp_path: Path) -> None:
    name = "a." * LONG
    with ends():
        said = manifest(tmp_path, keys=[name]) if named == "a key" else manifest(tmp_path, tables=[name])
    assert said.startswith("the manifest cannot be read: ")
    assert len(said) < 500


def test_a_manifest_of_too_many_faults_is_told_by_their_number(tmp_path: Path) -> None:
    said = manifest(tmp_path, keys=[str(each) for each in range(100_001)])
    assert said == "the manifest cannot be read: 100,001 of its entries are none that a manifest has"


def test_an_archive_is_measured_until_its_time_is_up(tmp_path: Path) -> None:
    dump = tmp_path / "x.dump"
    dump.write_bytes(archive([entry(1)], [block(1, pieces=1)]))
    assert [each.size for each in table_rows(dump, time.monotonic() + 60)] == [16]
    assert table_rows(dump, time.monotonic()) == ()


IN_LITTLE_MEMORY = """
import io, resource, sys
from fixtures.dump.plain_dump import read_text
from fixtures.record.stage import StageFailed
resource.setrlimit(resource.RLIMIT_AS, (600 << 20,) * 2)
try:
    print(len(read_text(io.BytesIO(sys.stdin.buffer.read()).read, "x.sql").toc))
except StageFailed as refused:
    print(refused.cause)
"""
NEVER_WRITTEN = {
    "constants": b"INSERT INTO public.t VALUES " + b",".join([b"(-(1))"] * 400_000) + b";\n",
    "a view of constants": b"CREATE VIEW v AS SELECT " + b",".join([b"1"] * 1_000_000) + b";\n",
    "short texts": b"CREATE VIEW v AS SELECT " + b",".join([b"E'\\''"] * 500_000) + b";\n",
}
TOO_LONG = "a statement that is longer than any definition: more than 256 KB outside its texts (line 14)"


@pytest.mark.parametrize("statement", NEVER_WRITTEN)
def test_no_statement_takes_much_memory_to_be_told(statement: str) -> None:
    assert TOO_LONG in in_little_memory(NEVER_WRITTEN[statement])


def test_a_function_with_a_long_body_is_a_definition() -> None:
    body = b"CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $body$ SELECT 'x' -- " + b"1, " * 500_000 + b"$body$;\n"
    assert in_little_memory(body) == "1"


def test_many_rows_in_one_statement_of_pg_dumps_are_read(tmp_path: Path) -> None:
    target = tmp_path / "x.sql"
    with kept_server() as server:
        server.create_database("many_rows")
        with server.connect("many_rows") as connection:
            connection.execute(OF_ALL_TYPES)
        options = ["--inserts", "--rows-per-insert=100000", f"--file={target}"]
        subprocess.run([server.clients.pg_dump, *options], env=server.environment("many_rows"), check=True, timeout=60)
        server.drop_database("many_rows")
    written = target.read_bytes()
    assert (written.count(b"INSERT INTO"), len(written) > 2 << 20) == (1, True)
    assert in_little_memory(written, b"") == "2"


OF_ALL_TYPES = """
CREATE TABLE many (a bigint, b numeric, c double precision, d bytea, e jsonb, f text[], g bit(4), h interval, i boolean,
    j timestamptz, k int GENERATED ALWAYS AS (1) STORED, "L m" text);
INSERT INTO many (a, b, c, d, e, f, g, h, i, j, "L m") SELECT
    -n, CASE n % 3 WHEN 0 THEN 'NaN' ELSE -n / 7.0 END, CASE n % 4 WHEN 0 THEN '-Infinity'
    WHEN 1 THEN 1e-200 ELSE n END, '\\x00ff', '{"a": [1, "it''s"]}', ARRAY['a,b', NULL, '"'], B'0101', '1 day', n % 2 = 0,
    now(), E'\\\\ '';\nx' FROM generate_series(1, 20000) n;
"""


def in_little_memory(statements: bytes, head: bytes = BODY, end: bytes = END) -> str:
    done = subprocess.run(
        [sys.executable, "-c", IN_LITTLE_MEMORY],
        input=head + statements + (end if head else b""),
        capture_output=True,
        check=False,
        timeout=120,
    )
    return (done.stdout or done.stderr[-300:]).decode().strip()


def no_table(name: str) -> None:
    with pytest.raises(ValueError, match="has more than two parts"):
        TableName.parse(name)


def with_code(folder: Path) -> Path:
    (folder / "words.py").write_text('print(f"{1} {2} {3} {4} {5} and Z")\n')
    return folder


@pytest.mark.parametrize("reader", ENDLESS)
def test_no_pattern_tries_a_long_text_in_many_ways(reader: str, tmp_path: Path) -> None:
    with ends():
        ENDLESS[reader](tmp_path)


def test_what_is_kept_of_a_name_grows_as_the_name() -> None:
    def kept(blanks: int) -> int:
        entry = TocEntry(dump_id=1, kind="TABLE", schema_name="s", name="a " * blanks, owner="o")
        tracemalloc.start()
        try:
            known = NamesOfDump(cast("Server", None), "d", [entry], None)
            assert known("s")
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert kept(4000) <= kept(1000) * 5


@pytest.mark.parametrize("reader", READERS)
def test_work_grows_as_what_is_read(reader: str, tmp_path: Path) -> None:
    read = READERS[reader]
    read(2, tmp_path)
    first, second = (steps(partial(read, size, tmp_path)) for size in (SMALL, SMALL * TIMES))
    assert second <= first * TIMES * 1.25, (first, second)
