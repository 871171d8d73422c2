"""Which tables of a clone hold what was restored is known without digesting them, and nothing that alters a row is missed."""

from collections.abc import Iterator

import psycopg
import pytest

from fixtures.application.closed import Closed
from fixtures.database.take_contents import take_contents
from fixtures.record.names import TableName
from tests.support.application_under_test import Bench

PLANS, OTHER, WORDED = (TableName("public", name) for name in ("igny8_plans", "auth_group", "worded"))
ALTERS = {
    "a row is updated": "UPDATE igny8_plans SET name = name WHERE id = 1",
    "a row is added": "CREATE TABLE x AS SELECT * FROM igny8_plans LIMIT 1; UPDATE x SET id = 9999, code = 'x'; "
    "INSERT INTO igny8_plans SELECT * FROM x",
    "a row is gone": "ALTER TABLE igny8_plans DISABLE TRIGGER ALL; DELETE FROM igny8_plans WHERE id = 1",
    "the rows are written anew": "CREATE TABLE held AS SELECT * FROM igny8_plans; TRUNCATE igny8_plans CASCADE; "
    "INSERT INTO igny8_plans SELECT * FROM held",
    "the file is written anew": "VACUUM FULL igny8_plans",
    "a column is there without being written": "ALTER TABLE igny8_plans ADD COLUMN added int DEFAULT 7",
    "a column is gone without being written": "ALTER TABLE igny8_plans DROP COLUMN name",
    "a column has another name": "ALTER TABLE igny8_plans RENAME COLUMN name TO called",
    "a column has another type of the same bytes": "ALTER TABLE igny8_plans ALTER COLUMN name TYPE text",
    "a table is below it": "CREATE TABLE below () INHERITS (igny8_plans)",
}


@pytest.fixture
def closed(place: Bench) -> Iterator[Closed]:
    with place.restored() as connection:
        connection.execute("CREATE TYPE public.word AS ENUM ('a')")
        connection.execute("CREATE TABLE public.worded AS SELECT 'a'::public.word AS word")
        connection.close()
        closed = Closed(place.server)
        closed.look()
        place.server.create_database("migrated", template="restored")
        yield closed


def alter(place: Bench, statements: str) -> None:
    with place.server.altering("migrated") as connection:
        connection.execute("SET search_path = public")
        for each in statements.split("; "):
            connection.execute(each.encode())


def test_a_clone_that_nobody_wrote_to_holds_every_table_as_restored(place: Bench, closed: Closed) -> None:
    alter(place, "ANALYZE; VACUUM FREEZE; CREATE INDEX more ON igny8_plans (id)")
    unaltered = closed.unaltered_in("migrated")
    with place.server.reading("migrated") as connection:
        rows = connection.execute("SELECT schemaname, tablename FROM pg_tables WHERE schemaname !~ '^(pg_|info)'")
        assert len(unaltered) > 0.8 * len(rows.fetchall())
    assert {PLANS, OTHER} <= unaltered


def test_a_value_that_changes_without_its_row_keeps_its_table_out(place: Bench, closed: Closed) -> None:
    alter(place, "ALTER TYPE word RENAME VALUE 'a' TO 'b'")
    assert WORDED not in closed.unaltered_in("migrated")


@pytest.mark.parametrize("how", ALTERS)
def test_a_table_that_was_altered_is_none_of_them(place: Bench, closed: Closed, how: str) -> None:
    alter(place, ALTERS[how])
    unaltered = closed.unaltered_in("migrated")
    assert PLANS not in unaltered
    assert OTHER in unaltered


def test_nothing_is_said_where_nobody_looked_before(place: Bench, closed: Closed) -> None:
    assert Closed(place.server).unaltered_in("migrated") == frozenset()


def test_contents_that_are_known_are_not_read_and_stand_with_the_others(place: Bench, closed: Closed) -> None:
    def taken(**known: str) -> tuple[dict[TableName, str], dict[TableName, int]]:
        def connect() -> psycopg.Connection:
            return place.server.reading("migrated")

        digests = {TableName("public", name): digest for name, digest in known.items()}
        found = take_contents(connect, "UTF8", None, mask=str, limit=60, connections=2, known_digests=digests)
        return dict(found.contents.digests), found.rows

    digests, rows = taken()
    some, read = taken(igny8_plans="1", not_there="2")
    assert some == {**digests, PLANS: "1"}
    assert list(some) == list(digests)
    assert rows.keys() - read.keys() == {PLANS}
