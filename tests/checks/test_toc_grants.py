"""Grants that the list of contents names are found in the catalogue, by the tags of every pg_dump."""

from collections.abc import Iterator
from typing import Any

import pytest
from psycopg import sql
from psycopg.rows import dict_row

from fixtures.checks.restore.toc_grants import lost_grants
from fixtures.database.catalogue import QUERIES
from fixtures.record.dump_list import TocEntry
from tests.checks.test_toc_tags import by
from tests.support.kept_server import kept_server

TABLES = """
    CREATE TABLE given (id int, note text); GRANT SELECT ON given TO PUBLIC;
    CREATE TABLE said (id int); GRANT SELECT ON said TO PUBLIC; REVOKE SELECT ON said FROM PUBLIC;
    CREATE TABLE "by Column" (id int, note text); GRANT SELECT (note) ON "by Column" TO PUBLIC;
    CREATE TABLE bare (id int, note text);
    CREATE SEQUENCE counter; GRANT USAGE ON SEQUENCE counter TO PUBLIC;
"""
RELATIONS = ("TABLE given", "TABLE said", "TABLE by Column", "TABLE bare", "SEQUENCE counter")
OTHERS = ("FUNCTION noted()", "SCHEMA public", "LARGE OBJECT 16401")


@pytest.fixture(scope="module")
def privileges() -> Iterator[list[dict[str, Any]]]:
    with kept_server() as server:
        server.create_database("grants")
        with server.connect("grants") as connection:
            connection.execute(sql.SQL(TABLES))
            query = (QUERIES / "changed_acls.sql").read_text()
            yield connection.cursor(row_factory=dict_row).execute(sql.SQL(query)).fetchall()


def toc(*acls: str) -> list[TocEntry]:
    made = [(kind, name) for kind, _, name in (relation.partition(" ") for relation in RELATIONS)]
    made += [("ACL", tag) for tag in acls] + [("DEFAULT ACL", "DEFAULT PRIVILEGES FOR TABLES")]
    return [
        TocEntry(dump_id=number, kind=kind, schema_name="public", name=name, owner="o")
        for number, (kind, name) in enumerate(made)
    ]


@pytest.mark.parametrize("version", ["8.3.23", "9.5.25", "9.6.24", "10.23"])
def test_a_tag_of_the_name_alone_is_of_the_relation_that_is_called_so(
    privileges: list[dict[str, Any]], version: str
) -> None:
    there = ("given", "by Column.note", "counter", "noted()", "public", "16401")
    assert lost_grants(toc(*there), privileges, by(version)) == []
    for tag in ("bare", "bare.note"):
        assert lost_grants(toc(*there, tag), privileges, by(version)) == ["grants on public.bare"]
    assert lost_grants(toc("given.note"), privileges, by(version)) == ["grants on public.given"]


def test_what_only_says_the_owners_default_was_written_before_9_6(privileges: list[dict[str, Any]]) -> None:
    assert lost_grants(toc("said"), privileges, by("9.5.25")) == []
    assert lost_grants(toc("said"), privileges, by("10.23")) == ["grants on public.said"]


def test_the_kind_stands_before_the_name_since_11(privileges: list[dict[str, Any]]) -> None:
    there = ("TABLE given", 'COLUMN "by Column".note', "SEQUENCE counter", *OTHERS)
    assert lost_grants(toc(*there), privileges, by("15.4")) == []
    for tag in ("TABLE bare", "COLUMN bare.note"):
        assert lost_grants(toc(*there, tag), privileges, by("11.1")) == ["grants on public.bare"]


@pytest.mark.parametrize("form", ["TABLE bare", "bare"])
def test_a_header_without_a_version_is_read_in_either_way(privileges: list[dict[str, Any]], form: str) -> None:
    assert lost_grants(toc(form, "given", "TABLE given"), privileges, by("unknown")) == ["grants on public.bare"]
