"""A server that is killed while the drill needs it is what keeps the drill from looking: never the backup's fault."""

import os
import secrets
import signal
import sys
from contextlib import ExitStack, suppress
from pathlib import Path

import psutil
import pytest

from fixtures.checks.lost_server import lost
from fixtures.profile.reading import read_profile
from fixtures.record import stages
from fixtures.record.progress import Progress, silent
from fixtures.record.stages import Stage
from fixtures.sandbox.guardian import Guardian
from fixtures.story.order import Order
from fixtures.story.run_drill import DrillRun, run_drill
from tests.support.drills import NOT_MIGRATED, PROFILE, SAMPLE, interpreter_that_does_not_run
from tests.support.watched_drill import MIGRATES, watched_drill

POSTMASTER = "postgres -D"
BLAMED = ("This is a fault of the drill", "internal error", "OperationalError")


def postmasters(under: psutil.Process) -> set[psutil.Process]:
    processes = set()
    for process in under.children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            if POSTMASTER in " ".join(process.cmdline()):
                processes.add(process)
    return processes


def kill(processes: set[psutil.Process]) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGKILL)


def drilled_until(stage: Stage, backups: Path) -> DrillRun:
    """A drill whose server is killed as soon as the stage tells how far it is."""

    # Other tests of this process go on with their servers.
    others = postmasters(psutil.Process())

    def tell(done: int, total: int | None, unit: str) -> None:
        kill(postmasters(psutil.Process()) - others)

    def progress(now: Stage) -> Progress:
        return tell if now is stage else silent

    with ExitStack() as stack:
        guardian = stack.enter_context(Guardian(secrets.token_hex(4)))
        order = Order(
            run_id=secrets.token_hex(4),
            backups=backups,
            set_name=None,
            application=SAMPLE,
            python=Path(sys.executable),
            profile=read_profile(PROFILE),
            server="local",
            binaries=None,
            guardian=guardian,
            mask=str,
        )
        return run_drill(order, stack, progress)


@pytest.mark.parametrize(
    "stage",
    [stages.FACTS, *(pytest.param(each, marks=pytest.mark.whole) for each in (stages.MIGRATE, stages.APPLICATION))],
    ids=str,
)
def test_a_stage_whose_server_is_killed_is_blocked_and_names_it(stage: Stage, whole_set: Path) -> None:
    run = drilled_until(stage, whole_set.parent)
    outcome = run.record.stage(stage)
    assert outcome is not None
    assert outcome.state == "blocked"
    says = f"the connection to the drill's server broke during the stage {stage}: it does not answer any more (local: "
    assert outcome.cause.startswith(says)
    for each in run.outcomes:
        assert each.state == ("blocked" if stage.name == each.name or outcome.cause in each.cause else "ok")
        assert not any(words in f"{each.cause} {each.fix}" for words in BLAMED)


@pytest.mark.whole
def test_checks_whose_server_is_killed_are_blocked_with_one_cause(whole_set: Path, tmp_path: Path) -> None:
    with watched_drill(
        whole_set.parent, tmp_path, workers=2, python=interpreter_that_does_not_run(tmp_path)
    ) as watched:
        watched.wait_for(5)
        kill(postmasters(psutil.Process(watched.process.pid)))
        drill = watched.end()
    assert drill.evidence.verdict == "INCONCLUSIVE"
    assert drill.red == {}
    messages = {each.message for each in drill.evidence.results if each.outcome == "blocked"}
    assert {each for each in messages if NOT_MIGRATED not in each} == {lost(drill.evidence.record.server)}
    assert "Traceback" not in drill.output
    assert all(each.gone for each in drill.evidence.teardown)


@pytest.mark.further
def test_a_guardian_that_is_killed_is_said_to_be_that(whole_set: Path, tmp_path: Path) -> None:
    with watched_drill(whole_set.parent, tmp_path) as watched:
        watched.wait_for(MIGRATES)
        (guardian,) = (pid for pid, words in watched.processes().items() if "sandbox.guardian import main" in words)
        os.kill(guardian, signal.SIGKILL)
        drill = watched.end()
        assert watched.leaves_nothing_within(20), watched.left
    assert drill.evidence.verdict == "INCONCLUSIVE"
    assert "MIG-01" not in drill.red
    stopped = [each for each in drill.evidence.record.stages if each.state != "ok"]
    assert "the drill's guardian, process" in stopped[0].cause
    assert "was ended from outside" in stopped[0].cause
    assert not any(words in drill.output for words in (*BLAMED, "Traceback"))
    (ending,) = (each for each in drill.evidence.teardown if each.what == "process guardian")
    assert "ended from outside (exit code -9)" in ending.how
    assert all(each.gone for each in drill.evidence.teardown)
