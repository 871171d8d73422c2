"""Rows without one owner, rows that another way gives one, and columns that only look like a tenant's."""

import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from pydantic import ValidationError

from fixtures.checks.planting import Planting
from fixtures.checks.tenancy.owners import owned_otherwise, rows_without_owner
from fixtures.checks.tenancy.planters import a_row_without_an_owner
from fixtures.checks.tenancy.tenant_columns import other_ways, tenant_columns
from fixtures.ownership import derive_ownership
from fixtures.profile import Profile
from fixtures.profile.tenancy import Tenancy
from tests.support.catalogues import facts, points, table
from tests.support.small_shop import PROFILE
from tests.support.small_tenancy import Look, SmallTenancy, small_tenancy

SHARED = {"owner_via": {"spent": "tenant_id"}, "shared": {"people": "in several tenants", "Words": "for everyone"}}
REASON = "the operator has some of its own"
ACCEPTED = {"at_most": 3, "reason": REASON}
DEVICE = "a0000000-0000-0000-0000-00000000000"


@pytest.fixture(scope="module")
def tenancy() -> Iterator[SmallTenancy]:
    with small_tenancy() as ready:
        yield ready


def finding(look: Look, name: str) -> tuple[str, tuple[str, ...]]:
    facts_of_table = look.table(name)
    ownerless = look.tenancy.ownerless.get(facts_of_table.name)
    return look.said(rows_without_owner(facts_of_table, look.ownership.owned[facts_of_table.name], ownerless))


def test_rows_that_may_be_without_an_owner_are_counted(tenancy: SmallTenancy) -> None:
    with tenancy.look(**SHARED) as look:
        assert finding(look, "devices") == ("1 of 3 rows belong to no tenant", (f"id={DEVICE}3",))
    with tenancy.look(**SHARED, ownerless={"devices": ACCEPTED}) as look:
        assert finding(look, "devices") == (
            f"1 of 3 rows belong to no tenant, as the profile says: {REASON} (at most 3)",
            (),
        )
        assert look.database.examination.examined == 3


ORPHANED = f"UPDATE devices SET tenant_id = NULL WHERE id = '{DEVICE}2'"


def test_more_rows_without_an_owner_than_were_accepted_are_told(tenancy: SmallTenancy) -> None:
    said = {"devices": {"at_most": 1, "reason": REASON}}
    with tenancy.look(ORPHANED, **SHARED, ownerless=said) as look:
        assert finding(look, "devices") == (
            "2 of 3 rows belong to no tenant, as the profile says, which accepts at most 1",
            (f"id={DEVICE}2", f"id={DEVICE}3"),
        )


def test_only_rows_that_the_condition_returns_may_have_no_owner(tenancy: SmallTenancy, tmp_path: Path) -> None:
    (tmp_path / "spare.sql").write_text(f"SELECT id FROM public.devices WHERE id = '{DEVICE}3'")
    said = {"devices": {"condition": "spare.sql", "reason": REASON}}
    with tenancy.look("", tmp_path, **SHARED, ownerless=said) as look:
        assert finding(look, "devices") == (f"1 of 3 rows belong to no tenant, as the profile says: {REASON}", ())
    with tenancy.look(ORPHANED, tmp_path, **SHARED, ownerless=said) as look:
        message, keys = finding(look, "devices")
        assert message == (
            "1 of 3 rows belong to no tenant and are not among those that may, or to one that is not there"
        )
        assert keys == (f"id={DEVICE}2",)
    (tmp_path / "spare.sql").write_text("SELECT id FROM devices")
    with tenancy.look("", tmp_path, **SHARED, ownerless=said) as look:
        (problem,) = look.problems
        assert problem.startswith(
            'profile.toml: tenancy.ownerless public.devices: spare.sql: relation "devices" does not exist;'
        )


def test_what_hangs_on_a_row_without_an_owner_is_bound_by_that_row(tenancy: SmallTenancy) -> None:
    parts = f"""CREATE TABLE parts (id int PRIMARY KEY, device uuid REFERENCES devices);
                INSERT INTO parts VALUES (1, '{DEVICE}1'), (2, '{DEVICE}3')"""
    said = {"devices": {"at_most": 1, "reason": REASON}, "parts": {"below": True, "reason": "parts of spare devices"}}
    with tenancy.look(parts, **SHARED, ownerless=said) as look:
        assert finding(look, "parts") == (
            "1 of 2 rows belong to no tenant, as the profile says: parts of spare devices",
            (),
        )
    with tenancy.look(f"{parts}; INSERT INTO parts VALUES (3, NULL)", **SHARED, ownerless=said) as look:
        assert finding(look, "parts")[1] == ("id=3",)


