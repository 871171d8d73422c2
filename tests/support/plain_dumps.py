"""Dumps in plain SQL as pg_dump writes them, in parts: a head, a table with its rows, a tail; and what is read of them."""

import io

from fixtures.dump.plain_dump import read_text
from fixtures.dump.script import Script

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


def read(body: str, head: str = HEAD, tail: str = TAIL) -> Script:
    return read_text(io.BytesIO((head + body + tail).encode()).read, "dump.sql")
