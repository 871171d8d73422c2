"""A control is known by its queries' words: the same digest whatever the rows are, and another for another question."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from psycopg import sql

from fixtures.checks.examination import Examination
from fixtures.checks.query_digest import Given, QueryLog, words_of
from fixtures.checks.sites.archive_index import ArchiveIndex, Lookup

NOTHING = Lookup("SELECT 1 WHERE 0", "SELECT 0", "are there", "things")


def query(limit: int, tenant: str) -> sql.Composed:
    return sql.SQL("SELECT {} FROM {} WHERE t = {} LIMIT {}").format(
        sql.Identifier("Mixed Case"), sql.Identifier("my schema", "t"), Given(tenant, "tenant"), sql.Literal(limit)
    )


def test_values_of_rows_are_no_part_of_a_querys_words() -> None:
    assert words_of(query(1, "acme")) == 'SELECT "Mixed Case" FROM "my schema"."t" WHERE t = %s LIMIT 1'
    assert "'acme'" in query(1, "acme").as_string(None)


def test_a_log_that_is_not_written_has_what_was_asked_apart_alone() -> None:
    log = QueryLog(writing=False)
    log.add(query(1, "acme"), "SELECT 1")
    with log.apart() as within:
        log.add("SELECT 2")
    log.add("SELECT 3")
    assert (list(within), list(log), log.together()) == (["SELECT 2"], [], None)


def test_each_question_counts_once_and_in_its_order() -> None:
    digests = []
    for asked_in_order in ((1, 2), (1, 1, 2, 1), (2, 1), (1,)):
        log = QueryLog()
        for limit in asked_in_order:
            log.add(query(limit, "another each time"))
        digests.append(log.sha256)
    first, again, turned, fewer = digests
    assert first == again
    assert len({first, turned, fewer}) == 3
    assert QueryLog().sha256 == ""


def test_whoever_fills_a_table_the_question_belongs_to_all_that_use_it() -> None:
    with closing(sqlite3.connect(":memory:")) as session:
        filled = []
        examinations = [Examination(), Examination()]
        for examination in examinations:
            index = ArchiveIndex(session, examination, b"key", {"snapshot": 0.0})

            def rows(examination: Examination = examination) -> list[tuple[int]]:
                examination.queries.add(query(1, "acme"))
                filled.append(examination)
                return [(1,)]

            index.load("site", ("site",), rows)
            index.expect_none(NOTHING)
        assert filled == examinations[:1]
        assert examinations[0].queries.sha256 == examinations[1].queries.sha256 != ""
        assert words_of(query(1, "")) in examinations[1].queries


def test_what_broke_off_while_it_was_loaded_is_loaded_anew_and_never_taken_for_nothing() -> None:
    def broken_off() -> Iterator[tuple[int]]:
        yield (1,)
        raise ConnectionError

    with closing(sqlite3.connect(":memory:")) as session:
        index = ArchiveIndex(session, Examination(), b"key", {"snapshot": 0.0})
        with pytest.raises(ConnectionError):
            index.load("claim", ("path",), broken_off)
        with pytest.raises(ConnectionError):
            index.load("claim", ("path",), broken_off)
        index.load("claim", ("path",), lambda: [(1,), (2,)])
        assert session.execute("SELECT path FROM claim").fetchall() == [(1,), (2,)]


def test_records_are_taken_from_the_session_that_has_them_and_what_the_archive_decides_is_not() -> None:
    def asked_again() -> Iterator[tuple[int, str]]:
        raise AssertionError("the database is not asked again")

    own, copy = sqlite3.connect(":memory:"), sqlite3.connect(":memory:")
    with closing(own), closing(copy):
        index = ArchiveIndex(own, Examination(), b"key", {"snapshot": 0.0})
        index.load_records("site", ("site", "tenant"), lambda: [(2, "b"), (1, None)])
        index.load("folder", ("site",), lambda: [(1,)])
        spoiled = ArchiveIndex(copy, Examination(), b"key", {"snapshot": 0.0}, beside=own)
        spoiled.load_records("site", ("site", "tenant"), asked_again)
        spoiled.load_records("page", ("site",), lambda: [(3,)])
        spoiled.load("folder", ("site",), lambda: [(4,)])
        loaded = {table: copy.execute(f"SELECT * FROM {table}").fetchall() for table in ("site", "page", "folder")}
        assert loaded == {"site": [(2, "b"), (1, None)], "page": [(3,)], "folder": [(4,)]}
