"""RST: the dump went into a fresh server without loss, and the database that came out can be worked with."""

from fixtures.checks.blocked import Blocked
from fixtures.checks.databases import Database
from fixtures.checks.examination import Examination
from fixtures.checks.exposure.outreach import ask
from fixtures.checks.restore.populated import not_populated, unfilled_at_source
from fixtures.checks.restore.spoilers import (
    a_constraint_that_is_not_valid,
    a_recovery_beyond_the_rto,
    a_restore_with_an_error,
    a_role_that_was_in_no_file,
    a_sequence_behind_its_column,
    a_table_that_cannot_be_read,
    a_trigger_that_is_disabled,
    a_view_that_was_not_filled,
    an_object_that_did_not_come_back,
)
from fixtures.checks.restore.toc import as_kind_and_name, missing_entries
from fixtures.checks.restore.toc_grants import without_grants
from fixtures.checks.restore.toc_names import TocNames, named_object
from fixtures.checks.stage_answer import came_to_its_end
from fixtures.plugin.declare import control, for_each, proven_by
from fixtures.profile import Profile
from fixtures.record import stages
from fixtures.record.dump_list import DumpHeader, TocEntry
from fixtures.record.durations import duration
from fixtures.record.facts import Facts, Sequence
from fixtures.record.record import DrillRecord
from fixtures.record.restored import Restored


@control(
    "RST-01",
    title="The dump restores without an unexpected error",
    impact="critical",
    remediation="Read the cause: it names the class of error. Until it is mended this backup cannot be relied on.",
)
@proven_by(a_restore_with_an_error)
def test_the_dump_restores_without_an_unexpected_error(record: DrillRecord, examination: Examination) -> None:
    """pg_restore goes on after errors: every line that it writes is classified, and its exit code is the second signal."""
    came_to_its_end(record, stages.RESTORE, examination)


@control(
    "RST-02",
    title="Everything in the dump's TOC is in the database",
    impact="critical",
    remediation="Compare the named objects with the restore's errors. A missing index or constraint hides bad rows.",
)
@proven_by(an_object_that_did_not_come_back)
@for_each("toc_kind")
def test_every_listed_object_is_there(
    record: DrillRecord,
    dump_header: DumpHeader,
    restored: Database,
    entries: list[TocEntry],
    examination: Examination,
) -> None:
    """An object that failed to restore leaves a database that looks whole."""
    missing = missing_entries(entries, restored.facts, dump_header)
    names = TocNames(record.toc) if missing else None
    examination.name(*(names.of_entry(entry) for entry in missing if names))
    examination.expect_none(
        [as_kind_and_name(entry) for entry in missing], "are not in the database", of=len(entries), unit="objects"
    )


@control(
    "RST-03",
    title="Every constraint is validated and every index is valid",
    impact="high",
    remediation="Validate the constraint or rebuild the index in production. Until then rows may break it there too.",
)
@proven_by(a_constraint_that_is_not_valid)
def test_constraints_are_validated_and_indexes_valid(restored: Database, examination: Examination) -> None:
    """A constraint that is NOT VALID promises nothing of the rows that were there before it."""
    facts = restored.facts
    loose = [f"{each.table} {each.name}" for each in facts.constraints if not each.validated]
    loose += [f"{each.table} {each.name}" for each in facts.indexes if not each.valid]
    of = len(facts.constraints) + len(facts.indexes)
    examination.expect_none(loose, "are not valid", of=of, unit="constraints and indexes")


@control(
    "RST-04",
    title="Every materialised view is populated",
    impact="medium",
    remediation="Refresh the view in production and read its error. pg_restore refreshes it with an empty search_path.",
)
@proven_by(a_view_that_was_not_filled)
def test_materialised_views_are_populated(
    restored: Database, record: DrillRecord, dump_header: DumpHeader, examination: Examination
) -> None:
    """A view whose refresh failed is there, and answers every query with an error. One that nobody had filled at the source
    either came back as it was: the manifest says so, or the dump lists no refresh of it."""
    of = sum(table.kind == "matview" for table in restored.facts.tables)
    empty = not_populated(restored, record.toc, dump_header, unfilled_at_source(record))
    if empty.nor_there:
        examination.add_note(f"{len(empty.nor_there)} of {of} were not populated at the source either")
    if empty.untold and not empty.lost:
        raise Blocked(
            f"{empty.untold[0]}{' and others' if empty.untold[1:] else ''}: what is read there is not populated either, and "
            "no dump tells whether it was at the source: refresh both in production, and take the next backup"
        )
    examination.expect_none(empty.lost, "are not populated", of=of, unit="materialised views")


