"""The second drill of a dump by the same code begins with what the first migrated, and finds there what the first did."""

import json
import secrets
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from fixtures.profile.reading import read_profile
from fixtures.record import stages
from fixtures.record.migrated import Migrated
from fixtures.record.progress import silent
from fixtures.record.record import DrillRecord
from fixtures.restore.cache.entry import Entry, Result
from fixtures.restore.cache.own_restore import KeepIn, OwnRestore
from fixtures.restore.cache.restores import Bounds, KeptRestores, NotKept
from fixtures.sandbox.account import unprivileged_account
from fixtures.sandbox.guardian import Guardian
from fixtures.server.request import ClusterShape
from fixtures.shelf.locate import locate
from fixtures.story.drill import Drill
from fixtures.story.measures import rto_minutes
from fixtures.story.run_drill import WITHOUT_THE_APPLICATION, DrillRun, run_drill
from tests.support.application_under_test import Bench, copy_of_the_sample
from tests.support.drills import PROFILE, SAMPLE
from tests.support.short_drills import an_order

WEEK = Bounds(10**9, timedelta(days=7))
# Files tell nothing of the migrations.
STORY = tuple(stage for stage in stages.DRILL if stage is not stages.SITES)


@contextmanager
def drilled(
    whole_set: Path, app: Path, keep: KeepIn, story: tuple[stages.Stage, ...] = STORY, blocked: tuple[str, ...] = ()
) -> Iterator[DrillRun]:
    with Guardian(secrets.token_hex(4)) as guardian, ExitStack() as stack:
        order = replace(an_order(whole_set.parent, app, PROFILE, guardian), keep=keep)
        run = run_drill(order, stack, lambda _: silent, story)
        assert tuple(outcome.cause for outcome in run.outcomes if outcome.state != "ok") == blocked
        yield run


def migrated(record: DrillRecord) -> Migrated:
    assert record.migrated is not None
    return record.migrated


def entries(keep: KeepIn) -> list[Path]:
    """What is kept, the smallest first: a restore, then what was migrated of it."""
    return sorted(keep.folder.iterdir(), key=lambda each: sum(file.stat().st_size for file in each.rglob("*")))


@dataclass(frozen=True)
class Twice:
    """One dump drilled twice by the same code: what was kept, both records, and what the server of the second said to whoever
    knew the password that the application had in the first."""

    app: Path
    keep: KeepIn
    cold: DrillRecord
    warm: DrillRecord
    not_shown: tuple[str, ...]
    wrong_password: str


@pytest.fixture(scope="module")
def twice(whole_set: Path, tmp_path_factory: pytest.TempPathFactory) -> Twice:
    app = copy_of_the_sample(tmp_path_factory.mktemp("app"))
    keep = KeepIn(tmp_path_factory.mktemp("cache") / "kept", WEEK)
    with drilled(whole_set, app, keep) as run:
        assert run.server is not None
        cold, login = run.record, run.server.logins.of(run.server, "application")
    with drilled(whole_set, app, keep) as run:
        assert run.server is not None
        with pytest.raises(psycopg.OperationalError) as refused:
            run.server.connect("migrated", user=login.user, password=login.password)
        return Twice(app, keep, cold, run.record, run.not_shown, str(refused.value))


@pytest.fixture
def keep(twice: Twice, tmp_path: Path) -> KeepIn:
    """A copy of what was kept, to spoil."""
    return KeepIn(Path(shutil.copytree(twice.keep.folder, tmp_path / "kept")), WEEK)


def test_the_second_drill_finds_what_the_first_did(twice: Twice) -> None:
    cached = migrated(twice.warm).from_cache
    assert migrated(twice.cold).from_cache is None
    assert cached is not None
    assert cached.run_id == twice.cold.run_id
    assert migrated(twice.warm).model_copy(update={"from_cache": None}) == migrated(twice.cold)
    for part in ("facts", "migrated_facts", "migrated_server_own", "modelled", "ownership", "visited", "application"):
        assert getattr(twice.warm, part) == getattr(twice.cold, part), part
    assert migrated(twice.cold).cache_notes == ""
    assert len(entries(twice.keep)) == 2


def test_its_times_are_no_recoverys_and_that_is_told(twice: Twice) -> None:
    timed = {stage.name for stage in twice.warm.timed_stages}
    assert timed == {"locate", "inspect", "facts", "application"}
    assert rto_minutes(twice.warm) is None
    assert any("The migrations did not run in this drill: migrated by drill" in each for each in twice.not_shown)


def test_whoever_knew_the_applications_password_comes_in_no_more(twice: Twice) -> None:
    assert "password authentication failed" in twice.wrong_password


