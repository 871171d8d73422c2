"""TEN: what one tenant sees and may do, as the application would let it."""

from fixtures.checks.databases import Database
from fixtures.checks.drilled import Drilled
from fixtures.checks.examination import Examination
from fixtures.checks.release.spoilers import an_address_that_shows_another_tenants_rows
from fixtures.checks.tenancy.lost_tenants import a_tenant_that_is_gone, a_tenant_whose_owners_cannot_log_in
from fixtures.checks.tenancy.rls_bypass import left_open, roles_past_policies
from fixtures.checks.tenancy.row_writes import refused_to_role
from fixtures.checks.tenancy.schema_planters import (
    a_column_that_one_tenant_has_more,
    a_tenant_whose_schema_is_not_there,
)
from fixtures.checks.tenancy.spoilers import a_role_that_no_policy_binds
from fixtures.checks.tenancy.tenants_schemas import expect_alike, expect_named_once
from fixtures.checks.tenancy.visited_addresses import expect_own_rows_alone
from fixtures.checks.tenancy.whole_tenants import tenants_changed, without_owner
from fixtures.checks.tolerated import expect_known
from fixtures.ownership import OwnerPath, Ownership
from fixtures.plugin.declare import control, for_each, proven_by, reads_rows_of, shown_by_tests
from fixtures.profile import Profile
from fixtures.profile.owners import Schemas
from fixtures.profile.people import Login, Visits
from fixtures.profile.tenancy import RowSecurity
from fixtures.record.facts import Table
from fixtures.record.restored import Restored
from fixtures.record.visited import Visited


@control(
    "TEN-12",
    title="The application's role writes one tenant's rows and no other's",
    impact="critical",
    remediation="Do not promote this backup. Give the table a policy whose USING and WITH CHECK hold for every command.",
)
@shown_by_tests(
    "it logs in as the application's role, in a session of its own: another session never sees what is planted in a "
    "transaction, and nothing that is planted is ever committed"
)
@reads_rows_of("its subject")
@for_each("row_security_table")
def test_the_application_writes_for_one_tenant_alone(
    migrated: Database, table: Table, ownership: Ownership, profile: Profile
) -> None:
    """A policy may hide other tenants' rows and still let them be overwritten, or new ones be slipped in among them. As
    each tenant a row is inserted for another, own rows are handed away, whatever is within reach is taken over and
    deleted; all of it is undone."""
    refused_to_role(migrated, table, ownership, profile.tenancy.row_security)


@control(
    "TEN-13",
    title="Nothing that the application may use bypasses row-level security",
    impact="critical",
    remediation="Make the view security_invoker, the function SECURITY INVOKER or its owner a role that the policies bind; "
    "take BYPASSRLS, SUPERUSER or the grant away. If it is meant to bypass them, say why under [tolerated] in the profile.",
)
@proven_by(a_role_that_no_policy_binds)
@for_each("bound_role")
def test_nothing_reaches_past_row_level_security(
    migrated: Database, security: RowSecurity, restoration: Restored, profile: Profile, examination: Examination
) -> None:
    """Policies bind whoever reads the table itself. A view, a function or a materialised view reads it as its owner, a
    partition has policies of its own, TRUNCATE asks for none, and a privileged role that the application logs in as, or may
    become, needs no way around."""
    roles, privileged = roles_past_policies(
        security.role, migrated.facts.roles, (*restoration.roles_loaded, *restoration.roles_made)
    )
    looked, open_ways = left_open(migrated, security.role)
    expect_known(
        [*privileged, *open_ways],
        "past row security",
        profile=profile,
        examination=examination,
        of=roles + looked,
        unit="roles, views, functions and tables",
        says="bypass row-level security, or are tolerated and not there",
    )


