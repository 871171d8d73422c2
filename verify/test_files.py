"""FIL: what rows name as their files is in the archive, whole and in its owner's folder, and nothing else is."""

from fixtures.checks.sites.archive_spoilers import (
    a_file_of_a_row_that_is_gone,
    a_file_that_no_row_names,
    a_file_with_other_contents,
)
from fixtures.checks.sites.archived_files import ArchivedFiles
from fixtures.checks.sites.file_lookups import (
    altered_files,
    misplaced_files,
    missing_files,
    unclaimed_files,
)
from fixtures.checks.sites.planters import a_file_of_another_tenant
from fixtures.plugin.declare import control, for_each, proven_by, reads_rows_of
from fixtures.profile.files import FileColumn


@control(
    "FIL-01",
    title="Every file that a row names is in the archive",
    impact="critical",
    remediation="Restore the listed rows' files from an older set. Find out what removes files without their rows.",
)
@proven_by(a_file_of_a_row_that_is_gone)
@reads_rows_of("files")
@for_each("file_column")
def test_every_file_of_a_row_is_there(archived_files: ArchivedFiles, file_column: FileColumn) -> None:
    """A row whose file is gone is a broken image, or an invoice that nobody can hand in any more."""
    archived_files.require_known(file_column)
    archived_files.index.expect_none(missing_files(file_column))


@control(
    "FIL-02",
    title="Every file has a row that names it",
    impact="medium",
    remediation=(
        "Find out whose files these are: a row was lost, or its deletion left the file behind. Remove only "
        "files whose row was deleted."
    ),
)
@proven_by(a_file_that_no_row_names)
@reads_rows_of("files")
@for_each("claimed_folder")
def test_every_file_is_named_by_a_row(archived_files: ArchivedFiles, claimed_folder: str) -> None:
    """A file that no row names is a customer's data that no deletion reaches, or the sign of a row that was lost."""
    archived_files.require_claimants_known(claimed_folder)
    archived_files.index.expect_none(unclaimed_files(claimed_folder, archived_files.left_out(claimed_folder)))


@control(
    "FIL-03",
    title="Every file agrees with its recorded size or digest",
    impact="critical",
    remediation="Restore the listed rows' files from an older set. Check the disk that they were read from.",
)
@proven_by(a_file_with_other_contents)
@reads_rows_of("files")
@for_each("measured_file_column")
def test_every_file_is_the_one_that_was_stored(archived_files: ArchivedFiles, file_column: FileColumn) -> None:
    """The row's size and digest were taken when the file was stored: other bytes are damage, or somebody's edit."""
    archived_files.require_known(file_column)
    archived_files.index.expect_none(altered_files(file_column))


@control(
    "FIL-04",
    title="Every file lies in its own tenant's folder",
    impact="critical",
    remediation="Do not promote this backup. A row shows its tenant another tenant's file. Find the code that wrote it.",
)
@proven_by(a_file_of_another_tenant)
@reads_rows_of("files")
@for_each("tenant_file_column")
def test_every_file_lies_in_its_own_tenants_folder(archived_files: ArchivedFiles, file_column: FileColumn) -> None:
    """A path below another tenant's folder hands one customer's file to another customer."""
    archived_files.require_answered(file_column)
    archived_files.index.expect_none(misplaced_files(file_column, owned=archived_files.owned(file_column)))
