"""What cannot be read, and what takes too long, is told as that; names only, never a value."""

from collections.abc import Iterator

import pytest

from fixtures.database.read_facts import read_facts
from fixtures.record.stage import StageFailed
from tests.support.drills import Healthy

OUT_OF_REACH = """
    CREATE FOREIGN DATA WRAPPER nothing;
    CREATE SERVER nowhere FOREIGN DATA WRAPPER nothing;
    CREATE TABLE parts (id bigint);
    CREATE FOREIGN TABLE elsewhere () INHERITS (parts) SERVER nowhere;
"""
NUMBERED_BY_TEXT = """
    CREATE TABLE receipts (number text PRIMARY KEY);
    INSERT INTO receipts VALUES ('Ottoline-0001');
    CREATE SEQUENCE receipts_made OWNED BY receipts.number;
"""


@pytest.fixture
def database(healthy: Healthy) -> Iterator[str]:
    healthy.server.create_database("facts", template=healthy.built.database)
    yield "facts"
    healthy.server.drop_database("facts")


def plant(healthy: Healthy, database: str, statements: str) -> None:
    with healthy.server.connect(database) as connection:
        connection.execute(statements)


def test_a_table_that_the_server_cannot_read_is_named(healthy: Healthy, database: str) -> None:
    plant(healthy, database, OUT_OF_REACH)
    with pytest.raises(StageFailed, match=r"^public\.parts of facts cannot be read \(\w+\)$") as caught:
        read_facts(healthy.server, database, 60)
    assert caught.value.fix


def test_the_time_limit_ends_the_reading(healthy: Healthy, database: str) -> None:
    with pytest.raises(StageFailed, match="could not be counted within the time limit"):
        read_facts(healthy.server, database, 0.0001)


def test_a_sequence_that_numbers_a_text_has_no_column_to_collide_with(healthy: Healthy, database: str) -> None:
    plant(healthy, database, NUMBERED_BY_TEXT)
    facts = read_facts(healthy.server, database, 60)
    (receipts,) = [sequence for sequence in facts.sequences if sequence.name.name == "receipts_made"]
    assert receipts.column_extreme is None