def test_what_a_row_without_an_owner_points_at_is_bound_by_that_row(tenancy: SmallTenancy) -> None:
    places = f"""CREATE TABLE places (id int PRIMARY KEY); INSERT INTO places VALUES (1), (2);
                 ALTER TABLE devices ADD place int REFERENCES places;
                 UPDATE devices SET place = 1 WHERE id = '{DEVICE}1'; UPDATE devices SET place = 2 WHERE id = '{DEVICE}3'"""
    below = {"below": True, "reason": "where spare devices are"}
    said = {"devices": {"at_most": 1, "reason": REASON}, "places": below}
    downward = [{"table": "places", "owner": "devices"}]
    with tenancy.look(places, **SHARED, ownerless=said, downward=downward) as look:
        assert finding(look, "places") == (
            "1 of 2 rows belong to no tenant, as the profile says: where spare devices are",
            (),
        )
    with tenancy.look(f"{places}; INSERT INTO places VALUES (3)", **SHARED, ownerless=said, downward=downward) as look:
        assert finding(look, "places")[1] == ("id=3 tenants=0",)


@pytest.mark.parametrize("said", [REASON, {"reason": REASON}])
def test_rows_without_an_owner_are_never_accepted_without_a_bound(said: object) -> None:
    with pytest.raises(ValidationError, match="any row that loses its owner later would be accepted too"):
        Tenancy.model_validate({"root": "tenants", "ownerless": {"devices": said}})


def test_a_tenant_that_is_not_there_is_no_tenant_even_where_there_may_be_none(tenancy: SmallTenancy) -> None:
    planted = f"""ALTER TABLE devices DROP CONSTRAINT devices_tenant_id_fkey; UPDATE devices SET tenant_id = 9
                  WHERE id = '{DEVICE}2'; ALTER TABLE devices ADD FOREIGN KEY (tenant_id) REFERENCES tenants NOT VALID"""
    with tenancy.look(planted, **SHARED, ownerless={"devices": ACCEPTED}) as look:
        assert finding(look, "devices") == ("1 of 3 rows belong to a tenant that is not there", (f"id={DEVICE}2",))


def test_a_row_that_two_tenants_are_tied_to_is_told_even_where_there_may_be_none(tenancy: SmallTenancy) -> None:
    planted = """CREATE TABLE ties (word int REFERENCES "Words", tenant int REFERENCES tenants);
                 INSERT INTO "Words" VALUES (8), (9); INSERT INTO ties VALUES (7, 1), (7, 1), (8, 1), (8, 2)"""
    said = {"owner_via": SHARED["owner_via"], "many_to_many": [{"table": "Words", "through": "ties"}]}
    with tenancy.look(planted, **said) as look:
        assert finding(look, "Words") == (
            "2 of 3 rows belong to no tenant, or to several",
            ("id=8 tenants=2", "id=9 tenants=0"),
        )
    with tenancy.look(planted, **said, ownerless={"Words": ACCEPTED}) as look:
        assert finding(look, "Words") == (
            "1 of 3 rows belong to a tenant that is not there, or to several",
            ("id=8 tenants=2",),
        )
        assert (
            look.database.examination.note
            == f"1 of 3 rows belong to no tenant, as the profile says: {REASON} (at most 3)"
        )


NOTES = f"""
CREATE TABLE notes (id int PRIMARY KEY, device uuid REFERENCES devices, card int REFERENCES cards,
                    word int REFERENCES "Words");
INSERT INTO notes VALUES (1, '{DEVICE}1', NULL), (2, NULL, 2), (3, '{DEVICE}1', 1), (4, NULL, NULL);
"""


