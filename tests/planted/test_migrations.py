"""Each MIG control goes red on its own fault in the code or in the history, and no other does."""

from collections.abc import Callable
from pathlib import Path

import pytest

from fixtures.checks.blocked import Blocked
from fixtures.checks.examination import Examination
from fixtures.checks.release.unmade_changes import expect_no_unmade
from fixtures.profile.exceptions import Counted
from fixtures.profile.reading import read_profile
from tests.support.application_under_test import copy_of_the_sample, new_migration
from tests.support.drills import PROFILE, Drilling, Healthy
from tests.support.met_faults import WITHOUT_MIGRATED, Fault
from tests.support.record_examples import record
from tests.support.short_drills import MIGRATED
from tests.support.spoiled_sets import profile_with, replace_in

APP = Path("igny8_core") / "igny8"
STOPS_EARLY = """
from django.core.management.commands import migrate


class Command(migrate.Command):
    def handle(self, *args, **options):
        return super().handle(*args, **options | {"app_label": "igny8", "migration_name": "0008_site_locale"})
"""
SITE_LOCALE = '    locale = models.CharField(max_length=12, default="en")\n'
PRETENDS = """
import io

from django.core.management.commands import migrate


class Command(migrate.Command):
    def handle(self, *args, **options):
        said = io.StringIO()
        written, self.stdout._out = self.stdout._out, said
        super().handle(*args, **options | {"fake": True})
        written.write(said.getvalue().replace("FAKED", "%s"))
"""
WITHOUT_THE_PARENTS_KEY = """
    DO $do$ DECLARE lost text; BEGIN
        SELECT conname INTO lost FROM pg_constraint
         WHERE contype = 'f' AND conrelid = 'igny8_sectors'::regclass AND confrelid = 'igny8_sectors'::regclass;
        EXECUTE format('ALTER TABLE igny8_sectors DROP CONSTRAINT %I', lost);
    END $do$
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


def in_the_state_alone(checkout: Path) -> None:
    motto = 'migrations.AddField("site", "motto", models.CharField(max_length=50, default=""))'
    new_migration(checkout, "0010_planted", f"migrations.SeparateDatabaseAndState(state_operations=[{motto}])")
    replace_in(
        checkout / APP / "models" / "sites.py",
        {SITE_LOCALE: f'{SITE_LOCALE}    motto = models.CharField(max_length=50, default="")\n'},
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
            also={"MIG-07": ("whole",)},
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
    "MIG-07": {
        "a migration changes the state alone": Fault(
            says="are not in the schema as the models have them",
            samples=("unlike its model: public.igny8_sites.motto is missing",),
            really=MIGRATED,
            in_code=in_the_state_alone,
        ),
        "a foreign key was lost at the source": Fault(
            says="are not in the schema as the models have them",
            samples=("unlike its model: public.igny8_sectors.parent_id has no foreign key to igny8_sectors",),
            really=MIGRATED,
            sql=WITHOUT_THE_PARENTS_KEY,
        ),
        "a column's type and its NULL were changed by hand": Fault(
            says="are not in the schema as the models have them",
            samples=(
                "unlike its model: public.igny8_plans.name is text, and its field character varying(60)",
                "unlike its model: public.igny8_plans.name takes NULL, and its field takes none",
            ),
            broken=2,
            really=MIGRATED,
            sql="ALTER TABLE igny8_plans ALTER name TYPE text, ALTER name DROP NOT NULL",
        ),
    },
}


@pytest.mark.further
@pytest.mark.parametrize("said", ["FAKED", "OK"])
def test_a_migrate_that_only_pretends_is_not_believed(
    said: str, whole_set: Path, drilling: Drilling, tmp_path: Path
) -> None:
    checkout = copy_of_the_sample(tmp_path)
    (checkout / APP / "management" / "commands" / "migrate.py").write_text(PRETENDS % said)
    outcome = drilling(whole_set.parent, tmp_path / "out", app=checkout, really=MIGRATED)
    assert "MIG-07" in outcome.red, outcome.output
    assert "unlike its model: public.igny8_sites.locale is missing" in outcome.result("MIG-07").samples
    assert outcome.evidence.verdict == "FAILED"


@pytest.mark.parametrize(
    ("policy", "red"),
    [('{ at_most = 1, reason = "it is made next week" }', {"MIG-07"}), ('"fail"', {"MIG-05"})],
)
@pytest.mark.further
def test_a_column_that_no_migration_makes_is_told_where_so_many_changes_are_accepted(
    policy: str, red: set[str], whole_set: Path, drilling: Drilling, tmp_path: Path
) -> None:
    checkout = copy_of_the_sample(tmp_path)
    a_field_without_a_migration(checkout)
    profile = profile_with(tmp_path, {'unmade_migrations = "fail"': f"unmade_migrations = {policy}"})
    outcome = drilling(whole_set.parent, tmp_path / "out", app=checkout, profile=profile, really=MIGRATED)
    assert red == set(outcome.red) & {"MIG-05", "MIG-07"}, outcome.output


@pytest.mark.parametrize(
    ("migrated", "says"),
    [
        ({"unmade": True, "unmade_detail": ()}, "makemigrations reports changes and names none"),
        ({"unmade_error": "makemigrations --check: RuntimeError"}, "could not tell: makemigrations --check: Run"),
    ],
)
def test_changes_that_cannot_be_counted_block_where_so_many_are_accepted(
    migrated: dict[str, object], says: str
) -> None:
    of_models = record().migrated
    assert of_models is not None
    igny8 = read_profile(PROFILE).profile
    application = igny8.application.model_copy(
        update={"unmade_migrations": Counted(reason="made next week", at_most=1)}
    )
    accepting = igny8.model_copy(update={"application": application})
    with pytest.raises(Blocked, match=says):
        expect_no_unmade(of_models.model_copy(update=migrated), accepting, Examination())


@pytest.mark.further
def test_a_difference_that_the_profile_tolerates_is_no_fault(
    healthy: Healthy, drilling: Drilling, tmp_path: Path
) -> None:
    healthy.backup(tmp_path / "backups", WITHOUT_THE_PARENTS_KEY)
    difference = "unlike its model: public.igny8_sectors.parent_id has no foreign key to igny8_sectors"
    profile = profile_with(
        tmp_path, {"[sites]\n": f'[tolerated]\n"{difference}" = "dropped to load faster"\n\n[sites]\n'}
    )
    outcome = drilling(
        *(tmp_path / "backups", tmp_path / "out"), profile=profile, planted=WITHOUT_THE_PARENTS_KEY, really=MIGRATED
    )
    assert (outcome.red, outcome.blocked, outcome.exit_code) == ({}, {}, 0), outcome.output


LEAKS = "UPDATE igny8_content SET parent_id = 700 WHERE id = 5"
REPAIRS = "UPDATE igny8_content SET parent_id = NULL WHERE id = 5"
LEAKS_ITSELF = "UPDATE igny8_sectors SET parent_id = (SELECT max(id) FROM igny8_sectors) WHERE id = 5"


@pytest.mark.further
def test_a_leak_that_a_migration_hides_and_one_that_it_makes_are_told_as_that(
    healthy: Healthy, drilling: Drilling, tmp_path: Path
) -> None:
    """A row that the dump holds and the release repairs, and another that the release's own migration writes."""
    hidden, made = (f"public.igny8_{name}(parent_id)->public.igny8_{name}" for name in ("content", "sectors"))
    checkout = copy_of_the_sample(tmp_path)
    migration_that(f"{REPAIRS}; {LEAKS_ITSELF}")(checkout)
    healthy.backup(tmp_path / "backups", LEAKS)
    seen = drilling(tmp_path / "backups", tmp_path / "out", app=checkout, planted=LEAKS, really=MIGRATED)
    assert seen.red == {"TEN-02": [hidden, made]}, seen.output
    for subject, told, other in (
        (hidden, "the backup holds the fault; this release's migrations hide it: in the restored database", 2),
        (made, "; the restored database has none of it: this release's migrations make it", 6),
    ):
        result = seen.result("TEN-02", subject)
        assert told in result.message
        assert result.samples == (f"id=5 tenant=1 other_tenant={other}",)
    assert seen.evidence.verdict == "FAILED"
