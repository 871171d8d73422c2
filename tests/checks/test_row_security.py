"""A role that could read past a policy is found out, whatever other roles it would have to act as."""

import pytest

from fixtures.checks.tenancy.rls_bypass import rls_bypasses, roles_past_policies
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


MANAGED = (
    role("postgres", "app", superuser=True, bypasses=True),
    role("rds_superuser", bypasses=True),
    role("cloudsqlsuperuser", bypasses=True),
    role("azure_pg_admin", bypasses=True),
    role("admin", "rds_superuser", "app"),
)
GROUP = role("app").model_copy(update={"login": False})


@pytest.mark.parametrize(
    ("roles", "finding"),
    [
        ((role("app"), *MANAGED), (1, [])),
        ((role("app", bypasses=True), *MANAGED), (1, ["app"])),
        ((role("app", superuser=True), *MANAGED), (1, ["app"])),
        ((role("app", "rds_superuser"), *MANAGED), (2, ["rds_superuser"])),
        ((role("app", "staff"), role("staff", "postgres"), role("postgres", superuser=True)), (3, ["postgres"])),
        # A group that cannot log in is what its members are who can.
        ((GROUP, role("worker", "app", bypasses=True), role("postgres", superuser=True)), (2, ["worker"])),
    ],
)
def test_only_what_the_application_is_or_may_become_is_past_row_security(
    roles: tuple[DatabaseRole, ...], finding: tuple[int, list[str]]
) -> None:
    of, named = finding
    expected = (of, [f"past row security role {name}" for name in named])
    assert roles_past_policies("app", roles, [each.name for each in roles]) == expected
