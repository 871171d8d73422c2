"""A database of more tables than a server has room for locks is read: a few tables in each transaction."""

from collections.abc import Iterator, Mapping
from typing import Any

import psycopg

from fixtures.database.catalogue import take_facts
from fixtures.record.names import TableName
from tests.support.kept_server import kept_server

TABLES = 150
MANY = "".join(f"CREATE TABLE t{number} (id int GENERATED ALWAYS AS IDENTITY);" for number in range(TABLES))
HELD = "SELECT count(*) FROM pg_locks JOIN pg_class c ON c.oid = relation WHERE pid = %s AND relname ~ '^t[0-9]'"


class Watched(Mapping[TableName, int]):
    """What was counted before: nothing. Whenever it is asked, it counts the locks that the reader holds."""

    def __init__(self, reader: int, session: psycopg.Connection[Any]) -> None:
        self.reader, self.session = reader, session
        self.held: list[int] = []

    def __getitem__(self, name: TableName) -> int:
        row = self.session.execute(HELD, [self.reader]).fetchone()
        assert row is not None
        self.held.append(row[0])
        raise KeyError(name)

    def __iter__(self) -> Iterator[TableName]:
        return iter(())

    def __len__(self) -> int:
        return 0


def test_locks_are_let_go_of_while_many_tables_are_counted() -> None:
    with kept_server() as server:
        server.create_database("many")
        with server.connect("many") as connection, server.connect("many") as beside:
            connection.execute(MANY)  # type: ignore[call-overload]
            counted = Watched(connection.info.backend_pid, beside)
            facts = take_facts(connection, counted)
    assert (len(facts.tables), len(facts.sequences)) == (TABLES, TABLES)
    assert len(counted.held) >= TABLES
    assert 0 < max(counted.held) < 100
