"""What is only called otherwise is no loss: tables and columns are found again in a clone under their new names."""

from collections.abc import Iterator

import pytest

from fixtures.database.catalogue import take_facts
from fixtures.database.renamed import Renamed, find_renamed
from fixtures.record.names import TableName
from fixtures.release.compare import dropped_columns
from fixtures.server import Server
from tests.support.kept_server import server_with

TABLES = """
CREATE SCHEMA "Old";
CREATE TABLE "Old"."Notes" (id int PRIMARY KEY, body text, pinned boolean);
CREATE TABLE tags (id int PRIMARY KEY, name text, colour text);
INSERT INTO "Old"."Notes" VALUES (1, 'a', NULL), (2, 'b', true), (3, 'c', false);
INSERT INTO tags VALUES (1, 'x', NULL);
"""
MIGRATION = """
ALTER TABLE "Old"."Notes" RENAME body TO "Text";
ALTER TABLE "Old"."Notes" DROP pinned, ADD pinned_at date;
ALTER TABLE "Old"."Notes" SET SCHEMA public;
ALTER TABLE public."Notes" RENAME TO notes;
ALTER TABLE tags DROP colour;
CREATE TABLE "Old"."Notes" (id int);
"""
NOTES, NEW, TAGS = TableName("Old", "Notes"), TableName("public", "notes"), TableName("public", "tags")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with server_with("before", TABLES, "after") as ready:
        with ready.connect("after") as connection:
            connection.execute(MIGRATION)  # type: ignore[call-overload]
        yield ready


def test_new_names_are_told_and_values_that_are_gone_are_counted_once_they_are(server: Server) -> None:
    with server.connect("before") as before, server.connect("after") as after:
        renamed = find_renamed(before, after)
        assert renamed == Renamed({NOTES: NEW}, {(NOTES, "body"): "Text"})
        dropped = dropped_columns(before, take_facts(before), take_facts(after), renamed)
    assert [(each.name, each.values, each.rows) for each in dropped] == [
        ("Old.Notes.pinned", 2, 3),
        ("public.tags.colour", 0, 1),
    ]
