"""A table's digest: the same on every server and under every setting, another for every other content."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from fixtures.database.digests import Scanned
from fixtures.server import Server
from tests.support.digesting import empty_database, every_major, run, scanned

KINDS = """
CREATE TYPE mood AS ENUM ('glad', 'sad');
CREATE TYPE pair AS (a int, b text);
CREATE DOMAIN amount AS numeric(14, 3);
CREATE TABLE kinds (
    c01 smallint, c02 integer, c03 bigint, c04 numeric, c05 numeric(14, 3), c06 real, c07 double precision, c08 money,
    c09 text, c10 varchar(20), c11 char(10), c12 name, c13 bytea, c14 timestamp, c15 timestamptz, c16 date, c17 time,
    c18 timetz, c19 interval, c20 boolean, c21 mood, c22 uuid, c23 json, c24 jsonb, c25 tsvector, c26 tsquery, c27 inet,
    c28 cidr, c29 macaddr, c30 macaddr8, c31 bit(3), c32 varbit, c33 point, c34 line, c35 box, c36 path, c37 polygon,
    c38 circle, c39 int4range, c40 tstzrange, c41 nummultirange, c42 int[], c43 text[][], c44 pair, c45 amount, c46 oid,
    c47 regclass, c48 pg_lsn, c49 jsonpath, c50 "char", c51 pair[]
);
"""
ROWS = (
    r"""(1, -2, 3, 'NaN', 1.10, 0.1, 0.1, 12.5, E'a "b", \\ (c)\n', 'ü', 'pad', 'n', '\x00ff', '2026-01-02 03:04:05.000001',
    '2026-01-02 03:04:05+02', '2026-01-02', '03:04', '03:04+02', '1 year 2 mons -3 days 04:05:06.7', true, 'sad',
    '0d5e3c1c-4f0e-4a57-9b0a-3f1d5c7e9b11', '{"b": 1,  "a": 2}', '{"b": 1, "a": 2}', 'a:1 b:2', 'a & b', '10.0.0.1/8',
    '10.0.0.0/8', '08:00:2b:01:02:03', '08:00:2b:01:02:03:04:05', '101', '10101', '(0.1, 2)', '{1, 2, 3}', '(1,2),(0,0)',
    '[(0,0),(1,1)]', '((0,0),(1,1),(1,0))', '<(0,0),0.1>', '[1,5)', '["2026-01-01 00:00+00",)', '{[1,2),[3,4)}',
    '{1,NULL,3}', '{{a,"b c"},{NULL,""}}', '(1,"x,y")', 2.005, 4294967295, 'pg_catalog.pg_class', '16/B374D848',
    '$.a[*]', 'x', ARRAY['(1,a)'::pair, NULL])""",
    r"""(NULL, 0, NULL, 'Infinity', -0.001, '-Infinity', 1e-300, -0.01, '', NULL, '', '', '', 'infinity',
    '4713-01-01 00:00+00 BC', '-infinity', '24:00', '00:00-15:59', '-1 mons +1 day', false, 'glad', NULL, 'null',
    '"\u00e9"', '', NULL, '::1', '::/0', NULL, NULL, '000', '', '(NaN,1e15)', NULL, NULL, NULL, NULL, NULL, 'empty',
    '(,)', '{}', '{}', NULL, '(,)', 0, 0, NULL, '0/0', NULL, NULL, '{}')""",
)
UNLIKE = {
    "datestyle": "SQL, DMY",
    "timezone": "Asia/Kathmandu",
    "intervalstyle": "sql_standard",
    "extra_float_digits": "-5",
    "bytea_output": "escape",
    "xmlbinary": "hex",
    "search_path": "public, pg_catalog",
    "max_parallel_workers_per_gather": "0",
    "enable_seqscan": "off",
}


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[int, Server]]:
    with every_major() as ready:
        yield ready


@pytest.fixture
def database(servers: dict[int, Server]) -> Iterator[psycopg.Connection[Any]]:
    """An empty database on the oldest server."""
    with empty_database(servers[min(servers)]) as connection:
        yield connection


def test_every_major_digests_fifty_types_alike_whatever_the_session_has_set(servers: dict[int, Server]) -> None:
    assert len(servers) >= 2, "this machine has one major of Postgres only: there is nothing to compare"
    digests = {}
    for place, (major, server) in enumerate(servers.items()):
        server.create_database("kinds")
        with server.connect("kinds") as connection:
            run(connection, KINDS)
            for row in ROWS if place % 2 else ROWS[::-1]:
                run(connection, f"INSERT INTO kinds VALUES {row}")
            digests[major] = scanned(connection, "kinds")
            for name, value in UNLIKE.items():
                connection.execute("SELECT set_config(%s, %s, false)", [name, value])
            assert scanned(connection, "kinds") == digests[major]
            for name, value in UNLIKE.items():
                row = connection.execute("SELECT current_setting(%s)", [name]).fetchone()
                assert row == (value,), "the settings are pinned for one transaction alone"
        server.drop_database("kinds")
    assert len(set(map(str, digests.values()))) == 1, digests
    assert next(iter(digests.values())).rows == len(ROWS)


def test_neither_the_order_of_rows_nor_that_of_columns_matters(database: psycopg.Connection[Any]) -> None:
    run(database, "CREATE TABLE one (a int, b text); INSERT INTO one SELECT g, g::text FROM generate_series(1, 500) g")
    run(database, "CREATE TABLE two (b text, gone int, a int); ALTER TABLE two DROP gone")
    run(database, "INSERT INTO two (a, b) SELECT a, b FROM one ORDER BY a DESC")
    assert scanned(database, "one") == scanned(database, "two")


@pytest.mark.parametrize(
    "fault",
    [
        "UPDATE t SET b = 'c' WHERE a = 1",
        "UPDATE t SET b = NULL WHERE a = 3",
        "UPDATE t SET b = CASE a WHEN 1 THEN 'b' ELSE 'a' END WHERE a IN (1, 2)",
        # The same two rows twice, or not at all: what an exclusive or would not see.
        "DELETE FROM t; INSERT INTO t VALUES (1, 'a'), (1, 'a'), (2, 'b'), (2, 'b'), (3, '')",
        "DELETE FROM t WHERE a = 5; UPDATE t SET a = 5 WHERE a = 4",
    ],
)
def test_another_content_has_another_digest(database: psycopg.Connection[Any], fault: str) -> None:
    run(
        database, "CREATE TABLE t (a int, b text); INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, ''), (4, 'x'), (5, 'x')"
    )
    before = scanned(database, "t")
    run(database, fault)
    assert scanned(database, "t").digest != before.digest


def test_a_column_named_like_the_table_or_the_alias_hides_no_other(database: psycopg.Connection[Any]) -> None:
    run(database, 'CREATE TABLE t (t int, __r int, "__c0" int, b text, "Quoted ""one""" text)')
    run(database, "INSERT INTO t VALUES (1, 1, 1, 'a', 'x')")
    before = scanned(database, "t")
    for column in ("t", "__r", '"__c0"'):
        run(database, f"UPDATE t SET {column} = 2")
        after = scanned(database, "t")
        assert after.digest != before.digest
        before = after
    run(database, """UPDATE t SET "Quoted ""one\""" = 'y'""")
    assert scanned(database, "t").digest != before.digest


def test_a_table_without_columns_or_rows_has_a_digest_too(database: psycopg.Connection[Any]) -> None:
    run(database, "CREATE TABLE none (); CREATE TABLE empty (a int)")
    assert scanned(database, "empty") == Scanned(0, "0")
    database.execute("INSERT INTO none DEFAULT VALUES")
    assert scanned(database, "none").rows == 1


def test_a_source_in_another_encoding_is_digested_as_it_is_restored(servers: dict[int, Server]) -> None:
    server = servers[min(servers)]
    texts = "CREATE TABLE t (a text); INSERT INTO t VALUES ('Grüße'), ('naïve'), ('£ 12')"
    digests = []
    for encoding in ("LATIN1", "UTF8"):
        with server.connect() as connection:
            run(connection, f"CREATE DATABASE enc TEMPLATE template0 ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C'")
        with server.connect("enc") as connection:
            run(connection, texts)
            digests.append(scanned(connection, "t", "LATIN1"))
        server.drop_database("enc")
    assert digests[0] == digests[1]
