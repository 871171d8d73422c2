"""A server of one's own that ends the drill's sessions, or is stopped, blocks the stage that needs it, and is named."""

import secrets
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path

import psutil
import psycopg
import pytest

from fixtures.checks.lost_server import lost
from fixtures.profile.reading import read_profile
from fixtures.record import stages
from fixtures.record.progress import Progress, silent
from fixtures.record.stage import StageBlocked
from fixtures.record.stages import Stage
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
_NEED_IT = [stage for stage in stages.GATE if stages.SERVE in stage.grounds]
# Whose last step asks nothing of the server in this profile.
_LOST_BEFORE: dict[Stage, Step[object]] = {stages.REHEARSE: REHEARSED}


@pytest.fixture
def standing() -> Iterator[tuple[Standing, Callable[[], None]]]:
    """A server that was there before the drill, and how it is stopped."""
    others = postmasters(psutil.Process())
    with (
        Guardian("standing") as guardian,
        suppress(psycopg.OperationalError),
        # A release is rehearsed where the server is durable.
        serve(ServerRequest("standing", "local", stock=True), guardian) as server,
    ):
        with server.connect() as connection:
            connection.execute(f"CREATE ROLE drills LOGIN SUPERUSER PASSWORD '{PASSWORD}'")
            connection.execute("CREATE DATABASE theirs OWNER drills")
        yield Standing(server), lambda: kill(postmasters(psutil.Process()) - others)


def sessions_ended(server: Server) -> None:
    with server.connect() as connection:
        connection.execute(_END)


def drilled_until(stage: Stage, backups: Path, url: str, lose: Callable[[], None]) -> DrillRun:
    """As much of a gate as that stage needs; its server is lost once the stage tells how far it is, or, in those that
    tell nothing, before the last step that asks it anything."""

    def progress(now: Stage) -> Progress:
        return (lambda *_: lose()) if now is stage and not stage.gate else silent

    def add(results: StepResults, step: Step[object], drill: Drill) -> None:
        if stage.gate and step is _LOST_BEFORE.get(stage, steps_of(stage)[-1]):
            lose()
        taken(results, step, drill)

    runs: list[DrillRun] = []
    taken = StepResults.add
    # What was made on it cannot be taken away where it is lost.
    with Guardian(secrets.token_hex(4)) as guardian, suppress(psycopg.OperationalError), ExitStack() as stack:
        order = Order(
            run_id=secrets.token_hex(4),
            backups=backups,
            set_name=None,
            application=SAMPLE,
            previous=str(SAMPLE) if stage is stages.PREVIOUS else None,
            python=Path(sys.executable),
            profile=read_profile(PROFILE),
            server=url,
            binaries=None,
            guardian=guardian,
            mask=str,
            superuser=True,
        )
        story = (*(each for each in stages.GATE if each in stage.grounds), stage)
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(StepResults, "add", add)
            runs.append(run_drill(order, stack, progress, story))
    (run,) = runs
    return run


@pytest.mark.whole
@pytest.mark.parametrize(
    ("stage", "way"),
    [
        *((stage, "its sessions are ended") for stage in _NEED_IT),
        *((stage, "it is stopped") for stage in (stages.RESTORE, stages.FACTS, stages.PLAN)),
    ],
    ids=str,
)
def test_a_stage_whose_server_is_lost_is_blocked_and_names_it(
    stage: Stage, way: str, standing: tuple[Standing, Callable[[], None]], whole_set: Path
) -> None:
    there, stop = standing
    lose = stop if way == "it is stopped" else lambda: sessions_ended(there.server)
    run = drilled_until(stage, whole_set.parent, there.url, lose)
    (*before, outcome) = run.outcomes
    assert {each.state for each in before} == {"ok"}, before
    assert outcome.state == "blocked"
    when = "while the dump was restored" if stage is stages.RESTORE else f"during the stage {stage}"
    assert outcome.cause.startswith(f"the connection to the drill's server broke {when}: ")
    assert f"scratch: named outright, {there.server.host}, port" in outcome.cause
    assert not any(words in f"{outcome.cause} {outcome.fix}" for words in BLAMED)


@pytest.mark.whole
def test_checks_whose_sessions_are_ended_are_blocked_with_the_servers_name(
    standing: tuple[Standing, Callable[[], None]], whole_set: Path, tmp_path: Path
) -> None:
    there, _ = standing
    environment = {"DRILL_SERVER": there.url}
    with watched_drill(
        whole_set.parent, tmp_path, workers=2, environment=environment, server=None, arguments=("--scratch-superuser",)
    ) as seen:
        seen.wait_for(5)
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
