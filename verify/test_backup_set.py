"""BAK: the backup set is there, whole, unaltered, fresh and protected."""

from fixtures.checks.backup_set.row_times import later_than_the_set, silence_before, tables_of_rows
from fixtures.checks.backup_set.set_times import disagreements
from fixtures.checks.backup_set.spoilers import (
    a_file_open_to_others,
    a_file_that_stays_locked,
    a_file_with_other_bytes,
    a_folder_open_to_others,
    a_part_that_is_missing,
    a_set_that_is_too_old,
    a_table_without_its_data,
    a_time_that_is_days_off,
    an_empty_dump,
    no_set_to_be_found,
    rows_younger_than_the_set,
)
from fixtures.checks.blocked import Blocked
from fixtures.checks.databases import Database
from fixtures.checks.examination import Examination
from fixtures.checks.restore.toc import tables_without_data
from fixtures.checks.stage_answer import came_to_its_end, left_by
from fixtures.plugin.declare import control, for_each, proven_by, reads_rows_of
from fixtures.profile import Profile
from fixtures.record import stages
from fixtures.record.dump_list import DumpHeader
from fixtures.record.durations import duration
from fixtures.record.manifest import FileEntry
from fixtures.record.record import DrillRecord
from fixtures.record.set_record import Artefact, BackupSet
from fixtures.story.measures import Newest


@control(
    "BAK-01",
    title="A backup set was found",
    impact="critical",
    remediation="Read the backup job's own log. Then check the folder and the pattern that the drill was given.",
)
@proven_by(no_set_to_be_found)
def test_a_backup_set_was_found(record: DrillRecord, examination: Examination) -> None:
    """Without a set there is nothing to recover from, and every other control is blocked."""
    came_to_its_end(record, stages.LOCATE, examination)


@control(
    "BAK-02",
    title="The set is complete",
    impact="critical",
    remediation="Repair the job that makes the missing part. Until then no recovery can be complete.",
)
@proven_by(a_part_that_is_missing)
def test_the_set_is_complete(backup_set: BackupSet, promised: Profile, examination: Examination) -> None:
    """A database without its sites data, roles or manifest recovers half an application, and nobody can prove which half."""
    named = backup_set.manifest.files if backup_set.manifest is not None else ()
    parts = dict.fromkeys((*promised.backup.required, *named))
    missing = [role for role in parts if backup_set.artefact(role) is None]
    examination.expect_none(missing, "are missing from the set", of=len(parts), unit="parts")


@control(
    "BAK-03",
    title="Every file is the one that was written",
    impact="critical",
    remediation="Recover from the set before this one. Find out what altered the file: disk, transfer or a person.",
)
@proven_by(a_file_with_other_bytes)
@for_each("manifest_file")
def test_the_file_is_the_one_that_was_written(
    backup_set: BackupSet, file: tuple[str, FileEntry], examination: Examination
) -> None:
    """The manifest's digest was taken when the file was written; any other digest means other bytes."""
    role, written = file
    artefact = backup_set.artefact(role)
    if artefact is None:
        raise Blocked(f"the part {role} is missing from the set, see BAK-02")
    examination.expect(
        written.describes(artefact), f"the {role} is not the file that the manifest describes", unit="files"
    )


@control(
    "BAK-04",
    title="The newest set is fresh enough",
    impact="critical",
    remediation="Find out why no newer set was taken. All data written since then would be lost today.",
)
@proven_by(a_set_that_is_too_old)
def test_the_newest_set_is_fresh_enough(newest: Newest, promised: Profile, examination: Examination) -> None:
    """The newest set's age is what a loss now would cost; the profile's RPO says how much may be lost. Where an older set
    was asked for, that one's age is told and judges nothing: it is no backup that a loss would fall back on."""
    target = promised.targets.rpo_hours
    age, most = duration(newest.age * 3600), duration(target * 3600)
    message = f"taken {age} before the drill ({newest.told_by}), and the RPO is {most}"
    examination.note = newest.passed_over
    examination.expect(
        0 <= newest.age <= target, message if newest.age >= 0 else "the set's time lies in the future", unit="sets"
    )


@control(
    "BAK-05",
    title="Every file is readable by its owner alone",
    impact="high",
    remediation="chmod 600 the file, and fix the umask of the job that wrote it.",
)
@proven_by(a_file_open_to_others)
@for_each("file_on_disk")
def test_the_file_is_readable_by_its_owner_alone(artefact: Artefact, examination: Examination) -> None:
    """A dump is every customer's data in one file."""
    assert artefact.mode is not None
    open_to_others = artefact.mode & 0o077
    message = f"the {artefact.role} has mode {artefact.mode & 0o777:04o}: others than its owner may use it"
    examination.expect(not open_to_others, message, unit="files")


