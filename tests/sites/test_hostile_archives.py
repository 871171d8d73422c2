"""An archive that was made to be hard to read costs what its bytes do, and looks at the clock as it is read."""

import bz2
import gzip
import io
import lzma
import sqlite3
import struct
import tarfile
import threading
import zipfile
from collections.abc import Callable
from contextlib import closing
from functools import partial
from itertools import count
from pathlib import Path

import pytest

from fixtures.archives import zip_stream
from fixtures.archives.decompress import _UNPACKERS as UNPACKERS
from fixtures.archives.decompress import decompressed, stream
from fixtures.archives.entry_safety import unsafe_together
from fixtures.archives.reading import Allowance, ArchiveBroken, Watch
from fixtures.record.stage import StageBlocked
from fixtures.sites.archive_format import Source, site_source
from fixtures.sites.inventory import SCHEMA
from tests.support.counted_work import ends, steps

END = bytes(1024)
LONG = 1_000_000


def header(name: str, kind: bytes = tarfile.REGTYPE, content: bytes = b"") -> bytes:
    """One entry with its content, as it stands in an archive."""
    entry = tarfile.TarInfo(name)
    entry.type, entry.size = kind, len(content)
    return entry.tobuf() + content + bytes(-len(content) % 512)


def record(key: str, value: str) -> bytes:
    """One record of an extended header, which begins with its own length."""
    rest = f" {key}={value}\n".encode()
    length = len(rest) + len(str(len(rest)))
    return str(len(rest) + len(str(length))).encode() + rest


def read(archive: Path, packed: bytes, allowance: Allowance | None = None, watch: Watch | None = None) -> list[str]:
    """The names of all entries, each of which is read."""
    archive.write_bytes(packed)
    names = []
    with site_source(archive, watch or Watch(float("inf")), allowance) as source:
        for entry in source.entries():
            names.append(entry.name)
            for _ in source.content(entry):
                pass
    return names


def walk(source: Source, at_each: Callable[[], object]) -> None:
    for _ in source.entries():
        at_each()


