"""A draft tells what refers to what, as far as the schema or the rows prove it, and which references cross tenants."""

from typing import Any

import psycopg

from fixtures.commands.drafting.page import NOTHING_LEFT_TO_PLANT_IN
from tests.support.drafts import TENANTS, drafted


def test_ids_in_json_are_told_by_the_table_that_they_are_called_after(database: psycopg.Connection[Any]) -> None:
    draft = drafted(
        database,
        TENANTS + "CREATE TABLE work_projects (id int PRIMARY KEY, org int NOT NULL REFERENCES organizations); "
        "INSERT INTO work_projects SELECT g, 1 FROM generate_series(1, 9) g; "
        "CREATE TABLE jobs (id int PRIMARY KEY, org int NOT NULL REFERENCES organizations, payload jsonb, note jsonb); "
        "INSERT INTO jobs SELECT g, 1, jsonb_build_object('project_id', g::text, 'organization_id', 70 + g), "
        "'{\"project_id\": {}}' FROM generate_series(1, 9) g",
    )
    (soft,) = draft.profile.tenancy.soft_reference
    assert (soft.table.name, soft.json_path, soft.target.name) == ("jobs", "$.project_id", "work_projects")
    assert "tenancy.soft_reference.jobs" in draft.profile.unconfirmed


def test_an_id_without_a_constraint_gives_the_owner_when_every_one_is_found(database: psycopg.Connection[Any]) -> None:
    draft = drafted(
        database,
        TENANTS + "CREATE TABLE pages (id int PRIMARY KEY, org int REFERENCES organizations); "
        "CREATE TABLE exports (id int PRIMARY KEY, organization_id int); INSERT INTO exports VALUES (1, 1), (2, 2); "
        "CREATE TABLE visits (id int PRIMARY KEY, org int REFERENCES organizations, export_id int); "
        "INSERT INTO visits VALUES (1, 1, 1), (2, 2, NULL)",
    )
    tenancy = draft.profile.tenancy
    assert [each.id for each in tenancy.soft_reference] == [
        "public.exports(organization_id)->public.organizations",
        "public.visits(export_id)->public.exports",
    ]
    assert {str(name): column for name, column in tenancy.owner_via.items()} == {"public.exports": ("organization_id",)}
    assert {"tenancy.owner_via", "tenancy.soft_reference.exports"} <= set(draft.profile.unconfirmed)


def test_a_table_that_is_a_part_of_another_does_not_refer_to_it(database: psycopg.Connection[Any]) -> None:
    draft = drafted(
        database,
        TENANTS
        + "CREATE TABLE events (id int PRIMARY KEY, org int NOT NULL REFERENCES organizations, event_id int); "
        + "CREATE TABLE events_2025 (PRIMARY KEY (id), FOREIGN KEY (org) REFERENCES organizations) INHERITS (events); "
        + "INSERT INTO events_2025 SELECT n, 1, n FROM generate_series(1, 50) n",
    )
    assert draft.profile.tenancy.soft_reference == ()


def test_an_id_that_counts_within_its_tenant_is_looked_for_there(database: psycopg.Connection[Any]) -> None:
    draft = drafted(
        database,
        TENANTS
        + "CREATE TABLE invoices (org int NOT NULL REFERENCES organizations, id int, PRIMARY KEY (org, id)); "
        + "CREATE TABLE letters (org int NOT NULL REFERENCES organizations, id int, invoice_id int, PRIMARY KEY (org, id)); "
        + "CREATE TABLE visits (org int NOT NULL REFERENCES organizations, id int PRIMARY KEY, invoice_id int); "
        + "INSERT INTO invoices SELECT 1, n FROM generate_series(1, 50) n; "
        + "INSERT INTO invoices SELECT 2, n FROM generate_series(40, 90) n; "
        + "INSERT INTO letters SELECT org, id, id FROM invoices; "
        # All of these are found, and most at the other tenant.
        + "INSERT INTO visits SELECT 3 - org, row_number() OVER (), id FROM invoices",
    )
    assert [each.id for each in draft.profile.tenancy.soft_reference] == [
        "public.letters(org,invoice_id)->public.invoices"
    ]
    assert draft.profile.tenancy.soft_reference[0].within == {"org": "org"}


