"""FID: what was restored is what the source held at the dump's own snapshot, by the manifest, without any tolerance.

A difference in a table has one name: rows lost or added are FID-01's, rows that changed hands FID-05's, money that does
not add up FID-06's, and anything else FID-04's. What one of them names blocks the finer ones, and they say by which."""

from fixtures.checks.blocked import Blocked
from fixtures.checks.databases import Database
from fixtures.checks.drilled import Drilled
from fixtures.checks.examination import Examination, Finding
from fixtures.checks.fidelity.catalogue_difference import (
    changed_authority,
    lacking_extensions,
    lost_of_extensions,
    sequence_difference,
    unlike_collations,
)
from fixtures.checks.fidelity.changed_things import changed_things
from fixtures.checks.fidelity.dealt_otherwise import dealt_otherwise
from fixtures.checks.fidelity.spoilers import (
    a_collation_that_nothing_sorts_by,
    a_large_object_more,
    a_large_object_with_other_bytes,
    a_row_less_than_at_the_source,
    a_sequence_that_stands_elsewhere,
    a_sum_that_differs,
    a_table_of_an_extension_without_its_rows,
    a_table_that_the_source_had_not,
    an_authority_that_was_lost,
    an_extension_that_did_not_come_back,
    rows_that_changed_hands,
    rows_with_another_digest,
)
from fixtures.checks.fidelity.subjects import Authority
from fixtures.checks.fidelity.table_difference import (
    differing_tenants,
    money_differs,
    other_rows,
    other_sums,
    rows_changed_hands,
    table_difference,
)
from fixtures.checks.tolerated import expect_known
from fixtures.plugin.declare import control, for_each, proven_by
from fixtures.profile import Profile
from fixtures.record.contents import MoneyCompared, SequenceSpan, SharesCompared
from fixtures.record.manifest import Manifest
from fixtures.record.names import TableName


@control(
    "FID-01",
    title="Every table has as many rows as the source had",
    impact="critical",
    remediation="Do not rely on this backup. Rows were lost or added between the snapshot and the restored database.",
)
@proven_by(a_row_less_than_at_the_source)
@for_each("manifest_table")
def test_the_table_has_the_rows_that_the_source_had(
    restored: Database, drilled: Drilled, counted: tuple[TableName, int], examination: Examination
) -> None:
    """Dump and restore can both exit 0 and lose every row, as under row-level security; only a count at the source tells."""
    name, expected = counted
    table = restored.facts.table(name)
    rows = table.rows if table is not None else None
    message = "the table is not there" if rows is None else f"{rows} rows where the source had {expected}"
    examination.saw(1, "tables")
    if rows != expected and not dealt_otherwise(drilled, restored, name):
        raise Finding(message, 1, differing_tenants(drilled, name))


@control(
    "FID-02",
    title="Every restored table is in the manifest",
    impact="high",
    remediation="Find out what created the table. The source did not have it when the dump was taken.",
)
@proven_by(a_table_that_the_source_had_not)
def test_no_table_came_from_elsewhere(restored: Database, manifest: Manifest, examination: Examination) -> None:
    """A table that the source did not have is somebody else's data, or the mark of a tampered dump."""
    tables = restored.facts.row_tables
    unread = manifest.contents.unread if manifest.contents is not None else ()
    strange = [str(table.name) for table in tables if table.name not in manifest.tables and table.name not in unread]
    examination.expect_none(strange, "are not in the manifest", of=len(tables), unit="tables")


@control(
    "FID-03",
    title="Every large object came back",
    impact="high",
    remediation="Take the dump with --large-objects (the default without -n, -t or -s).",
)
@proven_by(a_large_object_more)
def test_every_large_object_came_back(restored: Database, manifest: Manifest, examination: Examination) -> None:
    """pg_dump leaves large objects out as soon as a schema or a table is selected."""
    restored_count = restored.facts.large_objects
    message = f"{restored_count} large objects where the source had {manifest.large_objects}"
    examination.expect(restored_count == manifest.large_objects, message, unit="databases")


