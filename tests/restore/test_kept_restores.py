"""The second drill of a dump begins with what the first restored, if that is whole, private, young and of this very dump."""

import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import psutil
import psycopg
import pytest

from fixtures.commands.drafting.look import NOTHING_KNOWN
from fixtures.record import stages
from fixtures.record.progress import silent
from fixtures.record.record import DrillRecord
from fixtures.record.restored import Restored
from fixtures.record.stage import StageBlocked
from fixtures.restore.cache.data_files import UnfitData, copy_digested
from fixtures.restore.cache.own_restore import KeepIn, OwnRestore
from fixtures.restore.cache.restores import Bounds, KeptRestores
from fixtures.sandbox.account import unprivileged_account
from fixtures.sandbox.guardian import Guardian
from fixtures.server import ServerRequest, serve
from fixtures.shelf.locate import locate
from fixtures.story.measures import measures, rto_minutes
from fixtures.story.not_shown import not_shown
from fixtures.story.order import Order
from fixtures.story.run_drill import WITHOUT_THE_APPLICATION, DrillRun, run_drill
from tests.support.small_source import CANARY, PROFILE, Small, small_source

WEEK = Bounds(10**9, timedelta(days=7))
SMALL = replace(NOTHING_KNOWN, profile=PROFILE)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    with small_source(tmp_path_factory.mktemp("small")) as ready:
        yield ready


