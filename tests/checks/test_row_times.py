"""How old the rows are is held against a set that nothing but its name dates, by how long there usually is nothing new."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from fixtures.checks.backup_set.row_times import later_than_the_set, silence_before
from fixtures.profile.backups import NewestRow
from fixtures.profile.reading import read_profile
from fixtures.record.names import TableName
from fixtures.record.set_record import SetTime
from tests.support import record_examples
from tests.support.drills import PROFILE
from tests.support.small_tenancy import SmallTenancy, small_tenancy

TAKEN = datetime(2026, 11, 22, 3, tzinfo=UTC)
TABLES = """
CREATE TABLE visits (id int PRIMARY KEY, seen_at timestamptz, expires date);
CREATE TABLE people_of_ours (id int PRIMARY KEY, last_login timestamp);
INSERT INTO people_of_ours VALUES (1, '2026-11-22 01:00'), (2, NULL), (3, 'infinity');
"""
DAILY = (
    "INSERT INTO visits SELECT n, timestamptz '2026-11-22 01:00+00' - n * interval '8 hours', '2031-01-01' "
    "FROM generate_series({first}, 200) n;"
)
IN_NAME = SetTime(source="name", at=TAKEN)
IN_HEADER = SetTime(source="dump header", at=TAKEN)


@pytest.fixture(scope="module")
def tenancy() -> Iterator[SmallTenancy]:
    with small_tenancy() as ready:
        yield ready


@pytest.mark.parametrize(
    ("first", "times", "newest_row", "fits"),
    [
        (0, (IN_NAME,), None, True),
        # Five days without a row, where there is one every eight hours: the profile's RPO is 26 h.
        (15, (IN_NAME,), None, False),
        (15, (IN_NAME, IN_HEADER), None, True),
        (15, (IN_NAME, IN_HEADER), 48, False),
        (15, (IN_NAME, IN_HEADER), 240, True),
        # No row at all is no newest row.
        (201, (IN_NAME, IN_HEADER), 240, False),
    ],
)
def test_the_newest_row_shows_how_old_the_data_is(
    tenancy: SmallTenancy, first: int, times: tuple[SetTime, ...], newest_row: float | None, fits: bool
) -> None:
    backup_set = record_examples.backup_set().model_copy(
        update={"taken_at": TAKEN, "taken_at_source": "name", "times": times, "manifest": None}
    )
    profile = read_profile(PROFILE).profile
    declared = (
        NewestRow(table=TableName("public", "visits"), column="seen_at", hours=newest_row) if newest_row else None
    )
    promised = profile.model_copy(update={"backup": profile.backup.model_copy(update={"newest_row": declared})})
    # The logins of the same days are no newer than the visits are.
    logins = f"UPDATE people_of_ours SET last_login = last_login - {first} * interval '8 hours' WHERE id = 1;"
    with tenancy.look(TABLES + DAILY.format(first=first) + logins) as look:
        silence = silence_before(look.database, backup_set, promised)
        assert (silence.hours <= silence.allowed) is fits
        assert later_than_the_set(look.database, backup_set, promised) == []


def test_a_weekend_is_no_silence_where_every_week_has_one(tenancy: SmallTenancy) -> None:
    backup_set = record_examples.backup_set().model_copy(
        update={"taken_at": datetime(2026, 11, 23, 3, tzinfo=UTC), "taken_at_source": "name", "times": (IN_NAME,)}
    )
    weekdays = (
        "CREATE TABLE visits (id int PRIMARY KEY, seen_at date); INSERT INTO visits "
        "SELECT row_number() OVER (), d FROM generate_series(date '2026-09-01', date '2026-11-20', interval '1 day') d "
        "WHERE extract(isodow FROM d) < 6"
    )
    with tenancy.look(weekdays) as look:
        silence = silence_before(look.database, backup_set, read_profile(PROFILE).profile)
        assert silence.hours == 75
        assert silence.hours <= silence.allowed
