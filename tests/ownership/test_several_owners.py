"""Rows that belong to several tenants on purpose: they are counted, and every reference to or from one is tried."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.checks.tenancy.kept_owners import KeptOwners, exchanged_rows
from fixtures.checks.tenancy.owners import rows_without_owner, tied_to_tenants
from fixtures.checks.tenancy.references import strays
from tests.support.small_tenancy import Look, SmallTenancy, small_tenancy

BILLS = """
INSERT INTO tenants VALUES (3);
CREATE TABLE projects (id int PRIMARY KEY, tenant_id int NOT NULL REFERENCES tenants);
CREATE TABLE contracts (id int PRIMARY KEY, tenant_id int NOT NULL REFERENCES tenants);
CREATE TABLE bills (id int PRIMARY KEY, contract_id int REFERENCES contracts);
CREATE TABLE bill_projects (id int PRIMARY KEY, bill_id int REFERENCES bills, project_id int REFERENCES projects);
CREATE TABLE lines (id int PRIMARY KEY, bill_id int REFERENCES bills, contract_id int REFERENCES contracts);
CREATE TABLE payments (id int PRIMARY KEY, tenant_id int REFERENCES tenants, bill_id int REFERENCES bills);
INSERT INTO projects VALUES (1, 1), (2, 2), (3, 3);
INSERT INTO contracts VALUES (1, 1), (2, 2), (3, 3);
INSERT INTO bills VALUES (1, 1), (2, 2), (3, 3);
INSERT INTO bill_projects VALUES (1, 1, 1), (2, 2, 1), (3, 2, 2), (4, 3, 3);
INSERT INTO lines VALUES (1, 1, 1), (2, 2, 1), (3, 2, 2);
INSERT INTO payments VALUES (1, 1, 2), (2, 2, 2), (3, 3, 3);
"""
REASON = "a bill for two customers' projects"
ONE = {"at_most": 1, "reason": REASON}
COUNTED = f"1 of 3 rows belong to several tenants, as the profile says: {REASON} (at most 1)"
SAID = {
    "owner_via": {"spent": "tenant_id", "payments": "tenant_id", "lines": "bill_id"},
    "shared": {"people": "in several tenants", "Words": "for everyone"},
}
# What is planted, and what is then found, by table or reference.
FAULTS = {
    "INSERT INTO bill_projects VALUES (9, 1, 2)": {
        "bills": "2 of 3 rows belong to several tenants, as the profile says, which accepts at most 1"
    },
    "DELETE FROM bill_projects WHERE bill_id = 3": {
        "bills": "1 of 3 rows belong to no tenant, or to one that is not there"
    },
    "UPDATE payments SET tenant_id = 3 WHERE id = 2": {
        "payments(bill_id)": "1 of 3 rows point at a row of public.bills that belongs to another tenant"
    },
    "UPDATE bills SET contract_id = 3 WHERE id = 2": {
        "bills(contract_id)": "1 of 3 rows point at a row of public.contracts that belongs to another tenant"
    },
    "UPDATE lines SET contract_id = 3 WHERE id = 3": {
        "lines(contract_id)": "1 of 3 rows point at a row of public.contracts that belongs to another tenant"
    },
}


@pytest.fixture(scope="module")
def tenancy() -> Iterator[SmallTenancy]:
    with small_tenancy() as ready:
        yield ready


def tied(several: object) -> dict[str, object]:
    entry = {"table": "bills", "through": "bill_projects"}
    return {**SAID, "many_to_many": [entry if several is None else {**entry, "several": several}]}


def findings(look: Look) -> dict[str, str]:
    """All that the controls on owners and references say, by table or reference, but for what stays unsaid."""
    said = {}
    for name in ("bills", "lines", "payments"):
        table = look.table(name)
        path = look.ownership.owned[table.name]
        said[name] = look.said(rows_without_owner(table, path, tied=tied_to_tenants(path, look.tenancy)))[0]
        look.database.examination.note = ""
    facts = look.database.facts
    for key in look.ownership.references(facts):
        source = facts.table(key.table)
        assert source is not None
        told = look.said(strays(key, source, look.ownership))[0]
        said[key.id.removeprefix("public.").split("->")[0]] = told
    return {name: text for name, text in said.items() if text}


def test_rows_of_several_tenants_are_counted_and_what_is_theirs_is_no_finding(tenancy: SmallTenancy) -> None:
    with tenancy.look(BILLS, **tied(ONE)) as look:
        assert look.problems == ()
        assert findings(look) == {"bills": COUNTED}


@pytest.mark.parametrize("planted", FAULTS)
def test_a_fault_beside_rows_of_several_tenants_is_found(tenancy: SmallTenancy, planted: str) -> None:
    with tenancy.look(f"{BILLS}; {planted}", **tied(ONE)) as look:
        counted = {} if "bill_projects VALUES" in planted or "DELETE" in planted else {"bills": COUNTED}
        assert findings(look) == counted | FAULTS[planted]


def test_without_the_declaration_each_such_row_and_what_hangs_on_it_is_a_finding(tenancy: SmallTenancy) -> None:
    with tenancy.look(BILLS, **tied(None)) as look:
        assert findings(look) == {
            "bills": "1 of 3 rows belong to no tenant, or to several",
            "lines": "2 of 3 rows belong to no tenant, or to several",
        }


def test_a_row_that_the_condition_does_not_name_is_a_finding_with_what_hangs_on_it(
    tenancy: SmallTenancy, tmp_path: Path
) -> None:
    (tmp_path / "several.sql").write_text("SELECT id FROM public.bills WHERE id = 2")
    said = tied({"condition": "several.sql", "reason": REASON})
    with tenancy.look(BILLS, tmp_path, **said) as look:
        assert look.problems == ()
        assert findings(look) == {"bills": f"1 of 3 rows belong to several tenants, as the profile says: {REASON}"}
    with tenancy.look(f"{BILLS}; INSERT INTO bill_projects VALUES (9, 1, 2)", tmp_path, **said) as look:
        message = "belong to no tenant, to several and are not among those that may, or to one that is not there"
        assert findings(look) == {"bills": f"1 of 3 rows {message}", "lines": f"1 of 3 rows {message}"}


def test_a_row_that_migrations_take_from_one_of_its_tenants_has_another_owner(tenancy: SmallTenancy) -> None:
    lost = "DELETE FROM bill_projects WHERE bill_id = 2 AND project_id = 2"
    with tenancy.look(BILLS, **tied(ONE)) as before, tenancy.look(f"{BILLS}; {lost}", **tied(ONE)) as after:
        path = before.ownership.owned[before.table("bills").name]
        exchanged = exchanged_rows(KeptOwners(("id",), path, path), before.database, after.database)
    assert exchanged.moved_total == 1
