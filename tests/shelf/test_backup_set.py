"""Locating: the newest set by its own word, nothing parsed before it is digested, and nothing taken for what it is not."""

import gzip
import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from fixtures.archives.file_digest import sha256_of_file
from fixtures.checks.backup_set.set_times import disagreements
from fixtures.dump.dump_kind import kind_of, written_at
from fixtures.record.stage import StageBlocked, StageFailed
from fixtures.sandbox.account import Account, unprivileged_account
from fixtures.shelf.locate import LocatedSet, locate, require_drillable
from fixtures.shelf.staging import staged_dump
from fixtures.story.measures import newest_set
from tests.support import record_examples
from tests.support.small_source import PROFILE, small_source


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One real set; the tests copy and spoil it."""
    with small_source(tmp_path_factory.mktemp("small")) as small:
        yield small.back_up(tmp_path_factory.mktemp("taken"))


@pytest.fixture
def backups(tmp_path: Path) -> Path:
    folder = tmp_path / "backups"
    folder.mkdir()
    return folder


def put(taken: Path, into: Path, stem: str, *, flat: bool = False, manifest: bool = True, **changes: Any) -> Path:
    """A copy of the set under another name, its manifest saying so; returns its dump."""
    folder = into if flat else into / stem
    folder.mkdir(exist_ok=True)
    for path in taken.iterdir():
        if manifest or not path.name.endswith(".json"):
            shutil.copy(path, folder / path.name.replace(taken.name, stem))
    if manifest:
        rewrite(folder / f"{stem}.manifest.json", taken.name, stem, changes)
    return folder / f"{stem}.dump"


def rewrite(path: Path, old: str, new: str, changes: dict[str, Any]) -> None:
    fields = json.loads(path.read_text().replace(old, new))
    fields["snapshot_at"] = datetime.strptime(new[-15:], "%Y%m%d_%H%M%S").replace(tzinfo=UTC).isoformat()
    path.write_text(json.dumps({**fields, **changes}))


def name_of(backups: Path) -> str:
    return locate(backups, PROFILE).backup_set.name


@pytest.mark.parametrize("flat", [False, True])
@pytest.mark.parametrize("manifest", [False, True])
def test_the_newest_set_is_found_by_its_own_timestamp(taken: Path, backups: Path, flat: bool, manifest: bool) -> None:
    # A header from the future of both names would win over them, so the names lie around the dump's own time.
    own = written_at(taken / f"{taken.name}.dump")
    assert own is not None
    older, newer = (f"igny8_{own + timedelta(hours=hours):%Y%m%d_%H%M%S}" for hours in (-2, -1))
    put(taken, backups, newer, flat=flat, manifest=manifest)
    os.utime(put(taken, backups, older, flat=flat, manifest=manifest), (4e9, 4e9))
    located = locate(backups, PROFILE)
    assert located.backup_set.name == newer
    assert located.backup_set.taken_at_source == ("manifest" if manifest else "name")


def test_a_manifest_outweighs_a_name(taken: Path, backups: Path) -> None:
    put(taken, backups, "igny8_20260101_000000", snapshot_at="2026-03-01T00:00:00Z")
    put(taken, backups, "igny8_20260201_000000")
    backup_set = locate(backups, PROFILE).backup_set
    assert backup_set.name == "igny8_20260101_000000"
    assert backup_set.taken_at == datetime(2026, 3, 1, tzinfo=UTC)
    assert any("the name says 2026-01-01" in note for note in backup_set.notes)


def test_one_sets_folder_and_one_dump_are_taken_as_they_are(taken: Path) -> None:
    for path in (taken, taken / f"{taken.name}.dump"):
        located = locate(path, PROFILE)
        assert located.backup_set.name == taken.name
        assert set(located.paths) == {"dump", "roles", "sites", "manifest"}


def test_a_dump_with_any_name_is_dated_by_its_header(taken: Path, tmp_path: Path) -> None:
    shutil.copy(taken / f"{taken.name}.dump", tmp_path / "prod.dump")
    backup_set = locate(tmp_path / "prod.dump", PROFILE).backup_set
    assert backup_set.taken_at_source == "dump header"
    assert abs(backup_set.taken_at - locate(taken, PROFILE).backup_set.taken_at) < timedelta(hours=15)


def test_a_name_that_the_dumps_own_header_denies_is_not_believed(taken: Path, backups: Path) -> None:
    put(taken, backups, "igny8_20300101_000000", manifest=False)
    backup_set = locate(backups, PROFILE).backup_set
    assert backup_set.taken_at_source == "dump header"
    assert any("the name says 2030-01-01" in note for note in backup_set.notes)


def test_an_old_dump_under_a_new_name_makes_no_newer_set_of_itself(taken: Path, backups: Path) -> None:
    """Five days after it was taken it lies there under that night's name: its header tells how old it is."""
    own = written_at(taken / f"{taken.name}.dump")
    assert own is not None
    five_days_later = own + timedelta(days=5)
    put(taken, backups, f"igny8_{five_days_later - timedelta(hours=1):%Y%m%d_%H%M%S}", manifest=False)
    put(taken, backups, f"igny8_{five_days_later - timedelta(hours=30):%Y%m%d_%H%M%S}", manifest=False)
    backup_set = locate(backups, PROFILE).backup_set
    assert {(each.taken_at, each.taken_at_source) for each in backup_set.shelf or ()} == {(own, "dump header")}
    newest = newest_set(record_examples.record(backup_set=backup_set, started_at=five_days_later))
    assert newest is not None
    assert (newest.name, newest.age, newest.passed_over) == (backup_set.name, 120, "")
    assert [each.partition(":")[0] for each in disagreements(backup_set)] == ["name"]


