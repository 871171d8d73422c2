"""What keeps the controls on row-level security from looking is blocked with its cause: never a pass, never a crash."""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fixtures.checks.blocked import Blocked
from fixtures.checks.databases import Database
from fixtures.checks.examination import Finding
from fixtures.checks.tenancy.rls_bypass import left_open
from fixtures.checks.tenancy.row_security import seen_by_role
from fixtures.checks.tenancy.row_writes import refused_to_role
from fixtures.ownership import Ownership, derive_ownership
from fixtures.profile.tenancy import RowSecurity, Tenancy
from fixtures.record.facts import Table
from fixtures.record.names import TableName
from tests.support.guarded_source import ROLE, SECURITY, TENANT, Guarded, Look, guarded_source

ORDERS, LINES = TableName("Odd", "Orders"), TableName("public", "lines")
Control = Callable[[Database, Table, Ownership, RowSecurity | None], None]
BOTH = pytest.mark.parametrize("control", [seen_by_role, refused_to_role], ids=["TEN-06", "TEN-12"])


@pytest.fixture(scope="module")
def guarded() -> Iterator[Guarded]:
    with guarded_source() as ready:
        yield ready


def table_of(look: Look, name: TableName) -> Table:
    table = look.database.facts.table(name)
    assert table is not None
    return table


def with_lifted_force(look: Look) -> Database:
    """The database as a drill sees it that could read it only after lifting FORCE ROW LEVEL SECURITY from every table."""
    lifted = tuple(table.model_copy(update={"force_lifted": True}) for table in look.database.facts.tables)
    return replace(look.database, facts=look.database.facts.model_copy(update={"tables": lifted}))


@BOTH
def test_without_the_profiles_word_nobody_can_say_what_a_policy_should_show(guarded: Guarded, control: Control) -> None:
    with guarded.spoiled() as look, pytest.raises(Blocked, match=r"the profile declares no \[tenancy\.row_security\]"):
        control(look.database, table_of(look, LINES), look.ownership, None)


@BOTH
def test_a_table_without_a_known_owner_is_blocked(guarded: Guarded, control: Control) -> None:
    with guarded.spoiled() as look:
        others = {name: way for name, way in look.ownership.ways.items() if name != LINES}
        ownership = replace(look.ownership, ways=others)
        with pytest.raises(Blocked, match=r"no path leads from public\.lines to the tenant root"):
            control(look.database, table_of(look, LINES), ownership, SECURITY)


@BOTH
def test_a_role_that_cannot_log_in_is_blocked_with_the_servers_reason(guarded: Guarded, control: Control) -> None:
    with guarded.spoiled() as look:
        access = replace(look.database.access, role_password=secrets.token_hex(8))
        with pytest.raises(Blocked, match=r"Shop app cannot connect .*: password authentication failed"):
            control(replace(look.database, access=access), table_of(look, LINES), look.ownership, SECURITY)


@BOTH
def test_a_role_that_may_act_as_an_owner_whom_the_drill_let_read_is_blocked(guarded: Guarded, control: Control) -> None:
    owned = f'ALTER TABLE lines OWNER TO shop_owner; GRANT shop_owner TO "{ROLE}"'
    with guarded.spoiled(owned) as look:
        try:
            with pytest.raises(
                Blocked, match="may act as an owner of tables whose FORCE ROW LEVEL SECURITY was lifted"
            ):
                control(with_lifted_force(look), table_of(look, LINES), look.ownership, SECURITY)
        finally:
            look.database.session.close()
            with guarded.server.connect() as connection:
                connection.execute(f'REVOKE shop_owner FROM "{ROLE}"')


@BOTH
def test_what_was_lifted_from_owners_whom_the_role_may_not_act_as_blocks_nothing(
    guarded: Guarded, control: Control
) -> None:
    with guarded.spoiled("ALTER TABLE lines OWNER TO shop_owner; ALTER TABLE tenants OWNER TO clerk") as look:
        # The other one is a superuser's, whom the role may not act as either.
        control(with_lifted_force(look), table_of(look, LINES), look.ownership, SECURITY)
        assert look.database.examination.examined


