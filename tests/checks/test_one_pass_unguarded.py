"""References without a foreign key share the pass over their table, as each control would find them alone."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from fixtures.checks.databases import Database
from fixtures.checks.examination import Examination
from fixtures.checks.fitting import fitting
from fixtures.checks.one_pass import Answers
from fixtures.checks.probe import Probe
from fixtures.checks.tenancy.table_pass import TablePass
from fixtures.profile import Profile
from tests.support.passes import answered, apart, found_alike
from tests.support.small_tenancy import Look, SmallTenancy, small_tenancy

# A log names a card by a content type, by an id, by an array of ids and in JSON; it belongs to its own card's tenant.
LOGS = """
CREATE TABLE django_content_type (id int PRIMARY KEY, app_label text, model text);
CREATE TABLE logs (id int PRIMARY KEY, card_id int REFERENCES cards, type_id int, row_id text, device text, cards int[],
                   told jsonb);
INSERT INTO django_content_type VALUES (1, 'shop', 'card'), (2, 'shop', 'device'), (3, 'shop', 'word'), (4, 'shop', 'lost');
INSERT INTO logs VALUES
  (1, 1, 1, '1', 'A0000000-0000-0000-0000-000000000001', '{1}', '{"card": 1}'),
  (2, 2, 2, 'a0000000-0000-0000-0000-000000000002', NULL, '{2, 3}', '{"card": 2}'),
  (3, 2, 3, '7', 'a0000000-0000-0000-0000-000000000003', '{}', '{}'), (4, 1, NULL, NULL, NULL, NULL, NULL);
