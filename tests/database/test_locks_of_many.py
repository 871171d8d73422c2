"""A database of more tables than a server has room for locks is read: a few tables in each transaction."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.rows import dict_row

from fixtures.database.catalogue import take_facts
from fixtures.database.read_contents import sequence_states
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
        self.count()
        raise KeyError(name)

    def count(self) -> None:
        row = self.session.execute(HELD, [self.reader]).fetchone()
        assert row is not None
        self.held.append(row[0])

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
            of_sequences = Watched(connection.info.backend_pid, beside)

            @contextmanager
            def begin() -> Iterator[Any]:
                with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
                    yield cursor
                    of_sequences.count()

            assert len(sequence_states(begin)) == TABLES
    assert 0 < max(of_sequences.held) < 100
    assert (len(facts.tables), len(facts.sequences)) == (TABLES, TABLES)
    assert len(counted.held) >= TABLES
    assert 0 < max(counted.held) < 100
