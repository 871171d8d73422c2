"""The start that is asked before the migrations goes on as migrate, and finds itself as manage.py would have started it."""

from pathlib import Path

import psycopg
import pytest

from fixtures.application.migrate import migrate
from fixtures.record.migrated import Migrated
from sample.history import STILL_TO_COME
from tests.support.application_under_test import Bench, new_migration

# How it was started, and how often it was set up, is what this settings file makes of it.
SETTINGS = """
import sys
STARTED_AS = sys.argv[1:]
SET_UP = []
LOGGING, LOGGING_CONFIG = {"version": 1}, "igny8_core.settings.set_up"
def set_up(logging):
    SET_UP.append(logging)
"""
LOOKS = """

def look(apps, editor):
    import os, sys
    from django.conf import settings
    found = {
        "Command": settings.STARTED_AS == sys.argv[1:] and sys.argv[1] == "migrate",
        "SetUp": len(settings.SET_UP) == 1,
        "Modules": not [name for name in sys.modules if name.startswith("drill_")],
        "Variables": not [name for name in ("RESTORE_DRILL_TOKEN", "RESTORE_DRILL_ANSWER") if name in os.environ],
    }
    if not all(found.values()):
        raise type("".join(name for name in found if not found[name]) + "Error", (Exception,), {})


Migration.operations = [migrations.RunPython(look)]
"""
OWN_EXECUTE = """
import os, sys
from django.core.management import ManagementUtility

class Own(ManagementUtility):
    def execute(self):
        import django
        django.setup()
        self.fetch_command(self.argv[1]).run_from_argv(self.argv)

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "igny8_core.settings")
Own(sys.argv).execute()
"""
CALLS_FIRST = """
import os, sys
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "igny8_core.settings")
if sys.argv[1] == "migrate":
    import django
    from django.core.management import call_command
    django.setup()
    call_command("migrate", verbosity=0)
from django.core.management import execute_from_command_line
execute_from_command_line(sys.argv)
"""
BEFORE = 24
"""Migrations that the sample's dump holds as applied."""
THREAD = "import threading, time\nthreading.Thread(target=time.sleep, args=(600,), daemon=True).start()\n"


def migrated(place: Bench, checkout: Path, restored: psycopg.Connection) -> tuple[Migrated, int]:
    """What the migrations did, and how often the application's interpreter was started for them and for what was asked."""
    restored.close()
    interpreter = place.interpreter(checkout, checkout.parent / "private")
    done = migrate(place.server, interpreter, 120).migrated
    started = (interpreter.private / "connections").read_text().splitlines().count("watching")
    return done, started


def applied(done: Migrated) -> tuple[str, ...]:
    return tuple(migration.name for migration in done.applied)


def test_migrate_finds_the_process_as_it_had_started(
    place: Bench, checkout: Path, restored: psycopg.Connection
) -> None:
    with (checkout / "igny8_core" / "settings.py").open("a") as file:
        file.write(SETTINGS)
    new_migration(checkout, "0010_looks", "")
    with (checkout / "igny8_core" / "igny8" / "migrations" / "0010_looks.py").open("a") as file:
        file.write(LOOKS)
    done, started = migrated(place, checkout, restored)
    assert applied(done) == (*STILL_TO_COME, "0010_looks")
    # One before the migrations, which are its own last work, and one after.
    assert started == 2


@pytest.mark.parametrize(("manage", "told"), [(OWN_EXECUTE, STILL_TO_COME), (CALLS_FIRST, ())])
def test_a_manage_that_runs_commands_by_itself_is_asked_before_it_runs_any(
    place: Bench, checkout: Path, restored: psycopg.Connection, manage: str, told: tuple[str, ...]
) -> None:
    (checkout / "manage.py").write_text(manage)
    done, started = migrated(place, checkout, restored)
    assert done.applied_before == BEFORE
    assert (applied(done), done.pending) == (told, ())
    # The one that was noticed, the one that answers before, migrate itself, and one after.
    assert started == 4


def test_what_is_not_to_be_forked_migrates_in_a_start_of_its_own(
    place: Bench, checkout: Path, restored: psycopg.Connection
) -> None:
    with (checkout / "igny8_core" / "settings.py").open("a") as file:
        file.write(THREAD)
    done, started = migrated(place, checkout, restored)
    assert (applied(done), started) == (STILL_TO_COME, 3)
