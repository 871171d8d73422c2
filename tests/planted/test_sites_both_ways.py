"""Sites data against records both ways: each control sees its own faults, and what was made between the snapshots is
told as skew and is no loss. One source has them all."""

import json
import os
import shutil
import tarfile
import time
from pathlib import Path

import pytest

from sample.igny8_core.igny8.filling.sites_data import content_digest
from tests.support.drills import Drill, Drilling, Healthy
from tests.support.spoiled_sets import part
from tests.support.told_faults import HASH, Told, expect

DEFINITION = "site-definition.json"
MINUTE = 60
# Told by the control's own subject; the samples' entries are looked up in the archive.
PLANTED = {
    "SIT-03": "whole",
    "SIT-09": "whole",
    "SIT-10": "whole",
    "SIT-11": "whole",
    "SIT-12": "pages.sql",
    "SIT-13": "pages.sql",
    "SIT-14": "whole",
    "SIT-15": "whole",
    "SIT-16": "public.igny8_sites.domain",
    "SIT-17": "60 minutes",
}


def live(sites_data: Path, site: int) -> Path:
    """The folder of the version that a site serves in the healthy source."""
    return (sites_data / "clients" / str(site) / "current").resolve()


def version_of(sites_data: Path, site: int, version: int) -> Path:
    """A version that no deployment names, whole in itself."""
    former = live(sites_data, site)
    folder = former.parent / f"v{version}"
    folder.mkdir()
    fields = json.loads((former / DEFINITION).read_text())
    (folder / DEFINITION).write_text(json.dumps({"site_id": fields["site_id"], "tenant_id": fields["tenant_id"]}))
    (folder / "index.html").write_text("<!doctype html><p>new</p>\n")
    return folder


def written_later(path: Path, seconds: float) -> None:
    for each in [path, *path.rglob("*")]:
        os.utime(each, (time.time() + seconds, time.time() + seconds))


def point_at(sites_data: Path, site: int, version: Path) -> None:
    link = sites_data / "clients" / str(site) / "current"
    link.unlink()
    link.symlink_to(version.name)


def spoil(sites_data: Path) -> None:
    """Faults of a kind each, in a site each; and three things that were made between the two snapshots."""
    clients, uploads = sites_data / "clients", sites_data / "uploads"
    version_of(sites_data, 4, 99)
    (live(sites_data, 6) / "pages" / "page-1.html").write_bytes(b"")
    shutil.copyfile(live(sites_data, 7) / "css" / "site.css", live(sites_data, 7) / "css" / "Site.css")
    (sites_data / "shared").mkdir()
    for name in ("\u00e9t\u00e9.txt", "e\u0301te\u0301.txt"):
        (sites_data / "shared" / name).write_text(name)
    with (live(sites_data, 9) / "css" / "site.css").open("a") as opened:
        opened.write("h1 { background: url(../img/lost.png); }\n")
    (live(sites_data, 9) / "data" / "menu.json").write_text('{"next": ["pages/page-1.html", "pages/lost.html"]}')
    (clients / "10" / "shared").symlink_to("../13/current/css")
    (clients / "10" / "lost").symlink_to("v77/css")
    shutil.rmtree(live(sites_data, 15))
    late = sites_data / "shared" / "late.txt"
    late.write_text("late")
    written_later(late, 120 * MINUTE)
    # Made between the two snapshots: two versions, one of which replaced the one on record, and an upload.
    for site in (5, 12):
        former, fresh = live(sites_data, site), version_of(sites_data, site, 98)
        written_later(fresh, 10 * MINUTE)
        point_at(sites_data, site, fresh)
        if site == 12:
            shutil.rmtree(former)
    (uploads / "1" / "image-8888.svg").write_text("<svg/>")
    written_later(uploads / "1" / "image-8888.svg", 10 * MINUTE)


def planted(healthy: Healthy, folder: Path) -> str:
    """Records the digests of what was spoiled before it was published, and spoils the records of two more sites."""
    copy = Path(shutil.copytree(healthy.built.sites_data, folder / "sites-data", symlinks=True))
    spoil(copy)
    digests = ""
    for site in (6, 7, 9):
        version = live(copy, site)
        files = {
            path.relative_to(version).as_posix(): path.read_bytes() for path in version.rglob("*") if path.is_file()
        }
        digests += (
            f"UPDATE igny8_deployments SET content_digest = '{content_digest(files)}' "
            f"WHERE site_id = {site} AND status = 'live';"
        )
    return f"""{digests}
    UPDATE igny8_content SET metadata = jsonb_set(metadata, '{{page}}', '"pages/page-77.html"')
    WHERE id = (SELECT min(c.id) FROM igny8_content c JOIN igny8_sectors s ON s.id = c.sector_id WHERE s.site_id = 13);
    UPDATE igny8_sites SET domain = 'HTTPS://SITE-1.igny8.example./' WHERE id = 2;
    """