def test_times_that_a_zone_or_a_copy_explains_agree(taken: Path, backups: Path) -> None:
    own = written_at(taken / f"{taken.name}.dump")
    assert own is not None
    for name in (f"{own + timedelta(hours=13):%Y%m%d_%H%M%S}", f"{own:%Y%m%d}"):
        dump = put(taken, backups, f"igny8_{name}", manifest=False)
        for written in (own + timedelta(days=400), datetime(1980, 1, 1, tzinfo=UTC)):
            os.utime(dump, (written.timestamp(), written.timestamp()))
            assert list(disagreements(locate(dump, PROFILE).backup_set)) == []


def test_a_date_alone_is_made_precise_by_the_header(taken: Path, backups: Path) -> None:
    own = written_at(taken / f"{taken.name}.dump")
    shutil.copy(taken / f"{taken.name}.dump", backups / f"igny8_{own:%Y%m%d}.dump")
    assert locate(backups, PROFILE).backup_set.taken_at == own


def test_every_file_is_digested_as_found(taken: Path) -> None:
    located = locate(taken, PROFILE)
    assert {artefact.role: (artefact.sha256, artefact.size) for artefact in located.backup_set.artefacts} == {
        role: sha256_of_file(path) for role, path in located.paths.items()
    }
    assert {artefact.mode for artefact in located.backup_set.artefacts} == {0o600}


def test_a_dump_that_differs_from_its_manifest_is_told_and_not_parsed(taken: Path, backups: Path) -> None:
    dump = put(taken, backups, "igny8_20260101_000000")
    with dump.open("ab") as file:
        file.write(b"x")
    located = locate(backups, PROFILE)
    assert [artefact.role for artefact in located.backup_set.altered] == ["dump"]
    with pytest.raises(StageFailed, match=r"digest of igny8_20260101_000000\.dump differs from the manifest's"):
        staged_dump(located, backups, None)


def account() -> Account:
    unprivileged = unprivileged_account()
    return unprivileged or Account(os.getuid(), os.getgid(), "ourselves")


def test_a_dump_of_another_size_than_the_manifests_is_not_read_through(taken: Path, backups: Path) -> None:
    put(taken, backups, "igny8_20260201_000000")
    (dump,) = backups.rglob("*.dump")
    # No more than a length on the disk: to digest it would take a day.
    os.truncate(dump, 1 << 43)
    backup_set = locate(backups, PROFILE).backup_set
    artefact = backup_set.artefact("dump")
    assert artefact is not None
    assert (artefact.size, artefact.sha256) == (1 << 43, "")
    assert [altered.role for altered in backup_set.altered] == ["dump"]


def test_the_bytes_that_were_digested_are_the_bytes_that_are_parsed(taken: Path, backups: Path) -> None:
    dump = put(taken, backups, "igny8_20260101_000000", manifest=False)
    located = locate(backups, PROFILE)
    assert staged_dump(located, backups, None) == dump
    copy = staged_dump(located, backups, account())
    assert copy.read_bytes() == dump.read_bytes()
    assert copy.stat().st_uid == account().uid
    copy.unlink()
    dump.write_bytes(b"PGDMP and something else")
    with pytest.raises(StageFailed, match="changed while the drill was reading it"):
        staged_dump(located, backups, account())


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"{", "Invalid JSON"),
        (b'{"format": 99}', "format"),
        (None, "surprise"),
        (b"[]", "object"),
    ],
)
def test_a_manifest_that_cannot_be_read_is_told_and_the_set_still_drilled(
    taken: Path, backups: Path, content: bytes | None, says: str
) -> None:
    dump = put(taken, backups, "igny8_20260101_000000", surprise="a secret value")
    if content is not None:
        dump.with_suffix(".manifest.json").write_bytes(content)
    backup_set = locate(backups, PROFILE).backup_set
    assert backup_set.manifest is None
    assert "cannot be read" in backup_set.manifest_problem
    assert says in backup_set.manifest_problem
    assert "a secret value" not in backup_set.manifest_problem
    assert backup_set.artefact("manifest") is not None
    assert backup_set.manifest_problem in backup_set.notes


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "..", "a\\b"])
def test_a_manifest_never_leads_out_of_its_folder(taken: Path, backups: Path, name: str) -> None:
    files = {"dump": {"name": name, "size": 1, "sha256": "0" * 64}}
    put(taken, backups, "igny8_20260101_000000", files=files)
    backup_set = locate(backups, PROFILE).backup_set
    assert backup_set.manifest is None
    assert "plain file name" in backup_set.manifest_problem


