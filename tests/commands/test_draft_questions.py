"""What a draft asks of a database is set-wise, bounded in time, and changes nothing there; what was not answered is said."""

from typing import Any

import psycopg
import pytest
from psycopg import sql

from fixtures.commands.drafting.counts import Questions
from fixtures.commands.drafting.draft import _cut_section, draft
from fixtures.commands.drafting.draft_state import DraftState
from fixtures.commands.drafting.tenancy.json_ids import json_sections
from fixtures.commands.drafting.tenancy.soft import soft_sections
from fixtures.database.catalogue import take_facts
from fixtures.profile.tenancy import Tenancy
from fixtures.record.names import TableName
from tests.support import record_examples
from tests.support.drafts import TENANTS, Draft

MANY = (
    "CREATE TABLE items (id int PRIMARY KEY, org int NOT NULL REFERENCES organizations); "
    "CREATE TABLE events (id int PRIMARY KEY, org int NOT NULL REFERENCES organizations, item_id bigint, payload jsonb); "
    "INSERT INTO items SELECT n, 1 + n % 2 FROM generate_series(1, 40000) n; "
    "INSERT INTO events SELECT n, 1 + n % 2, n, jsonb_build_object('item_id', n) FROM generate_series(1, 40000) n; ANALYZE"
)


def nested_loops(plan: dict[str, Any]) -> list[str]:
    """The parts of a plan that are run again for each row."""
    here = (
        [plan["Node Type"]]
        if plan.get("Parent Relationship") == "SubPlan" or plan["Node Type"] == "Nested Loop"
        else []
    )
    return here + [each for part in plan.get("Plans", ()) for each in nested_loops(part)]


def test_ids_are_looked_for_as_one_join_however_many_there_are(database: psycopg.Connection[Any]) -> None:
    database.execute(TENANTS + MANY)
    facts = take_facts(database)
    queries: list[sql.Composed] = []

    class Listening(Questions):
        def counts(self, query: sql.Composed, of: str = "") -> dict[str, int] | None:
            queries.append(query)
            return super().counts(query, of)

    database_seen = DraftState.under(facts, Listening(database), Tenancy(root=TableName("public", "organizations")))
    sections = (*(section for _, section in soft_sections(database_seen)), *json_sections(database_seen))
    columns = [section.lines[1].value for section in sections]
    assert columns == ["item_id", "payload"]
    for query in queries:
        row = database.execute(sql.SQL("EXPLAIN (FORMAT JSON) {}").format(query)).fetchone()
        assert row is not None
        assert not nested_loops(row[0][0]["Plan"])


def test_more_may_be_asked_of_a_table_than_a_query_may_list(database: psycopg.Connection[Any]) -> None:
    database.execute(TENANTS)
    database_seen = DraftState.under(
        take_facts(database), Questions(database), Tenancy(root=TableName("public", "organizations"))
    )
    conditions: dict[str, sql.Composable] = {f"name {n}": sql.SQL("r.id = {}").format(n) for n in range(2_000)}
    counts = database_seen.filled(database_seen.table(TableName("public", "organizations")), conditions)
    assert counts is not None
    assert {name for name, rows in counts.items() if rows} == {"name 1", "name 2"}


def test_what_took_too_long_is_said_and_exempts_nothing(database: psycopg.Connection[Any]) -> None:
    database.execute(TENANTS + MANY)
    record = record_examples.record(facts=take_facts(database))
    hurried = Draft(draft(record, database, "shop", None, seconds=0.001))
    assert "questions got no answer within 1 ms each (about: " in hurried.prose
    assert not hurried.profile.exempt
    assert "#TEN-05" in hurried.text
    calm = Draft(draft(record, database, "shop", None))
    assert "got no answer" not in calm.prose
    assert "TEN-05" in calm.profile.exempt
    assert [each.id for each in calm.profile.tenancy.soft_reference] == [
        "public.events(item_id)->public.items",
        "public.events(payload $.item_id)->public.items",
    ]


def test_a_question_that_takes_too_long_stays_unanswered(database: psycopg.Connection[Any]) -> None:
    questions = Questions(database, seconds=0.05)
    assert questions.counts(sql.SQL("SELECT {}").format(sql.SQL("pg_sleep(5)::text = '' AS slept"))) is None
    assert questions.counts(sql.SQL("SELECT {} AS one").format(sql.Literal(1))) == {"one": 1}


def test_a_question_that_a_function_of_the_database_ends_is_not_told_as_slow(
    database: psycopg.Connection[Any],
) -> None:
    database.execute(
        "CREATE FUNCTION ends() RETURNS int LANGUAGE plpgsql AS "
        "$$BEGIN RAISE EXCEPTION USING ERRCODE = '57014', MESSAGE = 'canceling statement due to statement timeout'; END$$;"
        "CREATE TABLE items (id int PRIMARY KEY); INSERT INTO items VALUES (1);"
        "CREATE VIEW seen AS SELECT id, ends() AS code FROM items"
    )
    questions = Questions(database)
    view = sql.Identifier("public", "seen")
    assert questions.counts(sql.SQL("SELECT sum(code) AS codes FROM {}").format(view), "codes") is None
    assert (questions.cut, questions.ended) == ([], ["codes"])
    said = _cut_section(questions).why
    assert said[0].startswith("1 questions were ended by a function of the database that they call, before their time")


def test_nothing_is_written_to_the_database(database: psycopg.Connection[Any]) -> None:
    database.execute("CREATE TABLE notes (id int)")
    questions = Questions(database)
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        questions.counts(sql.SQL("INSERT INTO {} VALUES (1) RETURNING 1 AS one").format(sql.Identifier("notes")))
