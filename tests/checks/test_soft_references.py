"""Ids that no constraint holds are followed: in a column, in an array, in JSON; and none is lost sight of."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.checks.tenancy.generic_references import generic_strays
from fixtures.checks.tenancy.references import excused
from fixtures.checks.tenancy.soft_references import soft_strays
from fixtures.profile.references import SoftReference
from tests.support.small_tenancy import Look, SmallTenancy, small_tenancy

VIA = {"spent": "tenant_id"}
DEVICE = "a0000000-0000-0000-0000-00000000000"


@pytest.fixture(scope="module")
def tenancy() -> Iterator[SmallTenancy]:
    with small_tenancy() as ready:
        yield ready


def said(look: Look) -> tuple[str, tuple[str, ...]]:
    (reference,) = look.tenancy.soft_reference
    return look.said(soft_strays(reference, look.database.facts, look.ownership))


def soft(column: str, target: str, **more: object) -> dict[str, object]:
    return {"owner_via": VIA, "soft_reference": [{"table": "spent", "column": column, "target": target} | more]}


def test_an_array_holds_several_ids(tenancy: SmallTenancy) -> None:
    planted = """UPDATE spent SET ids = '{1}' WHERE "cardNo" = 1; UPDATE spent SET ids = '{2,3,NULL}' WHERE turn = 2;
                 UPDATE spent SET ids = '{2,1}' WHERE "cardNo" = 3"""
    with tenancy.look(planted, **soft("ids", "cards")) as look:
        message = "1 of 5 ids refer to another tenant's row of public.cards, or none that is there"
        assert said(look) == (message, ("cardNo=3 turn=1 tenant=2 other_tenant=1",))


def test_json_is_looked_into_as_far_as_the_path_leads(tenancy: SmallTenancy) -> None:
    planted = f"""
    UPDATE spent SET note = '{{"seen": [{{"on": "{DEVICE[:-1].upper()}01"}}, {{"on": null}}, {{}}]}}' WHERE "cardNo" = 1;
    UPDATE spent SET note = '{{"seen": [{{"on": "{DEVICE}3"}}, {{"on": "{DEVICE}1"}}, {{"on": 9}}]}}' WHERE turn = 2;
    """
    with tenancy.look(planted, **soft("note", "devices", json_path="$.seen[*].on")) as look:
        assert look.problems == ()
        assert said(look) == (
            "2 of 4 ids refer to another tenant's row of public.devices, or none that is there",
            ("cardNo=2 turn=2 tenant=2 other_tenant=1", "cardNo=2 turn=2 tenant=2 other_tenant=None"),
        )


def test_what_everybody_shares_need_only_be_there(tenancy: SmallTenancy) -> None:
    words = {"shared": {"Words": "the same for everyone"}}
    planted = "UPDATE spent SET ids = '{7}' WHERE turn = 1; UPDATE spent SET ids = '{8}' WHERE turn = 2"
    with tenancy.look(planted, **words, **soft("ids", "Words")) as look:
        assert said(look)[1] == ("cardNo=2 turn=2 tenant=2 other_tenant=None",)


def test_an_id_may_outlive_the_row_that_it_means_and_not_mean_another_tenants(tenancy: SmallTenancy) -> None:
    reason = "a card that ran out is deleted"
    for ids, finding in (
        ("{9}", (f"1 of 1 ids mean a row that is gone, as the profile says: {reason} (at most 1)", ())),
        (
            "{9,1}",
            ("1 of 2 ids refer to another tenant's row of public.cards", ("cardNo=3 turn=1 tenant=2 other_tenant=1",)),
        ),
    ):
        planted = f"""UPDATE spent SET ids = NULL; UPDATE spent SET ids = '{ids}' WHERE "cardNo" = 3"""
        with tenancy.look(planted, **soft("ids", "cards", outlives={"at_most": 1, "reason": reason})) as look:
            assert said(look) == finding


def test_rows_beyond_those_that_may_outlive_their_target_are_told(tenancy: SmallTenancy, tmp_path: Path) -> None:
    """By a number, and by a condition; a crossing of the same reference takes neither away."""
    planted = """UPDATE spent SET ids = NULL; UPDATE spent SET ids = '{9}' WHERE "cardNo" IN (2, 3) AND turn = 1"""
    reason = "a card that ran out is deleted"
    (tmp_path / "gone.sql").write_text('SELECT s."cardNo", s.turn FROM public.spent s WHERE s."cardNo" = 3')
    beyond = "2 of 2 ids mean a row that is gone, as the profile says, which accepts at most 1"
    both = ("cardNo=2 turn=1", "cardNo=3 turn=1")
    for outlives, finding in (
        ({"at_most": 2}, (f"2 of 2 ids mean a row that is gone, as the profile says: {reason} (at most 2)", ())),
        ({"at_most": 1}, (beyond, both)),
        (
            {"condition": "gone.sql"},
            (
                "1 of 2 ids refer to another tenant's row of public.cards, or none that is there and are not among those "
                "that may",
                ("cardNo=2 turn=1 tenant=2 other_tenant=None",),
            ),
        ),
    ):
        excepted = {"outlives": {**outlives, "reason": reason}}
        with tenancy.look(planted, tmp_path, **soft("ids", "cards", **excepted)) as look:
            assert look.problems == ()
            assert said(look) == finding
    crossing = {"reference": "public.spent(ids)->public.cards", "reason": "gift cards of others are seen", "at_most": 1}
    with tenancy.look(
        planted, **soft("ids", "cards", outlives={"at_most": 1, "reason": reason}), crossing=[crossing]
    ) as look:
        (reference,) = look.tenancy.soft_reference
        probe = soft_strays(reference, look.database.facts, look.ownership)
        excused_of = excused(probe, look.tenancy.crossing_of(reference.id), look.table("spent"))
        assert look.said(excused_of) == (beyond, both)
        assert {each.what: each.count for each in look.database.examination.excepted} == {"outlives": 2, "crossing": 0}


CONTENT_TYPES = """
    CREATE TABLE django_content_type (id int PRIMARY KEY, app_label text, model text);
    INSERT INTO django_content_type VALUES (1, 'shop', 'card'), (2, 'shop', 'word');
    CREATE TABLE log (id int PRIMARY KEY, tenant_id int REFERENCES tenants, kind int, object_id text);
    INSERT INTO log VALUES (1, 1, 1, '1'), (2, 1, 1, '9'), (3, 2, 1, '8'), (4, 2, 1, NULL), (5, 2, 2, '5');
