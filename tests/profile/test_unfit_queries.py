"""A query of one entry of the profile that the server cannot answer blocks the subjects of that entry, and no others."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.checks.blocked import Blocked
from fixtures.checks.drilled import Drilled
from fixtures.checks.examination import Finding
from fixtures.checks.tenancy.owners import expect_owned
from fixtures.checks.tenancy.table_pass import TablePass
from fixtures.database.file_queries import unanswerable_files
from fixtures.database.reconcile import unbrought
from fixtures.profile.reading import read_profile
from fixtures.server import Server
from tests.profile.test_unfit_entries import PATH, THERE, WHOLE, planned
from tests.support.kept_server import kept_server
from tests.support.record_examples import record
from tests.support.small_tenancy import SmallTenancy, small_tenancy

FILES = """
[[files]]
name = "scans"
query = "scans.sql"
root = "scans"
tenant_folder = "{tenant}"
[[files]]
name = "letters"
query = "letters.sql"
root = "letters"
"""
RIGHT = "SELECT oid, relname AS path, 1 AS tenant, relpages AS size FROM pg_catalog.pg_class;"
KINDS = ("file_column", "claimed_folder", "measured_file_column", "tenant_file_column")
RETURNS = "; it returns path and the row's key, and tenant, size and sha256 where there are such"
QUALIFIED = f"{RETURNS}, and names every table with its schema"
WRONG = {
    "SELECT oid, relname AS path FROM public.gone": f'relation "public.gone" does not exist{QUALIFIED}',
    "SELECT oid, name AS path FROM pg_catalog.pg_class": f'column "name" does not exist{QUALIFIED}',
    "SELECT oid, relname FROM pg_catalog.pg_class": f"it returns no path{RETURNS}",
    "SELECT relname AS path FROM pg_catalog.pg_class": f"it returns no key of its row{RETURNS}",
    "SELECT FROM pg_catalog.pg_class": f"it returns no path and no key of its row{RETURNS}",
    "SELECT 1 AS id, 'a' AS path, point(1, 2) AS size": f"cannot cast type point to bigint{QUALIFIED}",
    "DELETE FROM pg_catalog.pg_class": f'syntax error at or near "FROM"{QUALIFIED}',
}  # fmt: skip


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with kept_server() as server:
        yield server


@pytest.fixture(scope="module")
def tenancy() -> Iterator[SmallTenancy]:
    with small_tenancy() as tenancy:
        yield tenancy


@pytest.mark.parametrize("wrong", WRONG)
def test_one_query_of_files_that_the_server_cannot_answer_blocks_its_own_entry(
    server: Server, tmp_path: Path, wrong: str
) -> None:
    (tmp_path / "scans.sql").write_text(wrong)
    (tmp_path / "letters.sql").write_text(RIGHT)
    (tmp_path / PATH).write_text(WHOLE.replace('root = "media"', 'root = "media/all"') + FILES)
    source = read_profile(tmp_path)
    with server.reading("postgres") as connection:
        problems = unanswerable_files(connection, source.profile.files, PATH)
    (problem,) = problems
    assert problem == f"{PATH}: files 'scans'.query: scans.sql: {WRONG[wrong]}"
    looked = {"facts": THERE, "migrated_facts": THERE, "profile_problems": problems, "profile_path": PATH}
    found = planned(Drilled.of_record(record(**looked), source), KINDS)
    assert {subject for subject, why in found.items() if why} == {(kind, "scans") for kind in KINDS}
    assert all(why in ("", f"the profile does not fit the database: {problem}") for why in found.values())
    assert {subject for kind, subject in found if kind == "file_column"} == {"all", "scans", "letters"}


OWNERLESS = """
[tenancy.shared]
"Words" = "everybody's own words"
[tenancy.ownerless]
devices = { condition = "spare.sql", reason = "spare ones lie in store" }
people = { at_most = 1, reason = "some are in no tenant today" }
"""


def of_ownerless(tenancy: SmallTenancy, folder: Path, declared: str) -> dict[str, str]:
    """What TEN-03 says of each table that may hold rows without an owner, as such a profile leaves it to be tried."""
    (folder / PATH).write_text(WHOLE[: WHOLE.index("[[files]]")] + declared)
    source = read_profile(folder)
    said = source.profile.tenancy.model_dump(exclude_unset=True, exclude={"ownerless"})
    said["ownerless"] = {
        str(name): {"reason": each.reason, "at_most": each.at_most}
        | ({"condition": each.condition.file} if each.condition else {})
        for name, each in source.profile.tenancy.ownerless.items()
    }
    answers = {}
    with tenancy.look("", folder, **said) as look:
        facts = look.database.facts
        problems = (*look.problems, *unbrought(source.profile, facts, facts, PATH))
        looked = {"facts": facts, "migrated_facts": facts, "profile_problems": problems, "profile_path": PATH}
        drilled = Drilled.of_record(record(**looked), source)
        for name in ("devices", "people", "cards"):
            table = look.table(name)
            try:
                tenancy_of = drilled.profile.tenancy
                expect_owned(look.database, TablePass(table, facts, look.ownership, tenancy_of).owner, tenancy_of)
                answers[name] = "passed"
            except (Blocked, Finding) as answer:
                answers[name] = f"{type(answer).__name__.lower()}: {answer}"
    return answers


def test_an_entry_of_ownerless_that_does_not_fit_blocks_its_own_table(tenancy: SmallTenancy, tmp_path: Path) -> None:
    (tmp_path / "spare.sql").write_text("SELECT id FROM public.devices WHERE tenant_id IS NULL")
    all_passed = dict.fromkeys(("devices", "people", "cards"), "passed")
    assert of_ownerless(tenancy, tmp_path, OWNERLESS) == all_passed
    (tmp_path / "spare.sql").write_text("SELECT id FROM public.devices WHERE tenant IS NULL")
    found = of_ownerless(tenancy, tmp_path, OWNERLESS)
    problem = f'{PATH}: tenancy.ownerless public.devices: spare.sql: column "tenant" does not exist; it returns id, and'
    assert found.pop("devices").startswith(f"blocked: the profile does not fit the database: {problem}")
    assert set(found.values()) == {"passed"}


def test_an_entry_of_ownerless_that_names_no_table_blocks_where_rows_without_an_owner_are_found(
    tenancy: SmallTenancy, tmp_path: Path
) -> None:
    (tmp_path / "spare.sql").write_text("SELECT id FROM public.devices WHERE tenant_id IS NULL")
    found = of_ownerless(tenancy, tmp_path, OWNERLESS.replace("devices =", "device ="))
    assert found == {
        "devices": f"blocked: the profile does not fit the database: {PATH}: tenancy.ownerless public.device: "
        "no table public.device in the restored database; did you mean public.devices?",
        "people": "passed",
        "cards": "passed",
    }
    # Where every entry names a table, such rows are a fault.
    found = of_ownerless(tenancy, tmp_path, "\n".join(OWNERLESS.splitlines()[:-2]))
    assert found["devices"].startswith("finding: 1 of 3 rows belong to no tenant")


def test_a_condition_on_a_table_without_a_key_returns_the_places_of_its_rows(
    tenancy: SmallTenancy, tmp_path: Path
) -> None:
    visits = "CREATE TABLE visits (tenant_id int REFERENCES tenants); INSERT INTO visits VALUES (1), (NULL);"
    ownerless = {"visits": {"condition": "spare.sql", "reason": "nobody logged in"}}
    for returned, problems in (("ctid", ()), ("tenant_id", ("column m.ctid does not exist; it returns ctid, and",))):
        (tmp_path / "spare.sql").write_text(f"SELECT {returned} FROM public.visits WHERE tenant_id IS NULL")
        with tenancy.look(visits, tmp_path, ownerless=ownerless) as look:
            assert len(look.problems) == len(problems), look.problems
            assert all(wanted in told for wanted, told in zip(problems, look.problems, strict=True))
