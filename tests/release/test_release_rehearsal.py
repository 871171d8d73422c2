"""A rehearsal tells of each migration what it wrote, which locks it held how long, and what it leaves when it fails."""

import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from fixtures.application.clones import marked_clone
from fixtures.checks.release.release_costs import long_locks, long_waits, too_large
from fixtures.database.read_facts import read_facts
from fixtures.profile.release import Load, Release
from fixtures.record.names import TableName
from fixtures.record.release.rehearsal import Rehearsal
from fixtures.release.lock_watch import LockWatch
from fixtures.release.plan import make_plan
from fixtures.release.rehearse import rehearse, under_load
from fixtures.release.statements import instead_of, without_values
from fixtures.release.traffic import hottest_tables
from tests.support.application_under_test import Bench, copy_of_the_sample, new_migration
from tests.support.clock import set_forward, set_forward_once_asleep

SLOW_REWRITE = """
migrations.RunSQL(
    "ALTER TABLE igny8_usage_days ALTER COLUMN credits TYPE numeric USING credits + 0",
    migrations.RunSQL.noop,
), migrations.RunSQL("SELECT pg_sleep(0.7), 'ada@example.net', 4711", migrations.RunSQL.noop)
"""
IN_BATCHES = "migrations.RunSQL('UPDATE igny8_usage_days SET credits = credits + 0', migrations.RunSQL.noop)"
INDEX = "migrations.RunSQL('CREATE INDEX by_day ON igny8_usage_days (day)', 'DROP INDEX by_day')"
RENAME = (
    "migrations.RunSQL('ALTER TABLE igny8_tags RENAME TO gone', 'ALTER TABLE gone RENAME TO igny8_tags'), "
    "migrations.RunSQL('COMMIT; SELECT pg_sleep(0.3); BEGIN', migrations.RunSQL.noop)"
)
SHARE_LOCK = "LOCK TABLE igny8_tags IN SHARE MODE"
BOUNDED = (
    "migrations.RunSQL(\"SET LOCAL lock_timeout = '2s'\", ''), "
    "migrations.RunSQL('ALTER TABLE igny8_tags ADD waits int', '')"
)
BOUNDED_IN_ONE_TEXT = f"migrations.RunSQL(\"SET lock_timeout TO '3s'; {SHARE_LOCK}; RESET lock_timeout\", '')"
UNBOUNDED_AGAIN = (
    f"migrations.RunSQL('SET lock_timeout = 2000; SET lock_timeout = 0', ''), migrations.RunSQL({SHARE_LOCK!r}, '')"
)
ONLY_NEW = "migrations.RunSQL('CREATE TABLE fresh (id int)', 'DROP TABLE fresh')"
NEW_AND_ROWS = (
    "migrations.RunSQL('ALTER TABLE fresh ADD more int; LOCK TABLE fresh', ''), "
    "migrations.RunSQL('UPDATE igny8_tags SET name = name', '')"
)
ALONE = "migrations.RunSQL('DO $$ BEGIN LOCK TABLE igny8_tags; PERFORM pg_sleep(0.3); END $$', '')"
WAITING = {
    "0010_bounded": BOUNDED,
    "0011_in_one_text": BOUNDED_IN_ONE_TEXT,
    "0012_unbounded": UNBOUNDED_AGAIN,
    "0013_only_new": ONLY_NEW,
    "0014_new_and_rows": NEW_AND_ROWS,
    "0015_alone": ALONE,
}
HALF_WAY = "migrations.RunSQL('CREATE TABLE half (id int)'), migrations.RunSQL('SELECT 1 / 0')"
LOCKS_AND_HANGS = "migrations.RunSQL('LOCK TABLE igny8_content; SELECT pg_sleep(600)')"
HANGS = "migrations.RunSQL('SELECT pg_sleep(600)')"
WITHIN = r"did not end within 1 h(?: \d min)?"


@pytest.fixture
def restored(place: Bench) -> Iterator[psycopg.Connection]:
    with place.restored() as connection:
        yield connection


def rehearsed(place: Bench, checkout: Path) -> Rehearsal:
    token = marked_clone(place.server, "migrated")
    interpreter = place.interpreter(checkout, checkout.parent / "private")
    plan = make_plan(interpreter, token, frozenset(), 60)
    return rehearse(place.server, "migrated", interpreter, token, plan, {}, 120)


def atomic_no_more(checkout: Path, name: str) -> None:
    file = checkout / "igny8_core" / "igny8" / "migrations" / f"{name}.py"
    file.write_text(file.read_text().replace("    dependencies", "    atomic = False\n    dependencies"))


