"""Rows of one COPY are dealt out to several readers, each to one of them; text that pg_dump does not write is never whole."""

import io
import threading

import pytest

from fixtures.restore.parallel.dealt_rows import DealtRows, may_be_dealt


def dealt(text: bytes, readers: int = 1) -> tuple[DealtRows, list[bytes]]:
    rows = DealtRows(io.BufferedReader(io.BytesIO(text)), "COPY public.t (a) FROM stdin;")  # type: ignore[arg-type]
    blocks: list[bytes] = []
    threads = [threading.Thread(target=lambda: blocks.extend(rows.blocks())) for _ in range(readers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return rows, blocks


HEAD = b"--\n-- PostgreSQL database dump\n--\n\nSET client_encoding = 'UTF8';\nCOPY public.t (a) FROM stdin;\n"
TAIL = b"\\.\n\n\n--\n-- PostgreSQL database dump complete\n--\n\n\\unrestrict x1\n"


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [b"one\n"],
        [b"\n"] * 5,
        [b"x" * 3_000_000 + b"\n", b"y\n"],
        [b"x" * ((1 << 20) - 1) + b"\n", b"y\n"],
        [b"x" * ((1 << 20) - 2) + b"\n", b"y\n"],
        [b"%d\n" % number for number in range(400_000)],
    ],
    ids=["none", "one", "empty ones", "a long one", "exactly a block", "one less than a block", "many"],
)
@pytest.mark.parametrize("readers", [1, 3])
def test_every_row_is_dealt_to_somebody_once(lines: list[bytes], readers: int) -> None:
    rows, blocks = dealt(HEAD + b"".join(lines) + TAIL, readers)
    assert rows.whole
    assert rows.encoding() == b"SET client_encoding = 'UTF8';\n"
    assert sorted(b"".join(blocks).splitlines(keepends=True)) == sorted(lines)


@pytest.mark.parametrize(
    "text",
    [
        HEAD + b"one\ntw",
        HEAD + b"one\n",
        HEAD + b"one\n\\.\r\n\\! ls\n",
        HEAD + b"one\n" + TAIL + b"DROP TABLE t;\n",
        HEAD.replace(b"SET client_encoding = 'UTF8';\n", b"") + b"one\n" + TAIL,
        HEAD.replace(b"(a)", b"(a, b)") + b"one\n" + TAIL,
        b"",
    ],
    ids=["cut", "cut at a line", "a command", "more behind it", "no encoding", "another statement", "nothing"],
)
def test_rows_that_do_not_end_as_pg_dump_ends_them_are_not_whole(text: bytes) -> None:
    rows, blocks = dealt(text)
    assert not rows.whole
    assert b"DROP" not in b"".join(blocks)
    assert b"\\!" not in b"".join(blocks)


@pytest.mark.parametrize(
    ("copy", "fits"),
    [
        ("COPY public.t (a) FROM stdin;", True),
        ('COPY "my schema"."Big ""Rows""" ("Number", few) FROM stdin;', True),
        ("COPY public.t (a) FROM PROGRAM 'id';", False),
        ("COPY public.t (a) FROM stdin; DROP TABLE t;", False),
        ("COPY public.t (a) FROM stdin WHERE f(a);", False),
        ("COPY t FROM stdin;", False),
        ("", False),
    ],
)
def test_only_pg_dumps_own_statement_is_executed(copy: str, fits: bool) -> None:
    assert may_be_dealt(copy) is fits