def test_either_of_several_parents_may_own_a_row_and_two_of_different_tenants_do_not(tenancy: SmallTenancy) -> None:
    via = {"spent": "tenant_id", "notes": ["device", "card"]}
    said = SHARED | {"owner_via": via, "ownerless": {"notes": {"at_most": 1, "reason": REASON}}}
    with tenancy.look(NOTES, **said) as look:
        notes = look.ownership.owned[look.table("notes").name]
        assert (
            str(notes).replace("public.", "") == "notes -> whichever it has of devices -> tenants or cards -> tenants"
        )
        owners = (
            f"SELECT r.id, {notes.owner('r').as_string()} AS tenant FROM public.notes r {notes.joins('r').as_string()}"
        )
        rows = look.database.session.execute(f"{owners} ORDER BY 1").fetchall()  # type: ignore[arg-type]
        assert [tuple(row) for row in rows] == [(1, 1), (2, 2), (3, 1), (4, None)]
        assert finding(look, "notes") == (
            f"1 of 4 rows belong to no tenant, as the profile says: {REASON} (at most 1)",
            (),
        )
        profile = Profile.model_validate(tomllib.loads(PROFILE)).model_copy(update={"tenancy": look.tenancy})
        with tenancy.server.connect(look.database.name) as writing:
            planted = replace(look, database=replace(look.database, session=writing))
            a_row_without_an_owner(Planting(planted.database, look.ownership, profile, look.table("notes"), Random(1)))
            (message, _) = finding(planted, "notes")
        assert message == "2 of 4 rows belong to no tenant, as the profile says, which accepts at most 1"
    with tenancy.look(f"{NOTES} INSERT INTO notes VALUES (5, '{DEVICE}1', 2)", **said) as look:
        assert finding(look, "notes") == (
            "1 of 5 rows belong to a tenant that is not there, or to several",
            ("id=5 tenants=2",),
        )
    for columns, planted, why in (
        (
            ["device", "word"],
            NOTES,
            "not every one of the columns device, word of public.notes leads to a table that a",
        ),
        (["device", "id"], NOTES, "the column id of public.notes is in no foreign key"),
        (["device", "card"], NOTES.replace("PRIMARY KEY", ""), "public.notes has no primary key"),
    ):
        with tenancy.look(planted, **SHARED | {"owner_via": via | {"notes": columns}}) as look:
            (problem,) = look.problems
            assert problem.startswith(f"tenancy.owner_via: {why}"), problem


FAULTY = f"""
CREATE TABLE alarms (id int PRIMARY KEY, tenant_id int REFERENCES tenants, device uuid REFERENCES devices,
                     card int REFERENCES cards, earlier int REFERENCES alarms);
INSERT INTO alarms VALUES (1, NULL, NULL, NULL, NULL), (2, NULL, '{DEVICE}3', NULL, 1), (3, NULL, '{DEVICE}1', 1, NULL),
                          (4, NULL, '{DEVICE}1', 2, NULL), (5, 1, '{DEVICE}1', 1, 1), (6, NULL, NULL, NULL, 5);
"""


def test_a_row_without_an_owner_may_have_none_by_another_way_either(tenancy: SmallTenancy) -> None:
    for ownerless, expected in (
        (
            {},
            (
                "1 of 6 rows have no owner by their declared path, and different ones by others",
                ("id=4 other_tenants=2",),
            ),
        ),
        (
            {"alarms": ACCEPTED},
            (
                "3 of 6 rows have no owner by their declared path, and one by another",
                ("id=3 other_tenants=1", "id=4 other_tenants=2", "id=6 other_tenants=1"),
            ),
        ),
    ):
        with tenancy.look(FAULTY, **SHARED, ownerless=ownerless) as look:
            alarms = look.table("alarms")
            ways = other_ways(look.database.facts, look.ownership, look.tenancy)[alarms.name]
            assert [key.columns for key in ways] == [("card",), ("device",), ("earlier",)]
            assert look.said(owned_otherwise(alarms, ways, look.ownership, look.tenancy)) == expected


def test_columns_named_like_the_tenants_are_found_whatever_their_case() -> None:
    schema = facts(
        table("tenants"),
        table("profiles"),
        table("sites", "tenant_id", "sender_id"),
        table("visits", "tenantId", "site_id"),
        table("mails", "sender_id", "receiver_id", "TENANT_ID"),
        table("lines", "tenant_id", "site_id", key=("tenant_id", "no")),
        table("flags", "id_tenant"),
        foreign_keys=(
            points("profiles", "id", "tenants"),
            points("sites", "tenant_id", "tenants"),
            points("sites", "sender_id", "people"),
            points("visits", "site_id", "sites"),
            points("mails", "sender_id", "tenants"),
            points("lines", "tenant_id,site_id", "sites", to="tenant_id,id"),
        ),
    )
    tenancy = Tenancy.model_validate({"root": "tenants", "shared": {"flags": "the same for everyone"}})
    columns = tenant_columns(schema, derive_ownership(schema, tenancy), tenancy)
    assert {str(each).removeprefix("public."): each.held for each in columns} == {
        "sites.tenant_id": True,
        "visits.tenantId": False,
        "mails.TENANT_ID": False,
        "lines.tenant_id": True,
    }
