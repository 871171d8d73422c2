"""Each SIT control goes red on its own fault in the files or in their records, and no other does."""

import json
import shutil
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path

from sample.igny8_core.igny8.filling import canary
from sample.igny8_core.igny8.filling.sites_data import content_digest
from tests.support.drills import Healthy
from tests.support.met_faults import OF_SITES, Fault
from tests.support.spoiled_sets import add_entries, cut, rename_entries

CONTENTS = (*OF_SITES, "SIT-11", "FIL")
DEFINITION = "site-definition.json"
# What the first entries of the sample's archive are called in a finding.
_STYLES = ("css", "css/#.svg", "css/site.css", "data", "data/#.json", "index.html")
_PAGES = ("pages", *("pages/#.html" for _ in range(5)), DEFINITION)
FIRST = (
    *("sites-data", "sites-data/clients", "sites-data/clients/1", "sites-data/clients/1/current"),
    *("sites-data/clients/1/v2", *(f"sites-data/clients/1/v2/{name}" for name in (*_STYLES, *_PAGES))),
    *("sites-data/clients/1/v3", "sites-data/clients/1/v3/css"),
)


def live(sites_data: Path, site: int = 1) -> Path:
    """The folder of the version that a site serves."""
    return (sites_data / "clients" / str(site) / "current").resolve()


def entry(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, target
    return made


def adding(*entries: tarfile.TarInfo) -> Callable[[Path, Healthy], None]:
    return lambda backup, _: add_entries(backup, entries)


def naming(renamed: Callable[[str], str]) -> Callable[[Path, Healthy], None]:
    return lambda backup, _: rename_entries(backup, renamed)


def files_of_a_site_called(name: str) -> Callable[[Path], None]:
    def spoil(sites_data: Path) -> None:
        (sites_data / "clients" / name / "v1").mkdir(parents=True)
        (sites_data / "clients" / name / "v1" / "index.html").write_text("<!doctype html>\n")

    return spoil


def current_points_at(target: str) -> Callable[[Path], None]:
    def spoil(sites_data: Path) -> None:
        link = sites_data / "clients" / "1" / "current"
        link.unlink()
        link.symlink_to(target)

    return spoil


def one_byte_more(sites_data: Path) -> None:
    with (live(sites_data) / "css" / "site.css").open("a") as opened:
        opened.write(" ")


def of_another_tenant(sites_data: Path) -> None:
    """The definition as its neighbour's writer left it: published so, and so its digest is on record."""
    definition = live(sites_data) / DEFINITION
    fields = json.loads(definition.read_text())
    definition.write_text(json.dumps(fields | {"tenant_id": fields["tenant_id"] + 1}))


def without_a_definition(sites_data: Path) -> None:
    (live(sites_data) / DEFINITION).unlink()


def deployed_so(spoil: Callable[[Path], None]) -> Callable[[Healthy], str]:
    """Records the digest of the spoiled version, as a faulty deployment does."""

    def planted(healthy: Healthy) -> str:
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(shutil.copytree(healthy.built.sites_data, Path(folder) / "sites-data", symlinks=True))
            spoil(copy)
            version = live(copy)
            files = {
                path.relative_to(version).as_posix(): path.read_bytes() for path in version.rglob("*") if path.is_file()
            }
        digest = content_digest(files)
        return f"UPDATE igny8_deployments SET content_digest = '{digest}' WHERE site_id = 1 AND status = 'live'"

    return planted


PLANTED = {
    "SIT-01": {
        "the archive is cut short": Fault(
            says="the sites archive cannot be read: it is cut off",
            in_set=lambda backup, _: cut(backup, "sites", 0.8),
            part="sites",
            blocked=CONTENTS,
            because="the sites archive cannot be read to its end",
        ),
    },
    "SIT-02": {
        "a path climbs out": Fault(
            says="are unsafe to extract",
            samples=("sites-data/../../#/#/#: traversal",),
            in_set=adding(entry("sites-data/../../etc/cron.d/planted")),
            part="sites",
        ),
        # Its files are looked at all the same: one cause, one finding.
        "every name begins with a slash": Fault(
            says="are unsafe to extract, by the slash alone that their names begin with, as tar -P",
            samples=tuple(f"/{name}: absolute path" for name in FIRST),
            broken=438,
            in_set=naming("/{}".format),
            part="sites",
        ),
        "every name climbs out": Fault(
            says="438 of 438 entries are unsafe to extract",
            samples=tuple(f"../{name}: traversal" for name in FIRST),
            broken=438,
            in_set=naming("../{}".format),
            part="sites",
            blocked=(*OF_SITES, "FIL"),
            because="files of the sites archive can be looked at: 438 of its 438 entries are unsafe to extract",
        ),
        "a link escapes and a device comes along": Fault(
            says="2 of ",
            samples=("sites-data/clients/1/shared: link escapes", "sites-data/#: device"),
            broken=2,
            in_set=adding(
                entry("sites-data/clients/1/shared", tarfile.SYMTYPE, "../../../../etc"),
                entry("sites-data/null", tarfile.CHRTYPE),
            ),
            part="sites",
        ),
    },
    "SIT-03": {
        "the live version's folder is gone": Fault(
            says="deployed sites have no files",
            samples=("site=1 version=3 has no folder",),
            in_files=lambda sites_data: shutil.rmtree(live(sites_data)),
        ),
        "a deployed site has no live deployment": Fault(
            says="deployed sites have no files",
            samples=("site=1 has no live deployment",),
            sql="UPDATE igny8_deployments SET status = 'superseded' WHERE site_id = 1",
        ),
    },
    "SIT-04": {
        "a site's files outlived its record": Fault(
            says="1 of 12 site folders belong to no site on record",
            samples=("site=987654",),
            in_files=files_of_a_site_called("987654"),
        ),
        "a folder is named after a customer": Fault(
            says="1 of 12 site folders belong to no site on record",
            samples=("site=#",),
            in_files=files_of_a_site_called(canary.TENANT_SLUG),
        ),
    },
    "SIT-05": {
        "the link points at the version before": Fault(
            says="deployed sites serve another version",
            samples=("site=1 version=3 is live and not current",),
            in_files=current_points_at("v2"),
        ),
        "the link points at another tenant's site": Fault(
            says="deployed sites serve another version",
            samples=("site=1 version=3 is live and not current",),
            in_files=current_points_at("../4/current"),
        ),
    },
    "SIT-06": {
        "one byte was added after publication": Fault(
            says="deployments differ from their deployment's digest",
            samples=("site=1 version=3",),
            in_files=one_byte_more,
        ),
    },
    "SIT-07": {
        "a definition names another tenant": Fault(
            says="versions do not name their own site and tenant",
            samples=("site=1 version=3",),
            in_files=of_another_tenant,
            sql=deployed_so(of_another_tenant),
        ),
        "a version has no definition": Fault(
            says="versions do not name their own site and tenant",
            samples=("site=1 version=3 has no definition",),
            in_files=without_a_definition,
            sql=deployed_so(without_a_definition),
        ),
    },
    "SIT-08": {
        "the logs archive is cut short": Fault(
            says="the logs archive cannot be read: it is cut off",
            in_set=lambda backup, _: cut(backup, "logs", 0.5),
            part="logs",
        ),
    },
}