@control(
    "FID-04",
    title="Every row equals the source's row",
    impact="critical",
    remediation="Do not rely on this backup. Rows changed between the snapshot and the restored database. Compare the"
    " table with an older set or with the source. Begin with the named tenants.",
)
@proven_by(rows_with_another_digest)
@for_each("digested_table")
def test_every_row_is_what_it_was(
    restored: Database, drilled: Drilled, digested: TableName, examination: Examination
) -> None:
    """A count does not see a changed row. The digest covers every column of every row, and both ends take it alike; red
    is what no other control names."""
    like = table_difference(drilled, digested)
    examination.saw(like.rows_restored or 0, "rows")
    if not like.same_rows and not dealt_otherwise(drilled, restored, digested):
        like.leave_to("FID-04")
        other_rows(like)


@control(
    "FID-05",
    title="Every tenant has as many rows as at the source",
    impact="critical",
    remediation="Do not promote this backup. Rows belong to another tenant than at the source. Look first at the "
    "tables that this one is owned through.",
)
@proven_by(rows_that_changed_hands)
@for_each("shared_out_table")
def test_every_tenant_has_the_rows_that_it_had(
    restored: Database, drilled: Drilled, shared_out: tuple[TableName, SharesCompared | None], examination: Examination
) -> None:
    """A table can be complete while one customer's rows have become another's, through a parent even without a change in
    the table itself. Red when rows changed hands; rows that were lost or altered have names of their own."""
    name, shares = shared_out
    if shares is None:
        raise Blocked("the set has no rows per tenant for this table: take the next backup with the present profile")
    if shares.problem:
        raise Blocked(shares.problem)
    examination.saw(shares.tenants, "tenants")
    if shares.changed:
        table_difference(drilled, name).leave_to("FID-05")
        rows_changed_hands(shares)


@control(
    "FID-06",
    title="Sums of money equal the source's, in every currency",
    impact="critical",
    remediation="Do not bill from this backup. Amounts changed between the snapshot and the restored database. Begin "
    "with the named tenants and currencies.",
)
@proven_by(a_sum_that_differs)
@for_each("summed_column")
def test_money_adds_up_to_what_it_was(
    restored: Database,
    drilled: Drilled,
    summed: tuple[TableName, SharesCompared | None, MoneyCompared | None],
    examination: Examination,
) -> None:
    """One cent is a finding. Sums are compared by currency, over all rows and for every tenant; the report tells the
    difference, never a sum."""
    name, shares, money = summed
    if shares is None or money is None:
        raise Blocked("the set has no sums of this column: take the next backup with the present profile")
    if shares.problem:
        raise Blocked(shares.problem)
    examination.saw(money.currencies, "currencies")
    if money_differs(money):
        table_difference(drilled, name).leave_to("FID-06")
        other_sums(money)


@control(
    "FID-07",
    title="Every sequence has the source's value",
    impact="high",
    remediation="Set the sequence with setval() before anything writes. Otherwise numbers that were used are used again.",
)
@proven_by(a_sequence_that_stands_elsewhere)
@for_each("manifest_sequence")
def test_the_sequence_stands_where_it_stood(
    restored: Database, drilled: Drilled, span: tuple[TableName, SequenceSpan], examination: Examination
) -> None:
    """No snapshot holds a sequence still, so the manifest has its state before and after pg_dump read it: what came back
    must lie between, and where nobody drew a number that is one state."""
    name, at_source = span
    here = drilled.restored_contents.sequences.get(name)
    wrong = "it is not there" if here is None else sequence_difference(at_source, here.before)
    examination.expect(not wrong, wrong, unit="sequences")


