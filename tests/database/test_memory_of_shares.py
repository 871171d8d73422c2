"""What a table more holds of its tenants' shares is let go of once it was compared."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from psycopg import sql
from psycopg.rows import dict_row

from fixtures.commands.backup.place import create
from fixtures.database.catalogue import take_structure
from fixtures.database.digests import Division, pin, scan
from fixtures.database.shares_file import SharedOut, writing_shares
from fixtures.database.take_contents import take_contents
from fixtures.ownership import OwnerPath
from fixtures.server import Server
from tests.support.kept_server import kept_server
from tests.support.memory import TIMES, bytes_for_one_more

TENANTS, FEW = 1000, 2
TABLE = """
CREATE TABLE {name} (id int PRIMARY KEY, tenant int CONSTRAINT of_tenant REFERENCES tenants);
INSERT INTO {name} SELECT id, id FROM tenants;
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with kept_server() as ready:
        yield ready


def test_a_table_more_holds_no_shares_once_it_was_compared(server: Server, tmp_path: Path) -> None:
    server.create_database("many")
    try:
        files = shared_out(server, tmp_path)

        def compare(tables: int) -> None:
            taken = take_contents(
                lambda: server.connect("many"), "UTF8", files[tables], mask=str, limit=60, connections=1
            )
            assert [(each.tenants, each.changed) for each in taken.shares] == [(TENANTS, 0)] * tables

        assert bytes_for_one_more(compare, FEW) < TENANTS * 100
    finally:
        server.drop_database("many")


def shared_out(server: Server, folder: Path) -> dict[int, Path]:
    """Files of the shares of as many tables as each key says."""
    with server.connect("many") as connection:
        connection.execute("CREATE TABLE tenants (id int PRIMARY KEY)")
        connection.execute(sql.SQL("INSERT INTO tenants SELECT generate_series(1, {})").format(TENANTS))
        for number in range(FEW * TIMES):
            connection.execute(sql.SQL(TABLE).format(name=sql.Identifier(f"t{number}")))
        files = {}
        with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
            pin(cursor)
            structure = take_structure(cursor)
            lines = []
            for key in structure.foreign_keys:
                division = Division(
                    table=key.table, owner=OwnerPath(key.table, key.target, "id", (key,)), plain_keys=True, money=()
                )
                table = structure.table(key.table)
                assert table is not None
                lines.append(SharedOut(division=division, shares=scan(cursor, table, "UTF8", division).shares))
        for tables in (FEW, FEW * TIMES):
            files[tables] = folder / f"{tables}.shares.jsonl.gz"
            with writing_shares(create(files[tables])) as writer:
                for line in lines[:tables]:
                    writer.add(line)
    return files