"""
WHY = "meant so by those whose rows they are"
MODELS = {"shop.card": "cards", "shop.device": "devices", "shop.word": "Words"}
GENERIC = {"table": "logs", "type_column": "type_id", "id_column": "row_id", "models": MODELS}
DEVICE = {"table": "logs", "column": "device", "target": "devices"}
SOFT = [
    DEVICE,
    {"table": "logs", "column": "cards", "target": "cards"},
    {"table": "logs", "column": "told", "json_path": "$.card", "target": "cards"},
]
SHARED = {"Words": WHY, "django_content_type": WHY}
SAID: dict[str, Any] = {"shared": SHARED, "generic_reference": [GENERIC], "soft_reference": SOFT}
OUTLIVES = {"at_most": 1, "reason": WHY}
ACCEPTED: dict[str, dict[str, Any]] = {
    "nothing is": {},
    "what is gone": {
        "generic_reference": [{**GENERIC, "outlives": OUTLIVES}],
        "soft_reference": [{**each, "outlives": OUTLIVES} for each in SOFT],
    },
    "a crossing, up to one": {
        "crossing": [
            {"reference": "public.logs", "reason": WHY, "at_most": 1},
            {"reference": "public.logs(device)->public.devices", "reason": WHY, "at_most": 1},
            {"reference": "public.logs(told $.card)->public.cards", "reason": WHY, "at_most": 1},
        ]
    },
    "its rows are everybody's": {"shared": {**SHARED, "logs": WHY}},
}
FAULTS = {
    "nothing": "",
    "any model's row of another tenant": "UPDATE logs SET row_id = '2' WHERE id = 1",
    "any model's row that is gone": "UPDATE logs SET row_id = '99' WHERE id IN (1, 3)",
    "a model that is not mapped": "UPDATE logs SET type_id = 4 WHERE id = 1",
    "no model": "UPDATE logs SET type_id = NULL WHERE id IN (1, 2)",
    "an id of another tenant": "UPDATE logs SET device = 'a0000000-0000-0000-0000-000000000002' WHERE id = 1",
    "an id of none, twice": "UPDATE logs SET device = 'b0000000-0000-0000-0000-000000000001' WHERE id IN (1, 2)",
    "two of an array": "UPDATE logs SET cards = '{1, 2, 3, 99}' WHERE id = 1",
    "in JSON": """UPDATE logs SET told = '{"card": 99}' WHERE id = 1; UPDATE logs SET told = '{"card": 1}' WHERE id = 3""",
    "several": "UPDATE logs SET row_id = '1', type_id = 1, device = 'x', cards = '{1}' WHERE id = 2",
}


@pytest.fixture(scope="module")
def tenancy() -> Iterator[SmallTenancy]:
    with small_tenancy() as small:
        yield small


def over_logs(look: Look) -> TablePass:
    return TablePass(look.table("logs"), look.database.facts, look.ownership, look.tenancy)


def probes(look: Look) -> dict[str, Probe]:
    """All that controls ask of the references of logs that have no constraint, by name, and of their owner."""
    logs, asked = over_logs(look), {}
    for number, reference in enumerate(look.tenancy.unguarded_of(logs.table.name)):
        asked[f"{number} {type(reference).__name__}"] = logs.unguarded(reference)
    if logs.table.name in look.ownership.ways:
        asked["owner"] = logs.owner
    return asked


@pytest.mark.parametrize("accepted", ACCEPTED)
def test_a_pass_finds_what_each_reference_without_a_constraint_finds_alone(
    tenancy: SmallTenancy, accepted: str
) -> None:
    with tenancy.look(LOGS, None, **(SAID | ACCEPTED[accepted])) as look:
        asked = probes(look)
        assert all(probe.share is not None for probe in asked.values())
        with tenancy.server.connect(look.database.name) as session:
            found = found_alike(look.database, session, asked, FAULTS)
        if accepted == "nothing is":
            assert found == {fault: fault != "nothing" for fault in FAULTS}


def queries_of(database: Database, probe: Probe) -> tuple[str, ...]:
    examination = Examination()
    replace(database, examination=examination).expect_none(probe)
    return tuple(examination.queries)


def test_ids_of_a_column_share_the_pass_of_the_owner_and_those_of_json_have_one_of_their_own(
    tenancy: SmallTenancy,
) -> None:
    with tenancy.look(LOGS, None, **SAID) as look:
        database = replace(look.database, answers=Answers(look.database.session))
        queries = {name: queries_of(database, probe) for name, probe in probes(look).items()}
        assert all(len(each) == 1 for each in queries.values())
        assert queries["0 GenericReference"] == queries["1 SoftReference"] == queries["owner"]
        assert len({queries["owner"], queries["2 SoftReference"], queries["3 SoftReference"]}) == 3


def test_what_a_join_could_repeat_asks_for_itself(tenancy: SmallTenancy) -> None:
    """An id may mean a column that is no key, and a table may count another's rows as its own."""
    twice = "ALTER TABLE devices ADD serial text; UPDATE devices SET serial = 's'; UPDATE logs SET device = 's';"
    by_serial = {**SAID, "soft_reference": [{**DEVICE, "target_column": "serial"}]}
    child = "CREATE TABLE again () INHERITS (cards); INSERT INTO again SELECT * FROM ONLY cards;"
    shared = {**SAID, "shared": {**SHARED, "again": WHY}}
    for planted, said in ((twice, by_serial), (child, shared)):
        with tenancy.look(LOGS + planted, None, **said) as look:
            asked = probes(look)
            assert answered(look.database, asked) == answered(look.database, apart(asked))


def test_a_reference_to_what_the_database_has_not_keeps_no_other_from_being_asked(tenancy: SmallTenancy) -> None:
    with tenancy.look(LOGS, None, **SAID) as look:
        lacking = look.database.facts.model_copy(
            update={"tables": tuple(each for each in look.database.facts.tables if each.name.name != "devices")}
        )
        logs = replace(over_logs(look), facts=lacking)
        assert queries_of(look.database, logs.unguarded(look.tenancy.soft_reference[2]))
        assert queries_of(look.database, logs.owner)


def test_a_reference_that_does_not_fit_stays_out_of_the_pass(tenancy: SmallTenancy) -> None:
    with tenancy.look(LOGS, None, **SAID) as look:
        profile = Profile.model_construct(tenancy=look.tenancy, invoice=(), ledger=())
        problem = "profile.toml: tenancy.soft_reference[2].target: no such table"
        fit = fitting(profile, (problem,), "profile.toml").tenancy.unguarded_of(over_logs(look).table.name)
        assert [getattr(each, "column", "") for each in fit] == ["", "device", "cards"]