SPOILED: dict[str, tuple[Callable[[], bytes], str]] = {
    "records that all end at one sign": (
        lambda: header("x", tarfile.XHDTYPE, b"5 aaa" * (LONG // 5) + b"=\n"),
        "an extended header is no list of records",
    ),
    "a record that ends elsewhere": (
        lambda: header("x", tarfile.XHDTYPE, b"9 a=b\n"),
        "an extended header is no list of records",
    ),
    "a number without an end": (
        lambda: header("x", tarfile.XHDTYPE, record("comment", "1" * LONG)),
        "an extended header holds a number that nothing has",
    ),
    "much that holds for all entries": (
        lambda: (
            header("x", tarfile.XGLTYPE, b"".join(record(f"k{n}", "v") for n in range(2000)))
            + header("a")
            + header("b")
        ),
        "what its headers say of all entries is longer than 4,096 letters",
    ),
    "a header as long as the content before it": (
        lambda: header("a", content=bytes(8 << 20)) + header("x", tarfile.XHDTYPE, bytes(8 << 20)),
        "a header is larger than 1,048,576 bytes",
    ),
    "a name as long as the content before it": (
        lambda: header("a", content=bytes(8 << 20)) + header("x", tarfile.GNUTYPE_LONGNAME, b"a" * (8 << 20)),
        "a header is larger than 1,048,576 bytes",
    ),
    "names of names of names": (
        lambda: b"".join(header("x", tarfile.GNUTYPE_LONGNAME, b"a") for _ in range(2000)),
        "it is corrupt (RecursionError)",
    ),
}


@pytest.mark.parametrize("spoiled", SPOILED)
def test_what_no_tar_writes_is_refused_before_it_costs_anything(spoiled: str, tmp_path: Path) -> None:
    made, why = SPOILED[spoiled]
    with ends(), pytest.raises(ArchiveBroken) as broken:
        read(tmp_path / "x.tar", made() + header("last") + END)
    assert str(broken.value) == why


def test_what_tars_write_of_all_entries_and_of_one_is_read(tmp_path: Path) -> None:
    """As git archive and GNU tar do: a comment, a long name, a time to the nanosecond, a checksum of digits."""
    of_all = header("x", tarfile.XGLTYPE, record("comment", "a" * 40))
    of_one = record("path", "ü" * 300) + record("mtime", "1700000000.123456789") + record("SCHILY.xattr.sum", "7" * 128)
    packed = of_all + header("x", tarfile.XHDTYPE, of_one) + header("a", content=b"1") + header("b") + END
    assert read(tmp_path / "x.tar", packed) == ["ü" * 300, "b"]


def test_holes_count_as_what_they_unfold_to(tmp_path: Path) -> None:
    entry = tarfile.TarInfo("hole")
    entry.pax_headers = {"GNU.sparse.major": "0", "GNU.sparse.size": str(1 << 30), "GNU.sparse.map": "0,0"}
    packed = entry.tobuf(tarfile.PAX_FORMAT) * 4 + END
    with pytest.raises(ArchiveBroken, match="it unfolds to more than 50 times its size"):
        read(tmp_path / "x.tar", packed, Allowance(ratio=50, ratio_from=1 << 20))


def test_the_clock_is_looked_at_while_a_little_becomes_much(tmp_path: Path) -> None:
    """All of these entries are in the first piece that is read of the file."""
    steps = count()
    watch = Watch(float("inf"), lambda done, total, unit: watch.given_up.set())
    archive = tmp_path / "x.tar.gz"
    archive.write_bytes(gzip.compress(b"".join(header(f"{n}") for n in range(20_000)) + END))
    with site_source(archive, watch) as source, pytest.raises(StageBlocked, match="given up"):
        walk(source, lambda: next(steps))
    assert next(steps) <= 2048


@pytest.mark.parametrize("kind", ["zip", "folder"])
def test_the_clock_is_looked_at_with_each_entry_that_has_no_content(tmp_path: Path, kind: str) -> None:
    made = tmp_path / "made"
    if kind == "zip":
        with zipfile.ZipFile(made, "w") as archive:
            for number in range(50):
                archive.writestr(f"{number}/", b"")
    else:
        for number in range(50):
            (made / str(number)).mkdir(parents=True)
    watch = Watch(float("inf"))
    with site_source(made, watch) as source, pytest.raises(StageBlocked, match="given up"):
        walk(source, watch.given_up.set)


def test_the_clock_is_looked_at_while_a_zips_list_is_read(tmp_path: Path) -> None:
    archive = tmp_path / "x.zip"
    archive.write_bytes(zipped(lambda content: None, more=200))
    late = threading.Event()
    watch = Watch(float("inf"), lambda done, total, unit: late.set() if done == total else None, late)

    def give_up() -> None:
        with site_source(archive, watch) as source, pytest.raises(StageBlocked, match="given up"):
            walk(source, lambda: None)

    assert steps(give_up, within="zipfile") < 1000


def test_a_zip_that_lists_more_than_is_held_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zip_stream, "LISTED", 21)
    assert len(read(tmp_path / "x.zip", zipped(lambda content: None, more=20))) == 21
    with pytest.raises(ArchiveBroken, match="it has more than 21 entries: pack it as a tar"):
        read(tmp_path / "x.zip", zipped(lambda content: None, more=21))


def zipped(spoil: Callable[[bytearray], object], method: int = zipfile.ZIP_DEFLATED, more: int = 0) -> bytes:
    """With so many entries `more` whose comments make the list long."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        archive.writestr("a.html", b"<p>one</p>" * 50)
        for number in range(more):
            entry = zipfile.ZipInfo(f"{number}.html")
            entry.comment = b"x" * 65_000
            archive.writestr(entry, b"")
    whole = bytearray(packed.getvalue())
    spoil(whole)
    return bytes(whole)


def _far_list(whole: bytearray) -> None:
    """The list is where no file reaches, as the record for large archives tells it."""
    end = whole.rindex(b"PK\x05\x06")
    whole[end + 12 : end + 16] = b"\xff" * 4
    whole[end:end] = b"PK\x06\x07" + struct.pack("<LQL", 0, (1 << 64) - 1, 1)


def _of_two_lengths(whole: bytearray) -> None:
    """The last record says nothing of the list's length; the one for large archives stands before where it is said to be."""
    end = whole.rindex(b"PK\x05\x06")
    size, begin = struct.unpack_from("<LL", whole, end + 12)
    large = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 1, 1, size, begin)
    whole[end + 12 : end + 16] = bytes(4)
    whole[end:end] = large + struct.pack("<4sLQL", b"PK\x06\x07", 0, end, 1)


