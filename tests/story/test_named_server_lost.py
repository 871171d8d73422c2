"""A server of one's own that ends the drill's sessions, or is stopped, blocks the stage that needs it, and is named."""

import secrets
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import psutil
import psycopg
import pytest

from fixtures.checks.lost_server import lost
from fixtures.profile.reading import read_profile
from fixtures.record import stages
from fixtures.record.progress import Progress, silent
from fixtures.record.record import StageOutcome
from fixtures.record.stage import StageBlocked
from fixtures.record.stages import Stage
from fixtures.restore import restore as restoring
from fixtures.sandbox.guardian import Guardian
from fixtures.server import Server, ServerRequest, serve
from fixtures.story.drill import Drill
from fixtures.story.noticed_loss import noticing_its_loss
from fixtures.story.order import Order
from fixtures.story.run_drill import DrillRun, run_drill
from fixtures.story.step import Step, StepResults
from fixtures.story.story import REHEARSED, steps_of
from tests.server.test_server_scratch import PASSWORD, Standing
from tests.story.test_server_lost import BLAMED, kill, postmasters
from tests.support.drills import PROFILE, SAMPLE
from tests.support.kept_server import kept_server
from tests.support.watched_drill import watched_drill

_END = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename IS NOT NULL AND pid <> pg_backend_pid()"
_ASKS = "SELECT 1 FROM pg_stat_activity WHERE datname LIKE '%migrated' AND usename LIKE '%reader%'"
_NEED_IT = [stage for stage in stages.GATE if stages.SERVE in stage.grounds]
# All of a drill whose results a later stage needs.
_GROUNDS = tuple(stage for stage in stages.GATE if any(stage in each.grounds for each in _NEED_IT))
_LATER = [stage for stage in _NEED_IT if stages.FACTS in stage.grounds and stage is not stages.MIGRATE]
# Whose last step asks nothing of the server in this profile.
_LOST_BEFORE: dict[Stage, Step[object]] = {stages.REHEARSE: REHEARSED}


@contextmanager
def standing_server(*, durable: bool = False) -> Iterator[tuple[Standing, Callable[[], None]]]:
    """A server that was there before the drill, and how it is stopped. A release is rehearsed where the server is durable."""
    others = postmasters(psutil.Process())
    with (
        Guardian("standing") as guardian,
        suppress(psycopg.OperationalError),
        serve(ServerRequest("standing", "local", stock=durable), guardian) as server,
    ):
        with server.connect() as connection:
            connection.execute(f"CREATE ROLE drills LOGIN SUPERUSER PASSWORD '{PASSWORD}'")
            connection.execute("CREATE DATABASE theirs OWNER drills")
        yield Standing(server), lambda: kill(postmasters(psutil.Process()) - others)


@pytest.fixture(scope="module")
def standing() -> Iterator[Standing]:
    """One that nobody stops."""
    with standing_server(durable=True) as (there, _):
        yield there


@pytest.fixture(scope="module")
def migrated(standing: Standing, whole_set: Path) -> Iterator[DrillRun]:
    """A drill on it that has come to its migrated database and its plan, and goes on from there as often as it is asked."""
    with drill_on(standing.url, whole_set.parent) as (order, stack):
        run = run_drill(order, stack, lambda _: silent, _GROUNDS)
        assert {each.state for each in run.outcomes} == {"ok"}, run.outcomes
        yield run


def sessions_ended(server: Server) -> None:
    with server.connect() as connection:
        connection.execute(_END)


def wait_until_asked(server: Server, seconds: float = 60) -> None:
    """Until checks have a session in the migrated database."""
    deadline = time.monotonic() + seconds
    with server.connect() as connection:
        while not connection.execute(_ASKS).fetchone():
            assert time.monotonic() < deadline, "no check asks the migrated database"
            time.sleep(0.005)


