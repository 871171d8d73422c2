"""A draft names the root, the sites and their hosts as the schema shows them, and leaves the rest to a person."""

import ast
import sqlite3
import tomllib
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from fixtures.commands.drafting.exempt import OF_SITES
from fixtures.record.project import VERIFY
from fixtures.sites.inventory import SCHEMA
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
        f"SIT-{number:02}" for number in range(1, 18) if number != 8
    }
    assert exempt["SIT-03"] == "the draft found nothing to try it on: no archive of sites or uploads lies in the set"
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


@pytest.mark.parametrize(
    ("more", "excused"), [((), set(OF_SITES)), (("sites/1/index.html",), set())], ids=["all read", "more"]
)
def test_where_rows_name_every_file_of_the_archive_no_site_is_published(
    more: tuple[str, ...], excused: set[str], database: psycopg.Connection[Any], tmp_path: Path
) -> None:
    with closing(sqlite3.connect(tmp_path / "inventory")) as inventory, inventory:
        inventory.executescript(SCHEMA)
        paths = [f"media/notes/{number}.pdf" for number in (1, 2, 3)]
        inventory.executemany(
            "INSERT INTO entry (path, kind) VALUES (?, 'file')", [(each,) for each in (*paths, *more)]
        )
    archive = record_examples.record().sites
    assert archive is not None
    draft = drafted(
        database,
        TENANTS + "CREATE TABLE notes (id int PRIMARY KEY, org int REFERENCES organizations, file text); "
        "INSERT INTO notes SELECT n, 1 + n % 2, 'notes/' || n || '.pdf' FROM generate_series(1, 3) n",
        sites=archive.model_copy(update={"inventory": str(tmp_path / "inventory")}),
    )
    assert [each.root for each in draft.profile.files] == ["media"]
    assert draft.profile.exempt.keys() & set(OF_SITES) == excused


def test_the_controls_that_need_sites_are_those_that_ask_for_them() -> None:
    """And have no subjects, of which a draft would know that there are none."""
    tree = ast.parse((VERIFY / "test_sites_data.py").read_text())
    asking = {
        ast.unparse(function.decorator_list[0])[len("control('") :][:6]
        for function in tree.body
        if isinstance(function, ast.FunctionDef)
        and {"site_index", "site_records"} & {each.arg for each in function.args.args}
        and "for_each" not in "".join(map(ast.unparse, function.decorator_list))
    }
    assert asking == set(OF_SITES)


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


BILLED = """
CREATE TABLE {0}.bills (id int PRIMARY KEY, currency text, status text, total numeric);
CREATE TABLE {0}.bill_lines (id serial PRIMARY KEY, bill int NOT NULL REFERENCES {0}.bills, amount numeric);
CREATE TABLE {0}.payments (id serial PRIMARY KEY, bill int NOT NULL REFERENCES {0}.bills, amount numeric);
INSERT INTO {0}.bills SELECT n, 'EUR', 'paid', 3 * n FROM generate_series(1, {1}) n;
INSERT INTO {0}.bill_lines (bill, amount) SELECT id, k * id FROM {0}.bills, generate_series(1, 2) k;
INSERT INTO {0}.payments (bill, amount) SELECT id, total FROM {0}.bills;
"""


def test_what_is_found_in_the_fullest_schema_is_said_once_for_each(database: psycopg.Connection[Any]) -> None:
    draft = drafted(database, CLINICS + BILLED.format("north", 3) + BILLED.format("south", 60))
    profile = draft.profile
    (bills,) = profile.invoice
    assert (str(bills.table), bills.name, bills.tenant) == ("{schema}.bills", "{schema}-bills", None)
    assert [str(each.table) for each in bills.lines] == ["{schema}.bill_lines"]
    (payment,) = profile.payment
    assert (str(payment.table), payment.settles) == ("{schema}.payments", "{schema}-bills")
    assert {str(each.table) for each in profile.domain} == {
        "{schema}.bills",
        "{schema}.bill_lines",
        "{schema}.payments",
    }
    assert "south.bills: total is the sum of its lines: by south.bill_lines.amount: holds for 60 of 60." in draft.prose
    assert "invoice.{schema}-bills" in profile.unconfirmed
    assert "BIL-03" not in profile.exempt


WHO_LOG_IN = """
CREATE TABLE {0}.auth_user (
    id serial PRIMARY KEY, password text, last_login timestamptz, is_active boolean, is_superuser boolean
);
INSERT INTO {0}.auth_user (password, is_active, is_superuser)
    SELECT 'pbkdf2_sha256$1$x$y', true, n = 1 FROM generate_series(1, 5) n;
"""


@pytest.mark.parametrize(
    ("planted", "taken_up"),
    [("", True), ("UPDATE {0}.auth_user SET is_active = false WHERE is_superuser;", False)],
)
def test_who_logs_in_to_a_schema_is_said_once_where_some_of_them_own_it(
    database: psycopg.Connection[Any], planted: str, taken_up: bool
) -> None:
    people = "".join((WHO_LOG_IN + planted).format(schema) for schema in ("north", "south"))
    draft = drafted(database, CLINICS + people)
    written = '[tenancy.login]\nusers = "{schema}.auth_user"' in draft.text
    assert (bool(draft.profile.tenancy.login), "TEN-15" in draft.profile.exempt, written) == (
        taken_up,
        not taken_up,
        taken_up,
    )
    if taken_up:
        (login,) = draft.profile.tenancy.login
        assert login.members is not None
        assert (str(login.members.table), login.members.role, login.members.owners) == (
            "{schema}.auth_user",
            "is_superuser",
            ("true",),
        )
        assert "1 of 5 people there can log in and are one" in draft.prose
    else:
        assert "#[tenancy.login]\n" in draft.text
