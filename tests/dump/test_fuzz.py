"""Whatever stands in a profile, a manifest, an archive, a dump or on a program's stderr: we answer in our own words."""

import gzip
import io
import sys
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fixtures.application.names import Names
from fixtures.application.stderr_summary import stderr_summary
from fixtures.archives.reading import Watch
from fixtures.custody.drill_ledger import read_ledger
from fixtures.database.shares_file import SharesUnreadable, read_shares
from fixtures.dump.archive_data import loaded_as_data, table_rows
from fixtures.dump.archive_toc import entries_of, header_of
from fixtures.dump.dump_kind import recognised, written_at
from fixtures.dump.grammar import NotOneStatement, parsed, roles_in
from fixtures.dump.plain_dump import read_text
from fixtures.profile.reading import ProfileError, read_profile
from fixtures.record.manifest import Manifest
from fixtures.record.names import TableName
from fixtures.record.set_record import Artefact
from fixtures.record.stage import StageBlocked, StageFailed
from fixtures.restore.roles_file import read_roles
from fixtures.restore.stderr_lines import MOST_TEXTS, StderrLines
from fixtures.shelf.locate import locate
from fixtures.sites.inventory import DefinitionKeys, read_sites
from tests.support.drills import PROFILE
from tests.support.small_source import PROFILE as SMALL

PROFILE_TEXT = (PROFILE / "profile.toml").read_bytes()
MANIFEST_TEXT = (
    b'{"format": 1, "application": "a", "database": "d", "snapshot_at": "2026-01-01T00:00:00Z", "server_version": "15.1",'
    b' "pg_dump_version": "15.1", "suite_version": "1", "files": {"dump": {"name": "x.dump", "size": 5, "sha256": "'
    + b"0" * 64
    + b'"}}, "tables": {"public.t": 1}, "large_objects": 0}'
)
ROLES_TEXT = (
    b"CREATE ROLE a;\nALTER ROLE a WITH NOSUPERUSER LOGIN CONNECTION LIMIT 3 VALID UNTIL 'infinity';\n"
    b"ALTER ROLE a SET search_path TO '$user', 'x';\nGRANT a TO b WITH ADMIN OPTION GRANTED BY c;\n"
)
LIST_TEXT = (
    b";\n; Archive created at 2026-11-22 15:13:09 UTC\n;     dbname: x\n;     TOC Entries: 7\n;     Compression: 6\n"
    b";     Format: CUSTOM\n;     Dumped from database version: 15.18\n;     Dumped by pg_dump version: 17.2\n;\n"
    b"7; 2615 16390 SCHEMA - my schema owner\n3401; 0 16391 TABLE DATA my schema order items owner\n"
)
PLAIN_TEXT = (
    b"--\n-- PostgreSQL database dump\n--\n\n\\restrict abc\n-- Dumped from database version 15.18\n"
    b"-- Dumped by pg_dump version 15.18\n\nSET client_encoding = 'UTF8';\n--\n-- Name: t; Type: TABLE; Schema: public;"
    b" Owner: o\n--\nCREATE TABLE public.t (a text DEFAULT $x$;$x$);\nCOPY public.t (a) FROM stdin;\none\\ttwo\n\\.\n\n"
    b"--\n-- PostgreSQL database dump complete\n--\n\\unrestrict abc\n"
)
STDERR_TEXT = (
    b"pg_restore: while PROCESSING TOC:\npg_restore: from TOC entry 3; 1259 16 TABLE t o\n"
    b'pg_restore: error: could not execute query: ERROR:  relation "t" already exists\n'
    b"DETAIL:  Key (a)=(Jane) is duplicated.\nCommand was: CREATE TABLE t (a text);\n"
    b"pg_restore: warning: errors ignored on restore: 1\n"
)
fuzzed = settings(
    max_examples=200,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def tar_bytes() -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, content in (("a/site-definition.json", b'{"s": 1, "t": 2}'), ("a/ü" + "b" * 120, b"x" * 700)):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
        link = tarfile.TarInfo("a/current")
        link.type, link.linkname = tarfile.SYMTYPE, "v1"
        archive.addfile(link)
    return packed.getvalue()


def gnu_tar_bytes() -> bytes:
    """What GNU tar has of its own: long names, a list of a folder's names, holes in its older and its newer form."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name, kind, content in (
            ("a/" + "l" * 150, tarfile.REGTYPE, b"x"),
            ("a", b"D", b"Yl\0Nm\0\0"),
            ("b", tarfile.DIRTYPE, b""),
        ):
            entry = tarfile.TarInfo(name)
            entry.type, entry.size = kind, len(content)
            archive.addfile(entry, io.BytesIO(content))
    holes = tarfile.TarInfo("holes")
    holes.size = 1024
    holes.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "9000"}
    newer = holes.tobuf(tarfile.PAX_FORMAT) + b"1\n100\n512\n".ljust(512, b"\0") + b"y" * 512
    return newer + packed.getvalue()


def zip_bytes() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for number, method in enumerate(
            (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
        ):
            info = zipfile.ZipInfo(f"a/{number}.html")
            info.compress_type, info.extra = method, b"UT\x05\x00\x01\x00\x00\x00\x10"
            archive.writestr(info, b"<a href=x>" * 20)
    return packed.getvalue()


@st.composite
def spoiled(draw: st.DrawFn, whole: bytes) -> bytes:
    """Nothing of it, or all of it with a few places cut out, doubled, or overwritten."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.binary(max_size=600))
    content = whole
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(content)))
        length = draw(st.integers(0, 40))
        instead = draw(st.one_of(st.just(b""), st.binary(max_size=20), st.just(content[at : at + length] * 2)))
        content = content[:at] + instead + content[at + length :]
    return content[: draw(st.integers(0, len(content)))] if draw(st.integers(0, 4)) == 0 else content


