"""Statements are told by PostgreSQL's own grammar: what pg_dump does not write is refused, however it is spelled."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.dump.grammar import parsed
from fixtures.dump.plain_dump import read_text
from fixtures.dump.script import Script
from fixtures.dump.written_by_pg_dump import is_row_of_constants, why_not
from fixtures.record.stage import StageFailed
from tests.support.plain_dumps import HEAD, TABLE, TAIL

PROGRAM = "COPY (SELECT 1) TO PROGRAM 'touch here'"
OFF = "SET standard_conforming_strings = off;\n"

# As they were tried against patterns, each with two more of its kind.
HOSTILE = {
    "words parted by comments": "COPY/**/(SELECT 1)/**/TO/**/PROGRAM/**/'touch here';\n",
    "words parted by line comments": "COPY (SELECT 1)--\nTO--x\nPROGRAM 'touch here';\n",
    "a nested comment between them": "cOpY (SELECT 1) /* /* */ */ TO pRoGrAm 'touch here';\n",
    "a file in dollar quotes": "COPY public.t TO $$/tmp/x$$;\n",
    "a file in tagged dollar quotes": "COPY public.t FROM $a$/tmp/x$a$;\n",
    "a file in Unicode escapes": "COPY public.t TO U&'\\002ftmp';\n",
    "a program in escapes": "COPY public.t FROM PROGRAM E'touch\\x20here';\n",
    "strings that change what ends them": OFF + f"COMMENT ON TABLE public.t IS '\\''; {PROGRAM}; --';\n",
    "the same by a function": "SELECT pg_catalog.set_config('standard_conforming_strings','off',false);\n"
    f"COMMENT ON TABLE public.t IS '\\''; {PROGRAM}; --';\n",
    "the same for a transaction": f"SET LOCAL {OFF[4:]}COMMENT ON TABLE public.t IS '\\''; {PROGRAM}; --';\n",
    "a command behind such a string": OFF + "COMMENT ON TABLE public.t IS '\\''; \\! id\n --';\n",
    "rows that end with a carriage return": f"COPY public.t (id) FROM stdin;\n1\n\\.\r\n{PROGRAM};\n\\.\n",
    "rows of which the first line is the end": f"COPY public.t (id) FROM stdin;\n\\.\r\n{PROGRAM};\n\\.\n",
    "a comment that a carriage return ends": f"-- c\r{PROGRAM};\r--\n",
    "a command behind such a comment": "-- c\r\\! id\r",
    "a zero byte": "COMMENT ON TABLE public.t IS 'a\0b';\n",
    "a zero byte in rows": "COPY public.t (id) FROM stdin;\n1\0\n\\.\n",
    "SET ROLE": "SET/**/ROLE postgres;\n",
    "SET role TO": "SET role TO postgres;\n",
    "SET LOCAL SESSION AUTHORIZATION": "SET LOCAL SESSION AUTHORIZATION DEFAULT;\n",
    "a role by a function": "SELECT pg_catalog.set_config('role','postgres',false);\n",
    "RESET": "RESET ROLE;\n",
    "DO": "DO $$BEGIN EXECUTE 'COPY (SELECT 1) TO PROGRAM ''id'''; END$$;\n",
    "a body of SQL before it": f"CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; END;\n{PROGRAM};\n",
    "a rule before it": f"CREATE RULE r AS ON INSERT TO public.t DO ALSO (SELECT 1; SELECT 2);\n{PROGRAM};\n",
    "rows behind a routine that psql takes to go on": "CREATE FUNCTION public.begin() RETURNS integer LANGUAGE sql AS "
    f"'SELECT 1';\nCOPY public.t (id) FROM stdin;\n{PROGRAM}; SELECT 1 end;\n\\.\n",
    "the same in other words": "create/**/or replace--x\nfunction Begin() returns integer language sql as $$$$;\n",
    "a setting that is called so": "CREATE PROCEDURE public.p() LANGUAGE sql SET search_path TO BEGIN AS 'SELECT 1';\n"
    f"COPY public.t (id) FROM stdin;\n{PROGRAM}; SELECT 1 end;\n\\.\n",
    "a column that is called CASE": "CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT t.case FROM t; END;\n"
    f"COPY public.t (id) FROM stdin;\n{PROGRAM}; SELECT 1 end;\n\\.\n",
    "ALTER SYSTEM": "ALTER SYSTEM SET archive_command='id';\n",
    "CREATE ROLE": "CREATE ROLE x SUPERUSER;\n",
    "GRANT of a role": "GRANT pg_execute_server_program TO igny8_owner;\n",
    "ALTER ROLE … SET": "ALTER ROLE x SET session_preload_libraries = 'evil';\n",
    "LOAD": "LOAD 'x';\n",
    "a file as a large object": "SELECT pg_catalog.lo_import('/etc/passwd');\n",
    "a large object as a file": "SELECT pg_catalog.lo_export(1,'/tmp/x');\n",
    "a function within arguments": "SELECT pg_catalog.setval('s', (SELECT pg_catalog.lo_import('/etc/passwd')::int));\n",
    "a function of somebody else": "SELECT public.setval('public.s', 1, true);\n",
    "a query that is copied": "COPY (SELECT pg_read_file('/etc/passwd')) TO stdout;\n",
    "rows out of a query": "INSERT INTO public.t SELECT pg_read_file('/etc/passwd');\n",
    "a row of a function": "INSERT INTO public.t VALUES (pg_read_file('/etc/passwd'));\n",
    "what follows a row": "INSERT INTO public.t VALUES (1); COPY public.t TO PROGRAM 'touch here';\n",
    "a schema with what is in it": "CREATE SCHEMA s CREATE VIEW v AS SELECT 1;\n",
    "UPDATE": "UPDATE pg_catalog.pg_proc SET prosrc = 'x';\n",
    "CREATE TABLE … AS": "CREATE TABLE x AS SELECT pg_read_file('/etc/passwd');\n",
    "a variable of psql": "COMMENT ON TABLE public.t IS :'x';\n",
    "a grant on a setting": "GRANT SET ON PARAMETER session_preload_libraries TO x;\n",
}
# As pg_dump of 8.3 to 18 writes them.
WRITTEN = (
    "SET search_path = public, pg_catalog;",
    "SET xmloption = content;",
    "SET default_with_oids = false;",
    "SELECT pg_catalog.set_config('search_path', '', false);",
    "SELECT pg_catalog.setval('public.s', 1, true);",
    "SELECT pg_catalog.setval(pg_catalog.pg_get_serial_sequence('t', 'id'), 1, false);",
    "SELECT * FROM pg_catalog.pg_restore_relation_stats('version', '180000'::integer, 'relpages', '1'::integer);",
    "SELECT pg_catalog.lowrite(0, '\\x00');",
    "COPY public.t (a) FROM stdin;",
    "COPY t (a) WITH OIDS FROM stdin;",
    "CREATE PROCEDURAL LANGUAGE plpgsql;",
    "INSERT INTO t (a) OVERRIDING SYSTEM VALUE VALUES (1, -2.5, 'it''s', NULL, true, B'01', 'x'::text);",
    "CREATE MATERIALIZED VIEW public.m AS SELECT 1 AS a WITH NO DATA;",
    "ALTER TABLE ONLY public.a ATTACH PARTITION public.b FOR VALUES IN (1);",
    "ALTER TEXT SEARCH CONFIGURATION public.c ADD MAPPING FOR word WITH simple;",
    "CREATE RULE r AS ON INSERT TO public.t DO ALSO (SELECT 1; SELECT 2);",
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT CASE WHEN true THEN 1 END; END;",
    "CREATE FUNCTION f(begin integer) RETURNS int LANGUAGE plpgsql AS $$BEGIN RETURN 1; END$$;",
    'CREATE FUNCTION public."begin"() RETURNS int LANGUAGE sql AS $begin$SELECT 1$begin$;',
    "ALTER DATABASE d SET search_path TO 'app', 'public';",
    "ALTER ROLE r IN DATABASE d SET search_path TO 'app';",
)


def read(body: str) -> Script:
    return read_text(io.BytesIO((HEAD + TABLE + body + TAIL).encode()).read, "dump.sql")


@pytest.mark.parametrize("how", HOSTILE)
def test_it_is_refused_however_it_is_spelled(how: str) -> None:
    with pytest.raises(StageFailed, match="Nothing of it was executed") as refused:
        read(HOSTILE[how])
    for word in ("touch", "/tmp", "passwd", "evil", "postgres;"):
        assert word not in refused.value.cause


@pytest.mark.parametrize("statement", WRITTEN)
def test_what_pg_dump_writes_is_known(statement: str) -> None:
    if "OIDS" in statement:
        # No server of today knows it, either.
        return
    assert why_not(parsed(statement)) == ""
    assert read(statement + ("\n1\n\\.\n" if statement.startswith("COPY") else "\n")).toc


def test_the_settings_of_the_database_are_read() -> None:
    assert read("ALTER DATABASE d SET search_path TO 'app', 'public';\n").settings == (
        ("search_path", ("app", "public")),
    )


def test_a_dump_from_a_windows_terminal_is_read_like_another() -> None:
    text = (HEAD + TABLE + TAIL).replace("\n", "\r\n")
    assert len(read_text(io.BytesIO(text.encode()).read, "dump.sql").toc) == 2


def test_messages_of_a_program_are_told_as_what_they_are() -> None:
    with pytest.raises(StageFailed, match=r"holds messages of a program among its statements \(line 1\)"):
        read_text(io.BytesIO(("pg_dump: warning: circular\n" + HEAD + TABLE + TAIL).encode()).read, "dump.sql")


def test_who_acts_is_a_role_that_the_loading_one_may_become() -> None:
    script = read(
        "SET SESSION AUTHORIZATION 'the \"app';\nGRANT SELECT ON public.t TO x;\nRESET SESSION AUTHORIZATION;\n"
    )
    assert [cut.instead for cut in script.cuts if cut.instead] == [b'SET ROLE "the ""app";', b"RESET ROLE;"]


LITERALS = st.one_of(
    st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8).map(
        lambda text: "'" + text.replace("'", "''") + "'"
    ),
    st.text(alphabet="'\\$ae;-)(, E", max_size=12),
    st.integers().map(str),
)


@given(st.lists(LITERALS, min_size=1, max_size=4))
def test_a_row_that_is_not_parsed_is_one_of_constants_for_the_grammar_too(values: list[str]) -> None:
    text = f"INSERT INTO public.t (a) VALUES ({', '.join(values)});"
    if is_row_of_constants(text):
        assert why_not(parsed(text)) == ""