def test_what_each_migration_costs_is_told(place: Bench, restored: psycopg.Connection, tmp_path: Path) -> None:
    restored.close()
    checkout = copy_of_the_sample(tmp_path)
    new_migration(checkout, "0010_rewrites", SLOW_REWRITE)
    new_migration(checkout, "0011_updates", IN_BATCHES, after="0010_rewrites")
    new_migration(checkout, "0012_indexes", INDEX, after="0011_updates")
    rehearsal = rehearsed(place, checkout)
    assert (rehearsal.failure, rehearsal.not_reached, rehearsal.left_behind) == ("", (), ())
    costs = {cost.name: cost for cost in rehearsal.migrations}
    assert list(costs) == [
        *("0007_content_body_length", "0008_site_locale", "0009_content_title_index"),
        *("0010_rewrites", "0011_updates", "0012_indexes"),
    ]
    rewrites = costs["0010_rewrites"]
    written = {each.relation: each for each in rewrites.rewritten}
    assert (written["public.igny8_usage_days"].what, written["public.igny8_usage_days"].rows) == ("table", 1678)
    (lock,) = (each for each in rewrites.locks if each.relation == "public.igny8_usage_days")
    assert (lock.mode, lock.rows) == ("ACCESS EXCLUSIVE", 1678)
    assert 0.5 < lock.seconds <= rewrites.seconds
    assert any(text.startswith("SELECT pg_sleep(?), ?, ?") for text in lock.statements)
    assert "ada@example.net" not in rehearsal.model_dump_json()
    assert rewrites.wal_bytes > 50_000
    (updated,) = costs["0011_updates"].rewritten
    assert (updated.relation, updated.what, updated.rows) == ("public.igny8_usage_days", "rows", 1678)
    assert {(each.relation, each.what) for each in costs["0012_indexes"].rewritten} == {("public.by_day", "index")}

    allowed = Release(lock_rows=1000, lock_seconds=0.3, wal_bytes=40_000)
    (long_lock,) = long_locks(rehearsal, allowed)
    assert long_lock.name == "igny8.0010_rewrites public.igny8_usage_days"
    assert "closes public.igny8_usage_days (about 1,678 rows) to everybody for " in long_lock.excess
    assert any(
        each.name == "igny8.0010_rewrites" and "bytes of WAL" in each.excess for each in too_large(rehearsal, allowed)
    )
    assert (long_locks(rehearsal, Release()), too_large(rehearsal, Release())) == ([], [])


def test_how_long_each_migration_would_wait_for_a_strong_lock_is_told(
    place: Bench, restored: psycopg.Connection, tmp_path: Path
) -> None:
    restored.close()
    checkout = copy_of_the_sample(tmp_path)
    last = "0009_content_title_index"
    for name, operations in WAITING.items():
        new_migration(checkout, name, operations, after=last)
        last = name
    atomic_no_more(checkout, "0015_alone")
    rehearsal = rehearsed(place, checkout)
    assert rehearsal.failure == ""
    waits = {
        cost.name: [(each.relation, each.mode, each.seconds) for each in cost.waits] for cost in rehearsal.migrations
    }
    assert {name: waits[name] for name in WAITING} == {
        "0010_bounded": [("public.igny8_tags", "ACCESS EXCLUSIVE", 2)],
        "0011_in_one_text": [("public.igny8_tags", "SHARE", 3)],
        "0012_unbounded": [("public.igny8_tags", "SHARE", None)],
        "0013_only_new": [],
        "0014_new_and_rows": [],
        "0015_alone": [("public.igny8_tags", "ACCESS EXCLUSIVE", None)],
    }
    endless = {each.name for each in long_waits(rehearsal, 5)}
    assert endless & {f"igny8.{name}" for name in WAITING} == {"igny8.0012_unbounded", "igny8.0015_alone"}
    assert {each.name for each in long_waits(rehearsal, 2.5)} - endless == {"igny8.0011_in_one_text"}
    assert long_waits(rehearsal, None) == long_waits(rehearsal, 5)


@pytest.mark.further
def test_a_limit_of_the_database_bounds_every_wait(place: Bench, restored: psycopg.Connection, tmp_path: Path) -> None:
    restored.execute("ALTER DATABASE restored SET lock_timeout = '4s'")
    restored.close()
    rehearsal = rehearsed(place, copy_of_the_sample(tmp_path))
    waits = [wait for cost in rehearsal.migrations for wait in cost.waits]
    assert waits
    assert {wait.seconds for wait in waits} == {4}
    assert long_waits(rehearsal, 4) == []


@pytest.mark.further
def test_how_long_requests_wait_for_a_migration_is_told(
    place: Bench, restored: psycopg.Connection, tmp_path: Path
) -> None:
    restored.close()
    checkout = copy_of_the_sample(tmp_path)
    new_migration(checkout, "0010_rewrites", SLOW_REWRITE)
    new_migration(checkout, "0011_renames", RENAME, after="0010_rewrites")
    token = marked_clone(place.server, "migrated")
    facts = read_facts(place.server, "restored", 60)
    tables = hottest_tables(
        facts, Load(tables=(TableName("public", "igny8_usage_days"), TableName("public", "igny8_tags")))
    )
    run = under_load(place.server, "migrated", place.interpreter(checkout, tmp_path / "private"), token, tables, 120)
    assert (run.failure, run.tables) == ("", ("public.igny8_tags", "public.igny8_usage_days"))
    slow = {(each.migration, each.relation, each.act) for each in run.stalls if each.longest > 0.5}
    rewrites = [("igny8.0010_rewrites", "public.igny8_usage_days", act) for act in ("read", "write")]
    assert set(rewrites) <= slow
    refused = {each.relation: each.refused for each in run.stalls if each.refused and each.act == "read"}
    assert list(refused) == ["public.igny8_tags"]
    assert refused["public.igny8_tags"][0].startswith("UndefinedTable (")
    with place.server.connect("migrated") as connection:
        assert connection.execute("SELECT count(*) FROM igny8_usage_days").fetchone() == (1678,)


