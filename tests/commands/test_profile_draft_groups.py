"""A draft finds owners through groups of users, and whose a row is that somebody else wrote: by what the rows say."""

from typing import Any

import psycopg
import pytest

from tests.support.drafts import TENANTS, drafted

# Each tenant's group may change its pages and use its folder; the operator's may change the page that is nobody's.
GROUPS = (
    TENANTS + "CREATE TABLE pages (id int PRIMARY KEY, org int REFERENCES organizations); "
    "INSERT INTO pages VALUES (1, 1), (2, 2), (3, NULL); "
    "CREATE TABLE auth_group (id int PRIMARY KEY, name text); INSERT INTO auth_group VALUES (1, 'a'), (2, 'b'), (3, 'c'); "
    "CREATE TABLE page_rights (id serial PRIMARY KEY, of_group int NOT NULL REFERENCES auth_group, "
    "page int NOT NULL REFERENCES pages); INSERT INTO page_rights (of_group, page) VALUES (1, 1), (2, 2), (3, 3); "
    "CREATE TABLE folders (id int PRIMARY KEY, name text); INSERT INTO folders VALUES (1, 'a'), (2, 'b'), (3, 'c'); "
    "CREATE TABLE folder_rights (id serial PRIMARY KEY, of_group int NOT NULL REFERENCES auth_group, "
    "folder int NOT NULL REFERENCES folders); INSERT INTO folder_rights (of_group, folder) VALUES (1, 1), (2, 2), (3, 3), "
    "(3, 3); CREATE TABLE images (id int PRIMARY KEY, folder int NOT NULL REFERENCES folders); "
    "INSERT INTO images VALUES (1, 1), (2, 2); "
    "CREATE TABLE locks (id int PRIMARY KEY, folder int NOT NULL REFERENCES folders); "
    "CREATE TABLE auth_user (id int PRIMARY KEY, password text, last_login timestamptz, is_active bool); "
    "INSERT INTO auth_user SELECT n, 'pbkdf2_sha256$1', now(), true FROM generate_series(1, 3) n; "
    "CREATE TABLE auth_user_groups (id serial PRIMARY KEY, user_id int NOT NULL REFERENCES auth_user, "
    "group_id int NOT NULL REFERENCES auth_group); INSERT INTO auth_user_groups (user_id, group_id) VALUES (1, 1), (2, 2); "
)


def test_a_group_is_the_tenants_whose_rows_alone_it_may_change_and_so_is_what_it_uses(
    database: psycopg.Connection[Any],
) -> None:
    draft = drafted(database, GROUPS)
    tenancy = draft.profile.tenancy
    assert [(each.table.name, each.through.name) for each in tenancy.many_to_many] == [
        ("auth_group", "page_rights"),
        ("folders", "folder_rights"),
    ]
    assert (
        "An owner is found so for 2 of 3 rows. Each of the other 1 hangs on rows that belong to nobody." in draft.prose
    )
    assert [name.name for name in tenancy.shared] == ["auth_user"]
    assert {name.name for name, said in tenancy.ownerless.items() if said.below} == {
        *("auth_group", "page_rights", "folders", "folder_rights"),
        "locks",
    }
    assert "locks is empty here. It accepts none that folders does not." in draft.prose
    assert "#pages = {at_most = 1" in draft.text


@pytest.mark.parametrize(
    "planted",
    [
        "INSERT INTO page_rights (of_group, page) VALUES (1, 2), (2, 1);",
        "INSERT INTO auth_group VALUES (4, 'd'); UPDATE page_rights SET of_group = 4 WHERE of_group = 3;",
        "UPDATE page_rights SET page = 3 WHERE of_group = 1;",
    ],
    ids=["of several tenants", "one that may change nothing", "most may change what is nobody's"],
)
def test_groups_that_are_not_the_tenants_are_shared(planted: str, database: psycopg.Connection[Any]) -> None:
    tenancy = drafted(database, GROUPS + planted).profile.tenancy
    assert not tenancy.many_to_many
    assert "auth_group" in {name.name for name in tenancy.shared}


def test_who_is_in_a_tenants_group_owns_it_where_each_lets_somebody_in(database: psycopg.Connection[Any]) -> None:
    (login,) = drafted(database, GROUPS).profile.tenancy.login
    assert login.members is not None
    assert (login.members.table.name, login.members.user, login.members.tenant) == ("auth_user_groups", "user_id", None)


def test_a_tenant_that_nobody_can_log_in_to_leaves_its_members_to_a_person(
    database: psycopg.Connection[Any],
) -> None:
    draft = drafted(database, GROUPS + "UPDATE auth_user SET is_active = false WHERE id = 2")
    assert not draft.profile.tenancy.login
    assert '#table = "auth_user_groups"' in draft.text


NOTES = (
    "CREATE TABLE customers (id int PRIMARY KEY, name text); INSERT INTO customers SELECT n, n FROM generate_series(1, 9) n; "
    "CREATE TABLE orders (id int PRIMARY KEY, customer int NOT NULL REFERENCES customers); "
    "INSERT INTO orders SELECT n, 1 + n % 8 FROM generate_series(1, 24) n; "
    "CREATE TABLE lines (id int PRIMARY KEY, of_order int NOT NULL REFERENCES orders); "
    "INSERT INTO lines SELECT n, n FROM generate_series(1, 24) n; "
    "CREATE TABLE carts (id int PRIMARY KEY, customer int REFERENCES customers); "
    "CREATE TABLE notes (id int PRIMARY KEY, of_order int NOT NULL REFERENCES orders, writer int REFERENCES customers); "
)


@pytest.mark.parametrize(
    ("written", "via"),
    [
        ("INSERT INTO notes SELECT id, id, 9 FROM orders", ("of_order",)),
        ("INSERT INTO notes SELECT id, id, customer FROM orders", None),
        ("INSERT INTO notes SELECT id, 1 + id % 2, 1 + id % 9 FROM orders", None),
    ],
    ids=["by a clerk", "by whose the order is", "by all, of a few orders"],
)
def test_a_row_that_a_clerk_wrote_is_whose_its_parent_is(
    written: str, via: tuple[str, ...] | None, database: psycopg.Connection[Any]
) -> None:
    tenancy = drafted(database, NOTES + written).profile.tenancy
    assert tenancy.root.name == "customers"
    assert {name.name: columns for name, columns in tenancy.owner_via.items()}.get("notes") == via
