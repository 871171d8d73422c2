"""The restored database stays closed until the last program of the application has ended, and readers wait for that."""

import threading
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from fixtures.application.closed import Closed
from tests.support.application_under_test import Bench

ALLOWED = "SELECT datallowconn FROM pg_database WHERE datname = 'restored'"
PATIENCE = 60


@pytest.fixture
def closed(place: Bench, restored: psycopg.Connection) -> Closed:
    restored.close()
    return Closed(place.server)


def is_open(place: Bench) -> bool:
    with place.server.administer() as connection:
        row = connection.execute(ALLOWED).fetchone()
    return bool(row and row[0])


def test_it_is_closed_until_the_last_of_two_programs_has_ended(place: Bench, closed: Closed) -> None:
    with closed.while_it_runs():
        with closed.while_it_runs():
            assert not is_open(place)
        assert not is_open(place)
    assert is_open(place)
    assert "are as they were" in closed.require_untouched()


def test_whoever_reads_waits_until_no_program_runs_and_goes_on_where_one_runs_again(
    place: Bench, closed: Closed
) -> None:
    reads, ended = threading.Event(), threading.Event()

    def count() -> tuple[bool, object]:
        reads.set()
        with closed.reading() as session:
            waited = ended.is_set()
            with closed.while_it_runs():
                assert not is_open(place)
                return waited, session.execute("SELECT count(*) > 0 FROM public.igny8_plans").fetchone()

    with ThreadPoolExecutor(1) as pool:
        with closed.while_it_runs():
            reader = pool.submit(count)
            assert reads.wait(PATIENCE)
            # Long enough for one that does not wait: it would be refused.
            threading.Event().wait(0.5)
            assert not reader.done()
            ended.set()
        assert reader.result(PATIENCE) == (True, (True,))


def test_a_failure_beside_another_program_is_looked_into_once_that_has_ended(closed: Closed) -> None:
    begun, end = threading.Event(), threading.Event()

    def other() -> None:
        with closed.while_it_runs():
            begun.set()
            assert end.wait(PATIENCE)

    with ThreadPoolExecutor(2) as pool:
        running = pool.submit(other)
        assert begun.wait(PATIENCE)
        looked = pool.submit(closed.require_untouched)
        end.set()
        assert "are as they were" in looked.result(PATIENCE)
        running.result(PATIENCE)
