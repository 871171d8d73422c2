"""Who owns a table is derived from its foreign keys: the way to the tenant, and the references that could leave it."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from fixtures.ownership import Ownership, derive_ownership
from fixtures.profile.tenancy import Tenancy
from fixtures.record.facts import Facts
from fixtures.record.names import TableName
from tests.support.catalogues import facts, points, table

TENANTS = table("tenants")


def owned(schema: Facts, **tenancy: object) -> Ownership:
    return derive_ownership(schema, Tenancy.model_validate({"root": "tenants", **tenancy}))


def way(ownership: Ownership, name: str) -> str:
    return str(ownership.owned[TableName.parse(name)]).replace("public.", "")


def test_a_table_is_owned_through_as_few_parents_as_there_can_be() -> None:
    schema = facts(
        TENANTS,
        table("sites", "tenant_id"),
        table("sectors", "site_id"),
        table("content", "sector_id"),
        table("images", "content_id", "site_id"),
        foreign_keys=(
            points("sites", "tenant_id", "tenants"),
            points("sectors", "site_id", "sites"),
            points("content", "sector_id", "sectors"),
            points("images", "content_id", "content"),
            points("images", "site_id", "sites"),
        ),
    )
    assert way(owned(schema), "tenants") == "tenants"
    assert way(owned(schema), "content") == "content -> sectors -> sites -> tenants"
    assert way(owned(schema), "images") == "images -> sites -> tenants"
    assert way(owned(schema, owner_via={"images": "content_id"}), "images").startswith("images -> content -> ")


def test_a_way_that_may_be_empty_is_taken_only_when_there_is_no_other_of_its_length() -> None:
    schema = facts(
        TENANTS,
        table("sites", "tenant_id?"),
        table("tasks", "a_site_id?", "b_site_id"),
        foreign_keys=(
            points("sites", "tenant_id", "tenants"),
            points("tasks", "a_site_id", "sites"),
            points("tasks", "b_site_id", "sites"),
        ),
    )
    ownership = owned(schema)
    assert ownership.owned[TableName("public", "tasks")].steps[0].columns == ("b_site_id",)
    assert way(ownership, "sites") == "sites -> tenants"
    assert ownership.ways[TableName("public", "tasks")].why == (
        "foreign keys, by b_site_id: the first of 2 ways of as many steps"
    )


def test_of_several_columns_that_point_at_the_tenant_none_is_guessed() -> None:
    schema = facts(
        TENANTS,
        table("messages", "sender_id", "receiver_id", "thread_id"),
        table("threads", "tenant_id"),
        foreign_keys=(
            points("threads", "tenant_id", "tenants"),
            points("messages", "sender_id", "tenants"),
            points("messages", "receiver_id", "tenants"),
            points("messages", "thread_id", "threads"),
        ),
    )
    messages = TableName("public", "messages")
    assert owned(schema).undecided == {
        messages: "several of its columns point at the tenant root (receiver_id, sender_id), and nothing says which of "
        "them owns the row: name it in [tenancy.owner_via]"
    }
    ownership = owned(schema, owner_via={"messages": "sender_id"})
    assert ownership.owned[messages].steps[0].columns == ("sender_id",)
    assert [key.columns for key in ownership.references(schema)] == [("receiver_id",), ("thread_id",)]


def test_tables_that_only_lead_to_each_other_to_themselves_or_to_shared_ones_are_undecided() -> None:
    schema = facts(
        TENANTS,
        table("users", "tenant_id?"),
        table("chickens", "egg_id"),
        table("eggs", "chicken_id"),
        table("trees", "parent_id?"),
        table("badges", "user_id"),
        foreign_keys=(
            points("users", "tenant_id", "tenants"),
            points("chickens", "egg_id", "eggs"),
            points("eggs", "chicken_id", "chickens"),
            points("trees", "parent_id", "trees"),
            points("badges", "user_id", "users"),
        ),
    )
    ownership = owned(schema, shared={"users": "a person may belong to several"})
    assert [name.name for name in ownership.undecided] == ["badges", "chickens", "eggs", "trees"]
    assert list(ownership.owned) == [TENANTS.name]


def test_a_partition_is_judged_with_its_parent() -> None:
    schema = facts(
        TENANTS,
        table("events", "tenant_id"),
        table("events_2026", "tenant_id", partition=True),
        foreign_keys=(points("events", "tenant_id", "tenants"),),
    )
    assert not owned(schema).undecided


def test_every_reference_between_owned_tables_is_tried_but_the_one_that_decides_the_owner() -> None:
    schema = facts(
        table("tenants", "main_site_id?"),
        table("sites", "tenant_id", "parent_id?"),
        table("users"),
        table("notes", "tenant_id", "site_id?", "author_id"),
        foreign_keys=(
            points("tenants", "main_site_id", "sites"),
            points("sites", "tenant_id", "tenants"),
            points("sites", "parent_id", "sites"),
            points("notes", "tenant_id", "tenants"),
            points("notes", "site_id", "sites"),
            points("notes", "author_id", "users"),
        ),
    )
    ownership = owned(schema, shared={"users": "people belong to nobody"})
    assert [key.id.replace("public.", "") for key in ownership.references(schema)] == [
        "tenants(main_site_id)->sites",
        "sites(parent_id)->sites",
        "notes(site_id)->sites",
    ]


@pytest.mark.parametrize("key", [("region", "no"), ()])
def test_a_root_that_no_single_column_tells_apart_is_refused(key: tuple[str, ...]) -> None:
    """By its region alone every tenant of one region would be the same, and no leak between them would show."""
    root = table("tenants", "region", "no", key=key) if not key else table("tenants", key=key)
    schema = facts(
        root,
        table("sites", "region", "no"),
        foreign_keys=(points("sites", "region,no", "tenants", "region,no"),) if key else (),
    )
    (problem,) = derive_ownership(schema, Tenancy.model_validate({"root": "tenants"})).unworkable
    assert problem.startswith("tenancy.root: public.tenants has ")
    assert ("a primary key of 2 columns (region, no)" if key else "no primary key") in problem
    unique = points("notes", "tenant", "tenants", "code")
    also = facts(table("tenants", "code", key=("region", "no")), table("notes", "tenant"), foreign_keys=(unique,))
    assert list(derive_ownership(also, Tenancy.model_validate({"root": "tenants"})).unworkable) == []
    assert derive_ownership(also, Tenancy.model_validate({"root": "tenants"})).root.root_key == "code"


def test_a_composite_key_is_joined_by_every_column_and_mixed_case_is_quoted() -> None:
    schema = facts(
        table("tenants", key=("code", "region")),
        table('Odd."Orders"', "tenantId", "region", key=("no",)),
        table("lines", "orderNo", "orderRegion"),
        foreign_keys=(
            points('Odd."Orders"', "region,tenantId", "tenants", to="region,code"),
            points("lines", "orderRegion,orderNo", 'Odd."Orders"', to="region,no"),
        ),
    )
    assert schema.table(TableName("Odd", "Orders")) is not None
    path = owned(schema).owned[TableName("public", "lines")]
    assert path.root_key == "code"
    assert path.joins("r").as_string() == (
        'LEFT JOIN "Odd"."Orders" "r_1" ON "r"."orderRegion" = "r_1"."region" AND "r"."orderNo" = "r_1"."no"'
    )
    assert path.owner("r").as_string() == '"r_1"."tenantId"'


def test_the_owner_of_a_row_of_the_root_is_its_own_key_and_of_a_child_its_column() -> None:
    schema = facts(TENANTS, table("sites", "tenant_id"), foreign_keys=(points("sites", "tenant_id", "tenants"),))
    ownership = owned(schema)
    assert ownership.owned[TENANTS.name].owner("r").as_string() == '"r"."id"'
    site = ownership.owned[TableName("public", "sites")]
    assert (site.owner("r").as_string(), site.joins("r").as_string()) == ('"r"."tenant_id"', "")


def test_a_root_that_is_not_there_is_an_error() -> None:
    with pytest.raises(KeyError, match=r"public\.tenants"):
        owned(facts(table("sites")))


UNWORKABLE: dict[str, tuple[dict[str, object], str]] = {
    "a column that leads nowhere": (
        {"owner_via": {"words": "language_id"}},
        "tenancy.owner_via: the column language_id of public.words leads to no table that a tenant owns",
    ),
    "a column without a foreign key": (
        {"owner_via": {"words": "tenant"}},
        "tenancy.owner_via: the column tenant of public.words is in no foreign key: name one that is, or declare a "
        "[[tenancy.soft_reference]] on it",
    ),
    "an owner that does not point": (
        {"downward": [{"table": "words", "owner": "tenants"}]},
        "tenancy.downward: public.tenants must point at public.words by the columns that are named here; of such "
        "references it has none",
    ),
    "an owner that points twice": (
        {"downward": [{"table": "languages", "owner": "words"}]},
        "tenancy.downward: public.words must point at public.languages by the columns that are named here; of such "
        "references it has (language_id); (other_id)",
    ),
    "a table between that leads to no tenant": (
        {"many_to_many": [{"table": "languages", "through": "words", "columns": ["other_id"]}]},
        "tenancy.many_to_many: public.words has no owner itself: it needs a foreign key that leads to the tenant root",
    ),
    "a path below nobody's": (
        {"path_string": [{"table": "words", "column": "p", "separator": "/", "owner": "languages", "owner_path": "p"}]},
        "tenancy.path_string: public.languages has no owner itself, so it can give public.words none",
    ),
    "a query about rows without a key": (
        {"owner_query": {"keyless": {"file": "owners/keyless.sql", "text": "SELECT 1"}}},
        "tenancy.owner_query: public.keyless has no primary key, so owners/keyless.sql cannot say which row it speaks of",
    ),
}


@pytest.mark.parametrize("what", UNWORKABLE)
def test_a_declaration_that_cannot_work_is_told_with_what_it_lacks(what: str) -> None:
    said, problem = UNWORKABLE[what]
    schema = facts(
        TENANTS,
        table("languages", "p"),
        table("words", "language_id", "other_id", "tenant", "p"),
        table("keyless", key=()),
        foreign_keys=(
            points("words", "language_id", "languages"),
            points("words", "other_id", "languages"),
        ),
    )
    assert list(derive_ownership(schema, Tenancy.model_validate({"root": "tenants", **said})).unworkable) == [problem]


@pytest.mark.parametrize(
    ("said", "refusal"),
    [
        (
            {"shared": {"words": "for everyone"}, "owner_via": {"words": "x"}},
            "public.words is said to be owned in two ways",
        ),
        (
            {"downward": [{"table": "words", "owner": "tenants"}], "owner_via": {"words": "x"}},
            "public.words is said to be owned in two ways, or owned and shared; keep the one that holds",
        ),
        (
            {"shared": {"tenants": "for everyone"}},
            "public.tenants is said to be owned in two ways, or owned and shared",
        ),
        (
            {"shared": {"words": "for everyone"}, "ownerless": {"words": {"at_most": 1, "reason": "for everyone"}}},
            "public.words is shared, so none of its rows has an owner: take it out of ownerless",
        ),
        (
            {"path_string": [{"table": "a", "column": "p", "separator": "/", "owner": "b"}]},
            "say where the owner's path stands: owner_path (its column), or owner_row (its reference)",
        ),
        (
            {"path_string": [{"table": "a", "column": "p", "owner": "b", "owner_path": "p"}]},
            "separator\n  Field required",
        ),
        ({"owner_query": {"a": "../a.sql"}}, "'../a.sql' is no file in the profile's own folder"),
        ({"owner_query": {"a": "a.sql"}}, "a.sql cannot be read"),
        ({"crossing": [{"reference": "a", "reason": "it is meant", "at_most": 1}] * 2}, "crossing: a is excused twice"),
    ],
)
def test_a_profile_that_contradicts_itself_is_refused(said: dict[str, object], refusal: str, tmp_path: Path) -> None:
    with pytest.raises(ValidationError) as error:
        Tenancy.model_validate({"root": "tenants", **said}, context={"folder": tmp_path})
    assert refusal in str(error.value)
