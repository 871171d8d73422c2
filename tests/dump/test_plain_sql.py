"""Plain SQL is parted as psql parts it, refused when it is cut or hostile, and executed so that nothing gets out."""

import io
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fixtures.dump.plain_dump import read_script, read_text
from fixtures.dump.script import Script
from fixtures.dump.sql_stream import SqlStream
from fixtures.dump.sql_tokens import Piece
from fixtures.record.stage import StageBlocked, StageFailed
from fixtures.restore.failure import RestoreFailed
from fixtures.restore.plain_restore import require_restrict
from fixtures.restore.restore import restore
from fixtures.sandbox.guardian import Guardian
from fixtures.server import Clients, Server, ServerRequest
from tests.support.small_source import another_server, script

HEAD = """--
-- PostgreSQL database dump
--

\\restrict abc

-- Dumped from database version 15.18
-- Dumped by pg_dump version 15.18

SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
"""
TAIL = """
--
-- PostgreSQL database dump complete
--

\\unrestrict abc
"""
TABLE = """
--
-- Name: t; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.t (id integer, body text);

--
-- Data for Name: t; Type: TABLE DATA; Schema: public; Owner: -
--

COPY public.t (id, body) FROM stdin;
1\tone
\\.
"""


def read(body: str, head: str = HEAD, tail: str = TAIL) -> Script:
    return read_text(io.BytesIO((head + body + tail).encode()).read, "dump.sql")


def refused(body: str, head: str = HEAD, tail: str = TAIL) -> str:
    with pytest.raises(StageFailed) as refusal:
        read(body, head, tail)
    return refusal.value.cause


# What only looks like a psql command, a comment of the list, an end of rows, or a quote that closes.
HARMLESS = {
    "in rows": "COPY public.t (id, body) FROM stdin;\n1\t\\\\! id\n2\t\\restrict x\n3\t-- Name: x\n4\t'$$\n\\.\n",
    "in a string": "INSERT INTO public.t VALUES (2, 'it''s\n\\! id\n\\restrict abc\n-- Name: x; Type: A; Schema: a; Owner: b"
    "');\n",
    "in a string with escapes": "INSERT INTO public.t VALUES (2, E'a\\'\\\\\n\\\\! id');\n",
    "behind an E that ends a name": "CREATE VIEW public.dated AS SELECT DATE'2026-01-01' AS d, '\\' AS b;\n",
    "in a body": "CREATE FUNCTION public.f() RETURNS text LANGUAGE sql AS $_$SELECT '\n\\! id\n$$;--'$_$;\n",
    "in a name": 'CREATE TABLE public."a""\n\\! id\n; DROP" (id integer);\n',
    "in a comment": "/* /* \\! id */\n\\! id */ SET lock_timeout = 0;\n",
    "a dollar in a name": "CREATE TABLE public.a$b$c (id integer);\n",
    "rows of a table named so": 'COPY public."x FROM stdin" (id) FROM stdin;\n1\n\\.\n',
}


@pytest.mark.parametrize("where", HARMLESS)
def test_what_stands_within_something_else_is_no_command(where: str) -> None:
    script = read(TABLE + HARMLESS[where])
    assert [(entry.kind, entry.name) for entry in script.toc] == [("TABLE", "t"), ("TABLE DATA", "t")]
    assert [cut.end - cut.start for cut in script.cuts] == [len("\\restrict abc"), len("\\unrestrict abc")]


def pieces(read: Callable[[int], bytes]) -> list[Piece]:
    stream = SqlStream(read, lambda text: True)
    read_pieces = []
    for piece in stream.pieces():
        stream.rows_follow = piece.text.endswith(b"FROM stdin;")
        read_pieces.append(piece)
    return read_pieces


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100, 4096])
def test_it_makes_no_difference_how_the_text_arrives(size: int) -> None:
    text = (HEAD + TABLE + "".join(HARMLESS.values()) + TAIL).encode()
    whole = pieces(io.BytesIO(text).read)
    source = io.BytesIO(text)
    assert pieces(lambda _: source.read(size)) == whole
    assert all(text[piece.start : piece.end] == piece.text for piece in whole)
    assert all(text.count(b"\n", 0, piece.start) + 1 == piece.line for piece in whole)


