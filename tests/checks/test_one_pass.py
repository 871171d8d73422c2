"""One pass over a table answers all that keeps its rows to their tenants, as each control would find it alone."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from psycopg import sql

from fixtures.checks.databases import Database
from fixtures.checks.examination import Examination, Finding
from fixtures.checks.one_pass import Answers, Part, every_row
from fixtures.checks.probe import Probe
from fixtures.checks.sharing import MOST, sharing
from fixtures.checks.tenancy.table_pass import TablePass
from fixtures.record.facts import Facts
from tests.support.passes import answered, apart, found_alike, tried
from tests.support.small_tenancy import Look, SmallTenancy, small_tenancy

# A note is owned by its card's tenant, and points at a person, a device and another note besides.
NOTES = """
CREATE TABLE notes (id int PRIMARY KEY, card_id int REFERENCES cards, person_id int REFERENCES people,
                    device_id uuid REFERENCES devices, after_id int REFERENCES notes);
CREATE TABLE words_of (id int PRIMARY KEY, card_id int REFERENCES cards);
INSERT INTO notes VALUES (1, 1, 1, 'a0000000-0000-0000-0000-000000000001', NULL), (2, 2, NULL, NULL, NULL),
                         (3, 1, NULL, NULL, 1);
INSERT INTO words_of VALUES (1, NULL);
"""
WHY = "meant so by those whose rows they are"
SAID: dict[str, Any] = {"shared": {"Words": WHY, "words_of": WHY}, "owner_via": {"notes": ["card_id"]}}
FAULTS: dict[str, Any] = {
    "nothing": "",
    "another's person": "UPDATE notes SET person_id = 1 WHERE id = 2",
    "another's person, twice": "UPDATE notes SET person_id = 1, card_id = 2 WHERE id IN (2, 3)",
    "another's device": "UPDATE notes SET device_id = 'a0000000-0000-0000-0000-000000000002' WHERE id = 1",
    "another's note": "UPDATE notes SET after_id = 2 WHERE id = 3",
    "no owner": "UPDATE notes SET card_id = NULL, person_id = NULL, device_id = NULL WHERE id IN (1, 3)",
    "no owner, and two by other ways": "UPDATE notes SET card_id = NULL, device_id = 'a0000000-0000-0000-0000-000000000002' "
    "WHERE id = 1",
    "named by all": "UPDATE words_of SET card_id = 2",
    "several": "UPDATE notes SET person_id = 1, after_id = 1 WHERE id = 2; UPDATE notes SET card_id = NULL WHERE id = 3",
}
ACCEPTED: dict[str, dict[str, object]] = {
    "nothing is": {},
    "a crossing, up to one": {
        "crossing": [{"reference": "public.notes(person_id)->public.people", "reason": WHY, "at_most": 1}]
    },
    "rows of nobody": {"ownerless": {"notes": {"reason": WHY, "at_most": 9}}},
}


@pytest.fixture(scope="module")
def tenancy() -> Iterator[SmallTenancy]:
    with small_tenancy() as small:
        yield small


def probes(look: Look) -> dict[str, Probe]:
    """All that controls ask of the tables of notes and of words, by name."""
    facts, notes = (
        look.database.facts,
        TablePass(look.table("notes"), look.database.facts, look.ownership, look.tenancy),
    )
    words = TablePass(look.table("words_of"), facts, look.ownership, look.tenancy)
    asked = {"owner": notes.owner, "other ways": notes.other_ways}
    for key in look.ownership.references(facts):
        if key.table == notes.table.name:
            asked[key.id] = notes.reference(key)
    asked |= {key.id: words.reference(key) for key in facts.foreign_keys if key.table == words.table.name}
    return asked


@contextmanager
def planter(tenancy: SmallTenancy, look: Look) -> Iterator[psycopg.Connection[Any]]:
    """A session that may write."""
    with tenancy.server.connect(look.database.name) as session:
        yield session


@pytest.mark.parametrize("accepted", ACCEPTED)
def test_a_pass_finds_what_each_control_finds_alone(tenancy: SmallTenancy, accepted: str) -> None:
    with tenancy.look(NOTES, None, **SAID, **ACCEPTED[accepted]) as look, planter(tenancy, look) as session:
        found = found_alike(look.database, session, probes(look), FAULTS)
        if accepted == "nothing is":
            assert found == {fault: fault != "nothing" for fault in FAULTS}


def test_every_control_of_a_table_names_the_one_pass(tenancy: SmallTenancy) -> None:
    with tenancy.look(NOTES, None, **SAID) as look:
        database = replace(look.database, answers=Answers(look.database.session))
        named = set()
        for name, probe in probes(look).items():
            examination = Examination()
            replace(database, examination=examination).expect_none(probe)
            if "notes" in name or name in ("owner", "other ways"):
                named.add(tuple(examination.queries))
        (queries,) = named
        assert len(queries) == 1


def test_rows_are_asked_for_where_the_pass_counts_some(tenancy: SmallTenancy) -> None:
    with tenancy.look(NOTES + FAULTS["another's note"], None, **SAID) as look:
        asked_of = {}
        for name, probe in probes(look).items():
            examination = Examination()
            with suppress(Finding):
                replace(look.database, examination=examination).expect_none(probe)
            asked_of[name] = len(list(examination.queries))
        assert asked_of.pop("public.notes(after_id)->public.notes") == 2
        assert set(asked_of.values()) == {1}


def test_a_session_that_sees_what_was_planted_is_given_no_answer_from_before(tenancy: SmallTenancy) -> None:
    with tenancy.look(NOTES, None, **SAID) as look:
        database, asked = replace(look.database, answers=Answers(look.database.session)), probes(look)
        assert not any(said for said, *_ in answered(database, asked).values())
        with planter(tenancy, look) as planting, planting.transaction(force_rollback=True):
            planting.execute(FAULTS["another's note"])
            seen = answered(replace(database, session=planting), asked)
            assert [name for name, (said, *_) in seen.items() if said] == ["public.notes(after_id)->public.notes"]
        assert not any(said for said, *_ in answered(database, asked).values())


def test_a_session_that_sees_what_was_planted_asks_one_part_and_finds_what_all_of_them_find(
    tenancy: SmallTenancy,
) -> None:
    with tenancy.look(NOTES, None, **SAID) as look, planter(tenancy, look) as planting:
        asked = probes(look)
        for fault, planted in FAULTS.items():
            with planting.transaction(force_rollback=True):
                planting.execute(planted)
                every = replace(look.database, session=planting, answers=Answers(planting))
                one = replace(look.database, session=planting, answers=Answers(look.database.session))
                assert answered(one, asked) == answered(every, asked), fault
        examination = Examination()
        replace(one, examination=examination).expect_none(asked["owner"])
        (query,) = examination.queries
        assert '"broken 0"' in query
        assert '"broken 1"' not in query


@pytest.mark.parametrize("repeated", ["notes", "people", "cards"])
def test_rows_that_a_join_repeats_are_counted_once(tenancy: SmallTenancy, repeated: str) -> None:
    """A child by inheritance may hold the key of a row of its parent: no constraint is on both."""
    child = f"CREATE TABLE again () INHERITS ({repeated}); INSERT INTO again SELECT * FROM ONLY {repeated};"
    said = {**SAID, "shared": {**SAID["shared"], "again": WHY}}
    with tenancy.look(NOTES + FAULTS["named by all"] + ";" + child, None, **said) as look:
        asked = probes(look)
        assert answered(look.database, asked) == answered(look.database, apart(asked))


COUNTED_AGAIN = 'SELECT count(*) AS total FROM "public"."notes" counted'


@contextmanager
def messages_to(database: Database) -> Iterator[list[str]]:
    """What is sent to the server in a database's session meanwhile."""
    messages: list[str] = []

    class Noting(psycopg.Cursor[Any]):
        def execute(self, query: Any, *more: Any, **how: Any) -> Any:
            messages.append(query.as_string(None) if isinstance(query, sql.Composable) else query)
            return super().execute(query, *more, **how)

    database.session.cursor_factory = Noting
    try:
        yield messages
    finally:
        database.session.cursor_factory = psycopg.Cursor


