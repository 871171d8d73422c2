"""A draft tells whose the rows of a table are, as far as the schema or its rows prove it."""

import tomllib
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from fixtures.commands.drafting.page import NOTHING_LEFT_TO_PLANT_IN
from fixtures.database.catalogue import take_structure
from fixtures.ownership import derive_ownership
from fixtures.profile.tenancy import Tenancy
from fixtures.record.names import TableName
from tests.support.drafts import TENANTS, drafted


def test_sender_and_receiver_are_told_with_how_often_they_differ(database: psycopg.Connection[Any]) -> None:
    draft = drafted(
        database,
        TENANTS + "CREATE TABLE transfers (id int PRIMARY KEY, sender int NOT NULL REFERENCES organizations, "
        "receiver int REFERENCES organizations); INSERT INTO transfers VALUES (1, 1, 2), (2, 1, 1), (3, 2, NULL)",
    )
    assert {str(name): column for name, column in draft.profile.tenancy.owner_via.items()} == {
        "public.transfers": ("sender",)
    }
    assert "sender is never empty; receiver names another tenant in 1 rows" in draft.prose
    assert "tenancy.owner_via" in draft.profile.unconfirmed


def test_rows_without_an_owner_are_offered_since_a_wrong_guess_would_hide_orphans(
    database: psycopg.Connection[Any],
) -> None:
    draft = drafted(
        database,
        TENANTS + "CREATE TABLE pages (id int PRIMARY KEY, org int REFERENCES organizations); "
        "INSERT INTO pages VALUES (1, 1), (2, NULL); "
        "CREATE TABLE drawers (id int PRIMARY KEY, org int REFERENCES organizations); INSERT INTO drawers VALUES (1, NULL)",
    )
    assert "1 of 2 rows of pages have none (pages -> organizations)." in draft.prose
    assert f"1 of 1 rows of drawers have none (drawers -> organizations). {NOTHING_LEFT_TO_PLANT_IN}" in draft.prose
    assert draft.prose.count(NOTHING_LEFT_TO_PLANT_IN) == 1
    assert not draft.profile.tenancy.ownerless
    assert "tenancy.ownerless" not in draft.profile.unconfirmed


def test_a_table_that_nothing_speaks_for_is_left_for_a_person(database: psycopg.Connection[Any]) -> None:
    draft = drafted(
        database,
        TENANTS + "CREATE TABLE pages (id int PRIMARY KEY, org int REFERENCES organizations); "
        "CREATE TABLE exports (id int PRIMARY KEY, organization_id int); INSERT INTO exports VALUES (1, 1), (2, 7)",
    )
    assert not draft.profile.tenancy.shared
    assert (
        "organization_id is called like a tenant's, and no foreign key holds it; 1 of its rows name a tenant"
        in draft.prose
    )
    assert '#exports = "why it belongs to no tenant"' in draft.prose


def test_hostile_names_are_quoted_and_end_no_comment(database: psycopg.Connection[Any]) -> None:
    draft = drafted(
        database,
        'CREATE SCHEMA "a.b"; CREATE TABLE "a.b"."Ten""ant\n[x]" (id int PRIMARY KEY); '
        'CREATE TABLE "a.b"."my pages" (id int PRIMARY KEY, "the ""tenant""" int REFERENCES "a.b"."Ten""ant\n[x]", '
        '"net ""price""\n" numeric); INSERT INTO "a.b"."Ten""ant\n[x]" VALUES (1)',
    )
    profile = draft.profile
    assert profile.tenancy.root.schema == "a.b"
    assert profile.tenancy.root.name == 'Ten"ant\n[x]'
    assert profile.money[0].columns == ('net "price"\n',)


def test_a_row_that_its_owner_points_at_is_owned_downward(database: psycopg.Connection[Any]) -> None:
    draft = drafted(
        database,
        "CREATE TABLE customers (id int PRIMARY KEY, note text); CREATE TABLE currencies (id int PRIMARY KEY); "
        "CREATE TABLE organizations (id int PRIMARY KEY, customer int UNIQUE REFERENCES customers, "
        "currency int REFERENCES currencies); INSERT INTO currencies VALUES (1), (2); "
        "INSERT INTO customers VALUES (1), (2), (3); INSERT INTO organizations VALUES (1, 1, 1), (2, 2, 1), (3, 3, 2); "
        "CREATE TABLE pages (id int PRIMARY KEY, org int REFERENCES organizations)",
    )
    (downward,) = draft.profile.tenancy.downward
    assert (downward.table.name, downward.owner.name, downward.columns) == ("customers", "organizations", ())
    assert "An owner is found so for 3 of 3 rows." in draft.prose
    assert [name.name for name in draft.profile.tenancy.shared] == ["currencies"]


