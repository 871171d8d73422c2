"""Choosing a set by hand, and a whole drill of one that lies in a store."""

import io
import re
import shutil
import subprocess
import sys
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path

import pytest

from fixtures.custody.drill_ledger import NAME, read_ledger
from fixtures.plugin.listing import pytest_cmdline_main
from fixtures.plugin.opening import open_session
from fixtures.profile.backups import Backup
from fixtures.record.set_record import Drawn
from fixtures.record.stage import StageBlocked, StageFailed
from fixtures.shelf.choosing import Choice, choose, look_over
from fixtures.shelf.locate import locate, require_whole
from tests.support.archive_bytes import archive, block, entry
from tests.support.documented_calls import configured
from tests.support.drills import NOT_MIGRATED, ROOT, Drill, drill, interpreter_that_does_not_run
from tests.support.profiles import profile_and
from tests.support.seen_faults import expect_no_canary
from tests.support.small_source import PROFILE
from tests.support.stores import AWS, BUCKET, s3_server

LISTED = ("igny8_20261120_031500", "igny8_20261121_031500", "igny8_20261122_031500")


def answered(*arguments: str) -> subprocess.CompletedProcess[str]:
    """A drill's command line that ends before any drill."""
    argv = [sys.executable, "-m", "pytest", "verify", *arguments]
    return subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=240)


def listed(place: Path | str) -> str:
    """What the list of a place prints: read and made as by its command line, in this process. Raises pytest.UsageError."""
    printed = io.StringIO()
    with redirect_stdout(printed):
        assert pytest_cmdline_main(configured(["--list", "--backups", str(place)])) == 0
    return printed.getvalue()


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    folder = tmp_path / "backups"
    for number, name in enumerate(LISTED):
        (folder / name).mkdir(parents=True)
        (folder / name / f"{name}.dump").write_bytes(b"PGDMP" + bytes(1000 * number))
    (folder / "db_backup_20261123_000000.sqlite3").write_bytes(b"SQLite format 3\0")
    (folder / ".igny8_20261123_031500.partial").mkdir()
    return folder


def test_a_list_tells_every_set_newest_first_and_drills_none(shelf: Path, tmp_path: Path) -> None:
    done = answered("--list", "--backups", str(shelf), "--profile", "igny8", "--out", str(tmp_path / "out"))
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["set", "taken", "at", "(UTC)", "by", "its", "kind", "dump", "whole", "set", "manifest"]
    # A developer's SQLite file is listed for what it is, and is not what a drill would take.
    assert lines[1].split()[0] == "db_backup_20261123_000000"
    assert "sqlite" in lines[1]
    assert [line.split()[0] for line in lines[2:5]] == sorted(LISTED, reverse=True)
    assert lines[2].split()[1:5] == ["2026-11-22", "03:15:00", "name", "custom"]
    assert "2,005 B" in lines[2]
    assert f"A drill would take {LISTED[-1]}." in lines
    assert not (tmp_path / "out").exists()


@pytest.mark.further
def test_a_list_says_what_a_drill_would_refuse(tmp_path: Path) -> None:
    tmp_path.joinpath("igny8_20261124_031500.dump").write_bytes(b"broken")
    (said,) = [line for line in listed(tmp_path).splitlines() if line.startswith("A drill would take")]
    assert said == (
        "A drill would take igny8_20261124_031500, and refuse it: "
        "its dump, 6 bytes, is not a Postgres dump by its first bytes."
    )


def test_a_list_says_which_dump_is_cut_short(tmp_path: Path) -> None:
    whole, early, late = "igny8_20261120_031500", "igny8_20261121_031500", "igny8_20261122_031500"
    whole_archive = archive([entry(1)], [block(1, 2000)])
    for name, held in ((whole, whole_archive), (early, whole_archive[:90]), (late, whole_archive[:-1])):
        tmp_path.joinpath(f"{name}.dump").write_bytes(held)
    lines = listed(tmp_path).splitlines()
    kinds = {line.split()[0]: "custom, cut short" in line for line in lines[1:4]}
    assert kinds == {whole: False, early: True, late: True}
    assert f"A drill would take {late}, and refuse it: its dump is cut short." in lines
    tmp_path.joinpath("igny8_20261123_031500.dump").write_bytes(whole_archive[:6])
    assert "igny8_20261123_031500, and refuse it: its dump is cut short." in listed(tmp_path)