@control(
    "BAK-06",
    title="The set's folder is open to its owner alone",
    impact="medium",
    remediation="chmod 700 the folder. Names, sizes and times of backups help an attacker.",
)
@proven_by(a_folder_open_to_others)
@for_each("set_folder")
def test_the_folder_is_open_to_its_owner_alone(folder_mode: int, examination: Examination) -> None:
    """Whoever may write the folder can replace what lies in it."""
    mode = folder_mode & 0o777
    examination.expect(not mode & 0o077, f"the folder has mode {mode:04o}", unit="folders")


@control(
    "BAK-07",
    title="The dump can be read, and is a production dump",
    impact="critical",
    remediation="Back up the production Postgres with pg_dump -Fc, read its exit code, and list what it wrote.",
)
@proven_by(an_empty_dump)
def test_the_dump_can_be_read(
    record: DrillRecord, backup_set: BackupSet, promised: Profile, examination: Examination
) -> None:
    """An empty file, a cut one or a developer's SQLite file is found when it is needed, unless it is looked at today."""
    dump = backup_set.artefact("dump")
    size = dump.size if dump else 0
    examination.saw(1, "dumps")
    came_to_its_end(record, stages.INSPECT, examination)
    message = f"the dump has {size} bytes, fewer than the {promised.backup.least_bytes} that the profile expects"
    examination.expect(size >= promised.backup.least_bytes, message)


@control(
    "BAK-08",
    title="The dump holds the rows of every table",
    impact="critical",
    remediation="Remove -t, -n, --exclude-table-data and --schema-only from the backup job.",
)
@proven_by(a_table_without_its_data)
def test_the_dump_holds_the_rows_of_every_table(
    record: DrillRecord, dump_header: DumpHeader, examination: Examination
) -> None:
    """A dump that leaves a table's data out restores without an error, and empty."""
    tables, without = tables_without_data(record.toc, record.facts)
    if without and record.facts is None and any(entry.kind == "TABLE ATTACH" for entry in record.toc):
        left_by(record, stages.FACTS, record.facts)
    examination.expect_none(without, "are listed without their data", of=tables, unit="tables")


@control(
    "BAK-09",
    title="Every encrypted file can be decrypted with the given key",
    impact="critical",
    remediation="Find the key that the set was encrypted to, and keep it where a recovery finds it. Until then "
    "encrypt the next set to a key that you have.",
)
@proven_by(a_file_that_stays_locked)
@for_each("backup_file")
def test_the_file_can_be_decrypted(artefact: Artefact, examination: Examination) -> None:
    """A backup whose key is lost is lost, and the day of the recovery is the wrong one to learn of it."""
    if artefact.cipher is not None and not (artefact.locked or artefact.plain_sha256):
        raise Blocked(f"the {artefact.role} was altered and therefore not opened, see BAK-03")
    examination.expect(not artefact.locked, artefact.locked, unit="files")


@control(
    "BAK-15",
    title="Everything that dates the set tells the same time",
    impact="critical",
    remediation="Find out which of them is wrong. A dump that is older than its name is an old one that was copied or "
    "renamed: the job of that night took none. If the name does not hold the time of the backup, say in [backup] pattern "
    "what does.",
)
@proven_by(a_time_that_is_days_off)
def test_the_times_of_the_set_agree(backup_set: BackupSet, examination: Examination) -> None:
    """An old dump under a new name looks like last night's. Manifest, header, name and last write are held against each
    other, as far as zones that none of them keeps leave room: 14 hours."""
    wrong = list(disagreements(backup_set))
    dated = f"{backup_set.taken_at:%Y-%m-%d %H:%M} UTC by its {backup_set.taken_at_source}"
    examination.expect_none(
        wrong, f"differ from when the set was taken: {dated}", of=max(1, len(backup_set.times)), unit="times"
    )


@control(
    "BAK-16",
    title="The newest rows are of the time at which the set was taken",
    impact="critical",
    remediation="Find out what was dumped: a replica that had stopped, a copy of production, an old dump under a new name. "
    "Take the set from the production server.",
)
@proven_by(rows_younger_than_the_set)
@reads_rows_of("every table")
def test_the_newest_rows_are_as_new_as_the_set(
    restored: Database, backup_set: BackupSet, promised: Profile, examination: Examination
) -> None:
    """A dump that was written tonight from what had stood still for a week has tonight's header. Its rows have not.

    No login, act of an administrator, migration or deployment is later than the set. How old the newest row may be is said in
    [backup.newest_row]; where nothing but a name dates the set, it is judged by every column of moments."""
    source = backup_set.taken_at_source
    says = f"hold what happened after the set was taken, at the time that its {source} tells"
    examination.expect_none(
        later_than_the_set(restored, backup_set, promised), says, of=tables_of_rows(restored), unit="tables"
    )
    gap = silence_before(restored, backup_set, promised)
    message = (
        f"the newest row is {gap.hours:,.0f} h older than the set by its {source}: at most {gap.allowed:,.0f} h fit"
    )
    examination.expect(gap.hours <= gap.allowed, message)