@control(
    "FID-08",
    title="Every large object has the source's content",
    impact="high",
    remediation="Take the large objects from an older set. Their content changed between the snapshot and the restore.",
)
@proven_by(a_large_object_with_other_bytes)
def test_every_large_object_holds_what_it_held(
    restored: Database, drilled: Drilled, manifest: Manifest, examination: Examination
) -> None:
    """Their number says nothing of their bytes, which no column and no foreign key looks after."""
    at_source, here = drilled.source_contents.large_objects, drilled.restored_contents.large_objects
    if not (at_source and here):
        where = "at the source" if not at_source else "here"
        raise Blocked(
            f"large objects were not digested, since the role {where} may not read pg_largeobject: it takes pg_read_all_data"
        )
    examination.saw(restored.facts.large_objects, "large objects")
    if at_source == here:
        return
    if restored.facts.large_objects != manifest.large_objects:
        raise Blocked("their number differs from the source's (see FID-03), so their content cannot be compared")
    raise Finding("as many large objects as at the source, but not the same content", 1, ())


@control(
    "FID-09",
    title="Every extension is installed, and none is older than at the source",
    impact="high",
    remediation="Install the extension, in the source's version or a newer one, on the server that you would recover to.",
)
@proven_by(an_extension_that_did_not_come_back)
def test_every_extension_is_there_and_none_is_older(
    restored: Database, drilled: Drilled, examination: Examination
) -> None:
    """A dump names extensions without their versions: the server gives what it has, and an older one may lack functions
    that the application calls. A newer one is no loss, and is told under what was not shown."""
    at_source, here = drilled.source_contents.extensions, drilled.restored_contents.extensions
    examination.expect_none(
        lacking_extensions(at_source, here), "are not what the source had", of=len(at_source), unit="extensions"
    )


@control(
    "FID-10",
    title="Text is sorted by the collations of the source",
    impact="high",
    remediation="REINDEX the source's text indexes, and ALTER COLLATION or DATABASE … REFRESH VERSION there. If the "
    "definition differs, install the locale on the server that you would recover to.",
)
@proven_by(a_collation_that_nothing_sorts_by)
def test_text_is_sorted_by_the_collations_of_the_source(
    restored: Database, drilled: Drilled, examination: Examination
) -> None:
    """An index built under another version of a collation misses rows and lets duplicates in: the dump carries them on.
    The versions that the source had recorded, and those its library had, are in the manifest."""
    at_source = drilled.source_contents
    wrong = unlike_collations(at_source, drilled.restored_contents)
    examination.expect_none(
        wrong, "are not those that the source's text is sorted by", of=len(at_source.collations), unit="collations"
    )


@control(
    "FID-11",
    title="Roles and privileges are those of the source",
    impact="critical",
    remediation="Do not promote this backup before the named policy, role or grant is as at the source. Otherwise "
    "others may see a tenant's rows, or the database may refuse the application.",
)
@proven_by(an_authority_that_was_lost)
@for_each("authority")
def test_who_may_do_what_is_as_it_was(
    restored: Database, drilled: Drilled, authority: Authority, examination: Examination
) -> None:
    """Owners, privileges, roles and row-level security are a copy's safety; a restore that loses them exits 0."""
    of, changed = changed_authority(authority, drilled)
    examination.name(*changed_things(drilled, changed))
    examination.expect_none(changed, "differ from the source's", of=of, unit=authority)


@control(
    "FID-12",
    title="Tables that extensions own hold the source's rows",
    impact="critical",
    remediation="ALTER EXTENSION … DROP TABLE, if the table is the application's own; or let the extension declare it by "
    "pg_extension_config_dump(). Until then no dump holds its rows: copy them separately. If they may be lost, say why "
    "under [tolerated] in the profile.",
)
@proven_by(a_table_of_an_extension_without_its_rows)
def test_tables_of_extensions_hold_what_they_held(
    drilled: Drilled, promised: Profile, examination: Examination
) -> None:
    """pg_dump leaves out what an extension owns, unless the extension says otherwise, and says nothing of it."""
    of, lost = lost_of_extensions(drilled.source_contents, drilled.restored_contents)
    expect_known(
        lost,
        "extension table",
        profile=promised,
        examination=examination,
        of=of,
        unit="tables of extensions",
        says="hold fewer rows than at the source",
    )