@pytest.mark.further
def test_sets_that_tell_no_time_are_named(tmp_path: Path) -> None:
    for name in ("one", "two", "three"):
        tmp_path.joinpath(f"{name}.dump").write_bytes(b"PGDMP" + bytes(1000))
    (said,) = [line for line in listed(tmp_path).splitlines() if "tell no time" in line]
    assert said.startswith(
        f"note: 3 backup sets tell no time in {tmp_path}, so none is known to be the newest: one, three, two. Name the one"
    )


# How cron scripts, django-dbbackup, Rails' backup and managed services name what they write.
NAMED = {
    "igny8-2026-11-27.dump": "2026-11-27 00:00:00",
    "default-web1-2026-11-27-031500.psql.bin": "2026-11-27 03:15:00",
    "default-2026-11-27-031500.psql": "2026-11-27 03:15:00",
    "igny8_20261127_0315.dump": "2026-11-27 03:15:00",
    "igny8_2026-11-27T03:15:00Z.dump": "2026-11-27 03:15:00",
    "igny8_2026-11-27_03h15m.sql.gz": "2026-11-27 03:15:00",
    "igny8.20261127031500.pgdump": "2026-11-27 03:15:00",
    "2026-11-27.sql": "2026-11-27 00:00:00",
    "igny8_2026_11_27.sql.gz": "2026-11-27 00:00:00",
    "igny8_2026-11-27_03.15.00.dump": "2026-11-27 03:15:00",
    "igny8-2026-11-27T03:15:00.123456+00:00.dump": "2026-11-27 03:15:00",
    "igny8-20261127-0315-daily.dump": "2026-11-27 03:15:00",
    "2026-11-27/igny8.dump": "2026-11-27 00:00:00",
    "20261127T031500/igny8.sql.gz": "2026-11-27 03:15:00",
    "2026-11-27/igny8_20261126_031500.dump": "2026-11-26 03:15:00",
}


@pytest.mark.parametrize("name", NAMED)
def test_a_name_tells_its_time_as_other_tools_write_it(name: str, tmp_path: Path) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_bytes(b"PGDMP" + bytes(1000))
    (dated,) = look_over(tmp_path, Backup.model_fields["pattern"].default, str(tmp_path)).sets
    assert f"{dated.taken_at:%Y-%m-%d %H:%M:%S}" == NAMED[name]


@pytest.mark.parametrize(
    "name",
    ["igny8_20261345.dump", "igny8_1234567890.dump", "build-20261127031500999.dump", "igny8_20261127_0315+0200.dump"],
)
def test_a_number_that_is_no_date_tells_no_time(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"PGDMP" + bytes(1000))
    (undated,) = look_over(tmp_path, Backup.model_fields["pattern"].default, str(tmp_path)).sets
    assert undated.taken_at is None


@pytest.mark.further
def test_a_list_needs_no_profile_and_says_what_it_cannot_read(shelf: Path, tmp_path: Path) -> None:
    assert LISTED[0] in listed(f"file://{shelf}")
    empty = tmp_path / "empty"
    empty.mkdir()
    assert listed(empty) == f"No backup set in {empty}.\n"
    absent = re.escape("absent cannot be read: No such file or directory. Name the folder, or the store, that holds")
    with pytest.raises(pytest.UsageError, match=absent):
        listed(tmp_path / "absent")
    with pytest.raises(pytest.UsageError, match="--backups: "):
        listed("http://127.0.0.1:9/")
    done = answered("--list", "--backups", "s3://KEY:SECRETWORD@bucket/")
    assert done.returncode == 4
    assert "--backups: " in done.stderr
    assert "SECRETWORD" not in done.stderr + done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--set", "x", "--before", "2026-11-22"), "--set names one set and --before another"),
        (("--before", "yesterday"), "write a time as 2026-11-22"),
        (("--set", LISTED[0], "--seed", "march"), "--seed belongs to --set random"),
        (("--set", "random", "--seed", "a b"), "--seed: write 1 to 64 letters"),
    ],
)
@pytest.mark.further
def test_a_choice_that_cannot_be_meant_is_refused(shelf: Path, arguments: tuple[str, ...], says: str) -> None:
    call = configured(["--backups", str(shelf), "--app", "sample", "--profile", "igny8", *arguments])
    with pytest.raises(pytest.UsageError, match=re.escape(says)):
        open_session(call)


