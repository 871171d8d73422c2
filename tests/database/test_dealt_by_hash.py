"""Rows that another cluster's hash deals out otherwise are the same rows; one that changed hands is none of them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row

from fixtures.commands.backup.place import create
from fixtures.database.catalogue import take_structure
from fixtures.database.dealt_by_hash import dealt_by_hash, with_its_like
from fixtures.database.digests import Division, MoneyColumn, pin, scan
from fixtures.database.shares_file import SharedOut, writing_shares
from fixtures.database.take_contents import TakenContents, take_contents
from fixtures.ownership import OwnerPath
from fixtures.record.names import TableName
from fixtures.server import Server
from tests.support.kept_server import kept_server

PARTS = (TableName("public", "sale_0"), TableName("public", "sale_1"))
ROOT = "CREATE TABLE tenants (id int PRIMARY KEY); INSERT INTO tenants VALUES (1), (2);"
DEALT = """
    DROP TABLE IF EXISTS sale; DROP TYPE IF EXISTS mood;
    CREATE TYPE mood AS ENUM ('a', 'b', 'c', 'd', 'e', 'f', 'g');
    CREATE TABLE sale (mood mood, tenant int CONSTRAINT of_tenant REFERENCES tenants, total numeric) PARTITION BY HASH (mood);
    CREATE TABLE sale_0 PARTITION OF sale FOR VALUES WITH (MODULUS 2, REMAINDER 0);
    CREATE TABLE sale_1 PARTITION OF sale FOR VALUES WITH (MODULUS 2, REMAINDER 1);
    INSERT INTO sale SELECT mood, id, id * 1.01 FROM tenants, unnest(enum_range(NULL::mood)) AS mood;
"""
MOST_DEALS = 50


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with kept_server() as ready:
        yield ready


@pytest.fixture
def connection(server: Server) -> Iterator[psycopg.Connection[Any]]:
    server.create_database("dealt")
    with server.connect("dealt") as ready:
        ready.execute(sql.SQL(ROOT + DEALT))
        yield ready
    server.drop_database("dealt")


def test_rows_that_lie_in_another_partition_are_nobodys_loss(
    server: Server, connection: psycopg.Connection[Any], tmp_path: Path
) -> None:
    shares = write_shares(connection, tmp_path)
    before = taken(server, shares)
    for _ in range(MOST_DEALS):
        connection.execute(sql.SQL(DEALT))
        if (after := taken(server, shares)).contents.digests != before.contents.digests:
            break

    assert after.contents.digests != before.contents.digests, "the rows are dealt out as they were"
    assert [(each.moved, each.changed) for each in after.shares] == [(0, 0), (0, 0)]
    assert not [money for each in after.shares for money in each.money if money.total or money.tenants]

    connection.execute("UPDATE sale SET tenant = 3 - tenant WHERE mood = 'c' AND total < 2")
    assert any(each.moved or each.changed for each in taken(server, shares).shares)


def test_only_a_hash_that_another_cluster_makes_otherwise_counts(connection: psycopg.Connection[Any]) -> None:
    connection.execute(
        sql.SQL("""
        CREATE TABLE plain (id int) PARTITION BY HASH (id);
        CREATE TABLE plain_0 PARTITION OF plain FOR VALUES WITH (MODULUS 1, REMAINDER 0);
        CREATE TABLE listed (mood mood) PARTITION BY LIST (mood);
        CREATE TABLE listed_a PARTITION OF listed FOR VALUES IN ('a');
        """)
    )
    with connection.cursor(row_factory=dict_row) as cursor:
        dealt = dealt_by_hash(cursor)
    assert set(dealt) == {*PARTS}
    assert set(with_its_like(PARTS[0], dealt)) == {*PARTS}
    assert with_its_like(TableName("public", "plain_0"), dealt) == ()


def write_shares(connection: psycopg.Connection[Any], folder: Path) -> Path:
    file = folder / "set.shares.jsonl.gz"
    with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
        pin(cursor)
        structure = take_structure(cursor)
        with writing_shares(create(file)) as writer:
            for name in PARTS:
                # The catalogue's foreign key is the whole table's.
                key = structure.foreign_keys[0].model_copy(update={"table": name})
                division = Division(
                    table=name,
                    owner=OwnerPath(name, TableName("public", "tenants"), "id", (key,)),
                    plain_keys=True,
                    money=(MoneyColumn(column="total", currency=None),),
                )
                table = structure.table(name)
                assert table is not None
                writer.add(SharedOut(division=division, shares=scan(cursor, table, "UTF8", division).shares))
    return file


def taken(server: Server, shares: Path) -> TakenContents:
    return take_contents(
        lambda: server.connect("dealt"), "UTF8", shares, mask=lambda key: "hmac:#", limit=60, connections=1
    )
