"""Nothing of a plain dump is executed that its grammar did not see, whatever code of the dump does to the session."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fixtures.dump.plain_dump import read_script
from fixtures.dump.same_reading import Questions
from fixtures.dump.script import Script
from fixtures.restore.failure import RestoreFailed
from fixtures.restore.restore import restore
from fixtures.sandbox.guardian import Guardian
from fixtures.server import Server, ServerRequest
from tests.support.further import first_of
from tests.support.plain_dumps import HEAD, TAIL, read
from tests.support.restore_target import Target
from tests.support.small_source import Small, another_server, small_source

CANARY = "DO $$BEGIN CREATE TABLE public.canary (); END$$;"
ROWS = """
-- Data for Name: t; Type: TABLE DATA; Schema: public; Owner: -

COPY public.t (id, body) FROM stdin;
1\tone
\\.
"""
SETS = """
CREATE FUNCTION public.sets(anyelement) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $f$BEGIN
    PERFORM pg_catalog.set_config('{0}', '{1}', false);
    RETURN true;
END$f$;
"""
TABLE = "-- Name: t; Type: TABLE; Schema: public; Owner: -\n\nCREATE TABLE public.t (id integer, body text{0});\n"
CHECKED = TABLE.format(" CHECK (public.sets(body))")
STRINGS_OFF = SETS.format("standard_conforming_strings", "off")
HIDDEN = f"COMMENT ON TABLE public.t IS '\\''; {CANARY} --';\n"
# The third byte of this letter and the backslash behind it are one letter of the other encoding.
IN_TWO_BYTES = f"COMMENT ON TABLE public.t IS E'中\\'; {CANARY} --';\n"
TRIGGER = """
CREATE FUNCTION public.fires() RETURNS trigger LANGUAGE plpgsql AS $f$BEGIN
    SET standard_conforming_strings = off;
    RETURN NEW;
