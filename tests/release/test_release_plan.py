"""The plan tells what a release will run, and whatever keeps its history and the dump's from being one, with the way out."""

from pathlib import Path

import psycopg
import pytest

from fixtures.application.clones import marked_clone
from fixtures.record.release.plan import ReleasePlan
from fixtures.record.stage import StageBlocked
from fixtures.release.plan import make_plan
from fixtures.release.rehearse import rehearse
from tests.support.application_under_test import Bench, new_migration
from tests.support.further import first_of
from tests.support.planted_release import half_a_squash

APPLIED = "INSERT INTO django_migrations (app, name, applied) VALUES ('igny8', '{}', now())"
ONE_OF_TWO = "INSERT INTO django_migrations (app, name, applied) VALUES ('notes', '0001_one', now())"
MIXED = """
migrations.RunSQL("CREATE EXTENSION IF NOT EXISTS tablefunc; CREATE EXTENSION IF NOT EXISTS pg_trgm", "SELECT 1"),
migrations.RunSQL(["UPDATE igny8_tags SET name = name", ("DELETE FROM igny8_tags WHERE false", None)]),
migrations.RunPython(print, migrations.RunPython.noop),
migrations.AddField("tag", "colour", models.CharField(max_length=9, default="red")),
"""


def planned(place: Bench, restored: psycopg.Connection, checkout: Path) -> ReleasePlan:
    restored.close()
    token = marked_clone(place.server, "migrated")
    interpreter = place.interpreter(checkout, checkout.parent / "private")
    return make_plan(interpreter, token, frozenset({"pg_trgm", "citext"}), 60)


def test_a_migration_is_told_with_its_operations_its_sql_and_the_way_back(
    place: Bench, restored: psycopg.Connection, checkout: Path
) -> None:
    new_migration(checkout, "0010_mixed", MIXED)
    file = checkout / "igny8_core" / "igny8" / "migrations" / "0010_mixed.py"
    file.write_text(file.read_text().replace("    dependencies", "    atomic = False\n    dependencies"))
    plan = planned(place, restored, checkout)
    assert (plan.problems, plan.missing_extensions) == ((), ("tablefunc",))
    assert [each.name for each in plan.migrations][-1] == "0010_mixed"
    mixed = plan.migrations[-1]
    assert mixed.operations[-1] == "Add field colour to tag"
    assert (mixed.atomic, mixed.reversible, len(mixed.irreversible)) == (False, False, 1)
    assert mixed.data == ("RunSQL DELETE, UPDATE", "RunPython print")
    assert mixed.extensions == ("pg_trgm", "tablefunc")
    assert any(line.startswith('ALTER TABLE "igny8_tags" ADD COLUMN "colour"') for line in mixed.sql)


def test_what_only_the_dump_knows_is_told_and_nothing_is_run(
    place: Bench, restored: psycopg.Connection, checkout: Path
) -> None:
    restored.execute(APPLIED.format("0042_from_the_future"))
    plan = planned(place, restored, checkout)
    (problem,) = plan.problems
    assert problem.kind == "unknown migration"
    assert problem.what.startswith("igny8.0042_… is applied in the dump")
    assert "build the release from a commit that has it" in problem.way_out
    with pytest.raises(StageBlocked, match="are not one, so nothing was run"):
        rehearse(place.server, "migrated", place.interpreter(checkout, checkout.parent / "again"), "", plan, {}, 60)


@pytest.mark.parametrize(
    ("history", "in_code", "kind", "way_out"),
    first_of(
        [
            (
                "DELETE FROM django_migrations WHERE app = 'igny8' AND name = '0003_content'",
                None,
                "inconsistent history",
                "migrate --fake",
            ),
            ("", "0009_site_region", "conflict", "makemigrations --merge"),
            (
                ONE_OF_TWO,
                half_a_squash,
                "half-applied squash",
                "deploy the release that still has them apart",
            ),
        ]
    ),
)
def test_what_keeps_them_apart_is_told_with_the_way_out(
    place: Bench,
    restored: psycopg.Connection,
    checkout: Path,
    history: str,
    in_code: object,
    kind: str,
    way_out: str,
) -> None:
    if history:
        restored.execute(history)  # type: ignore[call-overload]
    if isinstance(in_code, str):
        new_migration(checkout, in_code, "", after="0008_site_locale")
    elif callable(in_code):
        in_code(checkout)
    (problem,) = planned(place, restored, checkout).problems
    assert problem.kind == kind
    assert way_out in problem.way_out


def test_a_squash_whose_migrations_are_all_there_is_no_problem_however_many_are_applied(
    place: Bench, restored: psycopg.Connection, checkout: Path
) -> None:
    """Django goes on with them, and records the squash once all are applied: each release that brings one begins so."""
    half_a_squash(checkout)
    migrations = checkout / "igny8_core" / "notes" / "migrations"
    one = (migrations / "0001_one.py").read_text()
    (migrations / "0002_two.py").write_text(one.replace("dependencies = []", 'dependencies = [("notes", "0001_one")]'))
    restored.execute(ONE_OF_TWO)
    plan = planned(place, restored, checkout)
    assert plan.problems == ()
    assert "0002_two" in [each.name for each in plan.migrations]
