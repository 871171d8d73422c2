"""Each BAK control goes red on its own fault in a set, and no other does."""

import os
import shutil
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.support.drills import Drill, Drilling, Healthy
from tests.support.met_faults import OF_SITES, WITHOUT_DUMP, WITHOUT_RESTORED, Company, Fault, meet
from tests.support.seen_faults import expect_no_canary, expect_red
from tests.support.spoiled_sets import cut, dump_again, manifest_of, part, retell, sign

WITHOUT_SITES = ("SIT-01", "SIT-02", "SIT-11", *OF_SITES, "SIT-17", "FIL", "RST-08")


def remove(role: str, *, untold: bool = False) -> Callable[[Path, Healthy], None]:
    """`untold`: the manifest does not name it either, as when the job never made it."""

    def spoil(backup: Path, _: Healthy) -> None:
        part(backup, role).unlink()
        if untold:
            sign(backup)

    return spoil


def another_archive_of_logs(backup: Path, _: Healthy) -> None:
    shutil.copyfile(part(backup, "sites"), part(backup, "logs"))


def one_bit_of_the_dump(backup: Path, _: Healthy) -> None:
    content = bytearray(part(backup, "dump").read_bytes())
    content[len(content) // 2] ^= 1
    part(backup, "dump").write_bytes(content)


def taken(ago: timedelta) -> Callable[[Path, Healthy], None]:
    return lambda backup, _: retell(backup, snapshot_at=manifest_of(backup).snapshot_at - ago)


def written_before(file: Path, ago: timedelta) -> None:
    written = file.stat().st_mtime - ago.total_seconds()
    os.utime(file, (written, written))


def an_sqlite_file(backup: Path, _: Healthy) -> None:
    part(backup, "dump").unlink()
    with sqlite3.connect(part(backup, "dump")) as database:
        database.execute("CREATE TABLE igny8_tenants (id INTEGER PRIMARY KEY)")
    database.close()
    part(backup, "dump").chmod(0o600)
    sign(backup)


# The same in the source and in what is made of it later.
THREE_DAYS_LATER = datetime.now(UTC) + timedelta(days=3)

PLANTED = {
    "BAK-01": {
        "there is no set": Fault(
            says="no backup found",
            in_set=lambda backup, _: shutil.rmtree(backup),
            blocked=(*(f"BAK-{n:02}" for n in (*range(2, 10), 12, 15)), *WITHOUT_RESTORED, "SIT"),
            because="no backup found",
        ),
    },
    "BAK-02": {
        "the sites were never archived": Fault(
            says="1 of 6 parts are missing from the set",
            samples=("sites",),
            in_set=remove("sites", untold=True),
            blocked=WITHOUT_SITES,
            because="the set holds no sites archive",
        ),
        "the logs that the manifest names are gone": Fault(
            says="1 of 6 parts are missing from the set",
            samples=("logs",),
            in_set=remove("logs"),
            blocked=("BAK-03",),
            because="the part logs is missing from the set",
        ),
        "there is no manifest": Fault(
            says="1 of 4 parts are missing from the set",
            samples=("manifest",),
            in_set=remove("manifest"),
            blocked=("BAK-03", "FID", "TEN-14", "SIT-17"),
            because="this backup set has no manifest that can be read",
        ),
    },
    "BAK-03": {
        "the logs are another archive": Fault(
            says="the logs is not the file that the manifest describes",
            subjects=("logs",),
            in_set=another_archive_of_logs,
        ),
        "one bit of the dump is another": Fault(
            says="the dump is not the file that the manifest describes",
            subjects=("dump",),
            in_set=one_bit_of_the_dump,
            blocked=WITHOUT_DUMP,
            because="differs from the manifest's: it was altered or damaged, and was not parsed",
        ),
    },
    "BAK-04": {
        # A manifest of another day than the archive and the dump that lie with it: the skew is told too, and each other time.
        "it is a day and a bit old": Fault(
            says="and the RPO is 26 h",
            in_set=taken(timedelta(hours=26, minutes=1)),
            also={"SIT-17": ("60 minutes",), "BAK-15": ("whole",), "BAK-16": ("whole",)},
        ),
        "it is dated tomorrow": Fault(
            says="lies in the future",
            in_set=taken(timedelta(hours=-20)),
            also={"SIT-17": ("60 minutes",), "BAK-15": ("whole",)},
        ),
    },
    "BAK-05": {
        "the logs are open to the group": Fault(
            says="the logs has mode 0640",
            subjects=("logs",),
            as_it_lies=lambda backup: part(backup, "logs").chmod(0o640),
        ),
    },
    "BAK-06": {
        "the folder is open to the group": Fault(
            says="the folder has mode 0750", as_it_lies=lambda backup: backup.chmod(0o750)
        ),
    },
    "BAK-07": {
        "the dump is empty": Fault(
            says="is empty",
            in_set=lambda backup, _: cut(backup, "dump", 0),
            part="dump",
            blocked=WITHOUT_DUMP,
            because="is empty",
        ),
        "the dump ends within its list of contents": Fault(
            says="cut",
            in_set=lambda backup, _: cut(backup, "dump", 0.001),
            part="dump",
            blocked=WITHOUT_DUMP,
            because="cut",
        ),
        "it is a developer's SQLite file": Fault(
            says="is an SQLite file: a development database",
            in_set=an_sqlite_file,
            part="dump",
            blocked=WITHOUT_DUMP,
            because="is an SQLite file",
        ),
        "it is far smaller than the database": Fault(
            says="fewer than the 500000000 that the profile expects",
            profile={"least_bytes = 100_000": "least_bytes = 500_000_000"},
        ),
    },
    "BAK-08": {
        "an empty table's data are left out": Fault(
            says="1 of 33 tables are listed without their data",
            samples=("public.django_session",),
            in_set=lambda backup, healthy: dump_again(healthy, backup, "--exclude-table-data=django_session"),
            part="dump",
        ),
        "a full table's data are left out": Fault(
            says="1 of 33 tables are listed without their data",
            samples=("public.igny8_usage_days",),
            in_set=lambda backup, healthy: dump_again(healthy, backup, "--exclude-table-data=igny8_usage_days"),
            part="dump",
            arrives="TRUNCATE igny8_usage_days",
            also={"FID-01": ("public.igny8_usage_days",)},
            blocked=("FID-04", "FID-05"),
            because="see FID-01",
        ),
    },
    "BAK-15": {
        "its file was written five days before": Fault(
            says="1 of 4 times differ from when the set was taken",
            samples=("last write: 5 days before it",),
            as_it_lies=lambda backup: written_before(part(backup, "dump"), timedelta(days=5)),
        ),
    },
    "BAK-16": {
        "somebody logged in three days later": Fault(
            says="tables hold what happened after the set was taken, at the time that its manifest tells",
            samples=("public.igny8_users.last_login: 3 days after it",),
            sql=f"UPDATE igny8_users SET last_login = '{THREE_DAYS_LATER:%Y-%m-%d %H:%M}Z' WHERE id = 2",
        ),
        "the newest row is months old": Fault(
            says="h older than the set by its manifest: at most 48 h fit",
            profile={
                "least_bytes = 100_000": "least_bytes = 100_000\n"
                'newest_row = { table = "igny8_usage_days", column = "day", hours = 48 }'
            },
        ),
    },
}


def test_a_manifest_that_cannot_be_read_leaves_open_what_only_it_could_tell(
    healthy: Healthy, whole_set: Path, tmp_path: Path, drilling: Drilling
) -> None:
    cannot_be_read = Fault("", in_set=lambda backup, _: part(backup, "manifest").write_text('{"format": 1'))
    outcome = meet(Company([("", cannot_be_read)]), healthy, whole_set, tmp_path, drilling)
    expect_red(outcome, {}, ("BAK-03", "FID", "TEN-14", "SIT-17"), "this backup set has no manifest that can be read")


def test_a_whole_set_is_verified(healthy_drill: Drill) -> None:
    outcome = healthy_drill
    assert (outcome.red, outcome.blocked, outcome.exit_code) == ({}, {}, 0), outcome.output
    expect_no_canary(outcome)
