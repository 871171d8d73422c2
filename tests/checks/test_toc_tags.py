"""What the list of contents names is found in the catalogue, by the tags of every pg_dump."""

from collections.abc import Iterator

import pytest
from psycopg import sql

from fixtures.checks.restore.toc import missing_objects
from fixtures.database.catalogue import take_facts
from fixtures.record.dump_list import DumpHeader, TocEntry
from fixtures.record.facts import Facts
from tests.support.kept_server import kept_server

TABLES = """
    CREATE TABLE shop (id int CONSTRAINT shop_key PRIMARY KEY);
    CREATE TABLE sale (id int CONSTRAINT sale_key PRIMARY KEY, shop int CONSTRAINT of_shop REFERENCES shop);
    CREATE TABLE gift (id int CONSTRAINT gift_key PRIMARY KEY, shop int CONSTRAINT of_shop REFERENCES shop);
    CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE TRIGGER noted BEFORE INSERT ON sale FOR EACH ROW EXECUTE FUNCTION noted();
    CREATE POLICY own ON sale;
    CREATE DOMAIN code AS text;
    ALTER DOMAIN code ADD CONSTRAINT short CHECK (length(VALUE) < 9) NOT VALID;
"""
NOW = ("FK CONSTRAINT sale of_shop", "FK CONSTRAINT gift of_shop", "TRIGGER sale noted", "POLICY sale own")
BEFORE_9_6 = ("FK CONSTRAINT of_shop", "FK CONSTRAINT of_shop", "TRIGGER noted", "POLICY own", "CONSTRAINT sale_key")


@pytest.fixture(scope="module")
def facts() -> Iterator[Facts]:
    with kept_server() as server:
        server.create_database("tags")
        with server.connect("tags") as connection:
            connection.execute(sql.SQL(TABLES))
            yield take_facts(connection)


def test_the_table_stands_before_the_name_since_9_6(facts: Facts) -> None:
    assert missing_objects(entries(*NOW, "CHECK CONSTRAINT code short"), facts, by("15.4")) == []
    assert missing_objects(entries(*BEFORE_9_6), facts, by("9.6.24")) == [
        f"{kind} public.{name}" for kind, _, name in (tag.rpartition(" ") for tag in BEFORE_9_6)
    ]


def test_the_name_stands_alone_before(facts: Facts) -> None:
    assert missing_objects(entries(*BEFORE_9_6), facts, by("9.5.25 (Debian 9.5.25-1)")) == []
    assert missing_objects(entries("CONSTRAINT lost", "TRIGGER lost"), facts, by("8.4.1")) == [
        "CONSTRAINT public.lost",
        "TRIGGER public.lost",
    ]


def test_one_of_two_that_are_called_alike_is_missed(facts: Facts) -> None:
    assert missing_objects(entries(*["FK CONSTRAINT of_shop"] * 3), facts, by("9.3.1")) == [
        "FK CONSTRAINT public.of_shop"
    ]


def entries(*tags: str) -> list[TocEntry]:
    kinds = ("FK CONSTRAINT", "CHECK CONSTRAINT", "CONSTRAINT", "TRIGGER", "POLICY")
    made = []
    for number, tag in enumerate(tags):
        kind = next(each for each in kinds if tag.startswith(f"{each} "))
        name = tag.removeprefix(f"{kind} ")
        made.append(TocEntry(dump_id=number, kind=kind, schema_name="public", name=name, owner="postgres"))
    return made


def by(version: str) -> DumpHeader:
    return DumpHeader(
        created_at="", database="tags", compression="none", format="CUSTOM", server_version=version,
        pg_dump_version=version, entries=0,
    )  # fmt: skip
