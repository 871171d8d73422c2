"""What a profile says once of `{schema}` is said of the schema of each tenant that is there, and of no other."""

from pathlib import Path

import pytest

from fixtures.profile import Profile
from fixtures.profile.columns import named
from fixtures.profile.each_schema import in_schema, said_of_each, with_each_schema
from fixtures.profile.reading import ProfileError, read_profile
from fixtures.record.names import TableName

ROOT = Path(__file__).resolve().parents[2]
CLINICS = ROOT / "tests" / "apps" / "clinics" / "profile"

PLAIN = """
application = { name = "clinics", environment = {} }
backup = { required = ["dump"], least_bytes = 1 }
targets = { rpo_hours = 26, rto_minutes = 60 }
"""
TENANCY = """
[tenancy]
root = "customers_clinic"
schemas = { column = "schema_name" }
"""
QUERIED = """
[[files]]
name = "{schema}: scans"
query = "scans.sql"
root = "sites-data/{schema}"
"""


def read(folder: Path, text: str) -> Profile:
    (folder / "scans.sql").write_text("SELECT id, path FROM {schema}.scans WHERE kind = '{\"schema\": 1}'")
    (folder / "profile.toml").write_text(text)
    return read_profile(folder).profile


def test_an_entry_is_made_for_each_schema_with_all_that_it_names() -> None:
    profile = said_of_each(read_profile(CLINICS).profile, ("north", "with.dot"))
    assert [(each.name, each.table) for each in profile.invoice] == [
        ("north: invoices", TableName("north", "billing_invoice")),
        ("with.dot: invoices", TableName("with.dot", "billing_invoice")),
    ]
    lines = [lines.table for each in profile.invoice for lines in each.lines]
    assert lines == [TableName("north", "billing_line"), TableName("with.dot", "billing_line")]
    assert [each.settles for each in profile.payment] == ["north: invoices", "with.dot: invoices"]
    assert [each.root for each in profile.files] == ["sites-data/north", "sites-data/with.dot"]
    # What all share is said once, and stays so.
    assert [str(each.table) for each in profile.money] == [
        "north.billing_line",
        '"with.dot".billing_line',
        "public.customers_treatment",
    ]


def test_without_a_schema_nothing_is_left_to_try() -> None:
    profile = said_of_each(read_profile(CLINICS).profile, ())
    assert (profile.invoice, profile.payment, profile.files) == ((), (), ())
    assert [str(each.table) for each in profile.money] == ["public.customers_treatment"]


def test_as_long_as_no_catalogue_was_read_the_profile_is_as_it_was_written() -> None:
    source = read_profile(CLINICS)
    assert with_each_schema(source, None) is source


def test_what_is_said_of_one_schema_overrules_what_is_said_of_all(tmp_path: Path) -> None:
    said = '[tenancy.shared]\n"{schema}.codes" = "a list that is everywhere"\n"south.codes" = "a list of the south alone"\n'
    shared = said_of_each(read(tmp_path, PLAIN + TENANCY + said), ("north", "south")).tenancy.shared
    assert shared == {
        TableName("north", "codes"): "a list that is everywhere",
        TableName("south", "codes"): "a list of the south alone",
    }


def test_in_a_query_its_name_stands_quoted(tmp_path: Path) -> None:
    files = said_of_each(read(tmp_path, PLAIN + TENANCY + QUERIED), ('o"hare',)).files
    assert [each.query.text for each in files if each.query is not None] == [
        'SELECT id, path FROM "o""hare".scans WHERE kind = \'{"schema": 1}\''
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            '[tenancy]\nroot = "customers_clinic"\n[[money]]\ntable = "{schema}.bills"\ncolumns = ["sum"]\n',
            "money says {schema}, which stands for the schema of each tenant: say in [tenancy.schemas]",
        ),
        (
            TENANCY + '[tenancy.row_security]\nrole = "{schema}"\nsetting = "app.tenant"\ntables = ["bills"]\n',
            "tenancy.row_security.role: {schema} stands for each tenant's schema in an entry of several",
        ),
        (TENANCY + QUERIED.replace('"{schema}: scans"', '"scans"'), "files[0].name: write {schema} in it too"),
        (
            TENANCY
            + '[[invoice]]\nname = "bills"\ntable = "bills"\ncurrency = "currency"\nstatus = "status"\npaid = ["paid"]\n'
            'subtotal = "net"\ntotal = "total"\n',
            "say which column names the tenant",
        ),
    ],
)
def test_what_could_stand_for_nothing_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(ProfileError) as refused:
        read(tmp_path, PLAIN + text)
    assert problem in str(refused.value)


def test_who_logs_in_is_said_once(tmp_path: Path) -> None:
    said = """
        [tenancy.login]
        users = "{schema}.people"
        password = "secret"
        members = { table = "{schema}.people", user = "id" }
    """
    logins = said_of_each(read(tmp_path, PLAIN + TENANCY + said), ("north", "south")).tenancy.login
    assert [(str(each.users), each.members and str(each.members.table)) for each in logins] == [
        ("north.people", "north.people"),
        ("south.people", "south.people"),
    ]


def test_what_is_said_of_who_asks_is_filled_once_that_is_known(tmp_path: Path) -> None:
    (tmp_path / "tokens.sql").write_text('SELECT user_id AS "user", key AS token FROM {schema}.tokens')
    said = """
        [tenancy.login]
        users = "{schema}.people"
        single_sign_on = "the company's own"
        members = { table = "{schema}.people", user = "id" }
        [tenancy.probe]
        privileged = ["is_keeper"]
        headers = { Authorization = "Token {token}" }
        token_query = "tokens.sql"
        tables = { "scans/<int:key>/" = "{schema}.scans" }
        public_rows = { "{schema}.scans" = { condition = "scans.sql", reason = "they are for everybody" } }
    """
    (tmp_path / "scans.sql").write_text("SELECT id FROM {schema}.scans")
    profile = said_of_each(read(tmp_path, PLAIN + TENANCY + said), ("north", "south"))
    probe = profile.tenancy.probe
    assert probe is not None
    assert probe.token_query is not None
    assert [str(table) for table in probe.tables.values()] == ["{schema}.scans"]
    assert in_schema(probe.token_query, "north") == 'SELECT user_id AS "user", key AS token FROM "north".tokens\n'
    assert [str(table) for table in probe.public_rows] == ["north.scans", "south.scans"]
    columns = [(str(each.table), each.column) for each in named(profile) if each.column == "is_keeper"]
    assert columns == [("north.people", "is_keeper"), ("south.people", "is_keeper")]


@pytest.mark.parametrize(
    ("users", "problem"),
    [
        ('[[tenancy.login]]\nusers = "people"\n{}[[tenancy.login]]\nusers = "{{schema}}.people"\n{}', "has several"),
        (
            '[tenancy.login]\nusers = "people"\n{}',
            "probe.token_query says {schema}, which stands there for the schema of",
        ),
    ],
)
def test_who_is_asked_as_is_of_one_table_or_of_one_in_each_schema(tmp_path: Path, users: str, problem: str) -> None:
    (tmp_path / "tokens.sql").write_text('SELECT user_id AS "user", key AS token FROM {schema}.tokens')
    who = 'single_sign_on = "the company\'s own"\nmembers = { table = "people", user = "id" }\n'
    probe = '[tenancy.probe]\nheaders = { Authorization = "Token {token}" }\ntoken_query = "tokens.sql"\n'
    with pytest.raises(ProfileError) as refused:
        read(tmp_path, PLAIN + TENANCY + users.format(who, who) + probe)
    assert problem in str(refused.value)
