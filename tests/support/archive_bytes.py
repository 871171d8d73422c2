"""Writes an archive of the custom format byte by byte, as pg_backup_archiver.c lays it out: of sizes that no source has."""

from collections.abc import Iterable

_NOT_WRITTEN = b"\x01" + bytes(8)
_END = b"\0\0\0\0\0"


def number(value: int) -> bytes:
    return (b"\x01" if value < 0 else b"\0") + abs(value).to_bytes(4, "little")


def text(value: str | None) -> bytes:
    return number(-1) if value is None else number(len(value.encode())) + value.encode()


def entry(dump_id: int, needs: int = 0) -> bytes:
    """The rows of a table that depends on so many others; where they begin was not written."""
    named = (text("0"), text("0"), text("t"), text("TABLE DATA"), number(3), text(""), text(""))
    copied = (text("COPY s.t (a) FROM stdin;\n"), text("s"), text(""), text(""), text("o"), text("false"))
    depends = (*(text(str(each)) for each in range(needs)), text(None))
    return b"".join((number(dump_id), number(1), *named, *copied, *depends)) + _NOT_WRITTEN


def encoding(dump_id: int, named: str) -> bytes:
    """The entry that says what the texts are written in."""
    made = (text("0"), text("0"), text("ENCODING"), text("ENCODING"), number(2))
    said = (text(f"SET client_encoding = '{named}';\n"), text(""), text(None))
    return b"".join(
        (number(dump_id), number(0), *made, *said, *(text(None),) * 3, text(""), text("false"), text(None))
    ) + (_NOT_WRITTEN)


def of_data(dump_id: int, kind: str, tag: str, definition: str) -> bytes:
    """An entry that is loaded as data by its definition."""
    made = (text("0"), text("0"), text(tag), text(kind), number(3), text(definition), text(""), text(None))
    said = (*(text(None),) * 3, text("o"), text("false"), text(None))
    return b"".join((number(dump_id), number(0), *made, *said)) + b"\x03" + bytes(8)


def block(dump_id: int, pieces: int, objects: int = 0) -> bytes:
    """The rows of a table, or large objects, in pieces of one byte each."""
    data = (number(1) + b"x") * pieces + _END
    if not objects:
        return b"\x01" + number(dump_id) + data
    return b"\x03" + number(dump_id) + b"".join(number(each) + data for each in range(1, objects + 1)) + _END


def archive(entries: list[bytes], blocks: Iterable[bytes] = ()) -> bytes:
    head = b"PGDMP" + bytes((1, 14, 0, 4, 8, 1))
    written = number(0) * 8 + text("d") + text("15.1") + text("15.1")
    return head + written + number(len(entries)) + b"".join(entries) + b"".join(blocks)