def expected(healthy: Healthy, entry: dict[str, int]) -> dict[str, Told]:
    """What each control must say, to the letter; `entry` is the number of each name in the archive."""
    sites_data = healthy.built.sites_data
    version = {site: live(sites_data, site).name.removeprefix("v") for site in (6, 9, 13, 15)}
    page = (13 - 1) * 4 * 50 + 1

    styles = f"clients/7/{live(sites_data, 7).name}/css"
    shown = {"site.css": "site.css", "Site.css": "#.css", "\u00e9t\u00e9.txt": "#.txt", "e\u0301te\u0301.txt": "#.txt"}
    clash = sorted(
        (entry[f"sites-data/{folder}/{name}"], f"sites-data/{folder}/{shown[name]}")
        for name, folder in zip(shown, (styles, styles, "shared", "shared"), strict=True)
    )
    return {
        "SIT-03": Told("1 of … deployed sites have no files", (f"site=15 version={version[15]} has no folder",), 1),
        "SIT-09": Told("1 of … versions have no deployment on record", ("site=4 version=99",), 1),
        "SIT-10": Told(
            "1 of … deployed sites are live and empty",
            (f"site=6 version={version[6]} has pages with nothing in them",),
            1,
        ),
        "SIT-11": Told(
            "4 of … entries have a name that overwrites another entry's",
            tuple(name for _, name in clash),
            4,
        ),
        "SIT-12": Told(
            "1 of … pages on record are not in their site's live version",
            (f"id={page} site=13 version={version[13]}",),
            1,
        ),
        "SIT-13": Told(
            "1 of … published pages are of no page on record",
            (f"site=13 version={version[13]} file=pages/#.html",),
            1,
        ),
        "SIT-14": Told(
            "2 of … published files with links link to a file that is not there",
            tuple(
                f"site=9 version={version[9]} file={each} 1 of its links lead nowhere"
                for each in ("css/site.css", "data/#.json")
            ),
            2,
        ),
        "SIT-15": Told(
            "2 of … links lead nowhere, or into another site",
            (
                "site=10 file=sites-data/clients/10/# leads nowhere",
                "site=10 file=sites-data/clients/10/shared leads into another site",
            ),
            2,
        ),
        "SIT-16": Told(
            "2 of … deployed sites are served under the same name as another one",
            ("site=1 tenant=1", "site=2 tenant=1"),
            2,
        ),
        "SIT-17": Told("the files were read up to 2 h away from the dump's snapshot, and 1 h is tolerated", (), 1),
    }


@pytest.mark.further
def test_each_control_sees_its_own_faults_and_skew_is_no_loss(
    healthy: Healthy, tmp_path: Path, drilling: Drilling
) -> None:
    statements = planted(healthy, tmp_path)
    backup = healthy.backup(tmp_path / "backups", statements, in_files=spoil)
    with tarfile.open(part(backup, "sites")) as archive:
        entry = {name: place for place, name in enumerate(archive.getnames(), 1)}
    outcome = drilling(tmp_path / "backups", tmp_path / "out", planted=statements)
    expect(outcome, red={control: [subject] for control, subject in PLANTED.items()})
    for control, finding in expected(healthy, entry).items():
        result = outcome.result(control, PLANTED[control])
        assert Told.of(result) == finding
    tells_skew_apart(outcome, entry)


def tells_skew_apart(outcome: Drill, entry: dict[str, int]) -> None:
    """What was made in between stands with its own cause beside the losses, in controls that passed too."""
    repairs = {
        (result.control, repair.cause, repair.tenant, repair.act, repair.what)
        for result in outcome.evidence.results
        for repair in result.repairs
    }
    skew = {each for each in repairs if each[1] == "skew"}
    upload = entry["sites-data/uploads/1/image-8888.svg"]
    assert {each[0] for each in skew} == {"SIT-03", "SIT-05", "SIT-09", "FIL-02"}, skew
    what = f"file=sites-data/uploads/1/#.svg (entry {upload} of the archive)"
    assert ("FIL-02", "remove file", what) in {(each[0], each[3], HASH.sub("#", each[4])) for each in skew}, skew
    assert any(each[0] == "SIT-09" and each[4].startswith("site=12 version=98 (entry ") for each in skew), skew
    assert ("SIT-10", "loss", "3", "deploy again") in {each[:4] for each in repairs}