@pytest.mark.further
def test_what_a_failed_migration_leaves_outside_a_transaction_is_named(
    place: Bench, restored: psycopg.Connection, tmp_path: Path
) -> None:
    restored.close()
    checkout = copy_of_the_sample(tmp_path)
    new_migration(checkout, "0010_half_way", HALF_WAY)
    new_migration(checkout, "0011_never", INDEX, after="0010_half_way")
    atomic_no_more(checkout, "0010_half_way")
    rehearsal = rehearsed(place, checkout)
    assert rehearsal.left_behind == ("column public.half.id integer", "table public.half")
    assert rehearsal.failure.startswith("DataError (DivisionByZero)")
    assert (rehearsal.migrations[-1].name, rehearsal.migrations[-1].failed) == ("0010_half_way", rehearsal.failure)
    assert rehearsal.not_reached == ("igny8.0011_never",)


@pytest.mark.further
def test_what_a_hanging_migration_waits_for_is_told_and_it_is_ended(
    place: Bench, restored: psycopg.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sampled = LockWatch._sample

    def until_it_was_seen_waiting(watch: LockWatch, connection: psycopg.Connection) -> None:
        sampled(watch, connection)
        if "PgSleep" in watch.waiting:
            monkeypatch.setattr(LockWatch, "_sample", sampled)
            set_forward(monkeypatch)

    restored.close()
    checkout = copy_of_the_sample(tmp_path)
    new_migration(checkout, "0010_hangs", HANGS)
    monkeypatch.setattr(LockWatch, "_sample", until_it_was_seen_waiting)
    rehearsal = rehearsed(place, checkout)
    assert re.fullmatch(WITHIN, rehearsal.failure or "")
    assert rehearsal.migrations[-1].waited_for == "Timeout PgSleep, in SELECT pg_sleep(?)"
    assert rehearsal.left_behind == ()


@pytest.mark.further
def test_requests_end_with_a_migration_that_hangs(
    place: Bench, restored: psycopg.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    restored.close()
    checkout = copy_of_the_sample(tmp_path)
    new_migration(checkout, "0010_hangs", LOCKS_AND_HANGS)
    token = marked_clone(place.server, "migrated")
    tables = hottest_tables(read_facts(place.server, "restored", 60), Load(largest=1))
    interpreter = place.interpreter(checkout, tmp_path / "private")
    with set_forward_once_asleep(place.server, monkeypatch):
        run = under_load(place.server, "migrated", interpreter, token, tables, 120)
    assert re.fullmatch(WITHIN, run.failure or "")
    assert run.requests > 100


@pytest.mark.parametrize(
    ("statement", "shown"),
    [
        ("SELECT 'it''s', E'a\\'b', 12.5, -3", "SELECT ?, ?, ?, ?"),
        ('UPDATE "O\'Neill" SET "a1" = $$x$$ -- for Ada', 'UPDATE "O\'Neill" SET "a1" = ?'),
        ("INSERT INTO t2 VALUES ('cut off where the view", "INSERT INTO t2 VALUES (?"),
        ("SELECT '\"', 'hidden'", "SELECT ?, ?"),
    ],
)
def test_no_value_of_a_statement_is_shown(statement: str, shown: str) -> None:
    assert without_values(statement) == shown


@pytest.mark.parametrize(
    ("statement", "advice"),
    [
        ('CREATE INDEX "a" ON "t" ("b")', "CONCURRENTLY"),
        ('CREATE INDEX CONCURRENTLY "a" ON "t" ("b")', ""),
        ('ALTER TABLE "t" ADD CONSTRAINT "c" FOREIGN KEY ("x") REFERENCES "y"', "NOT VALID, then VALIDATE"),
        ('ALTER TABLE "t" ADD CONSTRAINT "c" CHECK (x > ?) NOT VALID', ""),
        ('ALTER TABLE "t" ALTER COLUMN "x" SET NOT NULL', "IS NOT NULL) NOT VALID, VALIDATE it"),
        ('ALTER TABLE "t" ALTER COLUMN "x" TYPE bigint', "fill it in batches"),
        ('UPDATE "t" SET "x" = ?', "in batches of some thousand"),
    ],
)
def test_what_to_do_instead_is_known(statement: str, advice: str) -> None:
    assert advice in instead_of(statement)
    assert bool(advice) == bool(instead_of(statement))
