"""BAK, seen over time: sets are taken when they are due, kept as promised, and none collapses beside those before it."""

from fixtures.checks.backup_set.spoilers import a_dump_that_collapsed, nights_without_a_set, sets_not_kept_as_promised
from fixtures.checks.blocked import Blocked
from fixtures.checks.examination import Examination, Finding
from fixtures.plugin.declare import control, for_each, proven_by
from fixtures.profile import Profile
from fixtures.profile.backups import Schedule
from fixtures.record.record import DrillRecord
from fixtures.record.set_record import BackupSet
from fixtures.shelf.schedule import Promise, compare_with_promise, dump_shrinkage, never_taken

_ALONE = (
    "the drill was given one set and not its folder, so it saw no other set: give the folder that holds "
    "the sets, and --set NAME"
)


@control(
    "BAK-10",
    title="A set was taken whenever one was due",
    impact="high",
    remediation="Read the backup job's log of the named nights. Set up an alert for a job that does not run.",
)
@proven_by(nights_without_a_set)
@for_each("schedule")
def test_every_set_that_was_due_was_taken(
    record: DrillRecord, backup_set: BackupSet, promised: Profile, schedule: Schedule, examination: Examination
) -> None:
    """A job that fails now and then will fail in the night that matters; the newest set alone does not show it."""
    if backup_set.shelf is None:
        raise Blocked(_ALONE)
    looked = never_taken(schedule, backup_set.shelf, record.started_at, promised.targets.rpo_hours)
    examination.expect_none(looked.wrong, "that were due are missing", of=looked.due, unit=looked.unit)


@control(
    "BAK-11",
    title="Sets are kept as long as was promised, and no longer",
    impact="medium",
    remediation="Fix the job that removes old sets. A set that it removed too early is lost. A set that it kept too "
    "long is customers' data that should no longer exist.",
)
@proven_by(sets_not_kept_as_promised)
@for_each("promise")
def test_sets_are_kept_as_promised(
    record: DrillRecord, backup_set: BackupSet, promised: Profile, promise: Promise, examination: Examination
) -> None:
    """Damage that is noticed after three weeks is mended from a set of four weeks ago, if there is one."""
    if backup_set.shelf is None:
        raise Blocked(_ALONE)
    assert promised.schedule is not None
    looked = compare_with_promise(promised.schedule, promise, backup_set.shelf, record.started_at)
    wrong = f"are older than {promise.over} days" if promise.name == "removed" else "have no set any more"
    examination.expect_none(looked.wrong, wrong, of=looked.due, unit=looked.unit)


@control(
    "BAK-12",
    title="The dump is not much smaller than those before it",
    impact="high",
    remediation=(
        "Compare its row counts with those in the earlier manifests, table by table, before the earlier sets "
        "are removed."
    ),
)
@proven_by(a_dump_that_collapsed)
def test_the_dump_has_not_collapsed(backup_set: BackupSet, promised: Profile, examination: Examination) -> None:
    """A dump of half the size restores without an error: what is missing was missing when it was taken."""
    loss = dump_shrinkage(backup_set, promised.backup)
    examination.saw(loss.over, "sets before it")
    if loss.over and loss.percent > promised.backup.shrink_percent:
        raise Finding(
            f"the dump has {loss.size:,} bytes, {loss.percent:.0f} % less than the {loss.usual:,} that is the median of "
            f"the {loss.over} before it; the profile allows {promised.backup.shrink_percent:g} %",
            1,
            (),
        )
