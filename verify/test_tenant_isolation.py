"""TEN: every row belongs to one tenant, points at that tenant's rows, and is seen by that tenant alone."""

from fixtures.checks.databases import Database
from fixtures.checks.examination import Examination
from fixtures.checks.tenancy.owners import expect_owned
from fixtures.checks.tenancy.planters import (
    a_row_of_another_tenant,
    a_row_without_an_owner,
    a_tenants_row_named_by_all,
    an_id_of_another_tenant,
    an_owner_by_another_way_alone,
    any_models_row_of_another_tenant,
)
from fixtures.checks.tenancy.rls_bypass import rls_bypasses
from fixtures.checks.tenancy.row_security import policies_lacking, seen_by_role
from fixtures.checks.tenancy.spoilers import (
    a_role_that_no_policy_binds,
    a_table_that_leads_to_no_tenant,
    a_tenants_column_without_its_key,
    row_security_that_is_off,
)
from fixtures.checks.tenancy.table_pass import TablePass
from fixtures.checks.tenancy.tenant_columns import TenantColumn
from fixtures.ownership import Ownership, is_unplaced
from fixtures.plugin.declare import control, for_each, proven_by, reads_rows_of, shown_by_tests
from fixtures.profile import Profile
from fixtures.profile.references import GenericReference, SoftReference
from fixtures.record.facts import ForeignKey, Table
from fixtures.record.record import DrillRecord


@control(
    "TEN-01",
    title="Every table is owned by a tenant or shared on purpose",
    impact="critical",
    remediation="Give the table a path to its tenant, or declare it in [tenancy.shared] with the reason: make profile "
    "CONTINUE=… drafts the line by what its rows tell.",
)
@proven_by(a_table_that_leads_to_no_tenant)
@for_each("migrated_table")
def test_the_table_is_owned_or_shared_on_purpose(
    migrated: Database,
    record: DrillRecord,
    table: Table,
    ownership: Ownership,
    profile: Profile,
    examination: Examination,
) -> None:
    """A table that nobody decided about is a table whose rows nobody keeps apart. One without a row has none to keep apart:
    it is counted, and fails on the day that it holds one. A gate asks of every table that its release makes."""
    decided = table.name in ownership.ways or table.name in profile.tenancy.shared
    unplaced = is_unplaced(table, ownership, record.facts, gated=record.release is not None)
    if unplaced:
        examination.add_note("empty, not yet placed: fails once it holds a row")
    examination.expect(decided or unplaced, ownership.undecided.get(table.name, ""), unit="tables")


@control(
    "TEN-02",
    title="Every reference stays inside one tenant",
    impact="critical",
    remediation="Do not promote this backup. Quarantine the listed rows, then fix the code that wrote them.",
)
@proven_by(a_row_of_another_tenant)
@for_each("tenant_reference")
def test_the_reference_stays_inside_one_tenant(
    migrated: Database, reference: ForeignKey, ownership: Ownership, profile: Profile
) -> None:
    """A row pointing at another tenant's row shows one customer's data to another. Where that is meant, the profile
    says so in [[tenancy.crossing]], for the rows that its condition returns."""
    source = migrated.facts.table(reference.table)
    assert source is not None
    migrated.expect_none(TablePass(source, migrated.facts, ownership, profile.tenancy).reference(reference))


@control(
    "TEN-03",
    title="Every owned row has one owner",
    impact="high",
    remediation="Find the code that leaves the reference empty. If another column says whose the row is, name it in "
    "[tenancy.owner_via]. Only if rows may belong to nobody, declare the table in [tenancy.ownerless].",
)
@proven_by(a_row_without_an_owner)
@for_each("owned_table")
def test_every_owned_row_has_an_owner(migrated: Database, table: Table, ownership: Ownership, profile: Profile) -> None:
    """A row without a tenant passes every filter by tenant wrongly: it is seen by nobody, or by everybody. So does one
    that several tenants are tied to, where one was promised. Rows that may have none are counted in the evidence."""
    expect_owned(migrated, TablePass(table, migrated.facts, ownership, profile.tenancy).owner, profile.tenancy)


@control(
    "TEN-04",
    title="Generic references stay inside one tenant",
    impact="high",
    remediation="Repair or delete the listed rows. If the profile lacks the model, map it there.",
)
@proven_by(any_models_row_of_another_tenant)
@for_each("generic_reference")
def test_the_generic_reference_stays_inside_one_tenant(
    migrated: Database, reference: GenericReference, ownership: Ownership, profile: Profile
) -> None:
    """The database does not guard a reference through django_content_type: only this does."""
    source = migrated.facts.table(reference.table)
    assert source is not None
    migrated.expect_none(TablePass(source, migrated.facts, ownership, profile.tenancy).unguarded(reference))


