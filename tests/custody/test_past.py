"""Looking back: earlier drills in figures, each held against the ledger, and the nights that were missed."""

import hashlib
import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from fixtures.custody.drill_ledger import NAME, enter_drill, read_ledger
from fixtures.custody.drilled_before import older_drilled, older_due, with_verified
from fixtures.custody.look_back import look_back
from fixtures.custody.since import DrillsBefore
from fixtures.custody.verify import verify_report
from fixtures.profile.backups import Schedule
from fixtures.record.evidence import Evidence
from fixtures.record.figures import figures
from fixtures.record.past import LOOK_BACK, Past
from fixtures.record.set_record import ShelvedSet
from tests.support import evidence_examples as examples
from tests.support import record_examples
from tests.support.record_examples import shelved_set

NOW = datetime(2026, 11, 22, 4, tzinfo=UTC)
NIGHTLY = Schedule(every_hours=24, since=date(2026, 1, 1))


def drilled(out: Path, run_id: str, evidence: Evidence, ago: float = 0) -> Path:
    """A drill that ended so many days ago, in its folder and in the ledger."""
    evidence = evidence.model_copy(update={"run_id": run_id, "finished_at": NOW - timedelta(days=ago)})
    run = out / run_id
    run.mkdir(parents=True)
    content = evidence.model_dump_json().encode()
    (run / "evidence.json").write_bytes(content)
    enter_drill(out / NAME, evidence, hashlib.sha256(content).hexdigest())
    return run


def of_an_older_set(evidence: Evidence) -> Evidence:
    backup_set = evidence.record.backup_set
    assert backup_set is not None
    record = evidence.record.model_copy(update={"backup_set": backup_set.model_copy(update={"newer": 3})})
    return evidence.model_copy(update={"record": record})


def looked(out: Path, schedule: Schedule | None = NIGHTLY, now: datetime = NOW) -> Past:
    ledger = read_ledger(out / NAME)
    return look_back(out, ledger, "igny8", schedule, now, DrillsBefore().last(out, ledger, "igny8"))


def drills_of(past: Past) -> list[tuple[str, str, bool]]:
    return [(each.run_id, each.report, each.figures is not None) for each in past.drills]


def test_a_drill_in_figures_has_its_stages_measures_sizes_rows_and_families() -> None:
    evidence = examples.failed()
    night = figures(evidence)
    assert [(each.name, each.seconds) for each in night.stages] == list(record_examples.SECONDS.items())
    assert (night.rpo_hours, night.rpo_target_hours, night.rto_minutes, night.rto_target_minutes) == (
        1.25,
        24,
        1.6,
        60,
    )
    assert (night.tables, night.rows) == (len(record_examples.ROWS), sum(record_examples.ROWS.values()))
    assert night.dump_bytes == 981_274_233
    families = {each.area: each for each in night.families}
    assert (families["TEN"].failed, families["SIT"].blocked, families["BIL"].exempt) == (14, 1, 1)
    assert sum(each.passed for each in night.families) == sum(each.outcome == "passed" for each in evidence.results)
    stopped = figures(examples.inconclusive())
    assert (stopped.rto_minutes, stopped.rows) == (None, None)


def test_only_reports_that_are_as_they_were_entered_are_believed(tmp_path: Path) -> None:
    for number in range(4):
        drilled(tmp_path, f"run-{number}", examples.verified(), ago=4 - number)
    altered, unread = tmp_path / "run-1" / "evidence.json", tmp_path / "run-2" / "evidence.json"
    altered.write_text(altered.read_text().replace('"VERIFIED"', '"FAILED"'))
    unread.unlink()
    unread.mkdir()
    past = looked(tmp_path)
    assert drills_of(past) == [
        ("run-0", "as entered", True),
        ("run-1", "altered", False),
        ("run-2", "unreadable", False),
        ("run-3", "as entered", True),
    ]
    assert {each.verdict for each in past.drills} == {"VERIFIED"}, "the verdict is the ledger's"


def test_figures_outlive_a_report_that_was_removed_but_not_one_that_was_altered(tmp_path: Path) -> None:
    for number in range(3):
        drilled(tmp_path, f"run-{number}", examples.verified(), ago=4 - number)
    drilled(tmp_path, "run-3", examples.failed().model_copy(update={"past": looked(tmp_path)}), ago=1)
    shutil.rmtree(tmp_path / "run-0")
    (tmp_path / "run-1" / "evidence.json").write_text("{}")
    assert drills_of(looked(tmp_path)) == [
        ("run-0", "gone", True),
        ("run-1", "altered", False),
        ("run-2", "as entered", True),
        ("run-3", "as entered", True),
    ]


