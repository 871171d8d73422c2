"""SIT: the sites data on disk and the database's site records say the same, both ways."""

from dataclasses import replace

from fixtures.checks.blocked import Blocked
from fixtures.checks.databases import Database
from fixtures.checks.drilled import Drilled
from fixtures.checks.examination import Examination
from fixtures.checks.sites.absolute_names import by_their_slash
from fixtures.checks.sites.archive_spoilers import (
    a_current_link_that_leads_elsewhere,
    a_definition_of_another_site,
    a_folder_of_no_site,
    a_link_that_leads_nowhere,
    a_live_version_that_is_empty,
    a_page_that_is_not_on_record,
    a_page_that_is_not_published,
    a_site_without_its_files,
    a_version_that_nobody_deployed,
    a_version_with_other_bytes,
    an_entry_that_links_astray,
)
from fixtures.checks.sites.entry_names import EntryNames
from fixtures.checks.sites.planters import a_name_that_another_site_has
from fixtures.checks.sites.site_index import SiteIndex
from fixtures.checks.sites.site_lookups import (
    ALTERED,
    EMPTY,
    LINKS_ASTRAY,
    LINKS_LOST,
    NO_FILES,
    NO_RECORD,
    NOT_CURRENT,
    NOT_DEPLOYED,
    NOT_ITS_OWN,
    PAGES_LACKING,
    pages_unknown,
)
from fixtures.checks.sites.site_records import SiteRecords
from fixtures.checks.sites.skew import seconds_apart
from fixtures.checks.sites.spoilers import (
    an_archive_that_is_cut_short,
    an_entry_that_climbs_out,
    files_read_too_late,
    logs_that_cannot_be_read,
    two_names_that_are_one,
)
from fixtures.checks.stage_answer import came_to_its_end, left_by
from fixtures.plugin.declare import control, for_each, proven_by, reads_rows_of
from fixtures.profile.sites import Pages, Skew
from fixtures.record import stages
from fixtures.record.durations import duration
from fixtures.record.record import DrillRecord
from fixtures.record.site_archive import LogsArchive, SitesData


@control(
    "SIT-01",
    title="The sites archive can be read to its end",
    impact="critical",
    remediation="Recover from the set before this one. Then check the disk and the job that wrote the archive.",
)
@proven_by(an_archive_that_is_cut_short)
def test_the_archive_can_be_read_to_its_end(record: DrillRecord, examination: Examination) -> None:
    """A truncated archive lists and extracts its first files without complaint."""
    if record.sites is not None:
        examination.saw(record.sites.files, "files")
    came_to_its_end(record, stages.SITES, examination)
    sites = left_by(record, stages.SITES, record.sites)
    examination.expect(sites.read_to_end, f"the sites archive cannot be read: {sites.read_error}")


@control(
    "SIT-02",
    title="No entry of the archive reaches outside it",
    impact="critical",
    remediation="Do not extract this archive. Find out who could write to the sites data.",
)
@proven_by(an_entry_that_climbs_out)
def test_no_entry_reaches_outside(sites_data: SitesData, entry_names: EntryNames, examination: Examination) -> None:
    """A path that climbs out, a device or a link that escapes writes wherever the one who restores may write."""
    names = entry_names.shown([entry.entry for entry in sites_data.unsafe])
    unsafe = [f"{name}: {entry.reason}" for name, entry in zip(names, sites_data.unsafe, strict=True)]
    says = f"are unsafe to extract{by_their_slash(sites_data)}"
    examination.expect_none(unsafe, says, of=sites_data.entries, unit="entries", counted=sites_data.unsafe_total)


@control(
    "SIT-03",
    title="Every deployed site has its files",
    impact="critical",
    remediation="Deploy the listed sites again from their content. Their published pages are not in this backup.",
)
@proven_by(a_site_without_its_files)
@reads_rows_of("sites")
def test_every_deployed_site_has_its_files(site_index: SiteIndex) -> None:
    """A site on record without its live version's folder comes back as a blank page under a customer's domain."""
    site_index.expect_none(NO_FILES)


