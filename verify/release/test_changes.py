"""REL: what this release makes of production's schema and rows, beyond what it says."""

from fixtures.checks.databases import Database
from fixtures.checks.examination import Examination
from fixtures.checks.release.accepted import expect_every_row_stays
from fixtures.checks.release.release_spoilers import (
    a_dropped_column_with_a_value,
    a_table_that_the_code_does_not_make,
)
from fixtures.checks.release.released import undeclared_drift, undeclared_drops
from fixtures.checks.tenancy.kept_owners import KeptOwners, exchanged_rows
from fixtures.checks.tenancy.planters import a_row_that_was_another_tenants
from fixtures.plugin.declare import control, for_each, proven_by
from fixtures.profile import Profile
from fixtures.record.release.comparison import Comparison


@control(
    "REL-10",
    title="The migrated schema equals the one that the release's code makes of an empty database",
    impact="high",
    remediation="The finding shows both definitions of each object. Put the change into a migration, undo it by hand,"
    " or say in [release.drift] why production differs.",
)
@proven_by(a_table_that_the_code_does_not_make)
def test_the_schema_is_the_codes_own(comparison: Comparison, promised: Profile, examination: Examination) -> None:
    """What a hand changed in production is in no test and no new installation; the next migration meets it unprepared."""
    broken = undeclared_drift(comparison, promised.release, examination)
    if comparison.alike:
        examination.add_note(f"{len(comparison.alike)} more differ in name or numbering alone")
    shown = "; ".join(list(broken.values())[:20])
    says = f"are not as the code makes them: {shown}"
    examination.expect_none(list(broken), says, of=comparison.objects, unit="schema objects")


@control(
    "REL-11",
    title="No column with data in it is dropped",
    impact="critical",
    remediation="Move the values first, or name the column in [release.dropped] with the reason why its values may be lost.",
)
@proven_by(a_dropped_column_with_a_value)
def test_no_column_with_data_is_dropped(comparison: Comparison, promised: Profile, examination: Examination) -> None:
    """A dropped column takes its values with it, and no count of rows shows it."""
    broken = undeclared_drops(comparison, promised.release, examination)
    examination.expect_none(broken, "were dropped with values in them", of=comparison.columns, unit="columns")


@control(
    "REL-12",
    title="Every row stays with its tenant",
    impact="critical",
    remediation=(
        "Find the migration that writes the tenant's column. If the move is intended, name the table in "
        "[release.moved]."
    ),
)
@proven_by(a_row_that_was_another_tenants)
@for_each("kept_owner")
def test_every_row_stays_with_its_tenant(
    restored: Database, migrated: Database, promised: Profile, owners: KeptOwners, examination: Examination
) -> None:
    """A data migration that joins wrongly gives one customer another one's rows, and every count stays what it was."""
    exchange = exchanged_rows(owners, restored, migrated)
    expect_every_row_stays(owners.table, exchange, promised.release, examination)
