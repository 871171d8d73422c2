"""What a database takes from its readers keeps the drill from looking, and is named: the backup is not to blame for it."""

import psycopg
import pytest

from fixtures.database.read_facts import read_facts
from fixtures.record.stage import StageBlocked
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


def test_what_a_function_of_the_database_raises_is_not_repeated() -> None:
    with kept_server() as server:
        server.create_database("restored")
        with server.connect("restored") as connection:
            connection.execute(
                "CREATE FUNCTION raises() RETURNS int LANGUAGE plpgsql AS $f$BEGIN RAISE EXCEPTION "
                "'permission denied for function Ottoline' USING ERRCODE = '42501'; END$f$"
            )
            with pytest.raises(StageBlocked) as blocked, noticing_a_refusal("here"):
                connection.execute("SELECT raises()")
    assert blocked.value.cause.endswith("refused here: InsufficientPrivilege")
    assert not isinstance(blocked.value, psycopg.Error)
