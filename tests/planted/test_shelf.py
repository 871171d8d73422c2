"""What a shelf of sets and a cipher can hide: each of these controls goes red on its own fault, and no other does."""

import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fixtures.commands.backup.seal import Seal
from fixtures.sandbox.guardian import Guardian
from tests.support.drills import PROFILE, Drill, Drilling
from tests.support.further import first_of
from tests.support.keys import AgeKey, age_key
from tests.support.met_faults import WITHOUT_DUMP
from tests.support.seen_faults import expect_no_canary, expect_red
from tests.support.short_drills import RELOADED, Standing
from tests.support.spoiled_sets import copy_of, manifest_of, part, retell

NIGHTS = 140
"""Every one of them has a set on a healthy shelf: enough for days, weeks and months."""
SCHEDULE = """
[schedule]
every_hours = 24
since = 2026-01-01
keep_daily = 7
keep_weekly = 4
keep_monthly = 3
remove_after_days = 150
"""


@dataclass(frozen=True)
class Shelf:
    """A real set, and beside it a set for each of the nights before, of which nothing but its name and size is read."""

    newest: Path

    def night(self, ago: int) -> Path:
        taken = datetime.strptime(self.newest.name[-15:], "%Y%m%d_%H%M%S").replace(tzinfo=UTC) - timedelta(days=ago)
        return self.newest.parent / f"igny8_{taken:%Y%m%d_%H%M%S}"

    def fill(self) -> None:
        for ago in range(1, NIGHTS + 1):
            self.put(ago, part(self.newest, "dump").stat().st_size)

    def put(self, ago: int, size: int) -> None:
        night = self.night(ago)
        night.mkdir(mode=0o700, exist_ok=True)
        with (night / f"{night.name}.dump").open("wb") as dump:
            dump.write(b"PGDMP")
            dump.truncate(size)

    def lose(self, *nights: int) -> None:
        for ago in nights:
            shutil.rmtree(self.night(ago))


@dataclass(frozen=True)
class Fault:
    plant: Callable[[Shelf], None]
    subject: str
    says: str
    broken: int | None
    sample: str


PLANTED = {
    "BAK-09": "the set is encrypted to a key that is not at hand",
    "BAK-10": Fault(
        lambda shelf: shelf.lose(2, 3), "whole", "2 of 7 sets that were due are missing", 2, r"due \S+ \d\d:\d\d UTC"
    ),
    "BAK-11": Fault(
        lambda shelf: shelf.lose(*range(9, NIGHTS + 1)),
        "monthly",
        "of 2 months have no set any more",
        None,
        r"20\d\d-\d\d",
    ),
    "BAK-12": Fault(
        lambda shelf: [shelf.put(ago, 4 * part(shelf.newest, "dump").stat().st_size) for ago in (1, 2, 3, 4, 5)],
        "whole",
        "75 % less than",
        1,
        "",
    ),
}


@pytest.fixture
def shelf(whole_set: Path, tmp_path: Path) -> Shelf:
    shelf = Shelf(copy_of(whole_set, tmp_path / "backups"))
    shelf.fill()
    return shelf


def with_a_schedule(folder: Path) -> Path:
    copy = Path(shutil.copytree(PROFILE, folder / "profile" / PROFILE.name))
    text = re.sub(r"(?m)^BAK-1[01] = .*\n", "", (copy / "profile.toml").read_text())
    (copy / "profile.toml").write_text(text + SCHEDULE)
    return copy


def drilled(shelf: Shelf, tmp_path: Path, drilling: Drilling) -> Drill:
    return drilling(shelf.newest.parent, tmp_path / "out", profile=with_a_schedule(tmp_path))


@pytest.mark.parametrize("control", first_of(control for control in PLANTED if control != "BAK-09"))
def test_the_control_and_no_other_sees_its_fault(
    control: str, shelf: Shelf, tmp_path: Path, drilling: Drilling
) -> None:
    fault = PLANTED[control]
    assert isinstance(fault, Fault)
    fault.plant(shelf)
    outcome = drilled(shelf, tmp_path, drilling)
    # Weeks are gone with the months: one promise broken is told as often as it was made.
    subjects = ("weekly", "monthly") if control == "BAK-11" else (fault.subject,)
    expect_red(outcome, {control: subjects})
    result = outcome.result(control, fault.subject)
    assert fault.says in result.message
    # How many months are left of a week of sets depends on the day of the month.
    assert result.broken == (fault.broken or len(result.samples))
    assert all(re.fullmatch(fault.sample, sample) for sample in result.samples)
    assert bool(result.samples) == bool(fault.sample)


@pytest.mark.further
def test_a_shelf_that_keeps_its_promises_is_verified(shelf: Shelf, tmp_path: Path, drilling: Drilling) -> None:
    outcome = drilled(shelf, tmp_path, drilling)
    assert (outcome.red, outcome.blocked, outcome.exit_code) == ({}, {}, 0), outcome.output
    assert outcome.result("BAK-10").examined == 7
    assert {outcome.result("BAK-11", name).examined for name in ("daily", "monthly")} == {6, 2}
    assert outcome.result("BAK-12").examined == 7


def seal(backup: Path, key: AgeKey) -> None:
    """As `--encrypt-to` would have taken it."""
    with Guardian("5ea1ed00") as guardian:
        sealing = Seal.to([key.recipient])
        manifest = manifest_of(backup)
        retell(
            backup,
            files={role: sealing.encrypt(backup / entry.name, guardian) for role, entry in manifest.files.items()},
        )


@pytest.mark.further
def test_a_set_whose_key_is_lost_is_red_and_one_whose_key_is_at_hand_is_verified(
    whole_set: Path, tmp_path: Path, standing: Standing, monkeypatch: pytest.MonkeyPatch
) -> None:
    right, wrong = age_key(tmp_path), age_key(tmp_path, "wrong")
    backup = copy_of(whole_set, tmp_path / "backups")
    seal(backup, right)
    encrypted = set(manifest_of(backup).files)
    monkeypatch.setenv("DRILL_AGE_IDENTITY", str(wrong.file))
    lost = standing.drill(backup.parent, tmp_path / "lost")
    expect_red(lost, {"BAK-09": encrypted}, (*WITHOUT_DUMP, "SIT"), "could not be decrypted")
    assert "none of the keys in the file that DRILL_AGE_IDENTITY names opens" in lost.result("BAK-09", "dump").message
    monkeypatch.setenv("DRILL_AGE_IDENTITY", str(right.file))
    opened = standing.drill(backup.parent, tmp_path / "found", really=RELOADED)
    assert (opened.red, opened.blocked, opened.exit_code) == ({}, {}, 0), opened.output
    expect_no_canary(opened)
    assert right.file.read_text().splitlines()[1] not in opened.output + "".join(
        file.read_text(errors="replace") for file in opened.files
    )
