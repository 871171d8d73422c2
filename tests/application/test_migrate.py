"""The migrate stage brings the restored database to the code's schema, or says what stands in the way."""

from pathlib import Path

import psycopg
import pytest

from fixtures.application.migrate import migrate
from fixtures.application.migration_output import Applying
from fixtures.record.stage import StageFailed
from fixtures.sandbox.footprint import footprint
from sample.history import STILL_TO_COME
from tests.support.application_under_test import APPLICATION, Bench, new_migration
from tests.support.clock import set_forward
from tests.support.further import first_of


def failing(place: Bench, checkout: Path, restored: psycopg.Connection) -> StageFailed:
    restored.close()
    interpreter = place.interpreter(checkout, checkout.parent / "private")
    with pytest.raises(StageFailed) as failed:
        migrate(place.server, interpreter, 60)
    assert type(failed.value) is StageFailed
    assert failed.value.fix
    return failed.value


def test_the_samples_dump_is_migrated_and_nothing_is_written_into_the_checkout(
    place: Bench, restored: psycopg.Connection, checkout: Path
) -> None:
    restored.close()
    before = footprint(checkout)
    reports: list[tuple[int, int | None, str]] = []
    interpreter = place.interpreter(checkout, checkout.parent / "private")
    migrated = migrate(
        place.server, interpreter, 60, lambda done, total, unit: reports.append((done, total, unit))
    ).migrated
    assert tuple(migration.name for migration in migrated.applied) == STILL_TO_COME
    assert all(migration.app == "igny8" and migration.seconds >= 0 for migration in migrated.applied)
    assert (migrated.unknown, migrated.leftover, migrated.pending, migrated.unmade_detail) == ((), (), (), ())
    assert (migrated.unmade, migrated.unmade_error, migrated.database_seen) == (False, "", "migrated")
    assert migrated.django.startswith("5.2")
    assert reports == [(done, 3, "migrations") for done in range(4)]
    assert footprint(checkout) == before
    assert interpreter.connections_tried() == ()
    with place.server.connect("restored") as connection:
        assert connection.execute(
            "SELECT count(*) FROM django_migrations WHERE name = '0009_content_title_index'"
        ).fetchone() == (0,)


def test_settings_that_fall_back_to_sqlite_stop_the_stage_before_anything_is_migrated(
    place: Bench, restored: psycopg.Connection, checkout: Path
) -> None:
    restored.close()
    without = {name: value for name, value in APPLICATION.environment.items() if name != "DB_HOST"}
    interpreter = place.interpreter(
        checkout, checkout.parent / "private", APPLICATION.model_copy(update={"environment": without})
    )
    with pytest.raises(StageFailed, match=r"another database than the restored one: sqlite, db\.sqlite3\.") as failed:
        migrate(place.server, interpreter, 60)
    assert "DB_NAME" in failed.value.fix
    assert not list(checkout.rglob("*.sqlite3"))


def test_settings_that_name_another_database_of_the_same_server_stop_the_stage(
    place: Bench, restored: psycopg.Connection, checkout: Path
) -> None:
    restored.close()
    elsewhere = {**APPLICATION.environment, "DB_NAME": "dumped"}
    interpreter = place.interpreter(
        checkout, checkout.parent / "private", APPLICATION.model_copy(update={"environment": elsewhere})
    )
    with pytest.raises(StageFailed, match="another database than the restored one: the Postgres database dumped at"):
        migrate(place.server, interpreter, 60)


def test_a_database_server_that_is_not_there_is_told(
    place: Bench, restored: psycopg.Connection, checkout: Path
) -> None:
    restored.close()
    elsewhere = {**APPLICATION.environment, "DB_HOST": "/nowhere"}
    interpreter = place.interpreter(
        checkout, checkout.parent / "private", APPLICATION.model_copy(update={"environment": elsewhere})
    )
    with pytest.raises(StageFailed, match=r"at /nowhere:\d+ \(not reached: OperationalError\)"):
        migrate(place.server, interpreter, 60)


def test_a_dump_newer_than_the_code_is_named_as_such(
    place: Bench, restored: psycopg.Connection, checkout: Path
) -> None:
    restored.execute("INSERT INTO django_migrations (app, name, applied) VALUES ('igny8', '0010_from_tomorrow', now())")
    failed = failing(place, checkout, restored)
    assert failed.cause == ("the dump is newer than the code: it has applied what the code lacks (igny8.0010_…)")
    assert "showmigrations" in failed.fix


def test_an_app_that_only_newer_code_has_makes_the_dump_newer(
    place: Bench, restored: psycopg.Connection, checkout: Path
) -> None:
    restored.execute("INSERT INTO django_migrations (app, name, applied) VALUES ('newcomer', '0001_initial', now())")
    failed = failing(place, checkout, restored)
    assert "newer than the code" in failed.cause
    assert "removed_apps" in failed.fix