def test_a_row_that_names_itself_refers_to_nothing(database: psycopg.Connection[Any]) -> None:
    draft = drafted(
        database,
        TENANTS
        + "CREATE TABLE events (id int PRIMARY KEY, org int NOT NULL REFERENCES organizations, event_id int, payload jsonb); "
        + "CREATE TABLE notes (id int PRIMARY KEY, org int NOT NULL REFERENCES organizations, note_id int); "
        + "INSERT INTO events SELECT n, 1, n, jsonb_build_object('event_id', n) FROM generate_series(1, 50) n; "
        + "INSERT INTO notes SELECT n, 1, nullif(n, 1) - 1 FROM generate_series(1, 50) n",
    )
    assert [each.id for each in draft.profile.tenancy.soft_reference] == ["public.notes(note_id)->public.notes"]


def test_references_that_cross_are_offered_with_their_count_and_a_condition(
    database: psycopg.Connection[Any],
) -> None:
    draft = drafted(
        database,
        TENANTS
        + "CREATE TABLE people (id int PRIMARY KEY, org int NOT NULL REFERENCES organizations, is_staff boolean, "
        "is_new boolean); "
        "CREATE TABLE items (id int PRIMARY KEY, org int NOT NULL REFERENCES organizations); "
        "CREATE TABLE users (id int PRIMARY KEY, password text, last_login date, chosen int REFERENCES organizations); "
        "CREATE TABLE members (id int PRIMARY KEY, org int NOT NULL REFERENCES organizations, usr int REFERENCES users); "
        "INSERT INTO users VALUES (1, '', NULL, 2), (2, '', NULL, NULL); INSERT INTO members VALUES (1, 1, 1), (2, 2, 1); "
        "CREATE TABLE orders (id int PRIMARY KEY, org int NOT NULL REFERENCES organizations, "
        "agent int REFERENCES people, buyer int REFERENCES people, item_id int); "
        "INSERT INTO people VALUES (1, 1, true, true), (2, 2, false, true), (3, 1, false, true); "
        "INSERT INTO items SELECT n, 1 FROM generate_series(1, 9) n; "
        "INSERT INTO orders SELECT n, 1 + n / 7, CASE WHEN n > 6 THEN 1 ELSE 3 END, CASE WHEN n > 6 THEN 2 ELSE 3 END, n "
        "FROM generate_series(1, 9) n",
    )
    # Members without a role would all be owners: nothing here says so.
    assert draft.profile.tenancy.login == ()
    assert "TEN-15" in draft.profile.exempt
    assert "No role tells who of members owns a tenant. Without one every member does: take it up if so." in draft.prose
    assert "\n#[tenancy.login.members]\n" in draft.text
    assert not draft.profile.tenancy.crossing
    offered = {line.split('"')[1] for line in draft.text.splitlines() if line.startswith("#reference")}
    assert offered == {
        "public.orders(agent)->public.people",
        "public.orders(item_id)->public.items",
        "public.users(chosen)->public.organizations",
    }
    all_of_them = "1 of 1 rows lead to a tenant's, though no tenant owns their own table. Is it meant? If so, say why."
    assert f"{all_of_them} {NOTHING_LEFT_TO_PLANT_IN}" in draft.prose
    assert draft.prose.count(NOTHING_LEFT_TO_PLANT_IN) == 1
    assert "3 of 9 rows lead to another tenant's. Is it meant? If so, say why." in draft.prose
    assert "3 of 9 ids lead to another tenant's." in draft.prose
    condition = (
        'SELECT "r"."id" FROM "public"."orders" r JOIN "public"."people" p ON "r"."agent" = "p"."id" WHERE "p"."'
    )
    assert f"A condition that holds for all of them, and for 0 of 6 others: {condition}is_staff" in draft.prose
    assert 'WHERE "p"."is_new"' not in draft.prose
    assert "#at_most = 3" in draft.text
