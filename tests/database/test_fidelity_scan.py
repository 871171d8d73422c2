"""One scan of a table: rows, digest and shares at once, partitions once, large objects as they read."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row

from fixtures.database import read_contents
from fixtures.database.catalogue import take_structure
from fixtures.database.digests import Division, MoneyColumn, scan
from fixtures.database.places import Place
from fixtures.ownership import OwnerPath
from fixtures.record.names import TableName
from fixtures.server import Server
from tests.support.digesting import empty_database, run, scanned
from tests.support.kept_server import kept_server

TABLES = """
CREATE TABLE tenants (slug text PRIMARY KEY);
CREATE TABLE sites (id int PRIMARY KEY, tenant text REFERENCES tenants);
CREATE TABLE bills (id int PRIMARY KEY, site int REFERENCES sites, currency text, total numeric(14, 3), paid float8);
CREATE TABLE lines (id int PRIMARY KEY, bill int REFERENCES bills, amount numeric);
INSERT INTO tenants VALUES ('acme'), ('zenith');
INSERT INTO sites VALUES (1, 'acme'), (2, 'zenith'), (3, NULL);
INSERT INTO bills SELECT g, 1 + g % 3, CASE WHEN g % 2 = 0 THEN 'EUR' ELSE 'USD' END, g * 1.001, g / 3.0
  FROM generate_series(1, 60) g;
INSERT INTO lines SELECT g, 1 + g % 60, 0.1 FROM generate_series(1, 600) g;
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with kept_server() as ready:
        yield ready


@pytest.fixture
def database(server: Server) -> Iterator[psycopg.Connection[Any]]:
    with empty_database(server) as connection:
        yield connection


def test_one_scan_shares_rows_and_sums_out_to_tenants_and_currencies(database: psycopg.Connection[Any]) -> None:
    run(database, TABLES)
    division = _lines_division(database)
    scan = scanned(database, "lines", division=division)
    assert scan == replace(scanned(database, "lines"), shares=scan.shares)
    assert len(scan.shares) == 3
    assert "" in scan.shares, "rows that lead to no tenant are a share of their own"
    assert all(key == "" or key.startswith("sha256:") for key in scan.shares), "a slug is never written down"
    assert sum(share.rows for share in scan.shares.values()) == 600
    assert str(sum(int(share.digest) for share in scan.shares.values())) == scan.digest
    assert {frozenset(share.sums["amount"].items()) for share in scan.shares.values()} == {
        frozenset({("EUR", "10.0"), ("USD", "10.0")})
    }


def test_inexact_money_adds_up_the_same_in_any_order(database: psycopg.Connection[Any]) -> None:
    run(database, TABLES)
    division = Division(
        table=TableName("public", "bills"),
        owner=None,
        plain_keys=False,
        money=(MoneyColumn(column="paid", currency=None),),
    )
    before = scanned(database, "bills", division=division)
    run(database, "CREATE TABLE again AS SELECT * FROM bills; TRUNCATE bills CASCADE")
    run(database, "INSERT INTO bills SELECT * FROM again ORDER BY id DESC")
    assert scanned(database, "bills", division=division) == before


def _lines_division(connection: psycopg.Connection[Any]) -> Division:
    with connection.cursor(row_factory=dict_row) as cursor:
        keys = {str(key.table): key for key in take_structure(cursor).foreign_keys}
    path = OwnerPath(
        TableName("public", "lines"),
        TableName("public", "tenants"),
        "slug",
        (keys["public.lines"], keys["public.bills"], keys["public.sites"]),
    )
    place = Place(column="currency", through="bill", target=TableName("public", "bills"), key="id")
    return Division(
        table=TableName("public", "lines"),
        owner=path,
        plain_keys=False,
        money=(MoneyColumn(column="amount", currency=place),),
    )


def test_large_objects_are_digested_as_they_read(database: psycopg.Connection[Any]) -> None:
    """A hole and written zeros read alike, and a dump turns the one into the other."""
    run(database, r"SELECT lo_from_bytea(9001, '\x616263'); SELECT lo_put(9001, 5000, '\x64')")
    with database.cursor(row_factory=dict_row) as cursor:
        holed = read_contents.large_object_digest(cursor)
        whole = bytes(database.execute("SELECT lo_get(9001)").fetchone()[0])  # type: ignore[index]
        database.execute("SELECT lo_unlink(9001)")
        assert read_contents.large_object_digest(cursor) == "0"
        database.execute("SELECT lo_from_bytea(9001, %s)", [whole])
        assert read_contents.large_object_digest(cursor) == holed
        for other in (whole[:-1], whole + b"\0", b"x" + whole[1:], whole[:4000] + b"y" + whole[4001:]):
            database.execute("SELECT lo_unlink(9001)")
            database.execute("SELECT lo_from_bytea(9001, %s)", [other])
            assert read_contents.large_object_digest(cursor) != holed
        database.execute("SELECT lo_unlink(9001)")
        database.execute("SELECT lo_from_bytea(9002, %s)", [whole])
        assert read_contents.large_object_digest(cursor) != holed, "the same content under another id"


def test_a_role_that_may_not_read_large_objects_digests_none(database: psycopg.Connection[Any]) -> None:
    """As on a managed server: the backup is taken all the same, and FID-08 says why it was not tried."""
    run(
        database, r"SELECT lo_from_bytea(9003, '\x61'); CREATE ROLE nobody_in_particular; SET ROLE nobody_in_particular"
    )
    with database.cursor(row_factory=dict_row) as cursor:
        assert read_contents.large_object_digest(cursor) == ""


def test_a_partitioned_table_has_the_rows_of_its_partitions(database: psycopg.Connection[Any]) -> None:
    run(
        database,
        """
        CREATE TABLE whole (a int, b text) PARTITION BY RANGE (a);
        CREATE TABLE low PARTITION OF whole FOR VALUES FROM (0) TO (10) PARTITION BY LIST (b);
        CREATE TABLE low_x (b text, a int);
        ALTER TABLE low ATTACH PARTITION low_x FOR VALUES IN ('x');
        CREATE TABLE high PARTITION OF whole DEFAULT;
        INSERT INTO whole SELECT g, 'x' FROM generate_series(1, 30) g;
        """,
    )
    with database.cursor(row_factory=dict_row) as cursor:
        structure, partitions = take_structure(cursor), read_contents.partitions(cursor)
    counted = {TableName("public", name): scanned(database, name).rows for name in ("low_x", "high")}
    assert partitions.rows(structure, counted) == {TableName("public", "whole"): 30, TableName("public", "low"): 9}
    assert partitions.tops()[TableName("public", "low_x")] == TableName("public", "whole")
    parts = [scanned(database, name) for name in ("low_x", "high")]
    assert str(sum(int(part.digest) for part in parts)) == scanned(database, "whole").digest


class Listening:
    """A cursor that remembers what it was told to execute."""

    def __init__(self, cursor: psycopg.Cursor[Any]) -> None:
        self.cursor = cursor
        self.said: list[str] = []

    def stream(self, query: sql.Composed) -> Iterator[Any]:
        self.said.append(query.as_string(self.cursor))
        return self.cursor.stream(query)


def test_a_table_is_read_in_one_statement(database: psycopg.Connection[Any]) -> None:
    run(database, TABLES)
    division = _lines_division(database)
    with database.cursor(row_factory=dict_row) as cursor:
        table = take_structure(cursor).table(TableName("public", "lines"))
        assert table is not None
        listening = Listening(cursor)
        scan(listening, table, "UTF8", division)
    (statement,) = listening.said
    assert statement.count('FROM "public"."lines"') == 1