def text(content: bytes) -> str:
    return content.decode("utf-8", "replace")


def answers(work: Callable[[], object], *ours: type[Exception]) -> None:
    """It gives an answer, or one of our own errors."""
    with suppress(*ours):
        work()


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="fuzz-") as made:
        yield Path(made)


@fuzzed
@given(spoiled(PROFILE_TEXT))
def test_profile(folder: Path, content: bytes) -> None:
    file = folder / "profile.toml"
    file.write_bytes(content)
    answers(lambda: read_profile(file), ProfileError)


@fuzzed
@given(spoiled(MANIFEST_TEXT), spoiled(b"PGDMP\x01\x0e\x00\x04\x08\x01" + bytes(range(80))))
def test_manifest_and_header_of_a_set(folder: Path, manifest: bytes, dump: bytes) -> None:
    backup = folder / "sets" / "igny8_20260101_000000"
    backup.mkdir(parents=True, exist_ok=True)
    (backup / f"{backup.name}.dump").write_bytes(dump)
    (backup / f"{backup.name}.manifest.json").write_bytes(manifest)
    answers(lambda: locate(folder / "sets", SMALL), StageFailed)
    answers(lambda: (recognised(backup / f"{backup.name}.dump"), written_at(backup / f"{backup.name}.dump")))


@pytest.fixture(scope="module")
def archive(whole_set: Path) -> Path:
    return whole_set / f"{whole_set.name}.dump"


@fuzzed
@given(st.integers(0, 40_000), st.integers(0, 40), st.binary(max_size=20))
def test_sizes_within_an_archive(folder: Path, archive: Path, at: int, cut: int, instead: bytes) -> None:
    dump = folder / "spoiled.dump"
    with archive.open("rb") as whole:
        content = whole.read(300_000)  # its TOC, and some data
    dump.write_bytes(content[:at] + instead + content[at + cut :])
    table_rows(dump)
    answers(lambda: list(loaded_as_data(dump)), StageFailed)
    answers(lambda: entries_of(dump, ["1; 0 0 TABLE s t o"]), StageFailed, StageBlocked)


def test_what_is_spoiled_was_whole() -> None:
    Manifest.model_validate_json(MANIFEST_TEXT)
    read_roles(text(ROLES_TEXT), "roles")
    header_of(text(LIST_TEXT).splitlines())
    read_text(io.BytesIO(PLAIN_TEXT).read, "dump.sql")


@fuzzed
@given(st.booleans(), st.data())
def test_sites_archive(folder: Path, packed: bool, data: st.DataObject) -> None:
    whole = data.draw(st.sampled_from((tar_bytes(), gnu_tar_bytes(), zip_bytes())))
    whole = gzip.compress(whole, 1, mtime=0) if packed else whole
    file = folder / "sites.tar.gz"
    file.write_bytes(data.draw(spoiled(whole)))
    artefact = Artefact(role="sites", name=file.name, size=1, sha256="0" * 64, mode=0o600, owner="o")
    with tempfile.TemporaryDirectory() as into:
        watch = Watch(time.monotonic() + 30)
        keys = DefinitionKeys("site-definition.json", "s", "t")
        answers(lambda: read_sites(file, artefact, Path(into), watch, keys), StageFailed)


@fuzzed
@given(spoiled(LIST_TEXT))
def test_list_of_an_archive(content: bytes) -> None:
    answers(lambda: header_of(text(content).split("\n")), StageFailed)


@fuzzed
@given(spoiled(ROLES_TEXT))
def test_roles_file(content: bytes) -> None:
    answers(lambda: read_roles(text(content), "roles.sql"), StageFailed)


@fuzzed
@given(spoiled(PLAIN_TEXT))
def test_plain_dump(content: bytes) -> None:
    answers(lambda: read_text(io.BytesIO(content).read, "dump.sql"), StageFailed)


@fuzzed
@given(spoiled(STDERR_TEXT * 3))
def test_stderr(content: bytes) -> None:
    lines = StderrLines()
    for line in text(content).split("\n"):
        lines.take(line)
    classified = lines.classified()
    assert len(classified) <= MOST_TEXTS + 12
    assert sum(line.count for line in classified) <= content.count(b"\n") + 1
    assert lines.tells_failure in (True, False)
    stderr_summary(text(content).split("\n"), Names(PROFILE, Path(sys.executable)))


@fuzzed
@given(spoiled(b'{"run_id": "a", "set_name": "s", "dump_sha256": "00", "verdict": "VERIFIED", "previous": "00"}\n' * 3))
def test_ledger(folder: Path, content: bytes) -> None:
    file = folder / "ledger.jsonl"
    file.write_bytes(content)
    answers(lambda: read_ledger(file))


@fuzzed
@given(spoiled(gzip.compress(b'{"division": {"table": "public.t"}, "shares": {"a": {"rows": 1}}}\n' * 3, 1, mtime=0)))
def test_shares(folder: Path, content: bytes) -> None:
    file = folder / "x.shares.jsonl.gz"
    file.write_bytes(content)
    answers(lambda: list(read_shares(file)), SharesUnreadable)


@fuzzed
@given(st.text(max_size=60))
def test_names_and_grants(words: str) -> None:
    answers(lambda: TableName.parse(words), ValueError)
    answers(lambda: list(roles_in(parsed(f"GRANT SELECT ON t TO {words};").node)), NotOneStatement)


@fuzzed
@given(st.text(min_size=1, max_size=30), st.text(min_size=1, max_size=30))
def test_a_name_is_read_back_as_it_was_written(schema: str, name: str) -> None:
    written = TableName(schema, name)
    assert TableName.parse(str(written)) == written
