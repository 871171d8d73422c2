"""A migration that runs for nothing is ended at once, and what it asked of the server with it."""

import threading
from pathlib import Path

import psycopg
import pytest

from fixtures.application.migrate import migrate
from fixtures.record.stage import StageFailed
from tests.support.application_under_test import Bench, new_migration

_ASLEEP = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)%' AND pid <> pg_backend_pid()"


def test_a_migration_that_runs_for_nothing_is_ended_with_its_query(
    place: Bench, restored: psycopg.Connection, checkout: Path
) -> None:
    restored.close()
    new_migration(checkout, "0010_sleeps", 'migrations.RunSQL("SELECT pg_sleep(600)", "")')
    stop = threading.Event()

    def watch() -> None:
        with place.server.connect() as connection:
            while connection.execute(_ASLEEP).fetchone() == (0,) and not stop.wait(0.1):
                pass
        stop.set()

    watching = threading.Thread(target=watch, daemon=True)
    watching.start()
    interpreter = place.interpreter(checkout, checkout.parent / "private", stop=stop)
    with pytest.raises(StageFailed, match="0010_sleeps failed"):
        migrate(place.server, interpreter, 300)
    stop.set()
    watching.join()
    with place.server.connect() as connection:
        assert connection.execute(_ASLEEP).fetchone() == (0,)