@pytest.mark.further
def test_what_an_app_left_that_the_profile_says_was_removed_is_left_over(
    place: Bench, restored: psycopg.Connection, checkout: Path
) -> None:
    restored.execute("INSERT INTO django_migrations (app, name, applied) VALUES ('newcomer', '0001_initial', now())")
    restored.close()
    declared = APPLICATION.model_copy(update={"removed_apps": {"newcomer": "taken out in release 12"}})
    interpreter = place.interpreter(checkout, checkout.parent / "private", declared)
    assert migrate(place.server, interpreter, 60).migrated.leftover == ("….0001_…",)


def test_no_profile_makes_what_an_app_of_the_code_has_applied_left_over(
    place: Bench, restored: psycopg.Connection, checkout: Path
) -> None:
    restored.execute("INSERT INTO django_migrations (app, name, applied) VALUES ('igny8', '0010_from_tomorrow', now())")
    restored.close()
    declared = APPLICATION.model_copy(update={"removed_apps": {"igny8": "it is still there"}})
    with pytest.raises(StageFailed, match="the dump is newer than the code") as failed:
        migrate(place.server, place.interpreter(checkout, checkout.parent / "private", declared), 60)
    assert "removed_apps" not in failed.value.fix


@pytest.mark.further
def test_rows_of_migrations_long_squashed_or_of_apps_long_gone_are_no_alarm(
    place: Bench, restored: psycopg.Connection, checkout: Path
) -> None:
    restored.execute(
        "INSERT INTO django_migrations (id, app, name, applied) OVERRIDING SYSTEM VALUE VALUES "
        "(-2, 'igny8', '0000_before_the_squash', now()), (-1, 'zephyrine', '0001_initial', now())"
    )
    restored.close()
    migrated = migrate(place.server, place.interpreter(checkout, checkout.parent / "private"), 60).migrated
    assert migrated.leftover == ("igny8.0000_…", "….0001_…")
    assert (migrated.unknown, migrated.pending) == ((), ())


@pytest.mark.further
def test_a_squashed_migration_beside_those_it_replaces_is_no_alarm(
    place: Bench, restored: psycopg.Connection, checkout: Path
) -> None:
    folder = checkout / "igny8_core" / "igny8" / "migrations"
    replaced = ["0007_content_body_length", "0008_site_locale", "0009_content_title_index"]
    new_migration(checkout, "0007_squashed_0009", "", after="0006_postgres_features")
    squashed = folder / "0007_squashed_0009.py"
    replaces = ", ".join(f'("igny8", "{name}")' for name in replaced)
    squashed.write_text(squashed.read_text() + f"    replaces = [{replaces}]\n")
    restored.execute("INSERT INTO django_migrations (app, name, applied) VALUES ('igny8', %s, now())", [replaced[0]])
    restored.close()
    migrated = migrate(place.server, place.interpreter(checkout, checkout.parent / "private"), 60).migrated
    assert (migrated.unknown, migrated.leftover, migrated.pending) == ((), (), ())


def test_an_inconsistent_history_is_named_as_such(place: Bench, restored: psycopg.Connection, checkout: Path) -> None:
    restored.execute("DELETE FROM django_migrations WHERE app = 'igny8' AND name = '0003_content'")
    failed = failing(place, checkout, restored)
    assert failed.cause.startswith("the dump's migration history is inconsistent: Migration ")
    assert "igny8.0003_content" in failed.cause


def test_a_dump_without_a_history_is_named_as_such(place: Bench, restored: psycopg.Connection, checkout: Path) -> None:
    restored.execute("TRUNCATE django_migrations")
    assert "holds no applied migration" in failing(place, checkout, restored).cause


def test_two_last_migrations_are_a_conflict(place: Bench, restored: psycopg.Connection, checkout: Path) -> None:
    new_migration(checkout, "0009_rival", "", after="0008_site_locale")
    failed = failing(place, checkout, restored)
    assert failed.cause.endswith("several leaf nodes in igny8: 0009_content_title_index, 0009_rival")


def test_a_migration_whose_parent_is_missing_is_the_codes_fault(
    place: Bench, restored: psycopg.Connection, checkout: Path
) -> None:
    new_migration(checkout, "0010_orphan", "", after="0009_never_written")
    assert "do not fit together" in failing(place, checkout, restored).cause


def test_a_failing_migration_is_told_by_name_and_class_and_without_a_row(
    place: Bench, restored: psycopg.Connection, checkout: Path
) -> None:
    unique = "CREATE UNIQUE INDEX one_status ON igny8_invoices (status)"
    new_migration(checkout, "0010_unique", f'migrations.RunSQL("{unique}")')
    failed = failing(place, checkout, restored)
    assert failed.cause == (
        'migration igny8.0010_unique failed: IntegrityError (UniqueViolation): could not create unique index "one_status"'
    )


@pytest.mark.further
def test_a_message_that_quotes_a_value_stays_unsaid(place: Bench, restored: psycopg.Connection, checkout: Path) -> None:
    new_migration(checkout, "0010_cast", "migrations.RunSQL(\"SELECT 'Ada Lovelace'::int\")")
    failed = failing(place, checkout, restored)
    assert failed.cause == "migration igny8.0010_cast failed: DataError (InvalidTextRepresentation)"