def blocked(outcome: Drill) -> set[str]:
    """What is blocked for more than the application that was not migrated."""
    results = outcome.evidence.results
    return {each.control for each in results if each.outcome == "blocked" and NOT_MIGRATED not in each.message}


@pytest.mark.whole
def test_a_set_in_a_bucket_is_drilled_and_known_again(whole_set: Path, tmp_path: Path) -> None:
    """Who may read a bucket is not seen from here: without the profile's word the drill cannot tell."""
    url = f"s3://{BUCKET}/nightly"
    with s3_server() as s3:
        s3.upload(whole_set.parent, "nightly/")
        out = tmp_path / "out"
        # Where a set lies is nothing to the application that is migrated on it.
        python = interpreter_that_does_not_run(tmp_path)
        first = drill(url, out, python=python, environment=s3.environment)
        assert (first.red, blocked(first), first.exit_code) == ({}, {"BAK-05", "BAK-06"}, 2), first.output
        assert "remote_protection" in first.output
        profile = profile_and(tmp_path, "")
        text = (profile / "profile.toml").read_text()
        promise = '[backup]\nremote_protection = "a bucket of its own, read by the recovery role alone"\n'
        (profile / "profile.toml").write_text(text.replace("[backup]\n", promise))
        # A newer set lies there by now, and the one that was drilled is the only one to be drawn.
        newer = f"igny8_{first.evidence.record.started_at:%Y%m%d_%H%M%S}"
        dump = (whole_set / f"{whole_set.name}.dump").read_bytes()
        s3.client.put_object(Bucket=BUCKET, Key=f"nightly/{newer}/{newer}.dump", Body=dump)
        lot = ("--set", "random", "--seed", "march")
        second = drill(url, out, python=python, profile=profile, environment=s3.environment, arguments=lot)
    assert (second.red, blocked(second), second.exit_code) == ({}, set(), 2), second.output
    backup_set = second.evidence.record.backup_set
    assert backup_set is not None
    assert backup_set.location == f"{url}/{whole_set.name}"
    assert (backup_set.newer, backup_set.drawn) == (1, Drawn(seed="march", among=1))
    assert [entry.older for entry in read_ledger(out / NAME).entries] == [False, True]
    assert second.evidence.since is None
    assert (
        "this drill is of an older set, 1 are newer (drawn from 1 with the seed march)"
        in (second.directory / "index.html").read_text()
    )
    assert backup_set.delivery is not None
    assert backup_set.delivery.bytes == sum(path.stat().st_size for path in whole_set.iterdir())
    assert [past.verdict for past in second.evidence.record.drilled_before] == ["INCONCLUSIVE"]
    assert "drilled before" in second.output
    assert any("read by the recovery role alone" in line for line in second.evidence.not_shown)
    for outcome in (first, second):
        expect_no_canary(outcome)
        secret = AWS["AWS_SECRET_ACCESS_KEY"]
        assert secret not in outcome.output
        assert not [file for file in outcome.files if secret.encode() in file.read_bytes()]


def test_a_set_whose_folder_alone_tells_its_time_is_chosen_by_it(tmp_path: Path) -> None:
    for folder in ("2026-11-26", "2026-11-27"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "igny8.dump").write_bytes(b"PGDMP" + bytes(1000))
    shelf = look_over(tmp_path, Backup.model_fields["pattern"].default, str(tmp_path))
    assert choose(shelf, Choice())[0].files.folder.name == "2026-11-27"
    assert choose(shelf, Choice(name="2026-11-26"))[0].files.folder.name == "2026-11-26"


