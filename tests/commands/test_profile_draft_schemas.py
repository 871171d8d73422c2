"""Drafts for schemas that have little, nothing, or something that only looks like what a profile names."""

import tomllib
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.support import record_examples
from tests.support.drafts import TENANTS, drafted


def test_without_a_foreign_key_no_root_is_guessed(database: psycopg.Connection[Any]) -> None:
    draft = drafted(database, "CREATE TABLE notes (id int PRIMARY KEY, body text)")
    assert "No table points at another by a foreign key, so nothing shows where tenants stand" in draft.prose
    assert '#root = "the table of your tenants"' in draft.prose
    assert "tenancy.root" not in tomllib.loads(draft.text)["unconfirmed"]


def test_a_root_without_a_telling_name_is_said_to_go_by_its_figures(database: psycopg.Connection[Any]) -> None:
    draft = drafted(
        database,
        "CREATE TABLE planets (id int PRIMARY KEY); CREATE TABLE moons (id int PRIMARY KEY, planet int REFERENCES planets)",
    )
    assert draft.profile.tenancy.root.name == "planets"
    assert "No table is named like tenants are: this goes by the figures alone" in draft.prose


def test_sites_with_hosts_and_a_tree_of_pages_are_likelier_than_those_who_log_in(
    database: psycopg.Connection[Any],
) -> None:
    logs = "".join(
        f"CREATE TABLE log_{number} (id int PRIMARY KEY, by int REFERENCES auth_user); " for number in range(4)
    )
    pages = "".join(
        f"CREATE TABLE part_{number} (id int PRIMARY KEY, page int REFERENCES pages); " for number in range(3)
    )
    draft = drafted(
        database,
        "CREATE TABLE auth_user (id int PRIMARY KEY, password text, last_login date); "
        "CREATE TABLE pages (id int PRIMARY KEY, path text, depth int, numchild int); "
        "CREATE TABLE sites (id int PRIMARY KEY, hostname text, root_page int NOT NULL REFERENCES pages); "
        "CREATE TABLE redirects (id int PRIMARY KEY, site int REFERENCES sites); " + logs + pages,
    )
    assert draft.profile.tenancy.root.name == "sites"
    assert (
        "(with what hangs on pages, a tree that it points at). Its name says so too. Each has a hostname" in draft.prose
    )


HOSTS = (
    "CREATE TABLE sites (id int PRIMARY KEY, org int REFERENCES organizations, hostname text); "
    "INSERT INTO sites VALUES (1, 1, 'bakery.example'), (2, 2, 'choir.example')"
)


def test_hosts_are_told_by_column_and_their_names_are_left_to_a_person(database: psycopg.Connection[Any]) -> None:
    draft = drafted(database, TENANTS + HOSTS)
    assert draft.profile.hosts is None
    assert "# sites.hostname: 2 rows read like a host; no settings name production's hosts.\n#[hosts]" in draft.prose
    assert '#columns = {sites = "hostname"}' in draft.text
    assert "bakery" not in draft.text


@pytest.mark.parametrize(("named", "kept"), [("'choir.example'", True), ("'nowhere.example'", False)])
def test_hosts_are_kept_where_the_settings_name_every_one(
    database: psycopg.Connection[Any], tmp_path: Path, named: str, kept: bool
) -> None:
    (tmp_path / "settings.py").write_text(f"ALLOWED_HOSTS = ['bakery.example', {named}, '*']\n")
    draft = drafted(database, TENANTS + HOSTS, tmp_path)
    assert (draft.profile.hosts is not None) is kept
    assert ("hosts" in draft.profile.unconfirmed) is kept
    assert f"ALLOWED_HOSTS of the checkout names {1 + kept} of them." in draft.prose
    assert "choir" not in draft.text or kept


