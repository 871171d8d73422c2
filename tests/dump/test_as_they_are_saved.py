"""Plain dumps as people save them are loaded where psql loads them whole, and told as what they are where it does not."""

import base64
import gzip
import io
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.dump.dump_kind import UNKNOWN, recognised
from fixtures.dump.no_dump import holds_other_files, no_dump
from fixtures.dump.plain_dump import read_script
from fixtures.dump.script_header import UNNAMED
from fixtures.record.stage import StageFailed
from fixtures.restore.restore import restore
from fixtures.sandbox.guardian import Guardian
from fixtures.server import Server
from fixtures.shelf.choosing import Choice, choose, look_over
from tests.support.kept_server import kept_server
from tests.support.plain_dumps import HEAD, TABLE, TAIL

WHOLE = HEAD + TABLE + TAIL
# As pg_dump 8.3 wrote it; until 9.6 no version stood in it.
OLD = """--
-- PostgreSQL database dump
--

SET client_encoding = 'UTF8';
SET standard_conforming_strings = off;
SET check_function_bodies = false;
SET client_min_messages = warning;
SET escape_string_warning = off;

SET search_path = public, pg_catalog;

SET default_tablespace = '';

SET default_with_oids = false;
"""


def tarred(name: str, content: str) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content.encode()))
    return packed.getvalue()


def zipped(name: str, content: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(name, content)
    return packed.getvalue()


LOADED = {
    "with line ends of Windows": WHOLE.replace("\n", "\r\n").encode(),
    "with a mark of its byte order": b"\xef\xbb\xbf" + WHOLE.encode(),
    # The server warns of it, since nothing of a drill is replicated.
    "with a publication": (
        HEAD
        + TABLE
        + "\nCREATE PUBLICATION p WITH (publish = 'insert');\nALTER PUBLICATION p ADD TABLE ONLY public.t;\n"
        + TAIL
    ).encode(),
    "by a pg_dump that named no version": (OLD + TABLE + TAIL.partition("\\unrestrict")[0]).encode(),
}
NOT_LOADED = {
    "sudo's complaint before it": 'could not change directory to "/root": Permission denied\n' + WHOLE,
    "a prompt before it": "Password: \r\n" + WHOLE.replace("\n", "\r\n"),
    "a locale's warning before it": "perl: warning: Setting locale failed.\n" + WHOLE,
    "docker's progress before it": "Unable to find image 'postgres:15' locally\nlatest: Pulling\n" + WHOLE,
    "compose's warning before it": 'time="2026-11-27T03:15:00Z" level=warning msg="obsolete"\n' + WHOLE,
    "a warning amid it": HEAD + "pg_dump: warning: there are circular foreign keys\n" + TABLE + TAIL,
    "a script's last word behind it": WHOLE + "Backup finished at 03:15\n",
    "two of them behind it": WHOLE + "Backup finished; well\ndone;\n",
    "a terminal's last word behind it": WHOLE.replace("\n", "\r\n") + "Connection to db1 closed.\r\n",
}
BY_HAND = {
    "CREATE TABLE t (id int);\nINSERT INTO t VALUES (1);\n": "its header names no version",
    "\\connect shop\nCREATE TABLE t (id int);\n": "psql's own commands, \\connect (line 1)",
    "drop table t;\n\\echo making it\n": "psql's own commands, \\echo (line 2)",
    "/* ours */ CREATE TABLE t (id int);\n": "its header names no version",
}
OTHERS = {
    "in UTF-16": (b"\xff\xfe" + WHOLE.encode("utf-16-le"), "UTF-16", "--file"),
    "in UTF-16 of the other order": (b"\xfe\xff" + WHOLE.encode("utf-16-be"), "UTF-16", "--file"),
    "in UTF-16 without a mark": (WHOLE.encode("utf-16-le"), "UTF-16", "--file"),
    "a message": (b"the input device is not a TTY\n", "a program's message", "2>backup.log"),
    "an error": (b'pg_dump: error: connection to server at "db1" failed\n', "a program's message", "2>backup.log"),
    "a page": (b"<!DOCTYPE html>\n<title>Sign in</title>\n", "a page of HTML", "download"),
    "encrypted": (b"age-encryption.org/v1\n-> X25519 x\n", "encrypted with age", "decrypt"),
    "packed twice": (gzip.compress(gzip.compress(WHOLE.encode())), "is packed twice", "pack it once"),
    "in a tar": (tarred("shop.sql", WHOLE), "is a tar of other files", "unpack it"),
    "in a tar that is packed": (gzip.compress(tarred("shop.sql", WHOLE)), "is a tar of other files", "unpack it"),
    "in a zip that packs nothing": (zipped("shop.sql", WHOLE), "is a zip archive", "unpack it"),
    "encrypted by openssl": (b"Salted__" + bytes(range(64)), "encrypted by openssl", "decrypt"),
    "a pointer": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:a\n",
        "a pointer of Git LFS",
        "git lfs pull",
    ),
    "in base64": (base64.b64encode(b"PGDMP" + bytes(99)), "an archive in base64", "base64 -d"),
    "an answer": (b'{"message": "expired"}\n', "is JSON", "answered with a message"),
    "nothing": (b"", "is empty", "exit code"),
    "anything": (b"\0\1\2\3 bytes", "is not a Postgres dump by its first bytes", "exit code"),
}


