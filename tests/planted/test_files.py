"""Each FIL control goes red on its own faults among the files that rows name, all planted in one source."""

from collections.abc import Mapping
from pathlib import Path

from tests.support.drills import Drilling, Healthy
from tests.support.told_faults import Told, expect

# Rows that name a file which is nowhere, and one whose file lies in another tenant's folder.
SQL = """
UPDATE igny8_images SET path = 'uploads/1/nowhere.svg' WHERE id = 5;
UPDATE igny8_images SET path = '../escaped.svg' WHERE id = 6;
UPDATE igny8_images SET path = 'uploads/2/image-9.svg' WHERE id = 9;
"""


def spoil(sites_data: Path) -> None:
    """One file of many gone, one cut short by a byte, one altered at the same length, one that nobody asked for."""
    uploads = sites_data / "uploads"
    (uploads / "1" / "image-2.svg").unlink()
    (uploads / "1" / "image-9.svg").rename(uploads / "2" / "image-9.svg")
    cut, edited = uploads / "1" / "image-7.svg", uploads / "1" / "image-8.svg"
    cut.write_bytes(cut.read_bytes()[:-1])
    edited.write_bytes(edited.read_bytes().replace(b"circle", b"Circle"))
    (uploads / "3" / "image-9999.svg").write_text("<svg/>")


PLANTED: Mapping[str, Mapping[str, Told]] = {
    "FIL-01": {
        "images": Told(
            "3 of … rows name a file that is not in the archive",
            (
                "id=2 file=sites-data/uploads/1/#.svg has no file",
                "id=5 file=sites-data/uploads/1/#.svg has no file",
                "id=6 has no file",
            ),
            broken=3,
        )
    },
    "FIL-02": {
        "sites-data/uploads": Told(
            "3 of … files are named by no row",
            ("file=sites-data/uploads/1/#.svg", "file=sites-data/uploads/1/#.svg", "file=sites-data/uploads/3/#.svg"),
            broken=3,
        )
    },
    "FIL-03": {
        "images": Told(
            "2 of … files differ from the size or digest in their rows",
            (
                "id=7 file=sites-data/uploads/1/#.svg bytes missing: 1",
                "id=8 file=sites-data/uploads/1/#.svg another digest",
            ),
            broken=2,
        )
    },
    "FIL-04": {
        "images": Told(
            "2 of … rows name a file that is not in their own tenant's folder",
            (
                "id=6 outside its tenant's folder",
                "id=9 file=sites-data/uploads/2/#.svg outside its tenant's folder",
            ),
            broken=2,
        )
    },
}


def test_each_control_sees_its_own_faults_and_no_other_does(
    healthy: Healthy, tmp_path: Path, drilling: Drilling
) -> None:
    healthy.backup(tmp_path / "backups", SQL, in_files=spoil)
    outcome = drilling(tmp_path / "backups", tmp_path / "out", planted=SQL)
    expect(outcome, red={control: sorted(told) for control, told in PLANTED.items()})
    for control, subjects in PLANTED.items():
        for subject, expected in subjects.items():
            assert Told.of(outcome.result(control, subject)) == expected
    repairs = {
        (each.act, each.tenant, each.what, each.cause)
        for control in PLANTED
        for result in outcome.evidence.results
        if result.control == control
        for each in result.repairs
    }
    lost = outcome.result("FIL-01", "images").names[0]
    assert lost.name.startswith("sites-data/uploads/1/hmac:")
    assert ("bring file back", "1", f"id=2 file={lost.name}", "loss") in repairs
    assert {cause for _, _, _, cause in repairs} == {"loss"}
