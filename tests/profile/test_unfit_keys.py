"""Every key of a profile that names a column or holds a query is tried by the end of the facts, and blocks its own part."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from operator import attrgetter
from pathlib import Path

import pytest

from fixtures.checks.blocked import Blocked
from fixtures.checks.drilled import Drilled
from fixtures.checks.fitting import fitting
from fixtures.database.catalogue import take_facts
from fixtures.database.reconcile import reconcile, unbrought
from fixtures.database.tried_queries import unanswerable_queries
from fixtures.plan.subjects import NotEnumerated, enumerate_subjects
from fixtures.profile import Profile
from fixtures.profile.columns import Named, named
from fixtures.profile.reading import read_profile
from fixtures.profile.sites import Sites
from fixtures.profile.tenancy import Tenancy
from fixtures.profile.unfit import EVERYTHING, unfit_parts
from fixtures.profile.words import SqlFile
from fixtures.record.facts import Facts
from fixtures.record.names import TableName
from fixtures.record.project import PROFILES
from fixtures.server import Server
from tests.profile.test_exceptions import shapes
from tests.support.catalogues import facts, table
from tests.support.kept_server import kept_server
from tests.support.record_examples import record

PATH = "profile.toml"
# What a control may read of a profile by itself.
READ = {
    *(name for name in Profile.model_fields if name not in ("tenancy", "sites")),
    *(f"tenancy.{name}" for name in Tenancy.model_fields),
    *(f"sites.{name}" for name in Sites.model_fields),
}


@pytest.fixture(scope="module")
def profile() -> Profile:
    return read_profile(PROFILES / "igny8").profile


def of_names(keys: Iterable[Named]) -> Facts:
    """A database that has what these keys name, and beside it a key of each table."""
    columns: dict[TableName, list[str]] = {}
    for key in keys:
        columns.setdefault(key.table, []).extend([key.column] if key.column is not None else [])
    return facts(*(table(str(name), *dict.fromkeys(each), key=("its_own",)) for name, each in columns.items()))


def blocked_by(profile: Profile, problems: tuple[str, ...]) -> set[str]:
    """What of the profile a control cannot read any more."""
    fit, blocked = fitting(profile, problems, PATH), set()
    for name in READ:
        if profile.sites is None and name.startswith("sites."):
            continue
        try:
            attrgetter(name)(fit)
        except Blocked:
            blocked.add(name)
    return blocked


def test_a_column_that_is_not_there_is_told_with_its_key_and_blocks_what_reads_that_part(profile: Profile) -> None:
    keys = list(named(profile))
    for wrong in keys:
        there = of_names(key for key in keys if (key.table, key.column) != (wrong.table, wrong.column))
        lacking = (*reconcile(profile, there, PATH).problems, *unbrought(profile, there, there, PATH))
        problems = tuple(problem for problem in lacking if problem.startswith(f"{PATH}: {wrong.key}: "))
        if wrong.column is None:
            continue
        assert problems, f"nothing is told of {wrong.key}"
        (part,) = unfit_parts(problems, PATH)
        assert part != EVERYTHING
        whole = {name for name in READ if name.startswith(f"{part}.")}
        assert blocked_by(profile, problems) == (whole or {part}), wrong.key


QUERIES = {
    "Tenancy.owner_query": 'tenancy.owner_query = { notes = "wrong.sql" }',
    "Ownerless.condition": 'tenancy.ownerless.notes = { condition = "wrong.sql", reason = "nobody wrote them" }',
    "Crossing.condition": """
[[tenancy.crossing]]
reference = "public.notes(tenant_id)->public.tenants"
condition = "wrong.sql"
reason = "they are meant to"
""",
    "Outlives.condition": """
[[tenancy.soft_reference]]
table = "notes"
column = "code"
target = "tenants"
outlives = { condition = "wrong.sql", reason = "they may stay" }
""",
    "FileColumn.query": '[[files]]\nname = "scans"\nquery = "wrong.sql"\nroot = ""',
    "Pages.query": """