"""


def test_rows_of_a_log_beyond_those_that_may_outlive_what_they_tell_of_are_told(tenancy: SmallTenancy) -> None:
    """As a CMS keeps them: by content type and text, of pages and snippets that were deleted since."""
    log = {"table": "log", "type_column": "kind", "id_column": "object_id"}
    models = {"shop.card": "public.cards", "shop.word": "public.Words"}
    reason = "the log outlives what it tells of"
    gone = "3 of 4 rows point at a row that is gone, as the profile says"
    for bound, finding in (
        (3, (f"{gone}: {reason} (at most 3)", ())),
        (2, (f"{gone}, which accepts at most 2", ("id=2", "id=3", "id=5"))),
    ):
        reference = log | {"models": models, "outlives": {"at_most": bound, "reason": reason}}
        shared = {"Words": "the same for everyone"}
        with tenancy.look(CONTENT_TYPES, owner_via=VIA, shared=shared, generic_reference=[reference]) as look:
            (generic,) = look.tenancy.generic_reference
            assert look.said(generic_strays(generic, look.database.facts, look.ownership)) == finding
            (excepted,) = look.database.examination.excepted
            assert (excepted.what, excepted.count, excepted.at_most) == ("outlives", 3, bound)


def test_a_condition_of_rows_that_outlive_is_tried_before_it_is_relied_on(
    tenancy: SmallTenancy, tmp_path: Path
) -> None:
    (tmp_path / "gone.sql").write_text("SELECT 1 AS nothing")
    excepted = {"outlives": {"condition": "gone.sql", "reason": "a card that ran out is deleted"}}
    with tenancy.look("", tmp_path, **soft("ids", "cards", **excepted)) as look:
        (problem,) = look.problems
        assert problem.startswith("profile.toml: tenancy.soft_reference.outlives: gone.sql: ")


def test_a_path_that_is_none_is_a_fault_of_the_profile(tenancy: SmallTenancy) -> None:
    with tenancy.look("", **soft("note", "devices", json_path="seen[")) as look:
        (problem,) = look.problems
        assert problem.startswith("profile.toml: tenancy.soft_reference: public.spent(note seen[)->public.devices: ")
        assert problem.endswith("; write an SQL/JSON path, as $.site.id or $.ids[*]")


def test_a_reference_without_a_constraint_may_give_the_owner(tenancy: SmallTenancy) -> None:
    planted = "CREATE TABLE logs (id int PRIMARY KEY, tenant int); INSERT INTO logs VALUES (1, 1), (2, 9), (3, NULL)"
    reference = {"table": "logs", "column": "tenant", "target": "tenants"}
    with tenancy.look(planted, owner_via={"logs": "tenant"}, soft_reference=[reference]) as look:
        assert look.problems == ()
        assert str(look.ownership.owned[look.table("logs").name]) == "public.logs -> public.tenants"
        assert said(look)[1] == ("id=2 tenant=9 other_tenant=None",)
    with tenancy.look(planted, owner_via={"logs": "tenant"}) as look:
        assert look.problems == (
            "tenancy.owner_via: the column tenant of public.logs is in no foreign key: name one that is, or declare a "
            "[[tenancy.soft_reference]] on it",
        )


def test_what_means_no_row_is_no_crossing(tenancy: SmallTenancy) -> None:
    planted = """UPDATE spent SET ids = '{2}' WHERE "cardNo" = 1; UPDATE spent SET ids = '{99}' WHERE turn = 2"""
    crossing = {"reference": "public.spent(ids)->public.cards", "reason": "gift cards of others are seen", "at_most": 1}
    with tenancy.look(planted, **soft("ids", "cards"), crossing=[crossing]) as look:
        (reference,) = look.tenancy.soft_reference
        probe = soft_strays(reference, look.database.facts, look.ownership)
        finding = look.said(excused(probe, look.tenancy.crossing_of(reference.id), look.table("spent")))
        assert finding[1] == ("cardNo=2 turn=2 tenant=2 other_tenant=None",)
        note = look.database.examination.note
        assert (
            note
            == "1 of 2 ids reference another tenant, as the profile says: gift cards of others are seen (at most 1)"
        )


# Each tenant counts its own orders, as it does where (tenant, number) is the key.
ORDERS = """
CREATE TABLE orders (tenant_id int REFERENCES tenants, id int, PRIMARY KEY (tenant_id, id));
CREATE TABLE parcels (id int PRIMARY KEY, tenant int REFERENCES tenants, order_id int, ids int[], what int, of text);
INSERT INTO orders VALUES (1, 1), (1, 2), (2, 1), (2, 3);
INSERT INTO parcels VALUES (1, 1, 1, '{1,2}'), (2, 1, 3, '{3}'), (3, 2, 1, '{1}'), (4, 2, NULL, NULL), (5, NULL, 1, NULL);
"""
WITHIN = {"within": {"tenant": "tenant_id"}}


@pytest.mark.parametrize(
    ("column", "finding"),
    [
        ("order_id", ("2 of 4 ids", ("id=2 tenant=1 other_tenant=None", "id=5 tenant=None other_tenant=None"))),
        ("ids", ("1 of 4 ids", ("id=2 tenant=1 other_tenant=None",))),
    ],
)
def test_an_id_that_counts_within_its_tenant_means_that_tenants_row(
    tenancy: SmallTenancy, column: str, finding: tuple[str, tuple[str, ...]]
) -> None:
    reference = {"table": "parcels", "column": column, "target": "orders", **WITHIN}
    with tenancy.look(ORDERS, owner_via=VIA, soft_reference=[reference]) as look:
        (said_of,) = look.tenancy.soft_reference
        assert said_of.id == f"public.parcels(tenant,{column})->public.orders"
        message, keys = said(look)
        assert (message.split(" refer")[0], keys) == finding


def test_an_id_and_its_tenant_give_the_owner_where_nothing_else_does(tenancy: SmallTenancy) -> None:
    planted = ORDERS + "ALTER TABLE parcels DROP CONSTRAINT parcels_tenant_fkey"
    reference = {"table": "parcels", "column": "order_id", "target": "orders", **WITHIN}
    with tenancy.look(planted, owner_via={**VIA, "parcels": "order_id"}, soft_reference=[reference]) as look:
        assert look.problems == ()
        assert (
            str(look.ownership.owned[look.table("parcels").name]) == "public.parcels -> public.orders -> public.tenants"
        )
        assert said(look)[1] == ("id=2 tenant=None other_tenant=None", "id=5 tenant=None other_tenant=None")


def test_a_content_type_and_an_id_that_counts_within_its_tenant_mean_that_tenants_row(tenancy: SmallTenancy) -> None:
    planted = f"""{ORDERS}{CONTENT_TYPES.split("CREATE TABLE log")[0]}
        INSERT INTO django_content_type VALUES (3, 'shop', 'order');
        UPDATE parcels SET what = 3, of = order_id WHERE order_id IS NOT NULL;
        UPDATE parcels SET what = 1, of = '2' WHERE id = 4"""
    reference = {"table": "parcels", "type_column": "what", "id_column": "of", **WITHIN}
    models = {"shop.card": "public.cards", "shop.order": "public.orders"}
    for outlives in ({}, {"outlives": {"at_most": 2, "reason": "a parcel outlives its order"}}):
        generic = {**reference, "models": models, **outlives}
        with tenancy.look(planted, owner_via=VIA, generic_reference=[generic]) as look:
            message, keys = look.said(
                generic_strays(look.tenancy.generic_reference[0], look.database.facts, look.ownership)
            )
            gone = ("id=2 tenant=1 other_tenant=None", "id=5 tenant=None other_tenant=None")
            assert keys == (() if outlives else gone)
            assert message.startswith("2 of 5 rows point")
    with tenancy.look(planted, owner_via={**VIA, "parcels": "of"}, generic_reference=[generic]) as look:
        problem = "of of public.parcels tells no owner by keys of several columns: name another column"
        assert look.problems == (f"tenancy.owner_via: {problem}",)


def test_its_name_says_where_it_stands() -> None:
    reference = SoftReference.model_validate({"table": "a", "column": "b", "json_path": "$.c", "target": "d"})
    assert reference.id == "public.a(b $.c)->public.d"


GENERIC = """
CREATE TABLE django_content_type (id int PRIMARY KEY, app_label text, model text);
CREATE TABLE tells (id int PRIMARY KEY, tenant_id int REFERENCES tenants, what int REFERENCES django_content_type, of text);
INSERT INTO django_content_type VALUES (1, 'shop', 'card'), (2, 'shop', 'cup');
INSERT INTO tells VALUES (1, 1, 1, '1'), (2, 2, 1, '3'), (3, 1, 1, '99');
"""


@pytest.mark.parametrize("outlives", [{}, {"outlives": {"at_most": 1, "reason": "the log outlives what it tells of"}}])
def test_a_generic_reference_may_outlive_its_row_and_never_mean_another_tenants(
    tenancy: SmallTenancy, outlives: dict[str, object]
) -> None:
    said = {"table": "tells", "type_column": "what", "id_column": "of", "models": {"shop.card": "cards"}, **outlives}
    with tenancy.look(GENERIC, generic_reference=[said]) as look:
        probe = generic_strays(look.tenancy.generic_reference[0], look.database.facts, look.ownership)
        message, keys = look.said(probe)
        if outlives:
            assert (
                message
                == "1 of 3 rows point at a row that is gone, as the profile says: the log outlives what it tells of "
                "(at most 1)"
            )
        else:
            assert (message.split(" ")[0], keys) == ("1", ("id=3 tenant=1 other_tenant=None",))
    with tenancy.look(GENERIC + "UPDATE tells SET of = '2' WHERE id = 1", generic_reference=[said]) as look:
        probe = generic_strays(look.tenancy.generic_reference[0], look.database.facts, look.ownership)
        assert look.said(probe)[1][0] == "id=1 tenant=1 other_tenant=2"
    with tenancy.look(GENERIC + "UPDATE tells SET what = 2 WHERE id = 1", generic_reference=[said]) as look:
        probe = generic_strays(look.tenancy.generic_reference[0], look.database.facts, look.ownership)
        assert look.said(probe)[1][0] == "id=1 tenant=1 other_tenant=None", "a model that the profile lacks"
