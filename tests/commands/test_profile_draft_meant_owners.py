"""A draft proposes owners that may be meant: by what a row hangs on, by links to several tenants, by rows of any model."""

from typing import Any

import psycopg

from tests.support.drafts import TENANTS, drafted


def test_rows_that_hang_on_ones_without_an_owner_are_settled_by_what_is_said_of_those(
    database: psycopg.Connection[Any],
) -> None:
    draft = drafted(
        database,
        TENANTS + "CREATE TABLE orders (id int PRIMARY KEY, org int REFERENCES organizations); "
        "CREATE TABLE positions (id int PRIMARY KEY, of_order int NOT NULL REFERENCES orders); "
        "CREATE TABLE notes (id int PRIMARY KEY, of_order int REFERENCES orders); "
        "INSERT INTO orders VALUES (1, 1), (2, NULL); INSERT INTO positions VALUES (1, 1), (2, 2); "
        "INSERT INTO notes VALUES (1, 1), (2, 2), (3, NULL)",
    )
    assert {name.name: each.below for name, each in draft.profile.tenancy.ownerless.items()} == {"positions": True}
    assert "tenancy.ownerless" in draft.profile.unconfirmed
    assert "1 of 2 rows of positions have none: each hangs on one of orders." in draft.prose
    assert "1 of 2 rows of orders have none" in draft.prose, "that is left to a person"
    assert "2 of 3 rows of notes have none" in draft.prose, "as is what hangs on none"


def test_a_few_rows_that_a_link_ties_to_several_tenants_are_counted(database: psycopg.Connection[Any]) -> None:
    """Where hardly any row is one tenant's, the link says who uses it, and not whose it is."""
    draft = drafted(
        database,
        TENANTS + "CREATE TABLE bills (id int PRIMARY KEY); CREATE TABLE tags (id int PRIMARY KEY); "
        "CREATE TABLE org_bills (id serial PRIMARY KEY, org int REFERENCES organizations, bill int REFERENCES bills); "
        "CREATE TABLE org_tags (id serial PRIMARY KEY, org int REFERENCES organizations, tag int REFERENCES tags); "
        "INSERT INTO bills SELECT generate_series(1, 9); INSERT INTO tags SELECT generate_series(1, 9); "
        "INSERT INTO org_bills (org, bill) SELECT 1 + n % 2, n FROM generate_series(1, 9) n; "
        "INSERT INTO org_bills (org, bill) VALUES (1, 3), (2, 3); "
        "INSERT INTO org_tags (org, tag) SELECT o, n FROM generate_series(1, 9) n, generate_series(1, 2) o",
    )
    (tied,) = draft.profile.tenancy.many_to_many
    assert tied.several is not None
    assert (tied.table.name, tied.through.name, tied.several.at_most) == ("bills", "org_bills", 1)
    assert "tenancy.many_to_many.bills" in draft.profile.unconfirmed
    assert "the rows of org_bills tie 8 rows to one tenant, 1 to several." in draft.prose
    assert [name.name for name in draft.profile.tenancy.shared] == ["tags"]


def test_a_table_whose_ids_are_all_found_in_owned_ones_has_their_owners(database: psycopg.Connection[Any]) -> None:
    """By the type that says most plainly which table is meant; one whose ids are found in part is left to a person."""
    draft = drafted(
        database,
        TENANTS + "CREATE TABLE django_content_type (id int PRIMARY KEY, app_label text, model text); "
        "INSERT INTO django_content_type VALUES (1, 'site', 'page'), (2, 'site', 'homepage'), (3, 'site', 'bill'); "
        "CREATE TABLE site_page (id int PRIMARY KEY, org int NOT NULL REFERENCES organizations); "
        "CREATE TABLE site_bill (id int PRIMARY KEY, org int NOT NULL REFERENCES organizations); "
        "CREATE TABLE site_homepage (page_ptr int PRIMARY KEY REFERENCES site_page); "
        "CREATE TABLE versions (id int PRIMARY KEY, content_type_id int REFERENCES django_content_type, "
        "base_type_id int REFERENCES django_content_type, object_id text); "
        "CREATE TABLE marks (id int PRIMARY KEY, content_type_id int REFERENCES django_content_type, object_id int); "
        "INSERT INTO site_page SELECT n, 1 + n % 2 FROM generate_series(101, 120) n; "
        "INSERT INTO site_bill SELECT n, 1 + n % 2 FROM generate_series(201, 220) n; "
        "INSERT INTO site_homepage SELECT n FROM generate_series(101, 110) n; "
        "INSERT INTO versions SELECT n, CASE WHEN n > 110 THEN 1 ELSE 2 END, 1, n::text FROM generate_series(101, 120) n; "
        "INSERT INTO marks SELECT n, 3, n FROM generate_series(201, 225) n",
    )
    (reference,) = draft.profile.tenancy.generic_reference
    assert (reference.table.name, reference.type_column, reference.id_column) == (
        "versions",
        "base_type_id",
        "object_id",
    )
    assert {model: table.name for model, table in reference.models.items()} == {"site.page": "site_page"}
    assert {name.name: columns for name, columns in draft.profile.tenancy.owner_via.items()} == {
        "versions": ("object_id",)
    }
    assert "An owner is found so for 20 of 20 rows." in draft.prose
    assert {"tenancy.owner_via", "tenancy.generic_reference.versions"} <= set(draft.profile.unconfirmed)
    assert "marks" not in {name.name for name in draft.profile.tenancy.shared}