[sites]
table = "notes"
key = "id"
tenant = "tenant_id"
status = "code"
deployed = ["1"]
deployments = { table = "notes", site = "id", version = "code", digest = "code", status = "code", live = ["1"] }
pages = { query = "wrong.sql" }
[sites.archive]
site_folder = "{site}"
version_folder = "{site}/{version}"
current_link = "{site}/now"
definition = "site.json"
definition_site = "site"
definition_tenant = "tenant"
""",
    "Invoice.query": """
[[invoice]]
name = "bills"
query = "wrong.sql"
tenant = "tenant"
currency = "currency"
status = "status"
paid = ["paid"]
unpaid = ["void"]
subtotal = "total"
total = "total"
""",
}
LOGIN = """
[tenancy.login]
users = "notes"
single_sign_on = "the company's own"
members = { table = "notes", user = "id", tenant = "tenant_id" }
"""
QUERIES |= {
    "PublicRows.condition": f'{LOGIN}[tenancy.probe.public_rows]\nnotes = {{ condition = "wrong.sql", reason = "meant so" }}',
    "Visits.token_query": f'{LOGIN}[tenancy.probe]\nheaders = {{ Token = "{{token}}" }}\ntoken_query = "wrong.sql"',
}
TIED = '[[tenancy.many_to_many]]\ntable = "notes"\nthrough = "ties"'
QUERIES["Several.condition"] = f'{TIED}\nseveral = {{ condition = "wrong.sql", reason = "for two of them" }}'
LEDGER = "[[ledger]]\nname = 'wallets'\norder = ['id']"
BILLS = QUERIES["Invoice.query"].replace('query = "wrong.sql"', 'table = "bills"')
QUERIES |= {
    "Lines.query": f'{BILLS}\nlines = {{ query = "wrong.sql" }}',
    "Credits.query": f'{BILLS}\ncredits = {{ query = "wrong.sql" }}',
    "Payment.query": f'{BILLS}\n[[payment]]\nname = "paid"\nsettles = "bills"\nquery = "wrong.sql"',
    "Refunds.query": f"""{BILLS}
[[payment]]
name = "paid"
settles = "bills"
table = "paid"
invoice = "bill"
amount = "total"
refunds = {{ query = "wrong.sql" }}
""",
    "Ledger.query": f"{LEDGER}\nquery = 'wrong.sql'",
    "BalanceColumn.query": f"""{LEDGER}
table = "bills"
account = "tenant"
amount = "total"
balance_of = {{ query = "wrong.sql" }}
""",
    "Opening.query": f"""{LEDGER}
table = "bills"
account = "tenant"
amount = "total"
opening = {{ query = "wrong.sql" }}
""",
    "Period.query": "[[period]]\nname = 'terms'\nquery = 'wrong.sql'",
}
# By the part that the problem is of.
BOOKS = dict.fromkeys(("Invoice", "Lines", "Credits"), "invoice")
BOOKS |= {
    "Payment": "payment",
    "Refunds": "payment",
    "Ledger": "ledger",
    "BalanceColumn": "ledger",
    "Opening": "ledger",
    "Period": "period",
}
PARTS = {"Pages": "sites.pages", "FileColumn": "files", **BOOKS}
OF_TENANCY = {"Tenancy": "owner_query", "Ownerless": "ownerless", "Crossing": "crossing", "Outlives": "soft_reference"}
OF_TENANCY |= {"PublicRows": "probe", "Visits": "probe", "Several": "many_to_many"}
SCHEMA = """
CREATE TABLE tenants (id int PRIMARY KEY);
CREATE TABLE notes (id int PRIMARY KEY, tenant_id int REFERENCES tenants, code int);
CREATE TABLE ties (id int PRIMARY KEY, note int REFERENCES notes, tenant_id int REFERENCES tenants);
CREATE TABLE bills (id int PRIMARY KEY, tenant int REFERENCES tenants, currency text, status text, total numeric);
CREATE TABLE paid (id int PRIMARY KEY, bill int REFERENCES bills, total numeric);
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with kept_server() as server:
        server.create_database("unfit_keys")
        with server.connect("unfit_keys") as connection:
            connection.execute(SCHEMA)
        yield server


@pytest.fixture(scope="module")
def there(server: Server) -> Facts:
    with server.reading("unfit_keys") as connection:
        return take_facts(connection)