def test_without_an_archive_of_sites_what_asks_for_one_is_exempt_with_that_reason(
    database: psycopg.Connection[Any],
) -> None:
    whole = record_examples.backup_set()
    left = tuple(file for file in whole.artefacts if file.role not in ("sites", "logs"))
    bare = whole.model_copy(update={"artefacts": left})
    draft = drafted(
        database, TENANTS + "CREATE TABLE notes (id int, org int REFERENCES organizations)", backup_set=bare
    )
    exempt = draft.profile.exempt
    assert {control for control in exempt if control.startswith("SIT")} == {
        f"SIT-{number:02}" for number in range(1, 18)
    }
    assert exempt["SIT-03"] == "the draft found nothing to try it on: no archive of sites or uploads lies in the set"
    assert exempt["SIT-08"] == "the draft found nothing to try it on: no archive of logs lies in the set"
    assert {control for control in exempt if control.startswith("FIL")} == {"FIL-01", "FIL-02", "FIL-03", "FIL-04"}


def test_an_archive_of_uploads_alone_is_one_too(database: psycopg.Connection[Any]) -> None:
    """Both are read into one inventory: what asks for an archive is tried on it."""
    whole = record_examples.backup_set()
    sites = whole.artefact("sites")
    assert sites is not None
    others = tuple(file for file in whole.artefacts if file.role != "sites")
    renamed = sites.model_copy(update={"role": "uploads", "name": "uploads.tar.gz"})
    draft = drafted(
        database,
        TENANTS + "CREATE TABLE notes (id int, org int REFERENCES organizations)",
        backup_set=whole.model_copy(update={"artefacts": (*others, renamed)}),
    )
    assert not {control for control in draft.profile.exempt if control in ("SIT-01", "SIT-02", "SIT-03")}


def test_with_an_archive_of_sites_nothing_excuses_what_asks_for_it(database: psycopg.Connection[Any]) -> None:
    draft = drafted(database, TENANTS + "CREATE TABLE notes (id int, org int REFERENCES organizations)")
    excused = {control for control in draft.profile.exempt if control.startswith("SIT")}
    assert excused == {"SIT-12", "SIT-13", "SIT-16", "SIT-17"}


def test_a_ledger_that_does_not_run_on_is_not_one(database: psycopg.Connection[Any]) -> None:
    draft = drafted(
        database,
        TENANTS + "CREATE TABLE stock (id int PRIMARY KEY, org int NOT NULL REFERENCES organizations, amount int, "
        "balance int); INSERT INTO stock SELECT g, 1, g, 5 FROM generate_series(1, 100) g",
    )
    assert not draft.profile.ledger
    assert "[[ledger]]\n" not in draft.text


def test_a_ledger_with_one_wrong_row_of_a_hundred_is_kept_and_says_so(database: psycopg.Connection[Any]) -> None:
    draft = drafted(
        database,
        TENANTS + "CREATE TABLE entries (id int PRIMARY KEY, org int NOT NULL REFERENCES organizations, amount int, "
        "running_balance int); INSERT INTO entries SELECT g, 1, 2, 2 * g FROM generate_series(1, 100) g; "
        "UPDATE entries SET amount = 3 WHERE id = 50",
    )
    (ledger,) = draft.profile.ledger
    assert (ledger.account, ledger.order, ledger.amount, ledger.balance) == (
        "org",
        ("id",),
        "amount",
        "running_balance",
    )
    assert "holds for 99 of 100" in draft.prose
    assert "The few that break it are a fault of this backup, or of the order that was guessed." in draft.prose


LEDGER = (
    "CREATE TABLE entries (id int PRIMARY KEY, org int NOT NULL REFERENCES organizations, kind text, amount int, "
    "balance int); INSERT INTO entries SELECT g, 1, CASE g % 2 WHEN 0 THEN 'usage' ELSE 'grant' END, "
    "CASE g % 2 WHEN 0 THEN -2 ELSE 5 END, 5 * ((g + 1) / 2) - 2 * (g / 2) FROM generate_series(1, 100) g; "
)


def test_kinds_that_no_usual_word_names_are_offered_and_none_is_written_down(
    database: psycopg.Connection[Any],
) -> None:
    draft = drafted(database, TENANTS + LEDGER + "UPDATE entries SET kind = 'Quillfeather' WHERE id % 10 = 0")
    assert draft.profile.ledger[0].kinds is None
    assert '#[ledger.kinds]\n#column = "kind"\n#credits = ["grant"]\n#debits = ["usage"]' in draft.text
    assert "Every entry is of one of these kinds: holds for 90 of 100." in draft.prose
    assert "Quillfeather" not in draft.text