def test_other_profiles_are_left_out_also_where_the_ledger_did_not_name_them_yet(tmp_path: Path) -> None:
    ours = examples.verified()
    theirs = ours.model_copy(update={"record": ours.record.model_copy(update={"profile_name": "another"})})
    drilled(tmp_path, "ours", ours, ago=2)
    drilled(tmp_path, "theirs", theirs, ago=1)
    assert [each.run_id for each in looked(tmp_path).drills] == ["ours"]
    ledger = tmp_path / NAME
    ledger.write_text(
        ledger.read_text().replace('"profile_name":"igny8",', "").replace('"profile_name":"another",', "")
    )
    assert [each.run_id for each in looked(tmp_path).drills] == ["ours"]


@pytest.mark.parametrize(
    ("ended", "missed"),
    [
        ((3, 2, 1), []),
        ((4, 1), [3, 2]),
        ((3,), [2, 1]),
        # A drill by day beside that of the night is no harm.
        ((3, 2.6, 2, 1), []),
        ((), []),
    ],
)
def test_a_night_without_a_drill_is_told_by_the_schedule(
    ended: tuple[float, ...], missed: list[int], tmp_path: Path
) -> None:
    for ago in ended:
        drilled(tmp_path, f"run-{ago}", examples.verified(), ago)
    past = looked(tmp_path)
    assert past.missed == tuple(NOW - timedelta(days=ago) for ago in missed)
    unscheduled = looked(tmp_path, schedule=None)
    assert (unscheduled.every_hours, unscheduled.missed) == (None, ())


def test_ninety_are_told_one_by_one_and_the_others_counted(tmp_path: Path) -> None:
    evidence = examples.evidence([examples.result("BAK-01")])
    for number in range(LOOK_BACK + 3):
        drilled(tmp_path, f"run-{number:03}", evidence, ago=2 * (LOOK_BACK + 3 - number))
    past = looked(tmp_path)
    assert (past.drills[0].run_id, past.before, len(past.drills)) == ("run-003", 3, LOOK_BACK)
    assert (past.missed_total, len(past.missed)) == (LOOK_BACK, LOOK_BACK)
    young = looked(tmp_path, NIGHTLY.model_copy(update={"since": date(2026, 11, 20)}))
    assert young.missed_total == 1


def test_a_first_drill_has_nothing_to_look_back_on(tmp_path: Path) -> None:
    assert looked(tmp_path) == Past(drills=(), before=0, every_hours=24, missed=(), missed_total=0)


def test_a_drill_of_an_older_set_stands_for_no_night(tmp_path: Path) -> None:
    """It keeps no missed night, no late VERIFIED and no change of the findings from being told."""
    drilled(tmp_path, "run-1", examples.verified(), 3)
    drilled(tmp_path, "run-2", of_an_older_set(examples.verified()), 2)
    drilled(tmp_path, "run-3", of_an_older_set(examples.failed()), 0.1)
    ledger = read_ledger(tmp_path / NAME)
    assert [entry.older for entry in ledger.entries] == [False, True, True]
    assert ledger.last_verified == NOW - timedelta(days=3)
    past = looked(tmp_path)
    assert [each.run_id for each in past.drills] == ["run-1"]
    assert len(past.missed) == 2
    last = DrillsBefore().last(tmp_path, ledger, "igny8")
    assert last is not None
    assert last.run_id == "run-1"
    checked = verify_report(tmp_path / "run-1", None, timedelta(hours=26), now=NOW)
    assert [line for line in checked.wrong if line.startswith("no drill since")]
    assert older_drilled(ledger, "igny8") == NOW - timedelta(days=0.1)
    assert older_drilled(ledger, "another") is None


def test_the_ledger_tells_which_sets_of_the_shelf_were_ever_verified(tmp_path: Path) -> None:
    evidence = examples.verified()
    backup_set = evidence.record.backup_set
    assert backup_set is not None
    dump = backup_set.artefact("dump")
    assert dump is not None
    drilled(tmp_path, "run-1", evidence, 3)
    drilled(tmp_path, "run-2", examples.failed(), 2)
    ledger = read_ledger(tmp_path / NAME)

    def shelved(name: str, sha256: str | None, ago: int = 0) -> ShelvedSet:
        return shelved_set(name, NOW - timedelta(days=ago), manifest=sha256 is not None, dump_sha256=sha256)

    shelf = (
        shelved("renamed", dump.sha256, 5),
        shelved(backup_set.name, None, 10),
        # Another dump lies under the name of the one that was drilled.
        shelved(backup_set.name, "0" * 64),
        shelved("other", None),
    )
    of_shelf = with_verified(ledger, shelf)
    assert of_shelf is not None
    at = NOW - timedelta(days=3)
    assert [each.verified_at for each in of_shelf] == [at, at, None, None]
    weekly = NIGHTLY.model_copy(update={"also": "one older set a week"})
    assert older_due(weekly, shelf, None) == NOW - timedelta(days=5) + timedelta(days=7)
    assert older_due(weekly, shelf, NOW) == NOW + timedelta(days=7)
    assert older_due(weekly, shelf[:1], None) is None
    assert older_due(NIGHTLY, shelf, None) is None