def test_every_query_of_the_models_is_among_those_that_are_tried() -> None:
    holding = {
        f"{shape.__name__}.{key}"
        for shape in shapes(Profile)
        for key, field in shape.model_fields.items()
        if SqlFile.__name__ in str(field.annotation) + str(field.metadata)
    }
    # What a recovery counts is asked of the recovered database alone, which migrations have changed; no control reads it.
    holding.remove("Recovery.twice")
    # A part that stands for several has the query of each; a condition is that of each kind of exception.
    assert {key.partition(".")[0] for key in holding} == {key.partition(".")[0] for key in QUERIES}
    assert {key.partition(".")[2] for key in holding} == {"owner_query", "condition", "query", "token_query"}


@pytest.mark.parametrize("key", QUERIES)
def test_a_query_that_the_server_cannot_answer_is_told_by_its_file_and_blocks_what_reads_its_part(
    key: str, server: Server, there: Facts, tmp_path: Path
) -> None:
    (tmp_path / "wrong.sql").write_text("SELECT id FROM public.gone")
    written = QUERIES[key]
    of_tenancy = written.startswith("tenancy.")
    (tmp_path / PATH).write_text(
        (f"{written}\n" if of_tenancy else "")
        + """
application = { name = "shop", environment = { DATABASE_URL = "{url}" } }
backup = { required = ["dump"], least_bytes = 1 }
targets = { rpo_hours = 24, rto_minutes = 60 }
currencies = { exponents = { EUR = 2 } }
tenancy.root = "tenants"
"""
        + ("" if of_tenancy else written)
    )
    source = read_profile(tmp_path)
    reconciled = reconcile(source.profile, there, PATH)
    assert not reconciled.problems
    with server.reading("unfit_keys") as connection:
        problems = unanswerable_queries(connection, there, reconciled.ownership, source.profile, PATH)
    (problem,) = problems
    assert 'wrong.sql: relation "public.gone" does not exist' in problem
    shape = key.partition(".")[0]
    part = PARTS.get(shape) or f"tenancy.{OF_TENANCY[shape]}"
    assert problem.startswith(f"{PATH}: {part}")
    assert blocked_by(source.profile, problems) == {part}


def test_pages_that_cannot_be_asked_for_are_planned_and_leave_the_rest_of_the_sites(profile: Profile) -> None:
    source = read_profile(PROFILES / "igny8")
    for key, of_kind in (("sites.pages.query", "pages"), ("sites.domains", "domain"), ("sites.deployments.at", "")):
        problems = (f"{PATH}: {key}: it does not fit",)
        looked = {"facts": of_names(named(profile)), "profile_problems": problems, "profile_path": PATH}
        drilled = Drilled.of_record(record(**looked), source)
        for kind in ("pages", "domain", "skew"):
            subjects = enumerate_subjects(kind, drilled)
            assert subjects
            assert all(isinstance(each.value, NotEnumerated) == (kind == of_kind) for each in subjects)
            assert all(each.id != "not-enumerated" for each in subjects)


@pytest.mark.parametrize("lacking", ["host", "url"])
def test_a_column_of_hosts_that_is_not_there_blocks_itself_alone(lacking: str) -> None:
    source = read_profile(PROFILES / "igny8")
    sites = source.profile.sites
    assert sites is not None
    sites = sites.model_copy(update={"domains": ("host", "url")})
    source = replace(source, profile=source.profile.model_copy(update={"sites": sites}))
    there = of_names(key for key in named(source.profile) if (key.table, key.column) != (sites.table, lacking))
    problems = reconcile(source.profile, there, PATH).problems
    (problem,) = (each for each in problems if f"no column {lacking} in" in each)
    looked = {"facts": there, "profile_problems": (problem,), "profile_path": PATH}
    subjects = enumerate_subjects("domain", Drilled.of_record(record(**looked), source))
    causes = {each.id: each.value.cause if isinstance(each.value, NotEnumerated) else "" for each in subjects}
    assert causes.keys() == {f"{sites.table}.host", f"{sites.table}.url"}
    assert [name for name, cause in causes.items() if problem in cause] == [f"{sites.table}.{lacking}"]
    assert [name for name, cause in causes.items() if not cause] != []