@control(
    "SIT-04",
    title="Every site folder has its record",
    impact="high",
    remediation="Find out whose files these are. Remove the folders once nobody claims them.",
)
@proven_by(a_folder_of_no_site)
@reads_rows_of("sites")
def test_every_site_folder_has_its_record(site_index: SiteIndex) -> None:
    """Files without a record are served, and billed to nobody; or they are a tenant's that the database lost."""
    site_index.expect_none(NO_RECORD)


@control(
    "SIT-05",
    title="The current link points at the live version",
    impact="high",
    remediation="Point the link at the live deployment's folder. The web server serves what the link says.",
)
@proven_by(a_current_link_that_leads_elsewhere)
@reads_rows_of("sites")
def test_the_current_link_points_at_the_live_version(site_index: SiteIndex) -> None:
    """The renderer follows the link, the application believes the record: customers see the one, support the other."""
    site_index.expect_none(NOT_CURRENT)


@control(
    "SIT-06",
    title="Every deployment's files are the ones that were deployed",
    impact="critical",
    remediation="Deploy the listed versions again. Find out what changed the files after they were published.",
)
@proven_by(a_version_with_other_bytes)
@reads_rows_of("sites")
def test_the_files_are_the_ones_that_were_deployed(site_index: SiteIndex) -> None:
    """The record's digest was taken when the version was published: other bytes are damage, or somebody's edit."""
    site_index.expect_none(ALTERED)


@control(
    "SIT-07",
    title="Every definition names its own site and tenant",
    impact="critical",
    remediation="Take the site offline and deploy it again. It may show another customer's content.",
)
@proven_by(a_definition_of_another_site)
@reads_rows_of("sites")
def test_every_definition_names_its_own_site_and_tenant(site_index: SiteIndex) -> None:
    """One tenant's definition in another's folder publishes one customer's pages under another's name."""
    site_index.expect_none(NOT_ITS_OWN)


@control(
    "SIT-08",
    title="The logs archive can be read where there is one",
    impact="low",
    remediation="Check the job that archives the logs. Nothing else depends on them.",
)
@proven_by(logs_that_cannot_be_read)
def test_the_logs_can_be_read(logs_archive: LogsArchive, examination: Examination) -> None:
    """Logs are no record, and never required; an archive that is there and cannot be read is a job that fails unseen."""
    examination.saw(logs_archive.files, "files")
    examination.expect(not logs_archive.read_error, f"the logs archive cannot be read: {logs_archive.read_error}")


@control(
    "SIT-09",
    title="Every version's folder was deployed",
    impact="medium",
    remediation="Find out what wrote the folder. Remove it when no deployment of the source names it.",
)
@proven_by(a_version_that_nobody_deployed)
@reads_rows_of("sites")
def test_every_versions_folder_was_deployed(site_index: SiteIndex) -> None:
    """A version that no record names was published by nobody: the rest of a crash, or of somebody who is in."""
    site_index.expect_none(NOT_DEPLOYED)


@control(
    "SIT-10",
    title="No live version is empty",
    impact="critical",
    remediation="Deploy the listed sites again. Find out what emptied the files before they were published.",
)
@proven_by(a_live_version_that_is_empty)
@reads_rows_of("sites")
def test_no_live_version_is_empty(site_index: SiteIndex, site_records: SiteRecords) -> None:
    """A page of no bytes has a digest too, and one that agrees when it was written so: the visitor sees white."""
    definition = {"definition": site_records.declared.archive.definition}
    site_index.expect_none(replace(EMPTY, values=definition))