def test_long_strings_and_many_rows_are_not_kept() -> None:
    rows = "1\t" + "x" * 1000 + "\n"
    long = f"INSERT INTO public.t VALUES (1, '{'y' * 3_000_000}');\n"
    script = read(TABLE + "COPY public.t FROM stdin;\n" + rows * 20_000 + "\\.\n" + long)
    assert script.length > 23_000_000


HOSTILE = {
    "\\! touch here\n": "\\! (line 12)",
    "SET lock_timeout = 0 \\! touch here\n;": "\\! (line 12)",
    "\\copy public.t to program 'touch here'\n": "\\copy (line 12)",
    "\\o |touch here\n": "\\o (line 12)",
    "SET lock_timeout = 0 \\g |touch here\n;": "\\g (line 12)",
    "\\connect postgres\n": "\\connect (line 12)",
    "\\connect - postgres\n": "\\connect (line 12)",
    "CREATE DATABASE d;\n\\connect d\n\\connect other\n": "\\connect (line 14)",
    "CREATE DATABASE d;\n\\connect -reuse-previous=on \"dbname='d' host='there'\"\n": "\\connect (line 13)",
    "CREATE DATABASE d;\n\\connect -reuse-previous=on \"dbname='d\\\\' service='x'\"\n": "\\connect (line 13)",
    "\\set x `touch here`\n": "\\set (line 12)",
    "  \\unrestrict abc\n": "\\unrestrict (line 12)",
    "COPY public.t TO PROGRAM 'touch here';\n": "COPY … PROGRAM (line 12)",
    "COPY public.t FROM program 'touch here';\n": "COPY … PROGRAM (line 12)",
    "COPY (SELECT 1) TO '/etc/cron.d/x';\n": "COPY with a file of the server (line 12)",
    "COPY public.t FROM stdin; \\! touch here\n1\n\\.\n": "text behind COPY",
}


@pytest.mark.parametrize("text", HOSTILE)
def test_what_would_act_outside_the_database_is_named_and_never_executed(text: str) -> None:
    cause = refused(text)
    assert HOSTILE[text].split(" (")[0] in cause
    assert "Nothing of it was executed" in cause
    assert "touch" not in cause


@pytest.mark.parametrize(
    ("body", "tail", "says"),
    [
        (TABLE, "", "its last words"),
        (TABLE.removesuffix("\\.\n"), "", "it ends within the rows of a table"),
        (TABLE + "INSERT INTO public.t VALUES (1, 'cut he", "", "it ends within a string"),
        (TABLE + "CREATE TABLE public.", "", "it ends within a statement"),
        (TABLE + "CREATE FUNCTION f() AS $$ SELECT", "", "it ends within a dollar-quoted body"),
        (TABLE + 'CREATE TABLE "cut', "", "it ends within a quoted name"),
        (TABLE, TAIL + "SELECT 1;\n", "continues after its own end"),
        (TABLE + "\\.\n", TAIL, "text behind COPY"),
    ],
)
def test_a_text_that_does_not_end_as_it_should_is_refused(body: str, tail: str, says: str) -> None:
    if says == "text behind COPY":
        assert "would act on the machine" in refused(body, tail=tail)
    else:
        assert says in refused(body, tail=tail)


def test_what_others_wrote_is_refused_by_its_name() -> None:
    cluster = "--\n-- PostgreSQL database cluster dump\n--\nCREATE ROLE a;\n\\connect template1\n"
    assert "is pg_dumpall's output" in refused("", head=cluster, tail="")
    other = "-- MySQL dump 10.13\nCREATE TABLE t (id int);\n"
    assert "is SQL, but no dump by pg_dump" in refused("", head=other)
    unsafe = HEAD.replace("UTF8", "SJIS")
    assert "is written in SJIS" in refused(TABLE, head=unsafe)


@pytest.mark.parametrize("name", ["Big-5", "WIN950", "windows936", "mskanji", "Shift JIS", "UHC", "win949", "gb 18030"])
def test_an_encoding_in_which_letters_hold_quotes_is_told_by_any_of_its_names(name: str) -> None:
    assert "in which a letter may hold a quote" in refused(TABLE, head=HEAD.replace("UTF8", name))


@pytest.mark.parametrize(
    "name", ["utf-8", "Unicode", "latin-1", "ISO 8859 5", "windows-1252", "KOI8", "EUC_TW", "SQL_ASCII"]
)
def test_any_other_is_known_by_any_of_its_names(name: str) -> None:
    assert read(TABLE, head=HEAD.replace("UTF8", name)).toc


