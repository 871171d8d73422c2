"""The plan is told in the question before the migrations, as a clone of its own would tell it, and nothing is written."""

from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest

from fixtures.application.clones import marked_clone
from fixtures.application.migrate import Migrating, migrate
from fixtures.application.planned import Planned
from fixtures.database.catalogue import take_facts
from fixtures.record.progress import silent
from fixtures.record.server_facts import ServerFacts
from fixtures.record.stage import StageFailed
from fixtures.release.plan import make_plan, plan_told
from fixtures.story.drill import Drill
from fixtures.story.steps.rehearse_release import plan_release
from fixtures.story.steps.start_server import Served
from tests.support.application_under_test import Bench, new_migration
from tests.support.drills import PROFILE, ROOT, SAMPLE
from tests.support.short_drills import an_order

APPLIED = "INSERT INTO django_migrations (app, name, applied) VALUES ('igny8', '0042_from_the_future', now())"
# The second cannot be written down before the first has run.
MIXED = """
migrations.AddField("tag", "colour", models.CharField(max_length=9, default="red")),
migrations.RunSQL("CREATE EXTENSION IF NOT EXISTS tablefunc", "SELECT 1"),
migrations.RunPython(print),
"""
# Whatever asks it for its SQL, it runs.
RUNS = """

class Runs(migrations.operations.base.Operation):
    def state_forwards(self, app_label, state):
        pass

    def database_forwards(self, app_label, editor, before, after):
        {how}

    def describe(self):
        return "Runs"


Migration.atomic = False
Migration.operations = [Runs()]
"""
WRITES = 'editor.connection.cursor().execute("CREATE TABLE written_once (id int)")'
HIDES = f"""try:
            {WRITES}
        except Exception:
            raise ValueError"""
ANEW = f"editor.connection.close(); {WRITES}"


def migrated(place: Bench, checkout: Path, planned: Planned) -> tuple[Migrating, int]:
    """What the migrations did, and how often the application was started for them and for what was asked."""
    interpreter = place.interpreter(checkout, checkout.parent / "private")
    done = migrate(place.server, interpreter, 120, planned=planned)
    return done, (interpreter.private / "connections").read_text().splitlines().count("watching")


def test_it_is_the_plan_of_a_clone_of_its_own_without_another_start(
    place: Bench, restored: psycopg.Connection, checkout: Path
) -> None:
    restored.close()
    new_migration(checkout, "0010_mixed", MIXED)
    extensions = frozenset({"citext"})
    token = marked_clone(place.server, "migrated")
    interpreter = place.interpreter(checkout, checkout.parent / "asked")
    alone = make_plan(interpreter, token, extensions, 60)
    place.server.drop_database("migrated")
    planned = Planned()
    done, started = migrated(place, checkout, planned)
    assert planned.reply is not None
    assert plan_told(planned.reply, interpreter.names, extensions) == alone
    assert [each.name for each in alone.migrations] == [each.name for each in done.migrated.applied]
    assert planned.seconds > 0
    # As many as migrating takes by itself.
    assert started == 2


@pytest.mark.parametrize("how", [WRITES, HIDES, ANEW], ids=["plainly", "behind another error", "in another session"])
def test_an_operation_that_writes_when_it_is_asked_for_its_sql_is_asked_elsewhere(
    place: Bench, restored: psycopg.Connection, checkout: Path, how: str
) -> None:
    restored.close()
    new_migration(checkout, "0010_runs", "")
    with (checkout / "igny8_core" / "igny8" / "migrations" / "0010_runs.py").open("a") as file:
        file.write(RUNS.format(how=how))
    planned = Planned()
    done, _ = migrated(place, checkout, planned)
    assert done.migrated.applied[-1].name == "0010_runs"
    assert planned.reply is None


def test_a_history_that_is_not_migrated_has_its_plan_told_all_the_same(
    place: Bench, restored: psycopg.Connection, checkout: Path
) -> None:
    restored.execute(APPLIED)
    restored.close()
    planned = Planned()
    with pytest.raises(StageFailed, match="the dump is newer than the code"):
        migrated(place, checkout, planned)
    with ExitStack() as stack:
        drill = Drill(an_order(ROOT, SAMPLE, PROFILE, place.guardian), stack, lambda _: silent, planned=planned)
        with place.server.reading("restored") as session:
            facts = take_facts(session)
        plan = plan_release(drill, Served(place.server, ServerFacts.model_construct(), None), facts)
    assert [problem.kind for problem in plan.problems] == ["unknown migration"]
    assert plan.missing_extensions == ()