@control(
    "TEN-14",
    title="Every tenant of the backup is there, and no other",
    impact="critical",
    remediation=(
        "Do not promote this backup. Find the migration, or the restore error, that lost or created the named tenants."
    ),
)
@proven_by(a_tenant_that_is_gone)
@reads_rows_of("its subject")
@for_each("tenant_root")
def test_every_tenant_is_there(
    restored: Database, migrated: Database, root: OwnerPath, drilled: Drilled, examination: Examination
) -> None:
    """A tenant that is missing altogether breaks no reference and shows in no other tenant's figures. Tried at the tenant
    root, against the manifest and across the migrations, which must part no tenant from its schema where each has one;
    that each has all of its rows is FID-05's."""
    tenants, changed = tenants_changed(drilled, restored, migrated)
    says = "were lost or made" if drilled.profile.tenancy.schemas is None else "were lost or made, or have no schema"
    examination.expect_none(changed, f"of {root.table} {says}", of=tenants, unit="tenants")


@control(
    "TEN-15",
    title="Every active tenant has an owner who can log in",
    impact="high",
    remediation="Find out when the owner was lost or deactivated. After a recovery nobody could let the tenant in again.",
)
@proven_by(a_tenant_whose_owners_cannot_log_in)
@for_each("login")
def test_every_active_tenant_has_an_owner_who_can_log_in(
    migrated: Database, logins: tuple[Login, ...], ownership: Ownership
) -> None:
    """A tenant whose rows are all there and whose owner is not has lost everything all the same."""
    migrated.expect_none(without_owner(logins, ownership))


@control(
    "TEN-16",
    title="The application shows nobody another tenant's rows",
    impact="critical",
    remediation=(
        "Take the address out of service, or filter its queryset by the tenants of the user who asks. If it "
        "is meant to "
        "be open to anybody, say why under [tenancy.probe.public] in the profile."
    ),
)
@proven_by(an_address_that_shows_another_tenants_rows)
@for_each("visits")
def test_the_application_shows_nobody_another_tenants_rows(
    visited: Visited, visits: Visits, examination: Examination
) -> None:
    """Where no policy of the database keeps tenants apart, one view that forgets to filter shows everything. Users of a
    few tenants are logged in; every list and every detail that can be found is asked for, own rows and others'. Whatever
    answers a tenant for its own row must answer 403 or 404 for another's, and no list may name one. Every result says how
    many of the application's addresses were really tried."""
    expect_own_rows_alone(visited, visits, examination)


@control(
    "TEN-17",
    title="Every tenant's schema has what the others have",
    impact="critical",
    remediation=(
        "Find out what kept the named schema from what the others have: a migration that was not run or was faked there, or "
        "a change by hand. If it is in the middle of a rollout, say so under [tenancy.schemas.unlike] in the profile."
    ),
)
@proven_by(a_column_that_one_tenant_has_more)
@for_each("tenants_schemas")
def test_every_tenants_schema_has_what_the_others_have(
    migrated: Database, schemas: Schemas, ownership: Ownership, examination: Examination
) -> None:
    """One code serves every tenant: where one schema lacks a column, an index or a policy, that tenant alone gets errors,
    or sees what it must not. Tables, columns, constraints, indexes, sequences, triggers, policies, views and functions are
    held against what most of the schemas have."""
    expect_alike(migrated, ownership, schemas, examination)


@control(
    "TEN-18",
    title="Every tenant's schema is named by one tenant, and every tenant's is there",
    impact="critical",
    remediation=(
        "Find out whether the tenant's row was lost, or the schema was left behind when the tenant went. If it is no "
        "tenant's, name it in [tenancy.schemas.apart] with the reason."
    ),
)
@proven_by(a_tenant_whose_schema_is_not_there)
@for_each("tenants_schemas")
def test_every_tenants_schema_is_named_by_one_tenant(
    restored: Database, schemas: Schemas, drilled: Drilled, examination: Examination
) -> None:
    """A schema that no row names is a tenant's whole data that nobody gets at; one that two rows name is shown to both; a
    row whose schema is not there is a tenant without any. Asked of the backup itself: where a schema lacks, the migrations
    end there. What they part from its schema is TEN-14's."""
    expect_named_once(restored, drilled.restored_ownership, schemas, examination)