@control(
    "RST-05",
    title="No trigger is disabled",
    impact="high",
    remediation="Enable the trigger in production, or waive it with the reason why it is off.",
)
@proven_by(a_trigger_that_is_disabled)
def test_no_trigger_is_disabled(restored: Database, examination: Examination) -> None:
    """A trigger that somebody disabled for a bulk load stays disabled in every backup since."""
    triggers = restored.facts.triggers
    disabled = [f"{each.table} {each.name}" for each in triggers if each.enabled == "D"]
    examination.expect_none(disabled, "are disabled", of=len(triggers), unit="triggers")


@control(
    "RST-06",
    title="No sequence will generate a key that is already used",
    impact="high",
    remediation="setval() the sequence to the column's maximum with is_called = true, here and in production.",
)
@proven_by(a_sequence_behind_its_column)
@for_each("sequence")
def test_the_sequence_will_not_collide(restored: Database, sequence: Sequence, examination: Examination) -> None:
    """The first insert after a recovery fails, or worse, when the next value is behind the column."""
    if sequence.column_extreme is None:
        examination.saw(0, "values")
        return
    ahead = sequence.next_value - sequence.column_extreme
    clear = ahead * sequence.increment > 0
    left = (sequence.last_possible - sequence.next_value) * sequence.increment >= 0
    behind = f"is {abs(ahead)} behind the column's last" if ahead else "is the column's last"
    examination.expect(clear, f"its next value collides: it {behind}", unit="values")
    examination.expect(left, "it has no value left to hand out")


@control(
    "RST-07",
    title="Roles and grants came back",
    impact="high",
    remediation="Back up the roles with the dump. Without them the database refuses the application's first query.",
)
@proven_by(a_role_that_was_in_no_file)
def test_roles_and_grants_came_back(
    record: DrillRecord,
    dump_header: DumpHeader,
    restoration: Restored,
    restored: Database,
    promised: Profile,
    examination: Examination,
) -> None:
    """A restore without its roles exits 0, and then the application gets "permission denied"."""
    made = [f"role {name} was in no roles file" for name in restoration.roles_made]
    relations = without_grants(record.toc, ask(restored, "changed_acls"), dump_header)
    lost = [f"grants on {schema}.{name}" for schema, name in relations]
    security = promised.tenancy.row_security
    if security is not None and _has_nothing(security.role, restored.facts):
        lost.append(f"any grant to role {security.role}")
    toc_names = TocNames(record.toc)
    examination.name(*(toc_names.of_relation(*each) for each in relations))
    examination.name(*(named_object(each) for each in (*made, *lost[len(relations) :])))
    loaded = len(restoration.roles_loaded) + len(restoration.roles_made)
    acls = [entry for entry in record.toc if entry.kind == "ACL"]
    examination.expect_none(made + lost, "did not come back", of=loaded + len(acls), unit="roles and grants")


@control(
    "RST-08",
    title="The recovery takes no longer than the RTO",
    impact="high",
    remediation="Look at the stage times in the report. Begin with the longest stage.",
)
@proven_by(a_recovery_beyond_the_rto)
def test_the_recovery_keeps_the_rto(
    record: DrillRecord, recovery_minutes: float | None, promised: Profile, examination: Examination
) -> None:
    """From finding the set to an application that stands on it, measured in this drill on this machine. A drill that began
    with a restore that was kept measures no recovery: then nothing was examined here."""
    if recovery_minutes is None:
        examination.saw(0, "recoveries")
        examination.note = f"not measured: {record.cached_start}"
        return
    target = promised.targets.rto_minutes
    message = f"it took {duration(recovery_minutes * 60)}, and the RTO is {duration(target * 60)}"
    examination.expect(recovery_minutes <= target, message, unit="recoveries")


@control(
    "RST-09",
    title="Every restored table can be read",
    impact="critical",
    remediation="Read the named table in production as a superuser. Until it can be read there, its rows are not backed up.",
)
@proven_by(a_table_that_cannot_be_read)
def test_every_restored_table_can_be_read(record: DrillRecord, examination: Examination) -> None:
    """A table may restore without an error and still answer every query with one, as behind a foreign server."""
    came_to_its_end(record, stages.FACTS, examination)


def _has_nothing(role: str, facts: Facts) -> bool:
    """Whether a role may touch no table, by itself, through another role or as everyone: a dump taken with --no-acl
    lists no grant that could be missed."""
    roles = {each.name: each for each in facts.roles}
    acts_as, to_visit = {"public"}, [role]
    while to_visit:
        name = to_visit.pop()
        if name in roles and name not in acts_as:
            acts_as.add(name)
            to_visit += roles[name].member_of
    owners = {table.owner for table in facts.tables}
    grantees = {grant.grantee for grant in facts.grants}
    powerful = any(roles[name].superuser for name in acts_as if name in roles)
    return role in roles and not powerful and not acts_as & (owners | grantees)
