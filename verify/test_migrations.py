"""MIG: this release's migrations run on this backup, and lose nothing."""

from fixtures.checks.blocked import Blocked
from fixtures.checks.databases import Database
from fixtures.checks.drilled import Drilled
from fixtures.checks.examination import Examination
from fixtures.checks.exposure.servers_own import expect_as_in_template0
from fixtures.checks.naming import named_table
from fixtures.checks.release.accepted import expect_no_row_lost, tables_lost
from fixtures.checks.release.spoilers import (
    a_migration_that_was_not_applied,
    a_model_without_its_migration,
    a_row_that_the_migrations_lost,
    a_schema_behind_the_others,
    a_schema_that_is_not_the_models,
    a_table_that_the_migrations_dropped,
    migrations_that_did_not_complete,
)
from fixtures.checks.release.unmade_changes import expect_no_unmade
from fixtures.checks.restore.spoilers import a_function_of_the_server_altered_by_a_migration
from fixtures.checks.stage_answer import came_to_its_end
from fixtures.checks.tenancy.same_history import expect_same_history
from fixtures.checks.tolerated import expect_known
from fixtures.ownership import Ownership
from fixtures.plugin.declare import control, for_each, proven_by
from fixtures.profile import Profile
from fixtures.profile.owners import Schemas
from fixtures.record import stages
from fixtures.record.facts import Table
from fixtures.record.migrated import Migrated
from fixtures.record.modelled import Modelled
from fixtures.record.record import DrillRecord
from fixtures.record.server_own import ServerOwn


@control(
    "MIG-01",
    title="The application's migrations complete",
    impact="critical",
    remediation="Read the cause: it names the migration, or the history, that stopped. Do not release on this backup.",
)
@proven_by(migrations_that_did_not_complete)
def test_the_migrations_run_to_their_end(record: DrillRecord, examination: Examination) -> None:
    """A backup that the release cannot migrate, being newer than the code or with holes in its history, is no way back."""
    came_to_its_end(record, stages.MIGRATE, examination)


@control(
    "MIG-02",
    title="Every migration is applied",
    impact="critical",
    remediation="Look at the named migrations. A router, a condition or --fake kept them from this database.",
)
@proven_by(a_migration_that_was_not_applied)
def test_every_migration_is_applied(migration: Migrated, examination: Examination) -> None:
    """Code that runs on a schema behind it fails at the first query that needs what is missing."""
    migrations = migration.applied_before + len(migration.applied) + len(migration.pending)
    examination.expect_none(migration.pending, "are not applied", of=migrations, unit="migrations")


@control(
    "MIG-03",
    title="No row is lost by the migrations",
    impact="critical",
    remediation="Find the migration that deletes. If it may, declare the table in [release.lost].",
)
@proven_by(a_row_that_the_migrations_lost)
@for_each("surviving_table")
def test_no_row_is_lost_by_the_migrations(
    drilled: Drilled, migrated: Database, promised: Profile, table: Table, examination: Examination
) -> None:
    """A data migration that filters wrongly deletes for good, and exits 0."""
    after = drilled.became(table.name)
    assert after is not None
    expect_no_row_lost(table.name, table.rows or 0, after.rows or 0, promised.release, examination)


@control(
    "MIG-04",
    title="No table with rows is dropped by the migrations",
    impact="critical",
    remediation="Move the rows first, or say in [release.lost] why they may be lost.",
)
@proven_by(a_table_that_the_migrations_dropped)
def test_no_table_with_rows_is_dropped(
    drilled: Drilled, migrated: Database, promised: Profile, examination: Examination
) -> None:
    """A dropped table takes its rows with it, and no count of surviving tables shows it."""
    before = drilled.facts.row_tables
    gone = [table for table in before if drilled.became(table.name) is None and table.rows]
    lost = tables_lost(gone, promised.release, examination)
    examination.expect_none(lost, "were dropped with rows in them", of=len(before), unit="tables")


@control(
    "MIG-05",
    title="The models have no change without a migration",
    impact="medium",
    remediation="Run makemigrations and commit what it writes, or accept so many in application.unmade_migrations.",
)
@proven_by(a_model_without_its_migration)
def test_the_models_have_no_change_without_a_migration(
    migration: Migrated, promised: Profile, examination: Examination
) -> None:
    """Models ahead of their migrations fail at the first query; some healthy applications always are, and say so."""
    expect_no_unmade(migration, promised, examination)


@control(
    "MIG-06",
    title="The server's own catalogue is as in template0 after the migrations",
    impact="critical",
    remediation=(
        "Find the migration that alters what the finding names: everybody who uses it gets the result that "
        "its author wants. If a "
        "cast is meant to be there, say why under [tolerated] in the profile."
    ),
)
@proven_by(a_function_of_the_server_altered_by_a_migration)
def test_the_servers_own_catalogue_is_as_in_template0_after_the_migrations(
    migrated_server_own: ServerOwn, promised: Profile, examination: Examination
) -> None:
    """A migration, or what it sets off, that replaces a function of pg_catalog hides whatever a later query looks for."""
    expect_as_in_template0(migrated_server_own, promised, examination)


@control(
    "MIG-07",
    title="The migrated schema is what the models say",
    impact="critical",
    remediation="Find out which migration was faked, changes the state alone, or was undone by hand: the code fails where it "
    "uses what is missing. If a difference is meant, say why under [tolerated] in the profile.",
)
@proven_by(a_schema_that_is_not_the_models)
def test_the_migrated_schema_is_what_the_models_say(
    modelled: Modelled, promised: Profile, examination: Examination
) -> None:
    """A faked migration is applied by its name alone: history, plan and makemigrations all hold, and the pages break.

    Where changes without a migration are accepted, MIG-05 says nothing of a column that is not there: this does."""
    if modelled.error:
        raise Blocked(modelled.error)
    if modelled.unmanaged:
        examination.note = f"{modelled.unmanaged} models with managed = False were left out"
    examination.name(*map(named_table, modelled.unlike))
    reported = promised.application.unmade_migrations != "fail"
    unlike = (*modelled.differences, *(modelled.of_the_code if reported else ()))
    expect_known(
        [f"unlike its model: {each}" for each in unlike],
        "unlike its model:",
        profile=promised,
        examination=examination,
        of=modelled.tables + modelled.columns + modelled.keys,
        unit="tables, columns and keys",
        says="are not in the schema as the models have them",
    )


@control(
    "MIG-08",
    title="Every tenant's schema has applied the migrations that the others have",
    impact="critical",
    remediation="Run the application's migrations for the named schema, and find out what passed it over. If it is in the "
    "middle of a rollout, say so under [tenancy.schemas.unlike] in the profile.",
)
@proven_by(a_schema_behind_the_others)
@for_each("tenants_schemas")
def test_every_tenants_schema_has_applied_the_same_migrations(
    migration: Migrated, schemas: Schemas, ownership: Ownership, examination: Examination
) -> None:
    """The history that the application asks is one schema's: another that was passed over, or that lost a line of its own,
    is behind, and only its tenant sees it. The backup is asked as well as what the migrations left."""
    expect_same_history(migration, ownership, schemas, examination)
