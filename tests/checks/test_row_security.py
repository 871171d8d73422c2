"""A role that could read past a policy is found out, whatever other roles it would have to act as."""

import pytest

from fixtures.checks.tenancy.rls_bypass import rls_bypasses
from fixtures.record.facts import DatabaseRole
from tests.support.catalogues import role, table


@pytest.mark.parametrize(
    ("roles", "ways"),
    [
        ((role("app"), role("owner")), []),
        ((role("app", "readers"), role("readers"), role("owner")), []),
        ((role("app", bypasses=True),), ["has BYPASSRLS"]),
        ((role("app", superuser=True, bypasses=True),), ["is a superuser", "has BYPASSRLS"]),
        ((role("app", "owner"), role("owner")), ["may act as owner, which owns the table"]),
        ((role("app", "staff"), role("staff", "owner"), role("owner")), ["may act as owner, which owns the table"]),
        ((role("app", "staff"), role("staff", "app", bypasses=True)), ["may act as staff, which has BYPASSRLS"]),
        ((role("app", "pg_monitor"), role("owner")), []),
    ],
)
def test_every_way_around_a_policy_is_told(roles: tuple[DatabaseRole, ...], ways: list[str]) -> None:
    assert rls_bypasses("app", table("invoices"), {each.name: each for each in roles}) == ways


def test_the_owner_itself_is_told() -> None:
    assert rls_bypasses("owner", table("invoices"), {"owner": role("owner")}) == ["owns the table"]