@contextmanager
def drill_on(url: str, backups: Path) -> Iterator[tuple[Order, ExitStack]]:
    # What was made on it cannot be taken away where it is lost.
    with Guardian(secrets.token_hex(4)) as guardian, suppress(psycopg.OperationalError), ExitStack() as stack:
        order = Order(
            run_id=secrets.token_hex(4),
            backups=backups,
            set_name=None,
            application=SAMPLE,
            previous=str(SAMPLE),
            python=Path(sys.executable),
            profile=read_profile(PROFILE),
            server=url,
            binaries=None,
            guardian=guardian,
            mask=str,
            superuser=True,
        )
        yield order, stack


def those(before: StepResults) -> StepResults:
    again = StepResults()
    again._results.update(before._results)
    return again


def losing(
    stage: Stage, order: Order, stack: ExitStack, lose: Callable[[], None], before: StepResults | None = None
) -> tuple[StageOutcome, ...]:
    """That stage and all that it stands on, or what is left of them after `before`. The server is lost once the stage tells
    how far it is, or, in those that tell nothing, before the last step that asks it anything; and once what it stands on is
    over, which may run beside it."""
    ground_over = threading.Event()

    def tells(*_: object) -> None:
        ground_over.wait()
        lose()

    def progress(now: Stage) -> Progress:
        return tells if now is stage and not stage.gate else silent

    def end(results: StepResults, over: Stage) -> None:
        ended(results, over)
        if over is stage.stands_on:
            ground_over.set()

    def add(results: StepResults, step: Step[object], drill: Drill) -> None:
        if stage.gate and step is _LOST_BEFORE.get(stage, steps_of(stage)[-1]):
            lose()
        taken(results, step, drill)

    taken, ended = StepResults.add, StepResults.end
    story = (stage,) if before is not None else (*reversed(stage.grounds), stage)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(StepResults, "add", add)
        patched.setattr(StepResults, "end", end)
        if before is not None:
            patched.setattr("fixtures.story.run_drill.StepResults", lambda: those(before))
        return run_drill(order, stack, progress, story).outcomes


def blocked_for_its_loss(stage: Stage, outcomes: tuple[StageOutcome, ...], there: Standing) -> None:
    (*before, outcome) = outcomes
    assert {each.state for each in before} <= {"ok"}, before
    assert outcome.state == "blocked"
    when = "while the dump was restored" if stage is stages.RESTORE else f"during the stage {stage}"
    assert outcome.cause.startswith(f"the connection to the drill's server broke {when}: ")
    assert f"scratch: named outright, {there.server.host}, port" in outcome.cause
    assert not any(words in f"{outcome.cause} {outcome.fix}" for words in BLAMED)


@pytest.mark.whole
@pytest.mark.parametrize("stage", [each for each in _NEED_IT if each not in _LATER], ids=str)
def test_a_stage_whose_sessions_are_ended_is_blocked_and_names_the_server(
    stage: Stage, standing: Standing, whole_set: Path
) -> None:
    with drill_on(standing.url, whole_set.parent) as (order, stack):
        outcomes = losing(stage, order, stack, lambda: sessions_ended(standing.server))
    blocked_for_its_loss(stage, outcomes, standing)