def test_usage_that_comes_to_what_the_ledger_took_is_found_and_other_amounts_are_not(
    database: psycopg.Connection[Any],
) -> None:
    draft = drafted(
        database,
        TENANTS + LEDGER + "CREATE TABLE calls (id int PRIMARY KEY, org_id int REFERENCES organizations, cost int); "
        "INSERT INTO calls SELECT g, 1, 10 FROM generate_series(1, 10) g; "
        "CREATE TABLE gifts (id int PRIMARY KEY, org_id int REFERENCES organizations, cost int); "
        "INSERT INTO gifts SELECT * FROM calls WHERE id > 1",
    )
    (usage,) = draft.profile.usage
    assert (usage.table.name, usage.amount, usage.by, usage.kinds) == ("calls", "cost", {"org_id": "org"}, ("usage",))
    assert "calls.cost adds up to what entries took, by org_id: holds for 1 of 1." in draft.prose
    assert f"usage.{usage.name}" in draft.profile.unconfirmed


def test_statuses_that_no_usual_word_names_are_no_list(database: psycopg.Connection[Any]) -> None:
    bills = (
        "CREATE TABLE bills (id int PRIMARY KEY, org int REFERENCES organizations, status text, amount numeric, "
        "created_at date, paid_at date); INSERT INTO bills SELECT g, 1, 'Paid', 5, '2026-01-01', '2026-01-01'::date + g "
        "FROM generate_series(1, 60) g; "
    )
    (domain,) = drafted(database, TENANTS + bills).profile.domain
    assert (domain.one_of, domain.not_negative) == ({"status": ("Paid",)}, ("amount",))
    assert domain.in_order == (("created_at", "paid_at"),)


def test_a_rate_on_each_line_tells_that_tax_is_rounded_line_by_line(database: psycopg.Connection[Any]) -> None:
    draft = drafted(
        database,
        TENANTS
        + "CREATE TABLE currencies (code text PRIMARY KEY, decimals int); INSERT INTO currencies VALUES ('EUR', 2); "
        "CREATE TABLE bills (id int PRIMARY KEY, org int NOT NULL REFERENCES organizations, status text, currency text "
        "REFERENCES currencies, tax numeric, total numeric); "
        "CREATE TABLE bill_lines (id serial PRIMARY KEY, bill int REFERENCES bills, amount numeric, vat_percent numeric); "
        "INSERT INTO bills SELECT g, 1 + g % 2, 'paid', 'EUR', 0, 0 FROM generate_series(1, 60) g; "
        "INSERT INTO bill_lines (bill, amount, vat_percent) SELECT b, b * 0.37 + l * 1.05, 10 FROM generate_series(1, 60) b, "
        "generate_series(1, 3) l; UPDATE bills b SET (tax, total) = (SELECT sum(round(amount / 10, 2)), "
        "sum(amount + round(amount / 10, 2)) FROM bill_lines l WHERE l.bill = b.id)",
    )
    (invoice,) = draft.profile.invoice
    assert invoice.tax_rule is not None
    said = {"of": "amount", "line_rate": "vat_percent", "rounding": "half up", "percent": True, "per_line": True}
    assert invoice.tax_rule.model_dump(exclude_unset=True) == said
    assert "rounded half up line by line: holds for 60 of 60" in draft.prose


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


def test_an_empty_ledger_is_offered_and_not_taken(database: psycopg.Connection[Any]) -> None:
    draft = drafted(
        database,
        TENANTS + "CREATE TABLE entries (id int PRIMARY KEY, org int NOT NULL REFERENCES organizations, amount int, "
        "running_balance int)",
    )
    assert not draft.profile.ledger
    assert "not a row to try it on.\n#[[ledger]]" in draft.prose