def test_what_was_altered_is_never_used_and_that_is_told(whole_set: Path, twice: Twice, keep: KeepIn) -> None:
    table = max((entries(keep)[-1] / "data" / "base").rglob("*"), key=lambda path: path.stat().st_size)
    content = bytearray(table.read_bytes())
    content[len(content) // 2] ^= 1
    table.write_bytes(content)
    with drilled(whole_set, twice.app, keep, STORY[:6]) as run:
        again = run.record
    assert migrated(again).from_cache is None
    assert again.restored is not None
    assert again.restored.from_cache is not None
    assert (
        "what an earlier drill migrated was not used: its files are not those that were kept"
        in migrated(again).cache_notes
    )
    assert len(entries(keep)) == 2


@pytest.mark.further
def test_what_the_application_finds_otherwise_is_never_used_again(whole_set: Path, twice: Twice, keep: KeepIn) -> None:
    entry = entries(keep)[-1] / "entry.json"
    said = json.loads(entry.read_text())
    said["migrated"]["pending"] = ["billing.0007_more"]
    entry.write_text(json.dumps(said))
    cause = (
        "the migrated database that was kept, and was removed, is not what the application's migrations make of it now: not "
        "applied are none, and were billing.0007_more"
    )
    with drilled(whole_set, twice.app, keep, STORY[:6], blocked=(cause,)):
        assert len(entries(keep)) == 1


def test_other_code_gets_the_restore_alone(
    whole_set: Path, twice: Twice, keep: KeepIn, guardian: Guardian, tmp_path: Path
) -> None:
    (kept,) = (json.loads((each / "entry.json").read_text())["origin"] for each in entries(keep)[-1:])
    shape = ClusterShape(**{name: kept[name] for name in ("programs", "made_with", "settings", "account", "machine")})
    for digest, found in ((kept["application"], True), ("0" * 64, False)):
        own = OwnRestore(
            keep, locate(whole_set.parent, read_profile(PROFILE).profile), "1234abcd", guardian, lambda of=digest: of
        )
        assert own.bring(shape, tmp_path / digest, None)
        assert (own.migrated() is not None) is found


def test_a_restore_stays_beside_what_was_migrated_of_it(keep: KeepIn, guardian: Guardian, twice: Twice) -> None:
    restore, other = entries(keep)
    shutil.rmtree(other)
    size = Entry.model_validate_json((restore / "entry.json").read_bytes()).bytes
    entry = Entry.model_validate_json((restore / "entry.json").read_bytes())
    result = Result(
        origin=entry.origin.model_copy(update={"application": "0" * 64}),
        run_id="1234abcd",
        restored=entry.restored,
        migrated=twice.cold.migrated,
    )
    scarce = KeptRestores(keep.folder, Bounds(size + size // 2, WEEK.age), unprivileged_account(), guardian)
    with pytest.raises(NotKept, match=r"its \d+ MB and the restore's \d+ MB are more than"):
        scarce.keep(restore / "data", result)
    assert entries(keep) == [restore]


@pytest.mark.parametrize(
    ("story", "keeps"), [(stages.DRILL, True), (stages.GATE, False), (WITHOUT_THE_APPLICATION, False)]
)
def test_a_gate_neither_takes_nor_keeps_it_nor_does_a_look_without_the_application(
    tmp_path: Path, guardian: Guardian, story: tuple[stages.Stage, ...], keeps: bool
) -> None:
    order = an_order(tmp_path, tmp_path, PROFILE, guardian)
    with ExitStack() as stack:
        assert not Drill(order, stack, lambda _: silent, story).keeps_migrated
        kept = replace(order, keep=KeepIn(tmp_path / "kept", WEEK))
        assert Drill(kept, stack, lambda _: silent, story).keeps_migrated is keeps


def test_what_migrations_left_beside_the_database_is_told(place: Bench, tmp_path: Path) -> None:
    folder = tmp_path / "private"
    interpreter = place.interpreter(SAMPLE, folder)
    assert interpreter.left_beside() == "nobody saw which addresses they tried to reach"
    (folder / "connections").write_text(f"watching\nconnect {place.server.host}:{place.server.port}\n")
    (folder / "tmp" / "any").touch()
    assert interpreter.left_beside() == ""
    (folder / "outbox" / "mail").touch()
    (folder / "scratch" / "media").mkdir()
    (folder / "scratch" / "media" / "logo.png").touch()
    assert interpreter.left_beside() == "they left files in its outbox and scratch"
    (folder / "connections").write_text("watching\nconnect 192.0.2.7:443\t\n")
    assert interpreter.left_beside() == "they tried to reach an address outside"