@pytest.mark.whole
@pytest.mark.parametrize("moment", ["loader", "_analyze", "require_money_read_right"])
def test_sessions_ended_at_any_moment_of_the_restore_are_told_alike(
    moment: str, standing: Standing, whole_set: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever statement notices it first, on a quick machine or on a slow one."""
    of_it = getattr(restoring, moment)

    def ended_before_it(*needed: object, **named: object) -> object:
        sessions_ended(standing.server)
        return of_it(*needed, **named)

    monkeypatch.setattr(restoring, moment, ended_before_it)
    with drill_on(standing.url, whole_set.parent) as (order, stack):
        outcomes = run_drill(
            order, stack, lambda _: silent, (*reversed(stages.RESTORE.grounds), stages.RESTORE)
        ).outcomes
        blocked_for_its_loss(stages.RESTORE, outcomes, standing)
        with standing.server.connect() as connection:
            left = connection.execute("SELECT datname FROM pg_database WHERE datname LIKE '%restored'").fetchall()
    assert left == [], "what was restored is still there"


@pytest.mark.whole
@pytest.mark.parametrize("stage", _LATER, ids=str)
def test_a_stage_after_the_migrations_is_as_well(stage: Stage, standing: Standing, migrated: DrillRun) -> None:
    with ExitStack() as stack:
        outcomes = losing(stage, migrated.order, stack, lambda: sessions_ended(standing.server), migrated.results)
    blocked_for_its_loss(stage, outcomes, standing)


@pytest.mark.whole
@pytest.mark.parametrize("stage", [stages.RESTORE, stages.FACTS, stages.PLAN], ids=str)
def test_a_stage_whose_server_is_stopped_is_blocked_and_names_it(stage: Stage, whole_set: Path) -> None:
    with standing_server() as (there, stop), drill_on(there.url, whole_set.parent) as (order, stack):
        outcomes = losing(stage, order, stack, stop)
        blocked_for_its_loss(stage, outcomes, there)


@pytest.mark.whole
def test_checks_whose_sessions_are_ended_are_blocked_with_the_servers_name(whole_set: Path, tmp_path: Path) -> None:
    # What the application's role may log in with there is one drill's alone.
    with standing_server() as (there, _):
        with watched_drill(
            whole_set.parent,
            tmp_path,
            workers=2,
            environment={"DRILL_SERVER": there.url},
            server=None,
            arguments=("--scratch-superuser",),
        ) as seen:
            seen.wait_for(5)
            # The first checks ask no database: of a worker that has no session yet, none is ended.
            wait_until_asked(there.server)
            sessions_ended(there.server)
            drill = seen.end()
        assert (drill.evidence.verdict, drill.red) == ("INCONCLUSIVE", {})
        told = {each.message for each in drill.evidence.results if each.outcome == "blocked"}
        assert told == {lost(drill.evidence.record.server)}
        assert f"scratch: named outright, {there.server.host}, port" in told.pop()
        assert "Traceback" not in drill.output


def ended_within(server: Server, sessions: str, *, restarts: bool = False) -> str:
    """What is told of a step whose sessions the server ends."""

    def ending() -> None:
        with (
            noticing_its_loss(server, "here", restarts=restarts),
            server.connect("looked_at") as working,
            server.connect() as operator,
        ):
            operator.execute(sessions.encode())
            working.execute("SELECT 1")

    with pytest.raises(StageBlocked) as caught:
        ending()
    return caught.value.cause


@pytest.mark.parametrize("restarts", [False, True])
def test_one_session_that_is_ended_is_no_fault_of_the_drills_and_no_loss_of_the_server(restarts: bool) -> None:
    with kept_server() as server:
        server.create_database("looked_at")
        named = replace(server, called="bigserver, port 5432")
        of_one = f"{_END} AND datname = '{server.database('looked_at')}'"
        said = ended_within(named, of_one, restarts=restarts)
    assert said.startswith("a session of the drill's was ended here while the server went on (")
    assert "bigserver, port 5432" in said


def test_sessions_that_are_all_ended_are_the_servers_loss() -> None:
    with kept_server() as server:
        server.create_database("looked_at")
        said = ended_within(server, _END)
    assert said.startswith("the connection to the drill's server broke here: its sessions were ended, or it crashed")


def test_a_loss_that_no_step_met_is_seen_before_the_next_one() -> None:
    ended: list[str] = []

    def two_steps(server: Server) -> None:
        with noticing_its_loss(server, "here") as require_server:
            require_server()
            # Whoever ends the sessions waits until they have ended, and meets no error.
            with server.connect() as operator:
                operator.execute(_END.replace("(pid)", "(pid, 10000)").encode())
            ended.append("first")
            require_server()
            ended.append("second")

    with kept_server() as server, pytest.raises(StageBlocked, match="the connection to the drill's server broke here"):
        two_steps(server)
    assert ended == ["first"]