@control(
    "TEN-05",
    title="Row-level security is on, forced, and has a policy",
    impact="critical",
    remediation="ALTER TABLE … ENABLE and FORCE ROW LEVEL SECURITY, and restore the policy. Then find out what removed it.",
)
@proven_by(row_security_that_is_off)
@for_each("row_security_table")
def test_row_level_security_is_on_and_forced(migrated: Database, table: Table, examination: Examination) -> None:
    """Without FORCE the owner sees every row; without a policy nobody sees any."""
    lacking = policies_lacking(table, migrated.facts.policies)
    examination.expect(not lacking, f"row-level security is not {' and not '.join(lacking)}", unit="tables")


@control(
    "TEN-06",
    title="The application's role sees one tenant's rows and no other's",
    impact="critical",
    remediation="Do not promote this backup. Compare the policy with the one in the application's migrations.",
)
@shown_by_tests(
    "it logs in as the application's role, in a session of its own: another session never sees what is planted in a "
    "transaction, and nothing that is planted is ever committed"
)
@reads_rows_of("its subject")
@for_each("row_security_table")
def test_the_application_sees_one_tenant_alone(
    migrated: Database, table: Table, ownership: Ownership, profile: Profile
) -> None:
    """Tried as the application does it: connected as its role, a tenant set, and every row that is visible counted."""
    seen_by_role(migrated, table, ownership, profile.tenancy.row_security)


@control(
    "TEN-07",
    title="The application's role cannot bypass row-level security",
    impact="critical",
    remediation="Take SUPERUSER, BYPASSRLS and ownership of the table from the role.",
)
@proven_by(a_role_that_no_policy_binds)
@for_each("row_security_table")
def test_the_role_cannot_step_around_row_level_security(
    migrated: Database, table: Table, profile: Profile, examination: Examination
) -> None:
    """A superuser, a role with BYPASSRLS and whoever may act as the table's owner can read past any policy."""
    security = profile.tenancy.row_security
    roles = {role.name: role for role in migrated.facts.roles}
    name = security.role if security is not None else ""
    ways = rls_bypasses(name, table, roles)
    message = f"the role {name} {' and '.join(ways)}" if name else "the profile names no role of the application"
    examination.expect(bool(name) and not ways, message, unit="roles")


@control(
    "TEN-08",
    title="No shared row references a tenant's row",
    impact="high",
    remediation=(
        "Let a tenant own the table, or drop the reference. If it is intended, declare it in "
        "[[tenancy.crossing]] with the reason."
    ),
)
@proven_by(a_tenants_row_named_by_all)
@for_each("shared_reference")
def test_the_shared_table_points_at_nothing_owned(
    migrated: Database, reference: ForeignKey, ownership: Ownership, profile: Profile, examination: Examination
) -> None:
    """Everybody reads a shared row: what it points at, one tenant's, is named to all of them."""
    source = migrated.facts.table(reference.table)
    assert source is not None
    migrated.expect_none(TablePass(source, migrated.facts, ownership, profile.tenancy).reference(reference))
    allowed = reference.target not in ownership.ways or profile.tenancy.crossing_of(reference.id) is not None
    examination.expect(allowed, f"a shared table may point at {reference.target}, which tenants own; no row does yet")


@control(
    "TEN-09",
    title="References without a constraint stay inside one tenant",
    impact="high",
    remediation="Repair or delete the listed rows. Give the column a foreign key where it can have one.",
)
@proven_by(an_id_of_another_tenant)
@for_each("soft_reference")
def test_the_soft_reference_stays_inside_one_tenant(
    migrated: Database, reference: SoftReference, ownership: Ownership, profile: Profile
) -> None:
    """An id without a constraint, or in JSON, is followed as any other, and nothing has ever kept it right."""
    source = migrated.facts.table(reference.table)
    assert source is not None
    migrated.expect_none(TablePass(source, migrated.facts, ownership, profile.tenancy).unguarded(reference))


@control(
    "TEN-10",
    title="Every column named like the tenant's is a reference to the tenant",
    impact="medium",
    remediation="Add the foreign key. Where there can be none, declare the column as a [[tenancy.soft_reference]].",
)
@proven_by(a_tenants_column_without_its_key)
@for_each("tenant_column")
def test_the_tenant_column_is_a_reference(
    migrated: Database, column: TenantColumn, ownership: Ownership, examination: Examination
) -> None:
    """Such a column looks as if it kept tenants apart, and may hold the key of a tenant that is not there."""
    message = f"it is named as the references to {ownership.root.table} are, and is none itself"
    examination.expect(column.held, message, unit="columns")


@control(
    "TEN-11",
    title="No row without an owner belongs to a tenant by another reference",
    impact="high",
    remediation="Give the row the owner that its references have, or remove the reference.",
)
@proven_by(an_owner_by_another_way_alone)
@for_each("several_ways")
def test_other_ways_give_no_other_owner(
    migrated: Database, ways: tuple[Table, tuple[ForeignKey, ...]], ownership: Ownership, profile: Profile
) -> None:
    """All ways from a row to its tenant must agree. Between two owners TEN-02 decides, reference by reference; where the
    row's own way is empty it has nothing to compare, and what is taken for everybody's may hang on one tenant's row."""
    table, _ = ways
    migrated.expect_none(TablePass(table, migrated.facts, ownership, profile.tenancy).other_ways)