def test_sender_and_receiver_are_told_with_how_often_they_differ(database: psycopg.Connection[Any]) -> None:
    draft = drafted(
        database,
        TENANTS + "CREATE TABLE transfers (id int PRIMARY KEY, sender int NOT NULL REFERENCES organizations, "
        "receiver int REFERENCES organizations); INSERT INTO transfers VALUES (1, 1, 2), (2, 1, 1), (3, 2, NULL)",
    )
    assert {str(name): column for name, column in draft.profile.tenancy.owner_via.items()} == {
        "public.transfers": "sender"
    }
    assert "sender is never empty; receiver names another tenant in 1 rows" in draft.prose
    assert "tenancy.owner_via" in draft.profile.unconfirmed


def test_rows_without_an_owner_are_offered_since_a_wrong_guess_would_hide_orphans(
    database: psycopg.Connection[Any],
) -> None:
    draft = drafted(
        database,
        TENANTS + "CREATE TABLE pages (id int PRIMARY KEY, org int REFERENCES organizations); "
        "INSERT INTO pages VALUES (1, 1), (2, NULL)",
    )
    assert "1 of 2 rows of pages have none (pages -> organizations)." in draft.prose
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
    assert {str(name): column for name, column in tenancy.owner_via.items()} == {"public.exports": "organization_id"}
    assert {"tenancy.owner_via", "tenancy.soft_reference.exports"} <= set(draft.profile.unconfirmed)


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


def test_a_schema_for_each_tenant_is_told_by_the_roots_own_column(database: psycopg.Connection[Any]) -> None:
    draft = drafted(
        database,
        "CREATE TABLE tenants (id int PRIMARY KEY, schema_name text); INSERT INTO tenants VALUES (1, 'one'), (2, 'two'); "
        "CREATE TABLE domains (id int PRIMARY KEY, tenant int REFERENCES tenants); CREATE SCHEMA one; CREATE SCHEMA two; "
        "CREATE TABLE one.notes (id int PRIMARY KEY); CREATE TABLE two.notes (id int PRIMARY KEY)",
    )
    schemas = draft.profile.tenancy.schemas
    assert schemas is not None
    assert schemas.column == "schema_name"
    assert "schema_name of 2 tenants names one of the 2 schemas" in draft.prose
    assert not draft.profile.tenancy.shared


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


def test_a_table_that_is_a_part_of_another_does_not_refer_to_it(database: psycopg.Connection[Any]) -> None:
    draft = drafted(
        database,
        TENANTS
        + "CREATE TABLE events (id int PRIMARY KEY, org int NOT NULL REFERENCES organizations, event_id int); "
        + "CREATE TABLE events_2025 (PRIMARY KEY (id), FOREIGN KEY (org) REFERENCES organizations) INHERITS (events); "
        + "INSERT INTO events_2025 SELECT n, 1, n FROM generate_series(1, 50) n",
    )
    assert draft.profile.tenancy.soft_reference == ()


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


CLINICS = """
CREATE TABLE clinics (id int PRIMARY KEY, schema_name text);
INSERT INTO clinics VALUES (1, 'north'), (2, 'south'), (3, 'public');
CREATE TABLE audited (id int PRIMARY KEY, schema_name text);
INSERT INTO audited VALUES (1, 'north'), (2, 'north'), (3, 'south');
CREATE SCHEMA north; CREATE SCHEMA south;
CREATE TABLE north.users (id int PRIMARY KEY); CREATE TABLE south.users (id int PRIMARY KEY);
CREATE TABLE north.notes (id int PRIMARY KEY, writer int REFERENCES north.users);
CREATE TABLE south.notes (id int PRIMARY KEY, writer int REFERENCES south.users);
"""


def test_the_table_that_names_a_schema_in_each_row_is_the_root_whatever_points_elsewhere(
    database: psycopg.Connection[Any],
) -> None:
    draft = drafted(database, CLINICS)
    assert draft.profile.tenancy.root.name == "clinics"
    assert draft.profile.tenancy.schemas is not None
    assert draft.profile.tenancy.schemas.column == "schema_name"
    assert "Its rows name schemas of this database." in draft.prose
    assert "schema_name of 2 tenants names one of the 2 schemas beside the root's own." in draft.prose
