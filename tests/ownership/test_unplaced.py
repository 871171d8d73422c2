"""A table without a row need not be placed yet, and what its release has just made must be at a gate."""

import random
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from fixtures.checks.drilled import Drilled
from fixtures.checks.spoiling import Spoiling
from fixtures.checks.tenancy.spoilers import a_table_that_leads_to_no_tenant
from fixtures.ownership import derive_ownership, is_unplaced, unplaced_tables
from fixtures.profile.reading import read_profile
from fixtures.profile.tenancy import Tenancy
from fixtures.record.facts import Facts, Table
from fixtures.record.names import TableName
from tests.support import record_examples as examples
from tests.support.catalogues import facts, points, table
from tests.support.drills import PROFILE

TENANTS = table("tenants")
FLAGS = TableName("public", "flags")


def of_flags(rows: int | None, *more: Table) -> Facts:
    pages = table("pages", "tenant_id").model_copy(update={"rows": 0})
    flags = table("flags").model_copy(update={"rows": rows})
    return facts(TENANTS, pages, flags, *more, foreign_keys=(points("pages", "tenant_id", "tenants"),))


def unplaced(restored: Facts | None, migrated: Facts, *, gated: bool = False, **said: object) -> list[str]:
    ownership = derive_ownership(migrated, Tenancy.model_validate({"root": "tenants", **said}))
    return [name.name for name in unplaced_tables(ownership, restored, migrated, gated=gated)]


@pytest.mark.parametrize(
    ("before", "after", "waits"),
    [(0, 0, True), (0, 1, False), (1, 0, False), (0, None, False), (None, 0, False), (3, 3, False)],
)
def test_only_a_table_that_is_known_to_be_empty_before_and_after_waits(
    before: int | None, after: int | None, waits: bool
) -> None:
    for gated in (False, True):
        assert unplaced(of_flags(before), of_flags(after), gated=gated) == (["flags"] if waits else [])


def test_what_the_release_makes_waits_in_a_drill_and_not_at_a_gate() -> None:
    restored, migrated = of_flags(0), of_flags(0, table("drafts"))
    assert unplaced(restored, migrated) == ["drafts", "flags"]
    assert unplaced(restored, migrated, gated=True) == ["flags"]


def test_what_is_owned_or_shared_is_placed() -> None:
    assert unplaced(of_flags(0), of_flags(0), shared={"flags": "switches of the operator's own"}) == []


@pytest.mark.parametrize("name", ["flags", "igny8_drafts"])
def test_a_proof_fills_the_empty_table_that_it_takes_the_keys_from(name: str) -> None:
    """An empty one may be placed by its keys, or not yet: a first row in it has to be told in both."""
    catalogue = facts(
        table("igny8_tenants"),
        table("igny8_drafts", "tenant_id"),
        table("flags"),
        foreign_keys=(points("igny8_drafts", "tenant_id", "igny8_tenants"),),
    )
    record = examples.record(facts=catalogue, migrated_facts=catalogue, profile_problems=())
    drilled = Drilled.of_record(record, read_profile(PROFILE))
    subject = catalogue.table(TableName("public", name))
    no_planting: Any = nullcontext
    spoiling = Spoiling(drilled, subject, random.Random(0), {}, Path, no_planting)
    spoiled = a_table_that_leads_to_no_tenant.spoil(spoiling).drilled
    changed = spoiled.migrated_facts.table(TableName("public", name))
    assert changed is not None
    assert changed.name in spoiled.ownership.undecided
    assert not is_unplaced(changed, spoiled.ownership, record.facts, gated=False)