def test_rows_that_a_link_ties_to_one_tenant_each_are_owned_through_it(database: psycopg.Connection[Any]) -> None:
    draft = drafted(
        database,
        TENANTS + "CREATE TABLE assets (id int PRIMARY KEY, name text); CREATE TABLE tags (id int PRIMARY KEY); "
        "CREATE TABLE org_assets (id int PRIMARY KEY, org int REFERENCES organizations, asset int REFERENCES assets); "
        "CREATE TABLE org_tags (id int PRIMARY KEY, org int REFERENCES organizations, tag int REFERENCES tags); "
        "INSERT INTO assets VALUES (1), (2), (3); INSERT INTO org_assets VALUES (1, 1, 1), (2, 2, 2), (3, 1, 3), (4, 1, 3); "
        "INSERT INTO tags VALUES (1), (2); INSERT INTO org_tags VALUES (1, 1, 1), (2, 2, 1), (3, 1, 2)",
    )
    (tied,) = draft.profile.tenancy.many_to_many
    assert (tied.table.name, tied.through.name) == ("assets", "org_assets")
    assert [name.name for name in draft.profile.tenancy.shared] == ["tags"]


def test_what_rows_of_several_tenants_name_is_shared_with_what_it_leads_to(database: psycopg.Connection[Any]) -> None:
    draft = drafted(
        database,
        TENANTS + "CREATE TABLE kinds (id int PRIMARY KEY, parent int REFERENCES kinds); "
        "CREATE TABLE goods (id int PRIMARY KEY, kind int REFERENCES kinds); "
        "CREATE TABLE pictures (id int PRIMARY KEY, good int REFERENCES goods); "
        "CREATE TABLE branches (id int PRIMARY KEY); "
        "CREATE TABLE designs (id int PRIMARY KEY, branch int REFERENCES branches); "
        "CREATE TABLE orders (id int PRIMARY KEY, org int NOT NULL REFERENCES organizations, good int REFERENCES goods, "
        "design int REFERENCES designs); "
        "INSERT INTO kinds VALUES (1, NULL); INSERT INTO goods VALUES (1, 1), (2, 1), (3, 1); "
        "INSERT INTO branches VALUES (1); INSERT INTO designs SELECT n, 1 FROM generate_series(1, 5) n; "
        # One design of five is named by both organizations: it may have leaked.
        "INSERT INTO orders VALUES (1, 1, 1, 1), (2, 2, 1, 2), (3, 1, 2, 1), (4, 2, 2, 2), (5, 1, 3, 3), (6, 1, 3, 3), "
        "(7, 1, 3, 4), (8, 2, 3, 4), (9, 1, 3, 5), (10, 1, 3, 5)",
    )
    shared = {name.name: reason for name, reason in draft.profile.tenancy.shared.items()}
    assert shared == {
        "goods": "rows of several tenants name the same ones: 3 of 3 by orders",
        "kinds": "goods, which all tenants share, leads to it",
        "pictures": "leads to shared tables only: goods",
    }


def test_rows_below_their_owners_path_are_owned_by_it(database: psycopg.Connection[Any]) -> None:
    draft = drafted(
        database,
        "CREATE TABLE pages (id int PRIMARY KEY, path text, depth int, numchild int); "
        "CREATE TABLE sites (id int PRIMARY KEY, root_page int NOT NULL REFERENCES pages); "
        "CREATE TABLE logs (id int PRIMARY KEY, site int REFERENCES sites); "
        "INSERT INTO pages VALUES (1, '0001'), (2, '00010001'), (3, '00010002'), (4, '000100010001'), (5, '000100020001'), "
        "(6, '000100020002'); INSERT INTO sites VALUES (1, 2), (2, 3)",
    )
    (under,) = draft.profile.tenancy.path_string
    assert (under.table.name, under.column, under.separator, under.owner.name) == ("pages", "path", "", "sites")
    assert under.owner_row == ("root_page",)
    assert "An owner is found so for 5 of 6 rows." in draft.prose


def test_credentials_in_clear_are_told_and_tolerated_by_nobody_yet(database: psycopg.Connection[Any]) -> None:
    draft = drafted(
        database,
        TENANTS + "CREATE TABLE hooks (id int PRIMARY KEY, org int REFERENCES organizations, api_key text); "
        "INSERT INTO hooks VALUES (1, 1, 'open sesame'), (2, 2, 'pbkdf2_sha256$1$x$y')",
    )
    assert '#"credential in public.hooks.api_key" = "why it may stand there"' in draft.text
    assert "1 rows; better: hash or encrypt them." in draft.prose
    assert not draft.profile.tolerated
    assert "sesame" not in draft.text