@control(
    "SIT-11",
    title="No two names are the same on a disk that ignores case",
    impact="medium",
    remediation="Rename one of the listed entries at the source: a disk that ignores case keeps only the last of them.",
)
@proven_by(two_names_that_are_one)
def test_no_two_names_are_one_on_another_disk(
    sites_data: SitesData, entry_names: EntryNames, examination: Examination
) -> None:
    """Names that differ in case or in how an accent is composed overwrite each other where a disk compares them so."""
    sites = sites_data
    if not sites.read_to_end:
        raise Blocked(f"the sites archive cannot be read to its end: {sites.read_error}")
    examination.expect_none(
        entry_names.shown(sites.colliding),
        "have a name that overwrites another entry's",
        of=sites.entries,
        unit="entries",
        counted=sites.colliding_total,
    )


@control(
    "SIT-12",
    title="Every page on record is published",
    impact="high",
    remediation="Deploy the listed sites again. Their live version lacks pages that the application lists as published.",
)
@proven_by(a_page_that_is_not_published)
@reads_rows_of("sites")
@for_each("pages")
def test_every_page_on_record_is_published(pages: Pages, site_index: SiteIndex) -> None:
    """A page that the customer sees as published and the visitor as not found is a loss that nobody looks for."""
    site_index.expect_no_page(PAGES_LACKING)


@control(
    "SIT-13",
    title="Every published page is on record",
    impact="high",
    remediation="Find out whose pages these are. The database lost them, or they were withdrawn and are still online.",
)
@proven_by(a_page_that_is_not_on_record)
@reads_rows_of("sites")
@for_each("pages")
def test_every_published_page_is_on_record(pages: Pages, site_index: SiteIndex) -> None:
    """A page that was withdrawn and is still served can't be withdrawn again: nobody finds it in the application."""
    site_index.expect_no_page(pages_unknown(pages.unrecorded))


@control(
    "SIT-14",
    title="Links and assets of published files resolve",
    impact="medium",
    remediation="Deploy the listed sites again. If a link leads to a folder served beside the site, declare it as `served`.",
)
@proven_by(a_link_that_leads_nowhere)
@reads_rows_of("sites")
def test_links_and_assets_resolve(site_index: SiteIndex, site_records: SiteRecords) -> None:
    """A page whose style sheet or picture is not in the backup comes back broken, with every digest in order."""
    site_index.expect_none(replace(LINKS_LOST, values={"clean_urls": site_records.declared.archive.clean_urls}))


@control(
    "SIT-15",
    title="Every link of the archive leads to a file of its own site",
    impact="high",
    remediation="Deploy the listed sites again. Find out who made the link. One site must not serve another's files.",
)
@proven_by(an_entry_that_links_astray)
@reads_rows_of("sites")
def test_every_link_leads_to_something_of_its_own_site(site_index: SiteIndex) -> None:
    """A link into another site's folder serves one customer's files under another's domain; a broken one serves none."""
    site_index.expect_none(LINKS_ASTRAY)


@control(
    "SIT-16",
    title="No two sites are served under one name",
    impact="high",
    remediation="Ask both customers. One of them sees the other's pages under their own domain.",
)
@proven_by(a_name_that_another_site_has)
@reads_rows_of("sites")
@for_each("domain")
def test_no_two_sites_are_served_under_one_name(domain: str, restored: Database, site_records: SiteRecords) -> None:
    """Hosts ignore case and a closing dot, a unique index does not: whose site answers is then a matter of order."""
    restored.expect_none(site_records.shared_domains(domain))


@control(
    "SIT-17",
    title="Files and database were read within the tolerated skew",
    impact="medium",
    remediation="Take the archive right after the dump. What was published in between is in only one of them.",
)
@proven_by(files_read_too_late)
@for_each("skew")
def test_files_and_database_were_read_within_the_tolerated_skew(
    skew: Skew, drilled: Drilled, examination: Examination
) -> None:
    """What was made between the two snapshots is told apart from loss only as long as they lie close together."""
    apart = seconds_apart(drilled)
    examination.expect(
        apart <= skew.minutes * 60,
        f"the files were read up to {duration(apart)} away from the dump's snapshot, "
        f"and {duration(skew.minutes * 60)} is tolerated",
        unit="archives",
    )