def test_a_lot_draws_an_older_set_and_the_same_again_with_its_seed(shelf: Path) -> None:
    seen = look_over(shelf, Backup.model_fields["pattern"].default, "shelf")
    drawn = {seed: choose(seen, Choice(seed=f"{seed}")) for seed in range(40)}
    # Neither the newest, nor a developer's SQLite file, nor what was never finished.
    assert {chosen.files.stem for chosen, _ in drawn.values()} == set(LISTED[:-1])
    turned = replace(seen, candidates=seen.candidates[::-1])
    assert all(choose(turned, Choice(seed=f"{seed}"))[0] is chosen for seed, (chosen, _) in drawn.items())
    assert "drawn by lot from 2 older sets, with the seed 7" in drawn[7][1]
    located = locate(shelf, PROFILE, seed="7").backup_set
    assert located.name == drawn[7][0].files.stem
    assert (located.drawn, located.newer) == (Drawn(seed="7", among=2), 2 - LISTED.index(located.name))
    assert (locate(shelf, PROFILE).backup_set.newer, locate(shelf, PROFILE, name=LISTED[1]).backup_set.newer) == (0, 1)
    for name in LISTED[:-1]:
        shutil.rmtree(shelf / name)
    with pytest.raises(StageBlocked, match="there is none to draw from"):
        locate(shelf, PROFILE, seed="7")


PIECES = {
    "split": ["igny8_20261127_031500.{}.aa", "igny8_20261127_031500.{}.ab"],
    "split without a dot": ["igny8_20261127_031500.{}aa", "igny8_20261127_031500.{}ab"],
    "numbers": ["igny8_20261127_031500.{}.001", "igny8_20261127_031500.{}.002"],
    "parts": ["igny8_20261127_031500.{}.part1", "igny8_20261127_031500.{}.part2"],
}


@pytest.mark.parametrize("written", PIECES)
def test_pieces_are_told_as_pieces_of_the_part_that_they_make(written: str, tmp_path: Path) -> None:
    (tmp_path / "igny8_20261127_031500.dump").write_bytes(b"PGDMP" + bytes(1000))
    for name in PIECES[written]:
        (tmp_path / name.format("sites.tar.gz")).write_bytes(bytes(100))
    shelf = look_over(tmp_path, Backup.model_fields["pattern"].default, str(tmp_path))
    assert [one.files.pieces for one in shelf.candidates] == [{"sites": "igny8_20261127_031500.sites.tar.gz"}]
    first = PIECES[written][0].format("sites.tar.gz")
    assert shelf.notes[0].startswith(
        f"{first} is one of 2 pieces of igny8_20261127_031500.sites.tar.gz, which are not put"
    )
    with pytest.raises(StageBlocked, match="the set holds its sites archive in pieces alone"):
        require_whole(locate(tmp_path, PROFILE).backup_set, "sites", "uploads")


@pytest.mark.parametrize(
    "beside", [["dump.1", "dump.2", "dump"], ["dump.2", "dump.3"], ["dump.aa"], ["dump.old", "dump.sig"]]
)
def test_what_a_rotation_or_a_person_named_so_is_no_piece(beside: list[str], tmp_path: Path) -> None:
    for name in [*beside, "roles.sql"]:
        (tmp_path / f"igny8_20261127_031500.{name}").write_bytes(b"PGDMP" + bytes(1000))
    shelf = look_over(tmp_path, Backup.model_fields["pattern"].default, str(tmp_path))
    assert [one.files.pieces for one in shelf.candidates] == [{}]


def test_a_dump_in_pieces_is_told_with_how_to_bring_them_together(tmp_path: Path) -> None:
    for name in ("dump.aa", "dump.ab", "roles.sql"):
        (tmp_path / f"igny8_20261127_031500.{name}").write_bytes(b"PGDMP" + bytes(1000))
    with pytest.raises(StageFailed, match="has no dump but in pieces") as failed:
        locate(tmp_path, PROFILE)
    assert failed.value.fix == ("Bring them together: cat igny8_20261127_031500.dump* > igny8_20261127_031500.dump.")
