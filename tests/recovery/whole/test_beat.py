"""Entries of celery beat that would run at once after the start are counted, as celery itself reckons its crontabs."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from celery import Celery
from celery.schedules import crontab

from fixtures.recovery.whole.beat import due_by_beat
from fixtures.recovery.whole.crontab import Crontab
from fixtures.recovery.whole.shown import overdue
from fixtures.server import Server
from tests.support.small_recovery import NAME, Tiny

# The columns of django-celery-beat 2.9 that say when an entry runs.
TABLES = """
CREATE TABLE django_celery_beat_intervalschedule (id int PRIMARY KEY, every int, period varchar(24));
CREATE TABLE django_celery_beat_crontabschedule (id int PRIMARY KEY, minute varchar(240), hour varchar(96),
  day_of_week varchar(64), day_of_month varchar(124), month_of_year varchar(64), timezone varchar(63));
CREATE TABLE django_celery_beat_clockedschedule (id int PRIMARY KEY, clocked_time timestamptz);
CREATE TABLE django_celery_beat_periodictask (id int PRIMARY KEY, name text, enabled bool NOT NULL DEFAULT true,
  one_off bool NOT NULL DEFAULT false, total_run_count int NOT NULL DEFAULT 0, last_run_at timestamptz,
  start_time timestamptz, expires timestamptz, date_changed timestamptz NOT NULL DEFAULT now() - interval '2 hours',
  interval_id int, crontab_id int, clocked_id int, solar_id int);
INSERT INTO django_celery_beat_intervalschedule VALUES (1, 1, 'hours'), (2, 3, 'days');
INSERT INTO django_celery_beat_crontabschedule VALUES (1, '*', '*', '*', '*', '*', 'Europe/Brussels'),
  (2, '0', '0', '*', '30', '2', 'UTC'), (3, '61', '*', '*', '*', '*', 'UTC'), (4, '*', '*', '*', '*', '*', 'Mars/Olympus');