def test_an_encoding_that_nobody_knows_is_refused() -> None:
    assert "an encoding that PostgreSQL does not know" in refused(TABLE, head=HEAD.replace("UTF8", "WIN037"))


def test_a_dump_is_read_in_one_way_from_its_beginning_to_its_end() -> None:
    assert "SET to another value than before (line 26)" in refused(TABLE + "SET client_encoding = 'LATIN1';\n")
    assert read(TABLE + "SET client_encoding = 'utf8';\nSET standard_conforming_strings = on;\n").toc


VARIABLES = ('[1:"USER"]', "[1:USER]", "[1:'PORT']", "[1:DBNAME]", '["ENCODING":ROW_COUNT]')


@pytest.mark.parametrize("slice_of", VARIABLES)
def test_what_psql_would_put_a_variable_of_its_own_for_is_refused(slice_of: str) -> None:
    view = f"CREATE VIEW public.v AS SELECT a{slice_of} FROM public.u;\n"
    assert "a variable of psql" in refused(TABLE + view)
    assert read_text(io.BytesIO((HEAD + TABLE + view + TAIL).encode()).read, "dump.sql", by_psql=False).toc


def test_what_only_looks_like_one_is_read_as_it_stands() -> None:
    body = "SELECT a[1:NULL::integer], a[1:b], a[1:COALESCE(1, 2)], '{\"A\":\"USER\"}'::jsonb, ':USER' FROM public.u"
    assert read(
        TABLE + f"CREATE VIEW public.v AS {body};\nCREATE FUNCTION f() RETURNS text AS $$x:USER$$ LANGUAGE sql;\n"
    )


@pytest.mark.parametrize("option", ["FORMAT csv", "HEADER", "ENCODING 'BIG5'", "FREEZE", "NULL 'x'", "DELIMITER ','"])
def test_rows_are_copied_in_as_pg_dump_writes_them(option: str) -> None:
    rows = f"COPY public.t (id, body) FROM stdin WITH ({option});\n1\tx\n\\.\n"
    assert "COPY with options" in refused(TABLE + rows)


def test_names_are_read_in_the_dumps_own_encoding() -> None:
    text = (HEAD.replace("UTF8", "LATIN1") + TABLE.replace("Name: t;", "Name: größe;") + TAIL).encode("latin-1")
    script = read_text(io.BytesIO(text).read, "dump.sql")
    assert [entry.name for entry in script.toc] == ["größe", "größe"]


@pytest.fixture(scope="module")
def target() -> Iterator[tuple[Server, Guardian]]:
    with another_server(ServerRequest("7a26e704")) as ready:
        yield ready


def load(target: tuple[Server, Guardian], folder: Path, text: str) -> tuple[str, ...]:
    """Loads it as a drill would, and returns the notes."""
    server, guardian = target
    dump = folder / "dump.sql"
    dump.write_text(text)
    read = read_script(dump)
    try:
        done = restore(server, dump, read, guardian, limit_minutes=1)
    finally:
        server.drop_database("restored")
    return done.notes


def test_harmless_looks_are_loaded_as_they_stand(target: tuple[Server, Guardian], tmp_path: Path) -> None:
    assert (
        load(
            target, tmp_path, HEAD + TABLE + "".join(HARMLESS[name] for name in HARMLESS if "named" not in name) + TAIL
        )
        == ()
    )


def test_a_public_schema_and_a_tablespace_that_are_not_the_servers_affair_are_left_out(
    target: tuple[Server, Guardian], tmp_path: Path
) -> None:
    body = "SET default_tablespace = fast;\nCREATE SCHEMA public;\nCOMMENT ON SCHEMA public IS 'ours';\n"
    assert load(target, tmp_path, HEAD + body + TABLE + TAIL) == ()


def test_security_labels_are_left_out_and_told(target: tuple[Server, Guardian], tmp_path: Path) -> None:
    labels = """
SECURITY LABEL FOR anon ON COLUMN public.t.body IS 'MASKED WITH VALUE NULL';
SECURITY LABEL FOR anon ON TABLE public.t IS 'x';
SECURITY LABEL FOR selinux ON TABLE public.t IS 'system_u:object_r:sepgsql_table_t:s0';
"""
    assert load(target, tmp_path, HEAD + TABLE + labels + TAIL) == (
        "left out of the dump: the security labels of the provider anon",
        "left out of the dump: the security labels of the provider selinux",
    )