@pytest.mark.parametrize("facts", ["as many", "another number", "none"])
@pytest.mark.parametrize("repeated", [False, True])
def test_a_table_is_counted_again_unless_a_pass_has_as_many_rows_as_the_facts(
    tenancy: SmallTenancy, facts: str, repeated: bool
) -> None:
    """Of persons 1 and 2 there is another, so that who points at them is joined twice."""
    child = "CREATE TABLE again () INHERITS (people); INSERT INTO again SELECT * FROM ONLY people;"
    said = {**SAID, "shared": {**SAID["shared"], "again": WHY}}
    with tenancy.look(NOTES + child * repeated, None, **said) as look:
        asked, counted = probes(look), {"as many": 3, "another number": 9, "none": None}[facts]
        tables = tuple(
            each.model_copy(update={"rows": counted}) if each.name.name == "notes" else each
            for each in look.database.facts.tables
        )
        told = Facts(**{**dict(look.database.facts), "tables": tables})
        database = replace(look.database, facts=told, answers=Answers(look.database.session))
        with messages_to(database) as messages:
            in_passes = answered(database, asked)
        assert in_passes == answered(look.database, apart(asked))
        assert any(COUNTED_AGAIN in each for each in messages) is (repeated or facts != "as many")


def test_what_a_proof_planted_is_counted_whatever_the_facts_say(tenancy: SmallTenancy) -> None:
    with tenancy.look(NOTES, None, **SAID) as look, planter(tenancy, look) as planting:
        own = Answers(look.database.session)
        database = replace(look.database, session=planting, answers=own)
        with messages_to(database) as messages:
            database.expect_none(probes(look)["owner"])
        assert len([each for each in messages if COUNTED_AGAIN in each]) == 1


