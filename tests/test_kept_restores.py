"""The second drill of a dump begins with what the first restored, if that is whole, private, young and of this very dump."""

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from fixtures.drafting.look import NOTHING_KNOWN
from fixtures.drill.account import unprivileged_account
from fixtures.drill.backup_set import locate
from fixtures.drill.guardian import Guardian
from fixtures.drill.kept.data_files import UnfitData, copy_digested
from fixtures.drill.kept.drill import KeepIn, OwnRestore
from fixtures.drill.kept.restores import Bounds, KeptRestores
from fixtures.drill.limits import not_shown
from fixtures.drill.measures import measures, rto_minutes
from fixtures.drill.progress import silent
from fixtures.drill.record import DrillRecord, Restored
from fixtures.drill.run import WITHOUT_THE_APPLICATION, run_drill
from fixtures.drill.server import ServerRequest, serve
from fixtures.drill.steps import DrillRun, Order
from tests.small_source import CANARY, PROFILE, Small, small_source

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


@pytest.fixture
def keep(tmp_path: Path) -> KeepIn:
    return KeepIn(tmp_path / "kept", WEEK)


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


def test_the_second_drill_of_a_dump_begins_with_what_the_first_restored(backups: Path, keep: KeepIn) -> None:
    cold = record_of(backups, keep)
    assert [stage.state for stage in cold.stages] == ["ok"] * 6
    assert whole(cold.restored).from_cache is None
    with drilled(backups, keep) as run:
        warm = run.record
        assert run.server is not None
        with run.server.connect("restored") as connection:
            # Whoever knew the password of the drill that kept it comes in no more; this drill's own does.
            assert connection.execute("SELECT count(*) FROM people").fetchone() == (2000,)
        with pytest.raises(psycopg.OperationalError):
            run.server.connect("restored", user=run.server.user, password="x")
    cached = whole(warm.restored).from_cache
    assert cached is not None
    assert cached.run_id == cold.run_id
    assert whole(warm.restored).model_copy(update={"from_cache": None}) == cold.restored
    # What was read of the database now is what was read of it then, and so is its digest.
    assert warm.contents == cold.contents
    assert warm.facts == cold.facts
    assert warm.contents is not None


def test_no_recovery_time_is_told_by_it(backups: Path, keep: KeepIn) -> None:
    record_of(backups, keep)
    warm = record_of(backups, keep)
    rto = measures(warm, PROFILE.targets)[1]
    assert rto.measured is None
    assert rto_minutes(warm) is None
    assert rto.unmeasured == warm.cached_start
    assert rto.unmeasured.startswith("restored from the cache of 20")
    assert any("The dump was not loaded in this drill" in limit for limit in not_shown(warm, PROFILE))


def test_it_is_private_and_holds_no_password(backups: Path, keep: KeepIn) -> None:
    with drilled(backups, keep) as run:
        assert run.server is not None
        password = run.server.password
    (entry,) = entries(keep)
    for path in (keep.folder, entry, *entry.rglob("*")):
        facts = path.lstat()
        assert facts.st_uid == os.geteuid()
        assert stat.S_IMODE(facts.st_mode) == (0o700 if path.is_dir() else 0o600)
        if path.is_file():
            assert password.encode() not in path.read_bytes()
    assert CANARY not in (entry / "entry.json").read_text()
    assert not (entry / "data" / "postmaster.pid").exists()


def test_what_was_altered_or_cut_short_is_never_used(backups: Path, keep: KeepIn) -> None:
    record_of(backups, keep)
    (entry,) = entries(keep)
    table = max((entry / "data" / "base").rglob("*"), key=lambda path: path.stat().st_size)
    content = bytearray(table.read_bytes())
    content[len(content) // 2] ^= 1
    table.write_bytes(content)
    again = record_of(backups, keep)
    assert whole(again.restored).from_cache is None
    assert any("its files are not those that were kept" in note for note in whole(again.restored).notes)
    assert [stage.state for stage in again.stages] == ["ok"] * 6
    # It was restored anew, and kept anew.
    (entry,) = entries(keep)
    (entry / "entry.json").write_text((entry / "entry.json").read_text()[:1000])
    assert whole(record_of(backups, keep).restored).from_cache is None
    assert whole(record_of(backups, keep).restored).from_cache is not None


def test_half_of_one_is_never_found_and_goes_away(backups: Path, keep: KeepIn, guardian: Guardian) -> None:
    record_of(backups, keep)
    (entry,) = entries(keep)
    begun = entry.with_name("begun-0123abcd")
    entry.rename(begun)
    assert whole(record_of(backups, keep).restored).from_cache is None
    assert begun.exists()  # another drill may be at it
    day_ago = begun.stat().st_mtime - 2 * 24 * 3600
    os.utime(begun, (day_ago, day_ago))
    KeptRestores(keep.folder, WEEK, unprivileged_account(), guardian)
    assert not begun.exists()


def test_another_dump_is_restored_itself(small: Small, backups: Path, keep: KeepIn, tmp_path: Path) -> None:
    record_of(backups, keep)
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


def test_it_is_bounded_in_size_and_in_age(backups: Path, keep: KeepIn) -> None:
    small = record_of(backups, KeepIn(keep.folder, Bounds(10**6, timedelta(days=7))))
    assert any("more than the 0 MB that may be kept" in note for note in whole(small.restored).notes)
    assert entries(keep) == []
    record_of(backups, keep)
    assert len(entries(keep)) == 1
    old = record_of(backups, KeepIn(keep.folder, Bounds(10**9, timedelta(seconds=0.001))))
    assert whole(old.restored).from_cache is None


def test_a_folder_that_others_read_is_refused(backups: Path, keep: KeepIn) -> None:
    keep.folder.mkdir(mode=0o755)
    keep.folder.chmod(0o755)
    serve = record_of(backups, keep).stage("serve")
    assert serve is not None
    assert serve.state == "blocked"
    assert "is open to others than its owner" in serve.cause
    assert entries(keep) == []


def test_a_dump_that_changes_the_servers_own_settings_is_not_kept(
    backups: Path, keep: KeepIn, guardian: Guardian
) -> None:
    restored = record_of(backups, None).restored
    own = OwnRestore(keep, locate(backups, PROFILE), "0123abcd", guardian)
    with serve(ServerRequest("0123abcd", "local", ready=own), guardian) as server:
        with server.connect() as connection:
            connection.execute("ALTER SYSTEM SET archive_command = 'true'")
        told = own.keep(server, whole(restored))
        elsewhere = own.keep(replace(server, cluster=None, provider="container"), whole(restored))
    assert told.notes[-1].endswith("not kept for the next drill: the dump changed the server's own configuration")
    assert elsewhere.notes[-1].endswith("the server (container) is not one of this machine's own programs")
    assert entries(keep) == []


def test_a_data_directory_that_leads_elsewhere_is_not_copied(tmp_path: Path) -> None:
    (tmp_path / "data" / "pg_tblspc").mkdir(parents=True)
    (tmp_path / "data" / "pg_tblspc" / "16400").symlink_to(tmp_path)
    with pytest.raises(UnfitData, match="a tablespace elsewhere"):
        copy_digested(tmp_path / "data", tmp_path / "copy", None)