@pytest.mark.further
def test_a_hanging_migration_meets_the_time_limit_and_is_named(
    place: Bench, restored: psycopg.Connection, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    followed = Applying.line

    def until_it_hangs(applying: Applying, stream: str, text: str) -> None:
        followed(applying, stream, text)
        if applying.current == ("igny8", "0010_hangs"):
            set_forward(monkeypatch)

    monkeypatch.setattr(Applying, "line", until_it_hangs)
    new_migration(checkout, "0010_hangs", "migrations.RunPython(lambda apps, schema: time.sleep(600))")
    failed = failing(place, checkout, restored)
    assert "did not end within its time limit" in failed.cause
    assert "3 migrations were applied, then igny8.0010_hangs" in failed.cause


@pytest.mark.further
def test_what_is_still_pending_after_migrate_is_told(
    place: Bench, restored: psycopg.Connection, checkout: Path
) -> None:
    commands = checkout / "igny8_core" / "igny8" / "management" / "commands"
    (commands / "migrate.py").write_text(
        "from django.core.management.commands.migrate import Command as Whole\n\n\n"
        "class Command(Whole):\n"
        "    def handle(self, *args, **options):\n"
        '        options.update(app_label="igny8", migration_name="0008_site_locale")\n'
        "        return super().handle(*args, **options)\n"
    )
    restored.close()
    migrated = migrate(place.server, place.interpreter(checkout, checkout.parent / "private"), 60).migrated
    assert migrated.pending == ("igny8.0009_content_title_index",)


@pytest.mark.further
def test_a_migration_that_is_said_and_not_done_is_found_out(
    place: Bench, restored: psycopg.Connection, checkout: Path
) -> None:
    commands = checkout / "igny8_core" / "igny8" / "management" / "commands"
    (commands / "migrate.py").write_text(
        "from django.core.management.commands.migrate import Command as Whole\n\n\n"
        "class Command(Whole):\n"
        "    def handle(self, *args, **options):\n"
        '        self.stdout.write("  Applying igny8.0007_content_body_length... OK (0.010s)")\n'
    )
    failed = failing(place, checkout, restored)
    assert "says that it applied igny8.0007_content_body_length" in failed.cause


@pytest.mark.further
def test_an_sqlite_file_written_beside_is_found_out(place: Bench, restored: psycopg.Connection, checkout: Path) -> None:
    write = "lambda apps, schema: __import__('sqlite3').connect('beside.sqlite3').execute('CREATE TABLE t (n)')"
    new_migration(checkout, "0010_beside", f"migrations.RunPython({write})")
    failed = failing(place, checkout, restored)
    assert failed.cause == "an SQLite database was written while migrating: beside.sqlite3"


@pytest.mark.parametrize(
    ("field", "expected"),
    first_of(
        [
            ("models.CharField(max_length=9, default='')", "igny8: Add field mood to tenant"),
            ("models.CharField(max_length=9)", "tenant: Add field mood, which has neither null nor a default"),
        ]
    ),
)
@pytest.mark.further
def test_a_change_of_the_models_without_a_migration_is_named(
    place: Bench, restored: psycopg.Connection, checkout: Path, field: str, expected: str
) -> None:
    models = checkout / "igny8_core" / "igny8" / "models" / "__init__.py"
    models.write_text(
        models.read_text() + f"\nfrom django.db import models\nTenant.add_to_class('mood', {field})  # noqa\n"
    )
    restored.close()
    migrated = migrate(place.server, place.interpreter(checkout, checkout.parent / "private"), 60).migrated
    assert (migrated.unmade, migrated.unmade_error) == (True, "")
    assert migrated.unmade_detail == (expected,)


@pytest.mark.further
def test_a_makemigrations_that_breaks_leaves_the_question_open(
    place: Bench, restored: psycopg.Connection, checkout: Path
) -> None:
    commands = checkout / "igny8_core" / "igny8" / "management" / "commands"
    (commands / "makemigrations.py").write_text(
        "from django.core.management.commands.makemigrations import Command as Whole\n\n\n"
        "class Command(Whole):\n"
        "    def handle(self, *args, **options):\n"
        "        raise RuntimeError('Ada Lovelace')\n"
    )
    restored.close()
    migrated = migrate(place.server, place.interpreter(checkout, checkout.parent / "private"), 60).migrated
    assert (migrated.unmade, migrated.unmade_detail) == (False, ())
    assert migrated.unmade_error == "makemigrations --check: RuntimeError"


def test_an_application_that_does_not_start_says_why(
    place: Bench, restored: psycopg.Connection, checkout: Path
) -> None:
    settings = checkout / "igny8_core" / "settings.py"
    settings.write_text("import never_installed\n" + settings.read_text())
    failed = failing(place, checkout, restored)
    assert failed.cause == ("the application does not start: ModuleNotFoundError: No module named 'never_installed'")