def test_what_keeps_one_control_from_being_asked_keeps_no_other(tenancy: SmallTenancy) -> None:
    with tenancy.look(NOTES + FAULTS["another's note"], None, **SAID) as look:
        asked = probes(look)
        with tenancy.server.connect(look.database.name) as connection:
            connection.execute("ALTER TABLE notes DROP COLUMN device_id")
        answers = {}
        for name, probe in asked.items():
            try:
                look.database.expect_none(probe)
                answers[name] = "passed"
            except Exception as error:
                answers[name] = type(error).__name__
        assert answers == {
            "owner": "passed",
            "other ways": "Blocked",
            "public.notes(after_id)->public.notes": "Finding",
            "public.notes(device_id)->public.devices": "Blocked",
            "public.notes(person_id)->public.people": "passed",
            "public.words_of(card_id)->public.cards": "passed",
        }


def test_a_table_with_more_references_than_a_pass_has_parts_takes_another(tenancy: SmallTenancy) -> None:
    many = MOST + 2
    columns = ", ".join(f"card_{number} int REFERENCES cards" for number in range(many))
    planted = f"CREATE TABLE wide (id int PRIMARY KEY, tenant_id int REFERENCES tenants, {columns});"
    planted += f"INSERT INTO wide (id, tenant_id, card_0, card_{many - 1}) VALUES (1, 1, 1, 2);"
    with tenancy.look(planted, None) as look:
        wide = TablePass(look.table("wide"), look.database.facts, look.ownership, look.tenancy)
        found = [
            key.columns
            for key in look.ownership.references(look.database.facts)
            if key.table == wide.table.name and tried(look.database, wide.reference(key))[0]
        ]
        assert found == [(f"card_{many - 1}",)]


def test_a_pass_joins_by_hashes_and_leaves_the_session_as_it_was(tenancy: SmallTenancy) -> None:
    """Within a transaction of somebody else's, as a merge is, its setting does not stay."""
    joins = [
        sql.SQL("pg_catalog.current_setting({}) = 'off'").format(f"enable_{each}") for each in ("nestloop", "mergejoin")
    ]
    setting = sql.SQL(" AND ").join(joins)
    with tenancy.look(NOTES, None, **SAID) as look, look.database.session.transaction():
        probe = probes(look)["owner"]
        asking = replace(
            probe, part=Part(setting, sql.SQL("false"), rows=every_row(look.table("notes").name.identifier))
        )
        examination = Examination()
        replace(look.database, examination=examination).expect_none(sharing({"": asking})[""])
        assert examination.examined == 3
        assert look.database.session.execute(sql.SQL("SELECT NOT ({})").format(setting)).fetchone() == (True,)


def test_the_server_ending_a_session_is_no_answer(tenancy: SmallTenancy) -> None:
    with tenancy.look(NOTES, None, **SAID) as look:
        probe = probes(look)["owner"]
        with tenancy.server.connect(look.database.name) as other:
            other.execute("SELECT pg_terminate_backend(%s)", [look.database.session.info.backend_pid])
        with pytest.raises(psycopg.OperationalError):
            look.database.expect_none(probe)