def test_an_event_trigger_is_made_by_the_drill_itself(target: tuple[Server, Guardian], tmp_path: Path) -> None:
    trigger = """
-- Name: e; Type: EVENT TRIGGER; Schema: -; Owner: -
CREATE FUNCTION public.e() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN END$$;
CREATE EVENT TRIGGER e ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION public.e();
ALTER EVENT TRIGGER e OWNER TO postgres;
COMMENT ON EVENT TRIGGER e IS 'it''s ours';
"""
    assert load(target, tmp_path, HEAD + TABLE + trigger + TAIL) == ()
    assert read(TABLE + trigger).for_superuser == ()


def test_every_role_that_a_statement_names_is_found() -> None:
    script = read(
        """
    CREATE TABLE public.t (a text);
    GRANT SELECT(a),UPDATE(b) ON TABLE public."x TO y" TO "the app", plain WITH GRANT OPTION;
    REVOKE ALL ON SCHEMA public FROM PUBLIC;
    REVOKE ALL ON TABLE t FROM former;
    SET SESSION AUTHORIZATION grantor;
    RESET SESSION AUTHORIZATION;
    ALTER DEFAULT PRIVILEGES FOR ROLE giver IN SCHEMA public GRANT SELECT ON TABLES TO taker;
    CREATE POLICY p ON public.t FOR SELECT TO first, "the second" USING ((a = 'x TO nobody'::text));
    CREATE USER MAPPING FOR mapped SERVER far OPTIONS (password 'x; GRANT a TO b;');
    ALTER TABLE public.t OWNER TO "the owner";
    """
    )
    assert script.roles == {
        *("the app", "plain", "former", "grantor", "giver", "taker", "first", "the second", "mapped", "the owner")
    }
    assert script.owners == {"grantor", "giver", "the owner"}


def test_the_first_error_ends_the_load_and_names_its_entry(target: tuple[Server, Guardian], tmp_path: Path) -> None:
    broken = TABLE.replace("1\tone", "one\tsecret words\n2\ttwo")
    with pytest.raises(RestoreFailed) as failed:
        load(target, tmp_path, HEAD + broken + "CREATE TABLE public.t (id integer);" + TAIL)
    assert failed.value.cause == (
        "rows of the dump were refused: invalid input syntax for type integer: … [TABLE DATA public.t]"
    )
    assert "secret" not in failed.value.restored.model_dump_json()


def test_an_extension_that_the_server_lacks_is_named(target: tuple[Server, Guardian], tmp_path: Path) -> None:
    body = "-- Name: nowhere; Type: EXTENSION; Schema: -; Owner: -\nCREATE EXTENSION IF NOT EXISTS nowhere;\n"
    with pytest.raises(RestoreFailed, match="the server lacks the extension nowhere, which the dump needs"):
        load(target, tmp_path, HEAD + body + TABLE + TAIL)


def test_a_setting_that_pg_dump_does_not_write_is_refused() -> None:
    assert "statements that pg_dump does not write: SET (line 12)" in refused("SET no_such_timeout = 0;\n")


@pytest.mark.parametrize("version", ["15.13", "16.9", "17.5", "14.18", "13.21", "12.22", "9.6.24"])
def test_a_psql_that_cannot_be_restricted_is_refused(version: str) -> None:
    with pytest.raises(StageBlocked, match=re.escape(f"psql {version} does not know \\restrict")) as blocked:
        require_restrict(Clients(Path("/nowhere"), version))
    assert "15.14" in blocked.value.fix


@pytest.mark.parametrize("version", ["13.22", "15.14", "15.18", "16.10", "17.6", "18.0", "18.6", "19.1"])
def test_one_that_can_is_taken(version: str) -> None:
    require_restrict(Clients(Path("/nowhere"), version))


def test_a_psql_that_does_not_read_to_the_end_is_not_believed(target: tuple[Server, Guardian], tmp_path: Path) -> None:
    server, guardian = target
    script(server.scratch / "psql", "#!/bin/sh\nhead -c 10 > /dev/null\nexit 0\n")
    eager = replace(server, clients=Clients(server.scratch, server.clients.version))
    rows = "1\tx\n" * 2_000_000
    with pytest.raises(StageFailed, match="psql ended before it had read all of"):
        load((eager, guardian), tmp_path, HEAD + TABLE.replace("1\tone\n", rows) + TAIL)
