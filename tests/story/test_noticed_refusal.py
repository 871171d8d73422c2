"""What a database takes from its readers keeps the drill from looking, and is named: the backup is not to blame for it."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from fixtures.database.catalogue import reading
from fixtures.database.read_facts import read_facts, reading_all
from fixtures.record.names import TableName
from fixtures.record.stage import StageBlocked, StageFailed
from fixtures.story.noticed_refusal import noticing_a_refusal
from tests.support.kept_server import kept_server

TAKEN = {
    "REVOKE EXECUTE ON FUNCTION pg_catalog.format_type(oid, int4) FROM PUBLIC": "function format_type",
}


@pytest.mark.parametrize("taken", TAKEN)
def test_a_right_that_a_query_of_ours_lacks_blocks_the_stage_and_is_named(taken: str) -> None:
    with kept_server() as server:
        server.create_database("restored")
        with server.connect("restored") as connection:
            connection.execute("CREATE TABLE notes (id int, words text[]); INSERT INTO notes VALUES (1, '{a}')")
            connection.execute(taken.encode())
        with pytest.raises(StageBlocked) as blocked, noticing_a_refusal("during the stage facts"):
            read_facts(server, "restored", 60)
    said = f"a query of the drill's own was refused during the stage facts: permission denied for {TAKEN[taken]}"
    assert blocked.value.cause == said
    assert "RST-18" in blocked.value.fix


RAISES = """
    CREATE FUNCTION raises(code text) RETURNS int LANGUAGE plpgsql AS $f$BEGIN
        RAISE EXCEPTION 'permission denied for function Ottoline' USING ERRCODE = code;
    END$f$
"""
CANCELS = "SELECT pg_cancel_backend(pg_backend_pid()), pg_sleep(5)"


@pytest.fixture
def raising() -> Iterator[psycopg.Connection[Any]]:
    with kept_server() as server:
        server.create_database("restored")
        with server.connect("restored") as connection:
            connection.execute(RAISES)
            yield connection


@pytest.mark.parametrize(
    ("code", "kind"), [("42501", "InsufficientPrivilege"), ("08006", "ConnectionFailure"), ("57014", "QueryCanceled")]
)
def test_what_a_function_of_the_database_raises_is_told_as_that_and_not_repeated(
    code: str, kind: str, raising: psycopg.Connection[Any]
) -> None:
    with pytest.raises(StageBlocked) as blocked, noticing_a_refusal("here"):
        raising.execute("SELECT raises(%s)", [code])
    cause = (
        f"a query of the drill's own was ended here by what it calls of the database: {kind} within a function of the "
    )
    assert blocked.value.cause == f"{cause}database"
    assert not isinstance(blocked.value, psycopg.Error)


@pytest.mark.parametrize("code", ["42501", "53100", "57014", "57P01"])
def test_a_table_that_a_function_keeps_from_being_read_is_named_whatever_code_it_raises(
    code: str, raising: psycopg.Connection[Any]
) -> None:
    with pytest.raises(StageFailed) as failed, reading_all("restored", 60), reading(TableName.parse("notes")):
        raising.execute("SELECT raises(%s)", [code])
    assert failed.value.cause.startswith("public.notes of restored cannot be read (")


def test_a_query_that_is_canceled_in_time_is_no_time_limit_that_was_met(raising: psycopg.Connection[Any]) -> None:
    with pytest.raises(StageBlocked, match="was canceled before its time limit"), reading_all("restored", 60):
        raising.execute(CANCELS)
    with pytest.raises(StageFailed, match="within the time limit"), reading_all("restored", 0.1):
        raising.execute(f"SELECT pg_sleep(0.2); {CANCELS}")