def test_a_table_that_means_rows_of_any_model_is_never_guessed_to_be_shared(database: psycopg.Connection[Any]) -> None:
    draft = drafted(
        database,
        TENANTS + "CREATE TABLE django_content_type (id int PRIMARY KEY, app_label text, model text); "
        "INSERT INTO django_content_type VALUES (1, 'crm', 'organization'); "
        "CREATE TABLE pages (id int PRIMARY KEY, org int REFERENCES organizations); "
        "CREATE TABLE index_entries (id int PRIMARY KEY, kind int REFERENCES django_content_type, object_id text); "
        "INSERT INTO index_entries VALUES (1, 1, '1')",
    )
    assert [name.name for name in draft.profile.tenancy.shared] == ["django_content_type"]
    assert "By object_id it means rows of any model: declare the [[tenancy.generic_reference]]" in draft.prose


def test_another_reference_that_gives_an_owner_is_offered_before_rows_may_have_none(
    database: psycopg.Connection[Any],
) -> None:
    draft = drafted(
        database,
        TENANTS
        + "CREATE TABLE shops (id int PRIMARY KEY, org int NOT NULL REFERENCES organizations); "
        + "CREATE TABLE orders (id int PRIMARY KEY, resold_by int REFERENCES organizations, "
        + "shop int NOT NULL REFERENCES shops); "
        + "INSERT INTO shops VALUES (1, 1), (2, 2); "
        + "INSERT INTO orders SELECT n, nullif(n % 3, 0), 1 FROM generate_series(1, 9) n",
    )
    assert "3 of 9 rows of orders have none" in draft.prose
    assert "By shop every row has one: if it is meant, name it in [tenancy.owner_via] instead." in draft.prose


EITHER = (
    "CREATE TABLE shops (id int PRIMARY KEY, org int NOT NULL REFERENCES organizations); "
    "CREATE TABLE staff (id int PRIMARY KEY, org int NOT NULL REFERENCES organizations); "
    "CREATE TABLE notes (id int PRIMARY KEY, shop int REFERENCES shops, worker int REFERENCES staff); "
    "INSERT INTO shops VALUES (1, 1), (2, 2); INSERT INTO staff VALUES (1, 1), (2, 2); "
    "INSERT INTO notes VALUES (1, 1, NULL), (2, NULL, 2), (3, 2, 2), (4, NULL, NULL); "
)


def test_two_parents_that_give_an_owner_together_are_offered_with_the_line_that_says_so(
    database: psycopg.Connection[Any],
) -> None:
    draft = drafted(database, TENANTS + EITHER)
    assert "By shop or worker 1 rows have none, and none has two" in draft.prose
    line = draft.prose.split("write in [tenancy.owner_via] ")[1].splitlines()[0].removesuffix(".")
    tenancy = draft.profile.tenancy.model_copy(update={"owner_via": {}}).model_dump(exclude_unset=True)
    said = Tenancy.model_validate(tenancy | {"owner_via": tomllib.loads(line)})
    way = derive_ownership(take_structure(database.cursor(row_factory=dict_row)), said).owned[TableName.parse("notes")]
    owners = sql.SQL("SELECT r.id, {} FROM notes r {} ORDER BY 1").format(way.owner("r"), way.joins("r"))
    assert database.execute(owners).fetchall() == [(1, 1), (2, 2), (3, 2), (4, None)]


def test_two_parents_of_different_tenants_are_not_offered_for_one_owner(database: psycopg.Connection[Any]) -> None:
    draft = drafted(database, TENANTS + EITHER + "INSERT INTO notes VALUES (5, 1, 2)")
    assert "2 of 5 rows of notes have none" in draft.prose
    assert "By shop or worker" not in draft.prose


def test_an_empty_table_that_nothing_speaks_for_needs_no_line(database: psycopg.Connection[Any]) -> None:
    draft = drafted(
        database,
        TENANTS + "CREATE TABLE pages (id int PRIMARY KEY, org int REFERENCES organizations); "
        "CREATE TABLE wishes (id int PRIMARY KEY); CREATE TABLE hopes (id int PRIMARY KEY); INSERT INTO hopes VALUES (1); "
        "CREATE TABLE django_content_type (id int PRIMARY KEY, app_label text, model text); "
        "CREATE TABLE log (id int PRIMARY KEY, content_type_id int REFERENCES django_content_type, object_id text)",
    )
    assert [name.name for name in draft.profile.tenancy.shared] == ["django_content_type"]
    assert "no line is needed yet: log, wishes. The first row in one of them fails TEN-01." in draft.prose
    assert '#hopes = "why it belongs to no tenant"' in draft.prose
    assert "#wishes" not in draft.prose