def test_what_is_hidden_or_only_looks_like_a_backup_is_passed_over_aloud(taken: Path, backups: Path) -> None:
    put(taken, backups, "igny8_20260101_000000")
    put(taken, backups, ".igny8_20260301_000000.partial", manifest=False)
    (backups / "igny8_20260302_000000.txt").write_text("no dump")
    (backups / "latest.dump").symlink_to(backups / "igny8_20260101_000000" / "igny8_20260101_000000.dump")
    backup_set = locate(backups, PROFILE).backup_set
    assert backup_set.name == "igny8_20260101_000000"
    assert any("never finished" in note for note in backup_set.notes)
    assert any("igny8_20260302_000000.txt" in note for note in backup_set.notes)
    assert any(note.startswith("latest has neither") for note in backup_set.notes)


def test_sets_of_the_same_instant_are_told(taken: Path, backups: Path) -> None:
    put(taken, backups, "a_20260101_000000", flat=True)
    put(taken, backups, "b_20260101_000000", flat=True)
    backup_set = locate(backups, PROFILE).backup_set
    assert any("carries the same time" in note for note in backup_set.notes)


def test_the_newest_set_without_a_dump_is_a_failure_not_a_reason_to_take_an_older(taken: Path, backups: Path) -> None:
    put(taken, backups, "igny8_20260101_000000")
    put(taken, backups, "igny8_20260102_000000").unlink()
    with pytest.raises(StageFailed, match="igny8_20260102_000000, has no dump; it has: manifest, roles, sites"):
        locate(backups, PROFILE)


def test_a_relative_path_is_made_whole(taken: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(taken.parent)
    assert locate(Path(taken.name), PROFILE).dump.is_absolute()


def test_a_set_can_be_named(taken: Path, backups: Path) -> None:
    put(taken, backups, "igny8_20260101_000000")
    put(taken, backups, "igny8_20260102_000000")
    assert locate(backups, PROFILE, name="igny8_20260101_000000").backup_set.name == "igny8_20260101_000000"
    with pytest.raises(StageFailed, match="no backup set named igny8_20250101_000000"):
        locate(backups, PROFILE, name="igny8_20250101_000000")


def test_no_backup_is_the_recoverys_failure_and_no_folder_is_the_drills(backups: Path) -> None:
    with pytest.raises(StageFailed, match="no backup found") as failed:
        locate(backups, PROFILE)
    assert not isinstance(failed.value, StageBlocked)
    with pytest.raises(StageBlocked, match="cannot be read"):
        locate(backups / "absent", PROFILE)


def test_an_sqlite_file_is_recognised_and_never_a_backup(taken: Path, backups: Path) -> None:
    with sqlite3.connect(backups / "db_backup_20261120_232646.sqlite3") as database:
        database.execute("CREATE TABLE t (id)")
    database.close()
    located = locate(backups, PROFILE)
    assert located.backup_set.kind == "sqlite"
    put(taken, backups, "igny8_20260101_000000")
    backup_set = locate(backups, PROFILE).backup_set
    assert backup_set.name == "igny8_20260101_000000"
    assert any("is an SQLite file" in note for note in backup_set.notes)


def refused(located: LocatedSet) -> str:
    with pytest.raises(StageFailed) as refusal:
        require_drillable(located)
    return refusal.value.cause


def test_an_empty_or_foreign_file_is_no_dump(backups: Path) -> None:
    (backups / "igny8_20260101_000000.dump").write_bytes(b"")
    assert "is empty" in refused(locate(backups, PROFILE))
    (backups / "igny8_20260102_000000.dump").write_bytes(gzip.compress(b"GIF89a"))
    assert "not a Postgres dump by its first bytes, nor by what comes out of its gzip" in refused(
        locate(backups, PROFILE)
    )


@pytest.mark.parametrize("length", [5, 8, 12, 40])
def test_a_header_cut_short_gives_no_time_and_no_crash(taken: Path, tmp_path: Path, length: int) -> None:
    short = tmp_path / "igny8_20260101_000000.dump"
    short.write_bytes((taken / f"{taken.name}.dump").read_bytes()[:length])
    assert kind_of(short) == "custom"
    assert written_at(short) is None
    assert name_of(tmp_path) == "igny8_20260101_000000"