@pytest.fixture(scope="module")
def target() -> Iterator[tuple[Server, Guardian]]:
    with Guardian("5a7ed000") as guardian, kept_server() as server:
        yield server, guardian


@pytest.mark.parametrize("saved", LOADED)
def test_what_psql_loads_whole_is_loaded(target: tuple[Server, Guardian], tmp_path: Path, saved: str) -> None:
    server, guardian = target
    dump = tmp_path / "dump.sql"
    dump.write_bytes(LOADED[saved])
    script = read_script(dump)
    assert (script.header.server_version == UNNAMED) == ("no version" in saved)
    try:
        restore(server, dump, script, guardian, limit_minutes=1)
        with server.connect("restored") as connection:
            assert connection.execute("SELECT id, body FROM public.t").fetchall() == [(1, "one")]
    finally:
        server.drop_database("restored")


@pytest.mark.parametrize("mixed", NOT_LOADED)
def test_what_a_program_said_within_it_is_told_as_that(mixed: str, tmp_path: Path) -> None:
    cause = refused(NOT_LOADED[mixed], tmp_path)
    assert "holds messages of a program" in cause


ROWS = HEAD + TABLE.partition("COPY ")[0] + "INSERT INTO public.t VALUES\n\t(1, 'one'),\n\t(2, 'two');\n" + TAIL


def test_rows_whose_texts_got_other_line_ends_are_not_taken_for_the_sources(tmp_path: Path) -> None:
    cause = refused(ROWS.replace("two", "two\nlines").replace("\n", "\r\n"), tmp_path)
    assert "has other texts in its rows than the source (line " in cause


@pytest.mark.parametrize("text", [ROWS.replace("\n", "\r\n"), ROWS.replace("two", "two\r\nlines"), ROWS])
def test_line_ends_of_the_rows_own_are_no_conversion(text: str, tmp_path: Path) -> None:
    dump = tmp_path / "dump.sql"
    dump.write_bytes(text.encode())
    assert [entry.kind for entry in read_script(dump).toc] == ["TABLE", "TABLE DATA"]


def test_zero_bytes_behind_its_end_are_no_message_of_a_program(tmp_path: Path) -> None:
    assert "a zero byte" in refused(WHOLE + "\0" * 512, tmp_path)


@pytest.mark.parametrize("text", BY_HAND)
def test_sql_that_pg_dump_did_not_write_is_told_as_that(text: str, tmp_path: Path) -> None:
    cause = refused(text, tmp_path)
    assert "is SQL, but no dump by pg_dump" in cause
    assert BY_HAND[text] in cause


