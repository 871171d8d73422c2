"""SIT: the sites data on disk and the database's site records say the same, both ways."""

from fixtures.blocked import Blocked
from fixtures.control import Examination, control
from fixtures.drill.record import DrillRecord
from fixtures.drill.site_files import Inventory
from fixtures.site_records import SiteRecords
from fixtures.stages import came_to_its_end


@control(
    "SIT-01",
    title="The sites archive can be read to its end",
    impact="critical",
    remediation="Take the set before this one; then look at the disk and the job that wrote the archive.",
)
def test_the_archive_can_be_read_to_its_end(record: DrillRecord, examination: Examination) -> None:
    """A truncated archive lists and extracts its first files without complaint."""
    if record.sites is not None:
        examination.saw(record.sites.files, "files")
    came_to_its_end(record, "sites", examination)
    if record.sites is None:
        raise Blocked(record.why_missing("sites"))
    examination.expect(record.sites.read_to_end, f"the sites archive cannot be read: {record.sites.read_error}")


@control(
    "SIT-02",
    title="No entry of the archive reaches outside it",
    impact="critical",
    remediation="Do not extract this archive. Find out who could write to the sites data.",
)
def test_no_entry_reaches_outside(record: DrillRecord, examination: Examination) -> None:
    """A path that climbs out, a device or a link that escapes writes wherever the one who restores may write."""
    if record.sites is None:
        raise Blocked(record.why_missing("sites"))
    sites = record.sites
    unsafe = [f"entry {entry.entry}: {entry.reason}" for entry in sites.unsafe]
    examination.expect_none(
        unsafe, "are unsafe to extract", of=sites.entries, unit="entries", counted=sites.unsafe_total
    )


@control(
    "SIT-03",
    title="Every deployed site has its files",
    impact="critical",
    remediation="Deploy the listed sites again from their content; their published pages are not in this backup.",
)
def test_every_deployed_site_has_its_files(
    site_records: SiteRecords, site_files: Inventory, examination: Examination
) -> None:
    """A site on record without its live version's folder comes back as a blank page under a customer's domain."""
    deployed = site_records.deployed()
    live = {each.site: each.version for each in site_records.deployments() if each.live and each.site in deployed}
    folders = {(folder.site, folder.version) for folder in site_files.digests()}
    missing = [site_records.shown(site) + " has no live deployment" for site in sorted(deployed - live.keys())]
    missing += [
        site_records.shown(site, version) + " has no folder"
        for site, version in sorted(live.items())
        if (site, version) not in folders
    ]
    examination.expect_none(missing, "have no files", of=len(deployed), unit="deployed sites")


@control(
    "SIT-04",
    title="Every site folder has its record",
    impact="high",
    remediation="Find out whose files these are; remove the folders once nobody claims them.",
)
def test_every_site_folder_has_its_record(
    site_records: SiteRecords, site_files: Inventory, examination: Examination
) -> None:
    """Files without a record are served, and billed to nobody; or they are a tenant's that the database lost."""
    known = site_records.known()
    folders = list(site_files.sites())
    strange = [site_records.shown(site) for site in folders if site not in known]
    examination.expect_none(strange, "belong to no site on record", of=len(folders), unit="site folders")


@control(
    "SIT-05",
    title="The current link points at the live version",
    impact="high",
    remediation="Point the link at the live deployment's folder: the renderer serves what the link says.",
)
def test_the_current_link_points_at_the_live_version(
    site_records: SiteRecords, site_files: Inventory, examination: Examination
) -> None:
    """The renderer follows the link, the application believes the record: customers see the one, support the other."""
    deployed = site_records.deployed()
    live = {each.site: each.version for each in site_records.deployments() if each.live and each.site in deployed}
    folders = {(folder.site, folder.version) for folder in site_files.digests()}
    served = {link.site: link.version for link in site_files.current_links()}
    compared = {site: version for site, version in live.items() if (site, version) in folders}
    wrong = [
        site_records.shown(site, version) + " is live and not current"
        for site, version in sorted(compared.items())
        if served.get(site) != version
    ]
    examination.expect_none(wrong, "serve another version", of=len(compared), unit="deployed sites")


@control(
    "SIT-06",
    title="Every deployment's files are the ones that were deployed",
    impact="critical",
    remediation="Deploy the listed versions again, and find out what changed the files after they were published.",
)
def test_the_files_are_the_ones_that_were_deployed(
    site_records: SiteRecords, site_files: Inventory, examination: Examination
) -> None:
    """The record's digest was taken when the version was published: other bytes are damage, or somebody's edit."""
    recorded = {(each.site, each.version): each.digest for each in site_records.deployments()}
    folders = [folder for folder in site_files.digests() if (folder.site, folder.version) in recorded]
    altered = [
        site_records.shown(folder.site, folder.version)
        for folder in folders
        if folder.digest != recorded[folder.site, folder.version]
    ]
    examination.expect_none(altered, "differ from their deployment's digest", of=len(folders), unit="deployments")


@control(
    "SIT-07",
    title="Every definition names its own site and tenant",
    impact="critical",
    remediation="Take the site offline and deploy it again: it may be showing another customer's content.",
)
def test_every_definition_names_its_own_site_and_tenant(
    site_records: SiteRecords, site_files: Inventory, examination: Examination
) -> None:
    """One tenant's definition in another's folder publishes one customer's pages under another's name."""
    tenants = site_records.known()
    compared = [each for each in site_files.definitions() if each.site in tenants]
    defined = {(each.site, each.version) for each in compared}
    folders = {(folder.site, folder.version) for folder in site_files.digests() if folder.site in tenants}
    wrong = [
        site_records.shown(each.site, each.version)
        for each in compared
        if each.problem or (each.declared_site, each.declared_tenant) != (each.site, tenants[each.site])
    ]
    wrong += [site_records.shown(site, version) + " has no definition" for site, version in sorted(folders - defined)]
    examination.expect_none(wrong, "do not name their own site and tenant", of=len(folders), unit="versions")


@control(
    "SIT-08",
    title="The logs archive can be read where there is one",
    impact="low",
    remediation="Look at the job that archives the logs; nothing else depends on them.",
)
def test_the_logs_can_be_read(record: DrillRecord, examination: Examination) -> None:
    """Logs are no record, and never required; an archive that is there and cannot be read is a job that fails unseen."""
    if record.logs is None:
        raise Blocked(record.why_missing("sites"))
    examination.saw(record.logs.files, "files")
    examination.expect(not record.logs.read_error, f"the logs archive cannot be read: {record.logs.read_error}")
