"""A fault in a profile is told with its file, its key and its fix, before a drill or against the restored database."""

from pathlib import Path
from unicodedata import normalize

import pytest

from fixtures.database.reconcile import reconcile, unbrought
from fixtures.profile import Profile
from fixtures.profile.reading import ProfileError, profile_folder, read_profile
from fixtures.record.facts import Facts
from tests.support.catalogues import facts, points, role, table
from tests.support.drills import PROFILE

WELL_WRITTEN = """
[application]
name = "shop"
environment = { DATABASE_URL = "{url}" }

[backup]
required = ["dump"]
least_bytes = 1

[targets]
rpo_hours = 24
rto_minutes = 60

[tenancy]
root = "tenants"
shared = { countries = "the same for everyone" }
ownerless = { events = { at_most = 9, reason = "the system writes some of its own" } }
owner_via = { orders = "tenant_id" }

[[tenancy.generic_reference]]
table = "notes"
type_column = "type_id"
id_column = "object_id"
models = { "shop.order" = "orders" }

[tenancy.row_security]
role = "shop_app"
setting = "shop.tenant"
tables = ["orders"]

[[ledger]]
name = "credits"
table = "entries"
account = "tenant_id"
order = ["entry_no"]
amount = "amount"
balance = "balance"

[[invoice]]
name = "orders"
table = "orders"
tenant = "tenant_id"
currency = "currency"
status = "status"
paid = ["paid"]
tax = "tax"
total = "total"
json_lines = { column = "lines", amount = "amount" }

[[payment]]
name = "payments"
settles = "orders"
table = "payments"
invoice = "order_id"
tenant = "tenant_id"
currency = "currency"
amount = "amount"
status = "status"
succeeded = ["done"]

[[period]]
name = "rentals"
table = "rentals"
owner = ["tenant_id"]
start = "begins"
end = "ends"

[[money]]
table = "prices"
columns = ["net"]
"""
THERE = facts(
    table("tenants"),
    table("countries"),
    table("events"),
    table("notes", "type_id", "object_id"),
    table("orders", "tenant_id", "currency", "status", "tax", "total", "lines"),
    table("entries", "tenant_id", "entry_no", "amount", "balance"),
    table("payments", "order_id", "tenant_id", "currency", "amount", "status"),
    table("rentals", "tenant_id", "begins", "ends"),
    table("prices", "net"),
    foreign_keys=(points("orders", "tenant_id", "tenants"),),
    roles=(role("shop_app"),),
)


def read(folder: Path, text: str) -> Profile:
    (folder / "profile.toml").write_text(text)
    return read_profile(folder).profile


@pytest.mark.parametrize(
    ("former", "latter", "problem"),
    [
        ("rto_minutes", "rto_minute", "targets.rto_minute: unknown key; did you mean 'rto_minutes'?"),
        ("rto_minutes", "rto_minute", "targets.rto_minutes: Field required"),
        (
            "account =",
            "zzz = 1\naccount =",
            "ledger[0].zzz: unknown key; known here: account, amount, balance, balance_of",
        ),
        ("setting =", "settings = 1\nsetting =", "tenancy.row_security.settings: unknown key; did you mean 'setting'?"),
        ("rpo_hours = 24", "rpo_hours = 0", "targets.rpo_hours: Input should be greater than 0"),
        (
            '["dump"]',
            '["dump", "redis"]',
            "backup.required[1]: Input should be 'dump', 'roles', 'sites', 'uploads', 'logs' or",
        ),
        ("the same for everyone", "shared", "tenancy.shared.countries: give a reason that a stranger understands"),
        (
            "countries =",
            '"a.b.c" =',
            "tenancy.shared.a.b.c: not a table's name: 'a.b.c' has more than two parts (write schema.table)",
        ),
        (
            'settles = "orders"',
            'settles = "bills"',
            "payment 'payments' settles 'bills', but no [[invoice]] has that name",
        ),
        ("json_lines =", "# json_lines =", "invoice[0]: say where the lines are: add [invoice.lines]"),
        (
            'environment = { DATABASE_URL = "{url}" }',
            'environment = { DB_HOST = "{hots}" }',
            "application.environment.DB_HOST: {hots} stands for nothing; use one of {host} {port}",
        ),
        ("[application]", '[exempt]\n"B-1" = "there is no billing here"\n[application]', "exempt.B-1"),
    ],
)
def test_what_is_wrong_in_a_profile_is_told_with_its_key(
    tmp_path: Path, former: str, latter: str, problem: str
) -> None:
    assert former in WELL_WRITTEN
    with pytest.raises(ProfileError) as error:
        read(tmp_path, WELL_WRITTEN.replace(former, latter))
    assert str(error.value).startswith(f"{tmp_path}/profile.toml: ")
    assert problem in str(error.value)