INSERT INTO django_celery_beat_clockedschedule VALUES (1, now() - interval '1 hour'), (2, now() + interval '1 hour');
"""
OVERDUE = "that are overdue, and run at once"
RAN = "that are overdue, and ran after the set was taken"
UNKNOWN = "of which nobody here can tell whether they are overdue"
CRONTABS = (
    *(
        ("0", "3", "*", "*", "*"),
        ("*/15", "*", "mon-fri", "*", "*"),
        ("5,35", "8-18/2", "*", "1-7", "*"),
        ("0", "0", "*", "31", "*"),
    ),
    *(
        ("59", "23", "fri-mon", "*", "jan,jul"),
        ("0", "12", "sunday", "*/10", "1-12/3"),
        ("50-10", "22-2", "6", "*", "*"),
    ),
)


@pytest.fixture
def beats(server: Server, production: psycopg.Connection[Any]) -> Iterator[tuple[Any, Any]]:
    """The old database and the recovered one, each with the same schedules."""
    server.create_database("recovered", template="restored")
    with server.connect("recovered") as recovered:
        for each in (production, recovered):
            each.execute(TABLES)
        yield production, recovered
    server.drop_database("recovered")


def counted(new: Any, old: Any) -> dict[str, int | str]:
    began = "entries of celery beat (public.django_celery_beat_periodictask) "
    return {name.removeprefix(began): count for name, count in due_by_beat(new, old).items()}


@pytest.mark.parametrize(
    ("entry", "overdue"),
    [
        ("interval_id, last_run_at) VALUES (1, 1, now() - interval '61 minutes'", 1),
        ("interval_id, last_run_at) VALUES (1, 1, now() - interval '59 minutes'", 0),
        ("interval_id) VALUES (1, 1", 1),
        ("interval_id) VALUES (1, 2", 0),
        ("interval_id, start_time) VALUES (1, 2, now() - interval '1 minute'", 1),
        ("interval_id, start_time) VALUES (1, 1, now() + interval '1 minute'", 0),
        ("interval_id, expires) VALUES (1, 1, now() - interval '1 minute'", 0),
        ("interval_id, enabled) VALUES (1, 1, false", 0),
        ("interval_id, one_off, total_run_count) VALUES (1, 1, true, 1", 0),
        ("crontab_id, last_run_at) VALUES (1, 1, now() - interval '61 seconds'", 1),
        ("crontab_id, last_run_at) VALUES (1, 2, now() - interval '9 years'", 0),
        ("clocked_id) VALUES (1, 1", 1),
        ("clocked_id) VALUES (1, 2", 0),
    ],
)
def test_an_entry_is_overdue_as_beat_itself_would_find_it(beats: tuple[Any, Any], entry: str, overdue: int) -> None:
    _, new = beats
    new.execute(f"INSERT INTO django_celery_beat_periodictask (id, {entry})")
    assert counted(new, None) == {OVERDUE: overdue, RAN: "not known: the old database cannot be read"}


def test_what_ran_after_the_set_was_taken_is_told_apart_and_what_nobody_can_reckon_is_no_silence(
    beats: tuple[Any, Any],
) -> None:
    old, new = beats
    for each in beats:
        each.execute(
            "INSERT INTO django_celery_beat_periodictask (id, interval_id, crontab_id, solar_id, last_run_at) "
            "SELECT g, CASE WHEN g <= 3 THEN 1 END, CASE g WHEN 4 THEN 3 WHEN 5 THEN 4 END, CASE g WHEN 6 THEN 1 END, "
            "now() - interval '5 hours' FROM generate_series(1, 6) g"
        )
    old.execute("UPDATE django_celery_beat_periodictask SET last_run_at = now() - interval '1 hour' WHERE id < 3")
    assert counted(new, old) == {OVERDUE: 3, RAN: 2, UNKNOWN: 3}
    old.execute("DROP TABLE django_celery_beat_periodictask")
    new.execute("DROP TABLE django_celery_beat_clockedschedule")
    (said,) = counted(new, old).values()
    assert str(said).startswith("not known: relation ")


def test_a_database_without_celery_beat_is_told_nothing_of_it(server: Server) -> None:
    with server.connect("restored") as restored:
        assert due_by_beat(restored, None) == {}


@pytest.mark.parametrize("fields", CRONTABS, ids=" ".join)
def test_a_crontab_is_read_as_celery_reads_it(fields: tuple[str, ...]) -> None:
    names = ("minute", "hour", "day_of_week", "day_of_month", "month_of_year")
    own = Crontab.read(dict(zip(names, fields, strict=True)))
    draw, begin = random.Random(16), datetime(2026, 1, 1, tzinfo=UTC)
    app = Celery(set_as_current=False, timezone="UTC")
    for _ in range(200):
        after = begin + timedelta(seconds=draw.randrange(366 * 24 * 3600))
        until = after + timedelta(seconds=int(draw.choice((60, 3600, 86400, 40 * 86400)) * draw.random()))
        theirs = crontab(*fields, nowfun=lambda now=until: now, app=app)  # type: ignore[misc]
        last, delta, now = theirs.remaining_delta(after)
        assert own.between(after, until) == (last + delta <= now), (after, until)


@pytest.mark.parametrize("field", ["61", "", "*/0", "1-", "x", "-1"])
def test_a_field_that_is_none_is_refused(field: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        Crontab.read({"minute": field, **dict.fromkeys(("hour", "day_of_month", "month_of_year", "day_of_week"), "*")})


def test_the_old_database_is_asked_where_it_can_be_and_is_missed_where_it_is_gone(tiny: Tiny) -> None:
    plan = tiny.plan()
    tiny.server.create_database(plan.beside, template="tiny_source")
    with tiny.server.connect(plan.beside) as new:
        new.execute(TABLES)  # type: ignore[call-overload]
        new.execute("INSERT INTO django_celery_beat_periodictask (id, interval_id) VALUES (1, 1)")
    overdue_now, ran = overdue(plan, tiny.production).values()
    assert overdue_now == 1
    assert str(ran).startswith("not known: relation ")
    tiny.server.drop_database(NAME)
    assert list(overdue(plan, tiny.production).values()) == [1, "not known: the old database cannot be read"]
    tiny.server.drop_database(plan.beside)
    with pytest.raises(psycopg.OperationalError):
        overdue(plan, tiny.production)