def _record_within_the_record(whole: bytearray) -> None:
    """What looks as the last record stands within it, where the numbers of disks are."""
    end = whole.rindex(b"PK\x05\x06")
    whole[end + 4 : end + 8] = b"PK\x05\x06"


@pytest.mark.parametrize("spoil", [bytes, _of_two_lengths, _record_within_the_record])
def test_a_long_list_of_a_zip_is_not_read_whatever_its_end_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, spoil: Callable[[bytearray], None]
) -> None:
    packed = zipped(spoil, more=20)
    size = packed.rindex(b"xPK") + 1 - packed.index(b"PK\x01\x02")
    monkeypatch.setattr(zip_stream, "LIST_BYTES", size)
    assert len(read(tmp_path / "x.zip", packed)) == 21
    monkeypatch.setattr(zip_stream, "LIST_BYTES", size - 1)
    with pytest.raises(ArchiveBroken, match=f"its list of files is larger than {size - 1:,} bytes: pack it as a tar"):
        read(tmp_path / "x.zip", packed)


def _damaged(whole: bytearray) -> None:
    at = whole.index(b"a.html") + 20
    whole[at : at + 20] = b"\xff" * 20


@pytest.mark.parametrize(
    "packed",
    [zipped(_far_list), zipped(_damaged, zipfile.ZIP_LZMA), zipped(_damaged, zipfile.ZIP_BZIP2), zipped(_damaged)],
    ids=["far", "lzma", "bzip2", "deflate"],
)
def test_a_zip_that_is_spoiled_is_told(tmp_path: Path, packed: bytes) -> None:
    with pytest.raises(ArchiveBroken, match="corrupt"):
        read(tmp_path / "x.zip", packed)


@pytest.mark.parametrize("pack", [bz2.compress, partial(lzma.compress, check=lzma.CHECK_NONE)], ids=["bzip2", "xz"])
def test_many_empty_streams_cost_what_they_are(monkeypatch: pytest.MonkeyPatch, pack: Callable[[bytes], bytes]) -> None:
    def copied(streams: int) -> int:
        """How many bytes all decompressors together are given."""
        total = 0

        class Counting:
            def __init__(self, real: Callable[[], "bz2.BZ2Decompressor | lzma.LZMADecompressor"]) -> None:
                self._real = real()

            def __getattr__(self, name: str) -> object:
                return getattr(self._real, name)

            def decompress(self, data: bytes, size: int = -1) -> bytes:
                nonlocal total
                total += len(data)
                return self._real.decompress(data, size)

        for name, real in (("bzip2", bz2.BZ2Decompressor), ("xz", lzma.LZMADecompressor)):
            monkeypatch.setitem(UNPACKERS, name, partial(Counting, real))
        packed = pack(b"") * streams + pack(b"end")
        file = stream(io.BytesIO(packed).read)
        assert decompressed(file, packed[:6]).read() == b"end"
        return total

    assert copied(12_000) <= copied(3000) * 5


def links_through_one(links: int) -> int:
    """The steps of judging as many links to one, whose target is as long as they are many."""
    with closing(sqlite3.connect(":memory:")) as database:
        database.executescript(SCHEMA)
        rows = [("long", "link", "a/../" * links), *((f"l{number}", "link", "long") for number in range(links))]
        database.executemany("INSERT INTO entry (path, kind, target) VALUES (?, ?, ?)", rows)
        database.execute("CREATE INDEX entry_path ON entry (path)")
        return steps(lambda: list(unsafe_together(database)))


def test_links_that_lead_through_one_long_link_cost_what_they_are() -> None:
    assert links_through_one(16_000) <= links_through_one(4000) * 5


def test_the_clock_is_looked_at_with_each_link() -> None:
    looks = count()
    with closing(sqlite3.connect(":memory:")) as database:
        database.executescript(SCHEMA)
        rows = [(f"{number}", "link", "a") for number in range(9)]
        database.executemany("INSERT INTO entry (path, kind, target) VALUES (?, ?, ?)", rows)
        assert list(unsafe_together(database, lambda: next(looks) and None)) == []
    assert next(looks) == 9
