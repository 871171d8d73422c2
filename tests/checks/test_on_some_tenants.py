"""References are tried on some tenants' rows as on all, and what is no tenant's is blocked where there is no time for it."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from fixtures.checks.blocked import Blocked
from fixtures.checks.examination import Examination, Finding
from fixtures.checks.probe import Probe
from fixtures.checks.sampled import TenantSample
from fixtures.checks.tenancy.table_pass import TablePass
from tests.support.small_tenancy import Look, SmallTenancy, small_tenancy

SPENT = "public.spent(cardNo)->public.cards"


@pytest.fixture(scope="module")
def tenancy() -> Iterator[SmallTenancy]:
    with small_tenancy() as small:
        yield small


def sample_of(look: Look, tenant: int) -> TenantSample:
    """One of the two tenants."""
    for number in range(100):
        sample = TenantSample(f"run {number}", look.ownership.root.table, "id", 1, 2, "it would take an hour")
        if look.database.session.execute(sample.drawn).fetchall() == [(tenant,)]:
            return sample
    raise AssertionError(f"no seed draws {tenant}")


def found_on(look: Look, probe: Probe, tenant: int) -> tuple[tuple[str, ...], int | None, str]:
    """The keys of what is found in the rows of one tenant, how many were looked at, and on how many tenants."""
    database = replace(look.database, sample=sample_of(look, tenant), examination=Examination())
    found: tuple[str, ...] = ()
    try:
        database.expect_none(probe)
    except Finding as finding:
        found = finding.samples
    assert database.examination.on_tenants is not None
    return found, database.examination.examined, database.examination.on_tenants.in_words


def passes(look: Look, table: str) -> TablePass:
    return TablePass(look.table(table), look.database.facts, look.ownership, look.tenancy)


def reference(look: Look) -> Probe:
    """The one from what was spent to its card."""
    (key,) = (each for each in look.ownership.references(look.database.facts) if each.id == SPENT)
    return passes(look, "spent").reference(key)


def test_a_stray_row_is_found_on_its_own_tenant_and_not_looked_at_on_another(tenancy: SmallTenancy) -> None:
    with tenancy.look('UPDATE spent SET "cardNo" = 1, turn = 9 WHERE "cardNo" = 3') as look:
        found, looked_at, on = found_on(look, reference(look), 2)
        assert found
        assert (looked_at, on) == (3, "on 1 of 2 tenants")
        assert found_on(look, reference(look), 1) == ((), 1, "on 1 of 2 tenants")


def test_an_id_without_a_constraint_is_tried_on_a_tenant(tenancy: SmallTenancy) -> None:
    device = {"table": "spent", "column": "outside", "target": "devices"}
    stray = "UPDATE spent SET outside = 'a0000000-0000-0000-0000-000000000001' WHERE \"cardNo\" = 3"
    with tenancy.look(stray, soft_reference=[device]) as look:
        (soft,) = look.tenancy.soft_reference
        probe = passes(look, "spent").unguarded(soft)
        assert found_on(look, probe, 2)[0]
        assert found_on(look, probe, 1) == ((), 0, "on 1 of 2 tenants")


def test_what_no_tenant_owns_is_blocked_with_what_it_would_take(tenancy: SmallTenancy) -> None:
    """A row without an owner is in no tenant's part."""
    with tenancy.look("UPDATE devices SET tenant_id = NULL") as look:
        database = replace(look.database, sample=sample_of(look, 1))
        why = r"no tenant owns what it looks at.*\[limits\] checks is too short .*: raise it .*; it would take an hour"
        with pytest.raises(Blocked, match=why):
            database.expect_none(passes(look, "devices").owner)