def test_a_waiver_names_its_owner_and_ticket_who_approved_it_and_when_it_ends(tmp_path: Path) -> None:
    with pytest.raises(ProfileError) as error:
        read(tmp_path, WELL_WRITTEN + '[[waiver]]\ncontrol = "TEN-01"\nsubject = "a"\nreason = "we know of this"\n')
    for name in ("owner", "ticket", "approved_by", "until"):
        assert f"waiver[0].{name}: Field required" in str(error.value)


def test_a_name_that_no_profile_has_is_told_with_those_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ProfileError, match=r"^No profile 'ingy8'\. There are: igny8\."):
        profile_folder("ingy8")
    (tmp_path / "ours").mkdir()
    assert profile_folder("ours") == Path("ours")
    assert profile_folder("igny8").is_dir()


def test_a_file_that_is_no_profile_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(
        ProfileError, match=r"cannot be read \(No such file or directory\)\. Name a profile's folder or"
    ):
        read_profile(tmp_path / "nowhere")
    with pytest.raises(ProfileError, match=r"profile\.toml: not TOML: "):
        read(tmp_path, "[application")
    (tmp_path / "profile.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ProfileError, match=r"profile\.toml: not TOML: "):
        read_profile(tmp_path)


def test_the_samples_profile_is_read_by_its_folder_and_by_its_file() -> None:
    assert read_profile(PROFILE) == read_profile(PROFILE / "profile.toml")
    assert read_profile(PROFILE).name == "igny8"


def test_a_profile_that_fits_its_database_has_nothing_to_be_told(tmp_path: Path) -> None:
    assert reconcile(read(tmp_path, WELL_WRITTEN), THERE, "profile.toml").problems == ()


NOT_THERE = {
    "a root": ('root = "tenants"', 'root = "tenant"', "tenancy.root: no table public.tenant; public.tenants"),
    "a shared table": ("countries =", "country =", "tenancy.shared: no table public.country; public.countries"),
    "an ownerless table": (
        "events =",
        "event =",
        "tenancy.ownerless public.event: no table public.event; public.events",
    ),
    "a way to the owner": (
        'orders = "tenant_id"',
        'orders = "tenantid"',
        "tenancy.owner_via: no column tenantid in public.orders; tenant_id",
    ),
    "a generic reference's column": (
        'id_column = "object_id"',
        'id_column = "object"',
        "tenancy.generic_reference.id_column: no column object in public.notes; object_id",
    ),
    "a generic reference's target": (
        '"shop.order" = "orders"',
        '"shop.order" = "order"',
        "tenancy.generic_reference.models.shop.order: no table public.order; public.orders",
    ),
    "a protected table": (
        'tables = ["orders"]',
        'tables = ["Orders"]',
        "tenancy.row_security.tables: no table public.Orders; public.orders",
    ),
    "a ledger's order": (
        'order = ["entry_no"]',
        'order = ["entry_nr"]',
        "ledger 'credits'.order: no column entry_nr in public.entries; entry_no",
    ),
    "an invoice's tax": ('tax = "tax"', 'tax = "taxes"', "invoice 'orders'.tax: no column taxes in public.orders; tax"),
    "an invoice's lines": (
        'column = "lines"',
        'column = "line"',
        "invoice 'orders'.json_lines.column: no column line in public.orders; lines",
    ),
    "a payment's invoice": (
        'invoice = "order_id"',
        'invoice = "order"',
        "payment 'payments'.invoice: no column order in public.payments; order_id",
    ),
    "a period's end": ('end = "ends"', 'end = "end"', "period 'rentals'.end: no column end in public.rentals; ends"),
    "money": ('columns = ["net"]', 'columns = ["nett"]', "money.columns: no column nett in public.prices; net"),
}


@pytest.mark.parametrize("what", NOT_THERE)
def test_what_the_database_lacks_is_told_with_the_nearest_there_is(tmp_path: Path, what: str) -> None:
    former, latter, problem = NOT_THERE[what]
    assert WELL_WRITTEN.count(former) == 1
    missing, nearest = problem.split("; ")
    if "no table" in missing:
        missing += " in the restored database"
    profile = read(tmp_path, WELL_WRITTEN.replace(former, latter))
    at_once, after_migrating = (
        reconcile(profile, THERE, "profile.toml").problems,
        unbrought(profile, THERE, THERE, "profile.toml"),
    )
    assert (*at_once, *after_migrating) == (f"profile.toml: {missing}; did you mean {nearest}?",)


def test_what_is_said_of_tenants_may_be_brought_by_a_migration(tmp_path: Path) -> None:
    later = 'countries = "the same for everyone", moons = "the same for everyone"'
    said = read(tmp_path, WELL_WRITTEN.replace('countries = "the same for everyone"', later))
    migrated = facts(*THERE.tables, table("moons"), roles=THERE.roles)
    assert reconcile(said, THERE, "profile.toml").problems == ()
    assert unbrought(said, THERE, migrated, "profile.toml") == ()
    # What a migration drops was there to be spoken of.
    assert unbrought(said, migrated, THERE, "profile.toml") == ()
    assert unbrought(said, THERE, THERE, "profile.toml") == (
        "profile.toml: tenancy.shared: no table public.moons in the restored database; remove it, or name one that exists",
    )


def test_a_name_in_another_unicode_form_is_told_as_that(tmp_path: Path) -> None:
    composed, decomposed = (normalize(form, "café") for form in ("NFC", "NFD"))
    profile = read(tmp_path, WELL_WRITTEN.replace('"prices"', f'"{composed}"'))
    there = facts(*THERE.tables, table(decomposed, "net"), foreign_keys=THERE.foreign_keys, roles=THERE.roles)
    assert reconcile(profile, there, "profile.toml").problems == (
        f"profile.toml: money.table: no table public.{composed} in the restored database; public.{decomposed} is there, and "
        "differs in its Unicode form alone: copy that name",
    )


def test_what_resembles_nothing_is_to_be_removed_and_a_role_is_looked_for_in_the_cluster(tmp_path: Path) -> None:
    profile = read(tmp_path, WELL_WRITTEN.replace('"prices"', '"zzz"').replace('"shop_app"', '"app"'))
    assert reconcile(profile, THERE, "profile.toml").problems == (
        "profile.toml: money.table: no table public.zzz in the restored database; remove it, or name one that exists",
        "profile.toml: tenancy.row_security.role: no role app in the restored cluster",
    )


def without_its_key(name: str) -> Facts:
    """The same database, one table of which has a key of two columns."""
    composite = [
        table.model_copy(update={"primary_key": ("id", "tenant_id")}) if table.name.name == name else table
        for table in THERE.tables
    ]
    return facts(*composite, roles=THERE.roles)


def test_what_points_at_a_key_of_several_columns_names_all_of_it(tmp_path: Path) -> None:
    profile, there = read(tmp_path, WELL_WRITTEN), without_its_key("orders")
    problems = (*unbrought(profile, there, there, "profile.toml"), *reconcile(profile, there, "profile.toml").problems)
    assert problems == (
        "profile.toml: tenancy.generic_reference.models.shop.order: public.orders needs a primary key of one column for "
        "others to point at",
        "profile.toml: payment 'payments'.invoice: the key of public.orders is (id, tenant_id), and public.payments has no "
        "foreign key to it by order_id, nor columns that are called like all of it but one: let a query name them together",
    )


def test_a_key_of_several_columns_is_pointed_at_by_an_id_within_the_others(tmp_path: Path) -> None:
    within = WELL_WRITTEN.replace(
        "[[tenancy.generic_reference]]", '[[tenancy.generic_reference]]\nwithin.tenant_id = "tenant_id"'
    )
    assert within != WELL_WRITTEN
    problems = reconcile(read(tmp_path, within), without_its_key("orders"), "profile.toml").problems
    assert not [problem for problem in problems if "one column" in problem and "generic" in problem]
    wrong = read(tmp_path, within.replace('= "tenant_id"\n', '= "tenant"\n', 1))
    assert (
        "profile.toml: tenancy.generic_reference.models.shop.order: public.orders needs a primary key of one column beside "
        "tenant for others to point at"
    ) in (
        *reconcile(wrong, without_its_key("orders"), "profile.toml").problems,
        *unbrought(wrong, *[without_its_key("orders")] * 2, "profile.toml"),
    )


@pytest.mark.parametrize("application", ["openwisp", "oscar", "rentals", "wagtail"])
def test_the_profiles_of_other_peoples_applications_are_well_written(application: str) -> None:
    folder = Path(__file__).parents[1] / "apps" / application / "profile"
    assert read_profile(folder).profile.application.name == application