@BOTH
def test_grants_that_did_not_come_back_are_blocked(guarded: Guarded, control: Control) -> None:
    revoked, says = f'REVOKE SELECT ON lines FROM "{ROLE}"', r"may not read public\.lines: its grants were not restored"
    with guarded.spoiled(revoked) as look, pytest.raises(Blocked, match=says):
        control(look.database, table_of(look, LINES), look.ownership, SECURITY)


def test_writes_that_would_leave_a_trace_are_not_tried(guarded: Guarded) -> None:
    with guarded.spoiled() as look:
        with guarded.server.connect() as connection:
            connection.execute(f'ALTER ROLE "{ROLE}" RESET session_replication_role')
        with pytest.raises(
            Blocked, match="only a superuser of the drill's server can let Shop app write without a trace"
        ):
            refused_to_role(look.database, table_of(look, LINES), look.ownership, SECURITY)


def test_rows_whose_owner_only_a_query_tells_cannot_be_written_for_another(guarded: Guarded, tmp_path: Path) -> None:
    (tmp_path / "lines.sql").write_text('SELECT id, "order Tenant" AS tenant FROM public.lines')
    declared = {"root": "tenants", "owner_query": {"lines": "lines.sql"}}
    tenancy = Tenancy.model_validate(declared, context={"folder": tmp_path})
    with guarded.spoiled() as look:
        ownership = derive_ownership(look.database.facts, tenancy)
        with pytest.raises(Blocked, match=r"no column of .*lines.* names a row's owner .*, so no row can be written"):
            refused_to_role(look.database, table_of(look, LINES), ownership, SECURITY)
        # What is seen needs no column.
        seen_by_role(look.database, table_of(look, LINES), ownership, SECURITY)


FAILS = (
    f"ALTER POLICY one_tenant ON lines USING (1 / (CASE WHEN \"order Tenant\" = {TENANT} AND right({TENANT}::text, 1) = '2'"
    f' THEN 0 ELSE 1 END) = 1 AND "order Tenant" = {TENANT})'
)


def test_a_policy_that_fails_for_one_tenant_is_blocked_by_its_class(guarded: Guarded) -> None:
    says = r"1 of 5 views could not be taken: .* ended with DivisionByZero"
    with guarded.spoiled(FAILS) as look, pytest.raises(Blocked, match=says):
        seen_by_role(look.database, table_of(look, LINES), look.ownership, SECURITY)


def test_what_other_tenants_see_is_told_though_one_cannot_be_tried(guarded: Guarded) -> None:
    shown = f"{FAILS}; CREATE POLICY shown ON lines FOR SELECT USING (id = 1)"
    with guarded.spoiled(shown) as look, pytest.raises(Finding) as finding:
        seen_by_role(look.database, table_of(look, LINES), look.ownership, SECURITY)
    assert "no tenant set: sees 1 rows" in finding.value.samples


def test_ways_past_the_policies_of_a_role_that_is_not_there_are_no_pass(guarded: Guarded) -> None:
    with guarded.spoiled() as look, pytest.raises(Exception, match='role "nobody of ours" does not exist'):
        left_open(look.database, "nobody of ours")


def test_what_the_drill_lifted_is_no_way_past_the_policies(guarded: Guarded) -> None:
    planted = (
        "ALTER TABLE lines OWNER TO shop_owner; CREATE VIEW v AS SELECT * FROM lines; "
        f'ALTER VIEW v OWNER TO shop_owner; GRANT SELECT ON v TO "{ROLE}"'
    )
    with guarded.spoiled(planted) as look:
        assert left_open(look.database, ROLE)[1] == ["past row security view public.v"]
        assert left_open(with_lifted_force(look), ROLE)[1] == []
