"""FID: what was restored is what the source held at the dump's own snapshot, by the manifest."""

from fixtures.control import Examination, control, for_each
from fixtures.databases import Database
from fixtures.drill.manifest import Manifest
from fixtures.drill.names import TableName


@control(
    "FID-01",
    title="Every table has the rows that the source had",
    impact="critical",
    remediation="Do not rely on this backup: rows were lost or added between the snapshot and the restored database.",
)
@for_each("manifest_table")
def test_the_table_has_the_rows_that_the_source_had(
    restored: Database, counted: tuple[TableName, int], examination: Examination
) -> None:
    """Dump and restore can both exit 0 and lose every row, as under row-level security; only a count at the source tells."""
    name, expected = counted
    table = restored.facts.table(name)
    found = table.rows if table is not None else None
    told = "the table is not there" if found is None else f"{found} rows where the source had {expected}"
    examination.expect(found == expected, told, unit="tables")


@control(
    "FID-02",
    title="No table came from elsewhere",
    impact="high",
    remediation="Find out what wrote the table: the source did not have it when the dump was taken.",
)
def test_no_table_came_from_elsewhere(restored: Database, manifest: Manifest, examination: Examination) -> None:
    """A table that the source did not have is somebody else's data, or the mark of a tampered dump."""
    tables = restored.facts.row_tables
    strange = [str(table.name) for table in tables if table.name not in manifest.tables]
    examination.expect_none(strange, "are not in the manifest", of=len(tables), unit="tables")


@control(
    "FID-03",
    title="Every large object came back",
    impact="high",
    remediation="Take the dump with --large-objects (the default without -n, -t or -s).",
)
def test_every_large_object_came_back(restored: Database, manifest: Manifest, examination: Examination) -> None:
    """pg_dump leaves large objects out as soon as a schema or a table is selected."""
    found = restored.facts.large_objects
    told = f"{found} large objects where the source had {manifest.large_objects}"
    examination.expect(found == manifest.large_objects, told, unit="databases")