def test_what_would_act_on_the_machine_is_told_as_that_whoever_wrote_it(tmp_path: Path) -> None:
    for command in ("\\! touch here", "\\set x `touch here`", "\\echo x |touch here"):
        assert "would act on the machine" in refused(f"CREATE TABLE t (id int);\n{command}\n", tmp_path)


@pytest.mark.parametrize("what", OTHERS)
def test_what_is_no_dump_is_told_as_what_it_is(what: str, tmp_path: Path) -> None:
    content, says, way_out = OTHERS[what]
    file = tmp_path / "shop_20261127_031500.sql"
    file.write_bytes(content)
    recognised_as = no_dump(file)
    assert recognised(file).kind == UNKNOWN
    assert says in recognised_as.says
    assert way_out in recognised_as.way_out


def test_a_zipped_dump_is_told_as_that(tmp_path: Path) -> None:
    file = tmp_path / "shop_20261127_031500.sql"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("shop.sql", WHOLE)
    assert "is a zip archive" in no_dump(file).says
    (candidate,) = look_over(tmp_path, PATTERN, "shelf").candidates
    assert "is a zip archive" in candidate.refused


PATTERN = r".*?_(?P<date>\d{8})_(?P<time>\d{6})"


def test_an_archive_of_media_beside_the_dumps_is_no_newer_set(tmp_path: Path) -> None:
    tmp_path.joinpath("web_20261127_031500.dump").write_bytes(b"PGDMP" + bytes(1000))
    tar_of(tmp_path / "web_20261127_031501.tar.gz", "media/a.jpg")
    shelf = look_over(tmp_path, PATTERN, "shelf")
    chosen, notes = choose(shelf, Choice())
    assert chosen.files.stem == "web_20261127_031500"
    assert "web_20261127_031501.tar.gz is an archive of other files, and no dump: passed over" in notes
    assert [each.name for each in shelf.sets] == ["web_20261127_031500"]


@pytest.mark.parametrize("named", ["shop.sql", "backup/shop.dump", "shop.sql.gz"])
def test_a_dump_within_a_tar_is_not_passed_over(named: str, tmp_path: Path) -> None:
    tar_of(tmp_path / "web_20261127_031501.tar.gz", named)
    assert not holds_other_files(tmp_path / "web_20261127_031501.tar.gz")
    tmp_path.joinpath("web_20261126_031500.dump").write_bytes(b"PGDMP" + bytes(1000))
    chosen, _ = choose(look_over(tmp_path, PATTERN, "shelf"), Choice())
    assert "is a tar of other files" in chosen.refused


def test_a_damaged_archive_is_not_passed_over(tmp_path: Path) -> None:
    file = tmp_path / "web_20261127_031501.tar.gz"
    file.write_bytes(b"\x1f\x8b damaged")
    assert not holds_other_files(file)


def tar_of(path: Path, name: str) -> None:
    with tarfile.open(path, "w:gz") as archive:
        entry = tarfile.TarInfo(name)
        entry.size = 3
        archive.addfile(entry, io.BytesIO(b"any"))


def refused(text: str, folder: Path) -> str:
    dump = folder / "dump.sql"
    dump.write_bytes(text.encode())
    assert recognised(dump).kind == "plain"
    with pytest.raises(StageFailed) as refusal:
        read_script(dump)
    assert "older set" not in refusal.value.fix
    return refusal.value.cause


@pytest.mark.parametrize("name", ["base.tar", "base.tar.gz"])
def test_a_physical_copy_of_a_cluster_is_told_as_that(name: str, tmp_path: Path) -> None:
    """As pg_basebackup -Ft writes it: the label first."""
    archive = tmp_path / name
    tar_of(archive, "backup_label")
    assert no_dump(archive).says == "is a physical copy of a whole cluster (pg_basebackup), and no dump"
    (note,) = look_over(tmp_path, PATTERN, "backups").notes
    assert note.startswith(
        f"{name} is a physical copy of a whole cluster (pg_basebackup), and no dump: passed over. To"
    )
