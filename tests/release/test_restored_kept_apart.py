"""The restored database stays closed while a gate's later stages run the application, and is looked at again at the end."""

from collections.abc import Iterator
from contextlib import ExitStack

import psycopg
import pytest

from fixtures.record import stages
from fixtures.record.progress import silent
from fixtures.record.server_facts import ServerFacts
from fixtures.record.stage import StageFailed
from fixtures.story.drill import Drill
from fixtures.story.steps.clone import clone_of
from fixtures.story.steps.compare_release import read_before
from fixtures.story.steps.start_server import Served
from tests.support.application_under_test import Bench
from tests.support.drills import PROFILE, ROOT, SAMPLE
from tests.support.short_drills import an_order

ALTERS = "UPDATE public.igny8_plans SET name = name || '!' WHERE id = 1"


@pytest.fixture
def drill(place: Bench) -> Iterator[Drill]:
    with place.restored() as connection, ExitStack() as stack:
        connection.close()
        yield Drill(an_order(ROOT, SAMPLE, PROFILE, place.guardian), stack, lambda _: silent)


def altered(place: Bench) -> None:
    with place.server.administer() as connection:
        connection.execute("ALTER DATABASE restored ALLOW_CONNECTIONS true")
    with place.server.altering("restored") as connection:
        connection.execute(ALTERS)


def test_it_is_closed_while_a_gates_stage_runs_the_application(place: Bench, drill: Drill) -> None:
    let_in: list[bool] = []

    def look(_: str, __: str) -> None:
        with place.server.administer() as connection:
            row = connection.execute("SELECT datallowconn FROM pg_database WHERE datname = 'restored'").fetchone()
            let_in.append(bool(row and row[0]))

    with clone_of(drill, place.server, "planned") as clone:
        clone.interpreter.manage("shell", "-c", "print('here')", limit=60, on_line=look)
    assert let_in
    assert not any(let_in)
    assert "are as they were before the application ran" in drill.closed(place.server).require_untouched()


def test_reverse_reads_it_while_another_stage_runs_the_application(place: Bench, drill: Drill) -> None:
    closed = drill.closed(place.server)
    before = read_before(drill, Served(place.server, ServerFacts.model_construct(), None), None)
    with closed.while_it_runs(), before.lent() as session:
        assert session.execute("SELECT count(*) > 0 FROM public.igny8_plans").fetchone() == (True,)
    drill.over(stages.REVERSE)
    assert session.closed


def test_what_an_earlier_stage_altered_is_found_at_the_end(place: Bench, drill: Drill) -> None:
    with clone_of(drill, place.server, "planned") as clone:
        clone.interpreter.manage("shell", "-c", "", limit=60)
        altered(place)
    with clone_of(drill, place.server, "standing") as clone:
        clone.interpreter.manage("shell", "-c", "", limit=60)
    with pytest.raises(StageFailed, match=r"altered the restored database while it ran: public\.igny8_plans differ"):
        drill.closed(place.server).require_untouched()


def test_a_stage_that_fails_is_put_down_to_it(place: Bench, drill: Drill) -> None:
    def fail() -> None:
        with clone_of(drill, place.server, "planned") as clone:
            clone.interpreter.manage("shell", "-c", "", limit=60)
            altered(place)
            raise StageFailed("its pages break")

    with pytest.raises(StageFailed, match="altered the restored database while it ran"):
        fail()


def test_an_analysis_by_the_server_itself_alters_nothing(place: Bench, drill: Drill) -> None:
    with clone_of(drill, place.server, "planned") as clone:
        clone.interpreter.manage("shell", "-c", "", limit=60)
    with psycopg.connect(
        host=place.server.host, port=place.server.port, user=place.server.user, password=place.server.password,
        dbname="restored", autocommit=True,
    ) as connection:  # fmt: skip
        connection.execute("ANALYZE")
    assert "are as they were" in drill.closed(place.server).require_untouched()
