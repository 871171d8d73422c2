"""Plain SQL is parted as psql parts it, and refused when it is cut or hostile."""

import io
from collections.abc import Callable

import pytest

from fixtures.dump.plain_dump import read_text
from fixtures.dump.sql_stream import SqlStream
from fixtures.dump.sql_tokens import Piece
from fixtures.record.stage import StageFailed
from tests.support.plain_dumps import HARMLESS, HEAD, TABLE, TAIL, read


def refused(body: str, head: str = HEAD, tail: str = TAIL) -> str:
    with pytest.raises(StageFailed) as refusal:
        read(body, head, tail)
    return refusal.value.cause


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


def test_a_setting_that_pg_dump_does_not_write_is_refused() -> None:
    assert "statements that pg_dump does not write: SET (line 12)" in refused("SET no_such_timeout = 0;\n")
