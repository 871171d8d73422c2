"""What a reader does grows as what it reads: lines of our code are counted at one size and at four times that."""

import io
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from fixtures.application.names import Names
from fixtures.application.stderr_summary import stderr_summary
from fixtures.custody.drill_ledger import read_ledger
from fixtures.dump.archive_toc import parse_list
from fixtures.dump.plain_dump import read_text
from fixtures.restore.roles_file import read_roles
from fixtures.restore.stderr_lines import StderrLines
from tests.dump.test_fuzz import LIST_TEXT, PLAIN_TEXT

SMALL, TIMES = 60, 4
BODY, END = PLAIN_TEXT.split(b"COPY public.t")[0], b"\n--\n-- PostgreSQL database dump complete\n--\n\\unrestrict abc\n"


def steps(read: Callable[[], object]) -> int:
    """How many lines of this project's code are executed, and functions of C that it calls."""
    counted = 0

    def traced(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal counted
        if "/fixtures/" not in frame.f_code.co_filename:
            return None
        counted += event == "line"
        return traced

    def profiled(frame: FrameType, event: str, _: Any) -> None:
        nonlocal counted
        counted += event == "c_call" and "/fixtures/" in frame.f_code.co_filename

    before, profile = sys.gettrace(), sys.getprofile()
    sys.settrace(traced)
    sys.setprofile(profiled)
    try:
        read()
    finally:
        sys.settrace(before)
        sys.setprofile(profile)
    return counted


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
    "a list of an archive": lambda n, _: parse_list((LIST_TEXT + LIST_TEXT.splitlines(True)[-1] * n).decode()),
    "statements": lambda n, _: plain(b"SET lock_timeout = 0;\n" * n),
    "rows": lambda n, _: plain(b"COPY public.t (a) FROM stdin;\n" + b"x\n" * n + b"\\.\n"),
    "one long statement": lambda n, _: plain(b"COMMENT ON TABLE public.t IS '" + b"x\n" * n + b"';\n"),
    "comments within comments": lambda n, _: plain(b"/* " * n + b"*/ " * n + b"SET lock_timeout = 0;\n"),
    "roles": lambda n, _: read_roles("".join(f"CREATE ROLE r{each};\n" for each in range(n)), "roles.sql"),
    "a ledger": lambda n, folder: read_ledger(ledger(folder, n)),
}


def ledger(folder: Path, entries: int) -> Path:
    file = folder / f"ledger-{entries}.jsonl"
    file.write_text('{"run_id": "a", "set_name": "s", "verdict": "VERIFIED", "previous": "00"}\n' * entries)
    return file


@pytest.mark.parametrize("reader", READERS)
def test_work_grows_as_what_is_read(reader: str, tmp_path: Path) -> None:
    read = READERS[reader]
    read(2, tmp_path)
    first, second = (steps(partial(read, size, tmp_path)) for size in (SMALL, SMALL * TIMES))
    assert second <= first * TIMES * 1.25, (first, second)