@pytest.fixture(scope="module")
def backups(small: Small, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sets") / "backups"
    small.back_up(folder)
    return folder


@contextmanager
def drilled(backups: Path, keep: KeepIn | None) -> Iterator[DrillRun]:
    """A drill without an application, while its server runs; nothing of it may be left."""
    run_id = secrets.token_hex(4)
    with ExitStack() as stack:
        guardian = stack.enter_context(Guardian(run_id))
        order = Order(
            run_id=run_id,
            backups=backups,
            set_name=None,
            application=Path(),
            python=None,
            profile=SMALL,
            server="local",
            binaries=None,
            guardian=guardian,
            mask=str,
            keep=keep,
        )
        yield run_drill(order, stack, lambda name: silent, WITHOUT_THE_APPLICATION)
    assert all(trace.gone for trace in guardian.leftovers())


def record_of(backups: Path, keep: KeepIn | None) -> DrillRecord:
    with drilled(backups, keep) as run:
        return run.record


def entries(keep: KeepIn) -> list[Path]:
    return sorted(keep.folder.iterdir())


def whole(restored: Restored | None) -> Restored:
    assert restored is not None
    return restored


@dataclass(frozen=True)
class Twice:
    """One dump drilled twice: what was kept by the first, both records, and what the second's server said."""

    keep: KeepIn
    cold: DrillRecord
    warm: DrillRecord
    password: str
    people: tuple[object, ...] | None
    wrong_password: str


@pytest.fixture(scope="module")
def twice(backups: Path, tmp_path_factory: pytest.TempPathFactory) -> Twice:
    keep = KeepIn(tmp_path_factory.mktemp("cache") / "kept", WEEK)
    with drilled(backups, keep) as run:
        assert run.server is not None
        cold, password = run.record, run.server.password
    with drilled(backups, keep) as run:
        assert run.server is not None
        with run.server.connect("restored") as connection:
            people = connection.execute("SELECT count(*) FROM people").fetchone()
        with pytest.raises(psycopg.OperationalError) as refused:
            run.server.connect("restored", user=run.server.user, password=password)
        return Twice(keep, cold, run.record, password, people, str(refused.value))


@pytest.fixture
def keep(twice: Twice, tmp_path: Path) -> KeepIn:
    """A copy of what was kept, to spoil."""
    return KeepIn(Path(shutil.copytree(twice.keep.folder, tmp_path / "kept")), WEEK)


def test_the_second_drill_of_a_dump_begins_with_what_the_first_restored(twice: Twice) -> None:
    assert [stage.state for stage in (*twice.cold.stages, *twice.warm.stages)] == ["ok"] * 12
    assert whole(twice.cold.restored).from_cache is None
    cached = whole(twice.warm.restored).from_cache
    assert cached is not None
    assert cached.run_id == twice.cold.run_id
    assert whole(twice.warm.restored).model_copy(update={"from_cache": None}) == twice.cold.restored
    # What was read of the database now is what was read of it then, and so is its digest.
    assert twice.warm.contents == twice.cold.contents
    assert twice.warm.facts == twice.cold.facts
    assert twice.warm.contents is not None
    assert twice.people == (2000,)


def test_whoever_knew_the_password_of_the_drill_that_kept_it_comes_in_no_more(twice: Twice) -> None:
    assert "password authentication failed" in twice.wrong_password


def test_no_recovery_time_is_told_by_it(twice: Twice) -> None:
    rto = measures(twice.warm, PROFILE.targets)[1]
    assert rto.measured is None
    assert rto_minutes(twice.warm) is None
    assert rto.unmeasured == twice.warm.cached_start
    assert rto.unmeasured.startswith("restored from the cache of 20")
    assert any("The dump was not loaded in this drill" in limit for limit in not_shown(twice.warm, PROFILE))


def test_it_is_private_and_holds_no_password(twice: Twice) -> None:
    (entry,) = entries(twice.keep)
    for path in (twice.keep.folder, entry, *entry.rglob("*")):
        facts = path.lstat()
        assert facts.st_uid == os.geteuid()
        assert stat.S_IMODE(facts.st_mode) == (0o700 if path.is_dir() else 0o600)
        if path.is_file():
            assert twice.password.encode() not in path.read_bytes()
    assert CANARY not in (entry / "entry.json").read_text()
    assert not (entry / "data" / "postmaster.pid").exists()


@pytest.mark.further
def test_what_was_altered_is_never_used_and_kept_anew(backups: Path, keep: KeepIn) -> None:
    (entry,) = entries(keep)
    written = (entry / "entry.json").read_text()
    table = max((entry / "data" / "base").rglob("*"), key=lambda path: path.stat().st_size)
    content = bytearray(table.read_bytes())
    content[len(content) // 2] ^= 1
    table.write_bytes(content)
    again = record_of(backups, keep)
    assert whole(again.restored).from_cache is None
    assert any("its files are not those that were kept" in note for note in whole(again.restored).notes)
    assert [stage.state for stage in again.stages] == ["ok"] * 6
    (entry,) = entries(keep)
    assert (entry / "entry.json").read_text() != written


def test_an_entry_that_cannot_be_read_is_removed(keep: KeepIn, guardian: Guardian) -> None:
    (entry,) = entries(keep)
    (entry / "entry.json").write_text((entry / "entry.json").read_text()[:1000])
    KeptRestores(keep.folder, WEEK, unprivileged_account(), guardian)
    assert entries(keep) == []


def test_a_folder_that_is_only_called_like_a_kept_restore_stays(tmp_path: Path, guardian: Guardian) -> None:
    kept = tmp_path / "kept"
    kept.mkdir(mode=0o700)
    theirs = [kept / ("0" * 40), kept / "begun-0123abcd"]
    for folder in theirs:
        folder.mkdir()
        (folder / "entry.json").write_text("{}")
        (folder / "thesis.tex").write_text("years of work")
        os.utime(folder, (0, 0))
    (kept / ("1" * 40)).symlink_to(tmp_path)
    KeptRestores(kept, WEEK, unprivileged_account(), guardian)
    assert all((folder / "thesis.tex").is_file() for folder in theirs)
    assert kept.is_dir()


@pytest.mark.further
def test_half_of_one_is_never_found_and_goes_away(backups: Path, keep: KeepIn, guardian: Guardian) -> None:
    (entry,) = entries(keep)
    begun = entry.with_name("begun-0123abcd")
    entry.rename(begun)
    assert whole(record_of(backups, keep).restored).from_cache is None
    assert begun.exists()  # another drill may be at it
    day_ago = begun.stat().st_mtime - 2 * 24 * 3600
    os.utime(begun, (day_ago, day_ago))
    KeptRestores(keep.folder, WEEK, unprivileged_account(), guardian)
    assert not begun.exists()


@pytest.mark.further
def test_another_dump_is_restored_itself(small: Small, backups: Path, keep: KeepIn, tmp_path: Path) -> None:
    small.clone("other")
    small.run("DELETE FROM people WHERE id = 7", "other")
    small.back_up(tmp_path / "other", "other")
    small.server.drop_database("other")
    with drilled(tmp_path / "other", keep) as run:
        assert whole(run.record.restored).from_cache is None
        assert run.server is not None
        with run.server.connect("restored") as connection:
            assert connection.execute("SELECT count(*) FROM people").fetchone() == (1999,)
    assert len(entries(keep)) == 2


@pytest.mark.further
def test_the_oldest_makes_room_where_the_cache_is_full(
    small: Small, backups: Path, keep: KeepIn, tmp_path: Path
) -> None:
    (before,) = entries(keep)
    size = sum(file.stat().st_size for file in before.rglob("*") if file.is_file())
    full = KeepIn(keep.folder, Bounds(size + size // 2, WEEK.age))
    small.clone("other")
    small.run("DELETE FROM people WHERE id = 7", "other")
    small.back_up(tmp_path / "other", "other")
    small.server.drop_database("other")
    assert whole(record_of(tmp_path / "other", full).restored).from_cache is None
    (kept,) = entries(keep)
    assert kept.name != before.name
    # What is there now is the other dump's, and the first one's is restored, and kept, anew.
    assert whole(record_of(tmp_path / "other", full).restored).from_cache is not None
    assert whole(record_of(backups, full).restored).from_cache is None
    assert [each.name for each in entries(keep)] == [before.name]


@pytest.mark.further
def test_it_is_bounded_in_size_and_in_age(backups: Path, keep: KeepIn, guardian: Guardian) -> None:
    account = unprivileged_account()
    KeptRestores(keep.folder, WEEK, account, guardian)
    assert len(entries(keep)) == 1
    KeptRestores(keep.folder, Bounds(10**9, timedelta(seconds=0.001)), account, guardian)
    assert entries(keep) == []
    small = record_of(backups, KeepIn(keep.folder, Bounds(10**6, timedelta(days=7))))
    assert any("more than the 0 MB that may be kept" in note for note in whole(small.restored).notes)
    assert entries(keep) == []


def test_a_folder_that_cannot_be_made_is_told_with_the_reason(tmp_path: Path, guardian: Guardian) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StageBlocked) as blocked:
        KeptRestores(tmp_path / "file" / "kept", WEEK, None, guardian)
    assert blocked.value.cause == f"{tmp_path / 'file' / 'kept'} cannot be used to keep restores: Not a directory"


@pytest.mark.further
def test_other_collations_and_a_server_that_does_not_shut_down_are_told_as_that(
    backups: Path, tmp_path: Path, guardian: Guardian
) -> None:
    keep = KeepIn(tmp_path / "kept", WEEK)
    with drilled(backups, keep) as run:
        server = run.server
        assert server is not None
        assert server.cluster is not None
        own = OwnRestore(keep, locate(backups, PROFILE), "1234abcd", guardian)
        assert own.bring(server.cluster.shape, tmp_path / "data", None)
        # As on a machine whose operating system was brought up to date meanwhile.
        with server.connect("restored") as connection:
            connection.execute("UPDATE pg_catalog.pg_collation SET collversion = '1.0' WHERE collversion IS NOT NULL")
        with pytest.raises(StageBlocked, match="this machine's collations have another version now") as blocked:
            own.restored(server)
        assert blocked.value.fix == "drill again: the next drill loads the dump itself."
        assert entries(keep) == []
        # A server that is killed does not shut down: what it left is kept by nobody.
        (postmaster,) = (
            process
            for process in psutil.Process().children(recursive=True)
            if process.name() == "postgres" and process.cmdline()[2:3] == [str(server.cluster.data)]
        )
        postmaster.kill()
        with pytest.raises(
            StageBlocked, match="what was restored was to be kept: the server did not shut down cleanly"
        ):
            own.keep(server, whole(run.record.restored))
        assert entries(keep) == []


def test_a_folder_that_others_read_is_refused(backups: Path, tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o755)
    serve = record_of(backups, KeepIn(tmp_path / "open", WEEK)).stage(stages.SERVE)
    assert serve is not None
    assert serve.state == "blocked"
    assert "is open to others than its owner" in serve.cause
    assert list((tmp_path / "open").iterdir()) == []


@pytest.mark.further
def test_a_dump_that_changes_the_servers_own_settings_is_not_kept(
    backups: Path, twice: Twice, tmp_path: Path, guardian: Guardian
) -> None:
    keep, restored = KeepIn(tmp_path / "kept", WEEK), twice.cold.restored
    own = OwnRestore(keep, locate(backups, PROFILE), "0123abcd", guardian)
    with serve(ServerRequest("0123abcd", "local", ready=own), guardian) as server:
        with server.connect() as connection:
            connection.execute("ALTER SYSTEM SET archive_command = 'true'")
        kept_restore = own.keep(server, whole(restored))
        elsewhere = own.keep(replace(server, cluster=None, provider="container"), whole(restored))
    assert kept_restore.notes[-1].endswith(
        "not kept for the next drill: the dump changed the server's own configuration"
    )
    assert elsewhere.notes[-1].endswith("the server (container) is not one of this machine's own programs")
    assert entries(keep) == []


def test_a_data_directory_that_leads_elsewhere_is_not_copied(tmp_path: Path) -> None:
    (tmp_path / "data" / "pg_tblspc").mkdir(parents=True)
    (tmp_path / "data" / "pg_tblspc" / "16400").symlink_to(tmp_path)
    with pytest.raises(UnfitData, match="a tablespace elsewhere"):
        copy_digested(tmp_path / "data", tmp_path / "copy", None)
