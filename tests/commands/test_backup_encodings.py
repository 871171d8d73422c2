"""A source in whatever encoding, with whatever its database has set, is backed up, and comes back as it was."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.database.fidelity import contents_of_restored
from fixtures.database.read_facts import read_facts
from fixtures.restore.restore import restore
from fixtures.sandbox.guardian import Guardian
from fixtures.server import Server, ServerRequest
from tests.support.small_source import Small, another_server, made_ready

# All that changes how values are read and written, or ends a session.
SETTINGS = {
    "datestyle": "German, DMY", "intervalstyle": "sql_standard", "bytea_output": "escape", "extra_float_digits": "-15",
    "timezone": "Pacific/Chatham", "standard_conforming_strings": "off", "default_transaction_read_only": "on",
    "statement_timeout": "2s", "idle_in_transaction_session_timeout": "2s", "idle_session_timeout": "2s",
    "lock_timeout": "1s", "row_security": "off", "default_transaction_isolation": "serializable", "xmlbinary": "hex",
    "backslash_quote": "off", "array_nulls": "off", "transform_null_equals": "on", "quote_all_identifiers": "on",
    "check_function_bodies": "off", "default_table_access_method": "heap", "search_path": "nowhere",
    "client_encoding": "LATIN1", "default_transaction_deferrable": "on", "escape_string_warning": "off",
    "lc_monetary": "C", "lc_time": "C", "default_text_search_config": "pg_catalog.german", "xmloption": "document",
    "gin_fuzzy_search_limit": "1", "password_encryption": "md5", "lc_messages": "C", "jit": "off", "work_mem": "64kB",
}  # fmt: skip
VALUES = """
CREATE TABLE public."Größe" (id int PRIMARY KEY, at timestamptz, d date, iv interval, b bytea, f float8, "naïve" text,
    x xml, a int[], m money, t pg_catalog.tsvector);
INSERT INTO public."Größe" VALUES (1, '2026-01-02 03:04:05+00', '2026-02-01', '1 mon -2 days 03:00', '\\x00ff27', 0.1,
    'a\\b''c Grüße', '<a>&#252;</a>', '{1,NULL}', 1.5, 'a:1'), (2, 'infinity', '-infinity', '-1 year', '', 'NaN', NULL,
    NULL, NULL, NULL, NULL);
CREATE TYPE public."Grün" AS ENUM ('hällo', 'b');
CREATE TABLE public.kinds (k public."Grün" DEFAULT 'hällo', note text DEFAULT E'ü\\n' CHECK (note <> 'ß'));
INSERT INTO public.kinds DEFAULT VALUES;
COMMENT ON TABLE public.kinds IS 'für alle';
CREATE TABLE public.more (a text);
CREATE VIEW public.seen AS SELECT k, note || 'ö' AS "ä" FROM public.kinds;
CREATE FUNCTION public.f() RETURNS text LANGUAGE sql AS $$ SELECT 'é'::text $$;
"""
# Keys whose text depends on what is set, whose order does on how they are compared, or that are padded, folded or negative.
KEYS = {
    "char(5)": "('a'), ('B ')", 'public."Grün"': "('hällo'), ('b')", "public.code": "('x-1'), ('X 1')",
    "public.citext": "('Ab'), ('c')", "numeric": "(-1.50), ('NaN'), (1e20), (0.1)",
    "int8": "(-9223372036854775808), (-1), (0)",
    "timestamptz": "('2026-07-02 03:04:05.000001+00'), ('infinity')", "date": "('2026-02-01'), ('0044-03-15 BC')",
    "interval": "('1 mon -2 days 03:00'), ('-1 year')", "bytea": "('\\x00ff27'), ('')", "float8": "(0.1), ('NaN'), (-1e-300)",
    "money": "(-1234.5), (0)", "timetz": "('04:05:06.7+01')", "pg_catalog.oid": "(4294967295)", "bool": "(true), (false)",
    "inet": "('10.0.0.1'), ('::1/64')", "tsvector": "('b:2 a:1A')", "int[]": "('{-1,NULL}'), ('{}')",
}  # fmt: skip
VALUES += (
    "CREATE EXTENSION citext SCHEMA public; CREATE DOMAIN public.code AS varchar(8) CHECK (VALUE <> '');"
    + "".join(
        f'CREATE TABLE public."by {number}" (k {kind} PRIMARY KEY); INSERT INTO public."by {number}" VALUES {keys};'
        for number, (kind, keys) in enumerate(KEYS.items())
    )
)
ANY_BYTES = "INSERT INTO public.kinds (note) VALUES (pg_catalog.convert_from('\\x636166e9'::bytea, 'SQL_ASCII'))"
SOURCES = {
    "UTF8": ("UTF8", ""),
    "UTF8, with settings": ("UTF8", ""),
    "LATIN1": ("LATIN1", ""),
    "LATIN1, with settings of a role": ("LATIN1", ""),
    "WIN1252": ("WIN1252", ""),
    "SQL_ASCII": ("SQL_ASCII", ""),
    "SQL_ASCII, with settings": ("SQL_ASCII", ""),
    "SQL_ASCII, with bytes of no encoding": ("SQL_ASCII", ANY_BYTES),
}


@pytest.fixture(scope="module")
def fresh() -> Iterator[tuple[Server, Guardian]]:
    with another_server(ServerRequest("7a26e704")) as ready:
        yield ready


# What they differ in is seen in the others too.
SPARED = {"UTF8", "LATIN1", "WIN1252", "SQL_ASCII", "SQL_ASCII, with settings"}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.further] * (name in SPARED)) for name in SOURCES]
)
def test_it_comes_back_as_it_was(small: Small, fresh: tuple[Server, Guardian], tmp_path: Path, name: str) -> None:
    encoding, more = SOURCES[name]
    server, guardian = fresh
    database = f"enc_{name.split(',')[0].lower()}"
    made = f"CREATE DATABASE {database} TEMPLATE template0 ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C'"
    small.run(made, "postgres")
    try:
        with small.server.connect(database) as connection:
            connection.execute("SET client_encoding = 'UTF8'")
            connection.execute(f"{VALUES} {more}")  # type: ignore[call-overload]
            if encoding in ("UTF8", "SQL_ASCII"):
                connection.execute("INSERT INTO public.more VALUES ('名前')")
        if "settings" in name:
            whose = "ROLE CURRENT_USER IN DATABASE" if "of a role" in name else "DATABASE"
            for setting, value in SETTINGS.items():
                small.run(f"ALTER {whose} {database} SET {setting} = '{value}'", "postgres")
        small.back_up(tmp_path, database)
    finally:
        small.run(f"DROP DATABASE {database}", "postgres")
    ready = made_ready(tmp_path, server, guardian)
    restored = restore(server, ready.dump, ready.inspected, guardian, limit_minutes=2)
    try:
        assert (restored.exit_code, restored.lines) == (0, ())
        taken = contents_of_restored(server, ready.located, 60, str)
        manifest = ready.located.backup_set.manifest
        assert taken is not None
        assert manifest is not None
        assert manifest.contents is not None
        assert taken.rows == manifest.tables
        for part in ("digests", "large_objects", "sequences", "policies", "extensions"):
            assert getattr(taken.contents, part) == getattr(manifest.contents, part), part
        facts = read_facts(server, "restored", 60)
        names = {table.name.name for table in facts.tables}
        assert names == {"Größe", "kinds", "more", "seen", *(f"by {number}" for number in range(len(KEYS)))}
    finally:
        server.drop_database("restored")
