"""A setting of the source's database or role under which the application fails is named, and is shown to be why."""

from pathlib import Path

import pytest

from fixtures.application.clones import clone
from fixtures.application.migrate import MIGRATED, migrate
from fixtures.record.stage import StageBlocked, StageFailed
from fixtures.server.readers import Readers
from tests.support.application_under_test import Bench, copy_of_the_sample, new_migration
from tests.support.drills import SAMPLE
from tests.support.further import first_of

SECONDS = 120
DATABASE, ROLE = "ALTER DATABASE restored SET ", "ALTER ROLE igny8_owner IN DATABASE restored SET "


@pytest.mark.parametrize(
    ("planted", "name", "kind", "cause"),
    first_of(
        [
            (
                f"{DATABASE}datestyle TO 'German, DMY'",
                "DateStyle",
                StageBlocked,
                "the application does not start: NotImplem",
            ),
            (f"{ROLE}datestyle TO 'SQL, DMY'", "DateStyle", StageBlocked, "the application does not start: NotImplem"),
            (
                f"{DATABASE}default_transaction_read_only TO on",
                "default_transaction_read_only",
                StageBlocked,
                "ReadOnlySql",
            ),
            (
                f"{DATABASE}statement_timeout TO '1ms'",
                "statement_timeout",
                StageFailed,
                "not reached: OperationalError",
            ),
            (f"{DATABASE}search_path TO nowhere", "search_path", StageFailed, "InvalidSchemaName"),
        ]
    ),
)
def test_the_setting_for_which_the_application_fails_is_named(
    place: Bench, tmp_path: Path, planted: str, name: str, kind: type[StageBlocked | StageFailed], cause: str
) -> None:
    with place.restored() as connection:
        connection.execute(planted.encode())
        connection.close()
        # As a drill has it: what is restored is read meanwhile, and is not cloned once more before that has ended.
        clone(place.server, MIGRATED)
        readers = Readers(place.server, "restored", 1)
        with pytest.raises((StageBlocked, StageFailed)) as raised:
            migrate(place.server, place.interpreter(SAMPLE, tmp_path / "run"), SECONDS, unread=readers.close)
        assert type(raised.value) is kind
        assert cause in raised.value.cause
        assert f"It comes to its end without {name}, which the source has set" in raised.value.cause
        assert f"Reset {name} there" in raised.value.fix


@pytest.mark.further
def test_what_fails_without_the_setting_too_is_told_as_it_failed(place: Bench, tmp_path: Path) -> None:
    checkout = copy_of_the_sample(tmp_path)
    new_migration(checkout, "0010_fails", 'migrations.RunSQL("SELECT 1 / 0", "")')
    with place.restored() as connection:
        connection.execute(f"{DATABASE}statement_timeout TO '1min'")  # type: ignore[call-overload]
        connection.close()
        with pytest.raises(StageFailed, match=r"0010_fails failed: .*DivisionByZero") as raised:
            migrate(place.server, place.interpreter(checkout, tmp_path / "run"), SECONDS)
        assert "statement_timeout" not in raised.value.cause + raised.value.fix