END$f$;
"""

ALTERING = {
    "a check, as rows are copied": STRINGS_OFF + CHECKED + ROWS + HIDDEN,
    "a check, as a row is inserted": STRINGS_OFF
    + CHECKED
    + f"INSERT INTO public.t VALUES (1, 'one');\nINSERT INTO public.t VALUES (2, '\\''); {CANARY} --');\n",
    "another encoding": SETS.format("client_encoding", "BIG5") + CHECKED + ROWS + IN_TWO_BYTES,
    "a check, on the very same line": STRINGS_OFF + CHECKED + f"INSERT INTO public.t VALUES (1, 'one'); {HIDDEN}",
    "a check that calls nothing of its own": TABLE.format(
        " CHECK (set_config('standard_conforming_strings', 'off', false) = 'off')"
    )
    + ROWS
    + HIDDEN,
    "a trigger": TRIGGER
    + TABLE.format("")
    + "CREATE TRIGGER fires BEFORE INSERT ON public.t FOR EACH ROW EXECUTE FUNCTION public.fires();\n"
    + ROWS
    + HIDDEN,
    "a domain": "CREATE DOMAIN public.d AS text;\n"
    + STRINGS_OFF
    + "ALTER DOMAIN public.d ADD CONSTRAINT c CHECK (public.sets(VALUE));\n"
    + TABLE.format("").replace("body text", "body public.d")
    + ROWS
    + HIDDEN,
    "another encoding of the kind": SETS.format("client_encoding", "WIN936") + CHECKED + ROWS + IN_TWO_BYTES,
    "a shift back before the end": STRINGS_OFF
    + CHECKED
    + ROWS
    + HIDDEN
    + "SET standard_conforming_strings = on;\nSET client_encoding = 'UTF8';\n",
}
# What the server itself takes back.
TAKEN_BACK = {
    "an index": STRINGS_OFF + TABLE.format("") + ROWS + "CREATE INDEX i ON public.t (public.sets(body));\n" + HIDDEN,
    "a materialized view": STRINGS_OFF
    + TABLE.format("")
    + "CREATE MATERIALIZED VIEW public.m AS SELECT public.sets('x'::text) AS a WITH NO DATA;\n"
    + "REFRESH MATERIALIZED VIEW public.m;\n"
    + HIDDEN,
}


@pytest.fixture(scope="module")
def target() -> Iterator[tuple[Server, Guardian]]:
    with another_server(ServerRequest("7a26e714")) as ready:
        yield ready


def load(target: tuple[Server, Guardian], dump: Path, read: Script) -> tuple[str, bool]:
    """What failed, empty where nothing did, and whether what the grammar did not see was executed."""
    server, guardian = target
    failed = ""
    try:
        restore(server, dump, read, guardian, limit_minutes=1)
    except RestoreFailed as error:
        failed = error.cause
    try:
        with server.connect("restored") as connection:
            ran = connection.execute("SELECT to_regclass('public.canary') IS NOT NULL").fetchone()
    finally:
        server.drop_database("restored")
    return failed, ran == (True,)


@pytest.mark.parametrize("how", first_of(ALTERING, 3))
def test_code_that_alters_how_a_load_is_read_ends_it(how: str, target: tuple[Server, Guardian], tmp_path: Path) -> None:
    dump = tmp_path / "dump.sql"
    dump.write_text(HEAD + ALTERING[how] + TAIL)
    failed, ran = load(target, dump, read_script(dump))
    assert not ran
    assert (
        "code of the dump changed how its own text is read (standard_conforming_strings or client_encoding)" in failed
    )


@pytest.mark.parametrize("how", TAKEN_BACK)
def test_what_the_server_takes_back_alters_nothing(how: str, target: tuple[Server, Guardian], tmp_path: Path) -> None:
    dump = tmp_path / "dump.sql"
    dump.write_text(HEAD + TAKEN_BACK[how] + TAIL)
    assert load(target, dump, read_script(dump)) == ("", False)


@pytest.mark.parametrize("how", ["a check, as rows are copied", "a check, as a row is inserted", "another encoding"])
def test_without_a_question_it_would_run(how: str, target: tuple[Server, Guardian], tmp_path: Path) -> None:
    dump = tmp_path / "dump.sql"
    dump.write_text(HEAD + ALTERING[how] + TAIL)
    assert load(target, dump, replace(read_script(dump), questions=Questions()))[1]


def test_the_place_of_an_error_is_told_right_behind_questions(target: tuple[Server, Guardian], tmp_path: Path) -> None:
    dump = tmp_path / "dump.sql"
    harmless = "COMMENT ON TABLE public.t IS 'größe \\';\nALTER TABLE public.t ALTER body SET DEFAULT '\\';\n"
    twice = "\n-- Name: u; Type: TABLE; Schema: public; Owner: -\n\nCREATE TABLE public.t ();\n"
    dump.write_text(HEAD + TABLE.format("") + ROWS + harmless * 20 + twice + TAIL)
    read = read_script(dump)
    assert len(read.questions.places) > 20
    failed, _ = load(target, dump, read)
    assert failed.endswith("[TABLE public.u]")


def test_what_reads_the_same_is_asked_about_once() -> None:
    assert (
        len(read(TABLE.format("") + ROWS + "INSERT INTO public.t VALUES (1, 'größe \\n');\n" * 50).questions.places)
        == 1
    )


SETS_WHERE_LOADED = """
    CREATE FUNCTION public.sets(text) RETURNS boolean LANGUAGE plpgsql AS $f$BEGIN
        IF pg_catalog.current_setting('application_name') OPERATOR(pg_catalog.=) 'pg_restore' THEN
            PERFORM pg_catalog.set_config('{0}', '{1}', false);
        END IF;
        RETURN true;
    END$f$;
    ALTER TABLE public.people ADD CONSTRAINT fine CHECK (public.sets(name));
"""
# Definitions that stand behind the rows in an archive, and the setting that they would be read by.
BEHIND_ROWS = {
    "a literal that goes on": (
        "standard_conforming_strings",
        "off",
        f"COMMENT ON INDEX public.by_name IS $$\\'; {CANARY.replace('$$', '$d$')} --$$;",
    ),
    "whatever stands there": ("client_encoding", "BIG5", ""),
}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    with small_source(tmp_path_factory.mktemp("small")) as ready:
        ready.run("CREATE INDEX by_name ON public.people (name)")
        yield ready


@pytest.mark.parametrize("how", BEHIND_ROWS)
def test_an_archives_definitions_are_read_as_they_were_before(how: str, small: Small, tmp_path: Path) -> None:
    name, value, definition = BEHIND_ROWS[how]
    database = f"altering_{name}"
    small.clone(database)
    small.run(SETS_WHERE_LOADED.format(name, value) + definition, database)
    small.back_up(tmp_path, database)
    target = Target(small.server, small.guardian, number=len(name))
    with pytest.raises(RestoreFailed, match="code of the dump changed how its own text is read"):
        target.load(tmp_path)
    assert target.ask("SELECT to_regclass('public.canary')") == [(None,)]
    assert target.ask("SELECT 1 FROM pg_event_trigger") == []
    assert target.ask("SELECT 1 FROM pg_namespace WHERE nspname ~ 'watch'") == []
