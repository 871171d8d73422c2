"""Each MIG control goes red on its own fault in the code or in the history, and no other does."""

from collections.abc import Callable
from pathlib import Path

from tests.support.application_under_test import new_migration
from tests.support.met_faults import WITHOUT_MIGRATED, Fault
from tests.support.short_drills import MIGRATED
from tests.support.spoiled_sets import replace_in

APP = Path("igny8_core") / "igny8"
STOPS_EARLY = """
from django.core.management.commands import migrate


class Command(migrate.Command):
    def handle(self, *args, **options):
        return super().handle(*args, **options | {"app_label": "igny8", "migration_name": "0008_site_locale"})
"""
ONE_DAY_OF_USAGE = "(tenant_id, day) IN (SELECT tenant_id, day FROM igny8_usage_days LIMIT 1)"


def migration_that(statement: str) -> Callable[[Path], None]:
    return lambda checkout: new_migration(checkout, "0010_planted", f"migrations.RunSQL({statement!r})")


def code_of_an_older_release(checkout: Path) -> None:
    for newer in (checkout / APP / "migrations").glob("000[6-9]_*.py"):
        newer.unlink()


def a_migrate_of_its_own(checkout: Path) -> None:
    (checkout / APP / "management" / "commands" / "migrate.py").write_text(STOPS_EARLY)


def a_field_without_a_migration(checkout: Path) -> None:
    body = "    body = models.TextField()\n"
    replace_in(
        checkout / APP / "models" / "trail.py", {body: f"{body}    pinned = models.BooleanField(default=False)\n"}
    )


PLANTED = {
    "MIG-01": {
        "a migration fails on these rows": Fault(
            says='0010_planted failed: IntegrityError (UniqueViolation): could not create unique index "one_name"',
            really=MIGRATED,
            in_code=migration_that("ALTER TABLE igny8_users ADD CONSTRAINT one_name UNIQUE (is_active)"),
            blocked=WITHOUT_MIGRATED,
            because="migration igny8.0010_planted failed",
        ),
        "the dump is newer than the code": Fault(
            says="the dump is newer than the code: it has applied what the code lacks (igny8.0006_postgres_features)",
            really=MIGRATED,
            in_code=code_of_an_older_release,
            blocked=WITHOUT_MIGRATED,
            because="the dump is newer than the code",
        ),
        "the history has a hole": Fault(
            says="the dump's migration history is inconsistent",
            really=MIGRATED,
            sql="DELETE FROM django_migrations WHERE app = 'igny8' AND name = '0003_content'",
            blocked=WITHOUT_MIGRATED,
            because="history is inconsistent",
        ),
    },
    "MIG-02": {
        "the application's own migrate stops before the last one": Fault(
            says="1 of 27 migrations are not applied",
            samples=("igny8.0009_content_title_index",),
            really=MIGRATED,
            in_code=a_migrate_of_its_own,
        ),
    },
    "MIG-03": {
        "a migration deletes one row": Fault(
            says="1 of 1678 rows are gone",
            subjects=("public.igny8_usage_days",),
            really=MIGRATED,
            in_code=migration_that(f"DELETE FROM igny8_usage_days WHERE {ONE_DAY_OF_USAGE}"),
        ),
    },
    "MIG-04": {
        "a migration drops a table that is in use": Fault(
            alone=True,
            says="1 of 33 tables were dropped with rows in them",
            samples=("public.igny8_usage_days (1678 rows)",),
            really=MIGRATED,
            in_code=migration_that("DROP TABLE igny8_usage_days"),
        ),
    },
    "MIG-05": {
        "a field has no migration": Fault(
            says="1 of 1 model changes have no migration",
            samples=("igny8: Add field pinned to note",),
            really=MIGRATED,
            in_code=a_field_without_a_migration,
        ),
    },
}
