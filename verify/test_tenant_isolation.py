"""TEN: every row belongs to one tenant, points at that tenant's rows, and is seen by that tenant alone."""

from fixtures.control import Examination, control, for_each
from fixtures.databases import Database
from fixtures.drill.facts import ForeignKey, Table
from fixtures.drill.ownership import Ownership
from fixtures.drill.profile import Profile
from fixtures.drill.profile.references import GenericReference
from fixtures.row_security import seen_by_role
from fixtures.tenancy import generic_strays, strays, unowned
from fixtures.ways_around import ways_around


@control(
    "TEN-01",
    title="Every table is owned by a tenant or shared on purpose",
    impact="critical",
    remediation="Give the table a path to its tenant, or declare it in [tenancy.shared] with the reason.",
)
@for_each("migrated_table")
def test_the_table_is_owned_or_shared_on_purpose(
    migrated: Database, table: Table, ownership: Ownership, profile: Profile, examination: Examination
) -> None:
    """A table that nobody decided about is a table whose rows nobody keeps apart."""
    decided = table.name in ownership.owned or table.name in profile.tenancy.shared
    examination.expect(decided, "no foreign key leads to the tenant root, and it is not declared shared", unit="tables")


@control(
    "TEN-02",
    title="Every reference stays inside one tenant",
    impact="critical",
    remediation="Do not promote this backup. Quarantine the listed rows, then fix the writer.",
)
@for_each("tenant_reference")
def test_the_reference_stays_inside_one_tenant(migrated: Database, reference: ForeignKey, ownership: Ownership) -> None:
    """A row pointing at another tenant's row shows one customer's data to another."""
    source = migrated.facts.table(reference.table)
    assert source is not None
    migrated.expect_none(strays(reference, source, ownership))


@control(
    "TEN-03",
    title="Every owned row has an owner",
    impact="high",
    remediation="Find the writer that leaves the reference empty; declare the table in [tenancy.ownerless] if it may.",
)
@for_each("owned_table")
def test_every_owned_row_has_an_owner(
    migrated: Database, table: Table, ownership: Ownership, profile: Profile, examination: Examination
) -> None:
    """A row without a tenant passes every filter by tenant wrongly: it is seen by nobody, or by everybody."""
    if table.name in profile.tenancy.ownerless:
        examination.saw(0, "rows")
        return
    migrated.expect_none(unowned(table, ownership.owned[table.name]))


@control(
    "TEN-04",
    title="Generic references stay inside one tenant",
    impact="high",
    remediation="Repair or delete the listed rows; a model that is missing from the profile is to be mapped there.",
)
@for_each("generic_reference")
def test_the_generic_reference_stays_inside_one_tenant(
    migrated: Database, reference: GenericReference, ownership: Ownership
) -> None:
    """The database does not guard a reference through django_content_type: only this does."""
    migrated.expect_none(generic_strays(reference, migrated.facts, ownership))


@control(
    "TEN-05",
    title="Row-level security is on, forced, and has a policy",
    impact="critical",
    remediation="ALTER TABLE … ENABLE and FORCE ROW LEVEL SECURITY, and restore the policy; then find out what took it off.",
)
@for_each("row_security_table")
def test_row_level_security_is_on_and_forced(migrated: Database, table: Table, examination: Examination) -> None:
    """Without FORCE the owner sees every row; without a policy nobody sees any."""
    policies = [policy for policy in migrated.facts.policies if policy.table == table.name]
    lacking = [
        word
        for word, there in (
            ("enabled", table.row_security),
            ("forced", table.row_security_forced),
            ("given a policy", bool(policies)),
        )
        if not there
    ]
    examination.expect(not lacking, f"row-level security is not {' and not '.join(lacking)}", unit="tables")


@control(
    "TEN-06",
    title="The application's role sees one tenant's rows and no other's",
    impact="critical",
    remediation="Do not promote this backup. Compare the policy with the one in the application's migrations.",
)
@for_each("row_security_table")
def test_the_application_sees_one_tenant_alone(
    migrated: Database, table: Table, ownership: Ownership, profile: Profile
) -> None:
    """Tried as the application does it: connected as its role, a tenant set, and every row that is visible counted."""
    seen_by_role(migrated, table, ownership, profile.tenancy.row_security)


@control(
    "TEN-07",
    title="The application's role cannot step around row-level security",
    impact="critical",
    remediation="Take SUPERUSER, BYPASSRLS and ownership of the table from the role.",
)
@for_each("row_security_table")
def test_the_role_cannot_step_around_row_level_security(
    migrated: Database, table: Table, profile: Profile, examination: Examination
) -> None:
    """A superuser, a role with BYPASSRLS and whoever may act as the table's owner can read past any policy."""
    security = profile.tenancy.row_security
    roles = {role.name: role for role in migrated.facts.roles}
    name = security.role if security is not None else ""
    ways = ways_around(name, table, roles)
    told = f"the role {name} {' and '.join(ways)}" if name else "the profile names no role of the application"
    examination.expect(bool(name) and not ways, told, unit="roles")
