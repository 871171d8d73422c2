"""Rows of one COPY are dealt out to several readers, each to one of them; text that pg_dump does not write is never whole."""

import threading

import pytest

from fixtures.restore.parallel.dealt_rows import DealtRows, may_be_dealt
from fixtures.sandbox.feeding import fed

BLOCK = 1 << 20


def dealt(text: bytes, readers: int = 1, piece: int = 0) -> tuple[DealtRows, list[bytes]]:
    """The text comes through a pipe, in pieces of so many bytes where that is said."""
    blocks: list[bytes] = []
    step = piece or len(text) or 1
    with fed(text[at : at + step] for at in range(0, len(text), step)) as feed:
        rows = DealtRows(feed.reading, "COPY public.t (a) FROM stdin;")
        threads = [threading.Thread(target=lambda: blocks.extend(map(bytes, rows.blocks()))) for _ in range(readers)]
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
        [b"%040d\n" % number for number in range(70_000)],
    ],
    ids=["none", "one", "empty ones", "a long one", "exactly a block", "one less than a block", "many"],
)
@pytest.mark.parametrize("readers", [1, 3])
def test_every_row_is_dealt_to_somebody_once(lines: list[bytes], readers: int) -> None:
    rows, blocks = dealt(HEAD + b"".join(lines) + TAIL, readers)
    assert rows.whole
    assert rows.encoding() == b"SET client_encoding = 'UTF8';\n"
    assert sorted(b"".join(blocks).splitlines(keepends=True)) == sorted(lines)


@pytest.mark.parametrize("short", range(-1, 5))
@pytest.mark.parametrize("first", [0, BLOCK + 100], ids=["lines", "a long row first"])
def test_the_end_is_seen_wherever_a_block_is_cut(first: int, short: int) -> None:
    lines = [b"x" * (first - 1) + b"\n"] if first else []
    # The line before the end takes the rows to so many bytes before the end of a block, or one past it.
    lines += [b"y" * 100 + b"\n"] * 400
    lines.append(b"z" * (2 * BLOCK - sum(map(len, lines)) - short - 1) + b"\n")
    rows, blocks = dealt(HEAD + b"".join(lines) + TAIL, 2)
    assert rows.whole
    assert sorted(b"".join(blocks).splitlines(keepends=True)) == sorted(lines)


def test_rows_that_come_in_small_pieces_are_dealt_in_large_ones() -> None:
    lines = [b"%040d\n" % number for number in range(70_000)]
    text = b"".join(lines)
    rows, blocks = dealt(HEAD + text + TAIL, 2, piece=4096)
    assert rows.whole
    assert sorted(b"".join(blocks).splitlines(keepends=True)) == sorted(lines)
    assert len(blocks) <= len(text) // BLOCK + 2


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
