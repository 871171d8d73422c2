"""A drill that is ended from outside, at any stage, leaves no process, no file and no verdict that it did not reach."""

import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from fixtures.server.binaries import Binaries, candidates
from fixtures.server.request import ServerRequest
from fixtures.server.templates import NAMED_BY
from tests.server.test_server_container import containers
from tests.support import dropped_interrupt
from tests.support.drills import NOT_MIGRATED, interpreter_that_does_not_run
from tests.support.outputs import PDF, nothing_told
from tests.support.small_source import script
from tests.support.watched_drill import MIGRATES, Watched, runs_in, watched_drill

# What tells from outside that a stage is under way: a program that only it runs, or the checks reported by then. Of the
# application, which goes on in a process that has started, what the drill prints.
STAGES: dict[str, str | int] = {
    "inspect": "--list --create",
    "serve": "initdb",
    "restore": "--dbname=restored",
    "migrate": MIGRATES,
    "application": "application begins",
    "the checks": 5,
}
WHOLE = {"application", "the checks"}
"""What a drill reaches only when nearly all of it is done."""
ENDED = "restore"
"""The stage that `make test` ends."""


def until(watched: Watched, stage: str) -> None:
    sign = STAGES[stage]
    if isinstance(sign, str) and sign.endswith(" begins"):
        watched.wait_to_say(sign, seconds=300)
    else:
        watched.wait_for(sign)


def ended_in(*stages: str) -> list[ParameterSet]:
    marks = {stage: pytest.mark.whole if stage in WHOLE else pytest.mark.further for stage in stages if stage != ENDED}
    return [pytest.param(stage, marks=[marks[stage]] if stage in marks else []) for stage in stages]


@pytest.fixture(scope="module")
def unhurried_clients() -> Iterator[Path]:
    """The Postgres programs in a folder of their own, where listing an archive, otherwise over in hundredths of a second,
    begins with a pause: long enough to be seen on any machine."""
    binaries = next(each for each in candidates(ServerRequest("")) if isinstance(each, Binaries))
    home = Path(tempfile.mkdtemp(prefix="unhurried-"))
    home.chmod(0o755)
    folder = home / "bin"
    folder.mkdir()
    for program in binaries.folder.iterdir():
        if program.name != "pg_restore":
            (folder / program.name).symlink_to(program)
    real = binaries.folder / "pg_restore"
    pause = 'case " $* " in *" --list --create "*) sleep 5 ;; esac'
    script(folder / "pg_restore", f'#!/bin/sh\n{pause}\nexec "{real}" "$@"\n')
    yield folder
    shutil.rmtree(home)


@pytest.mark.parametrize("stage", ended_in(*STAGES))
def test_a_drill_that_is_killed_leaves_nothing(
    stage: str, whole_set: Path, unhurried_clients: Path, tmp_path: Path
) -> None:
    clients = ("--postgres-bin", str(unhurried_clients)) if stage == "inspect" else ()
    python = interpreter_that_does_not_run(tmp_path) if stage == "the checks" else Path(sys.executable)
    # Its own initdb is what tells that the server is being made.
    own = {NAMED_BY: ""}
    with watched_drill(
        whole_set.parent, tmp_path, workers=2, python=python, arguments=clients, environment=own
    ) as watched:
        until(watched, stage)
        watched.process.kill()
        assert watched.end().exit_code == -signal.SIGKILL
        assert watched.leaves_nothing_within(20), watched.left
        assert not list(watched.out.glob("*/evidence.json"))
        assert not (watched.out / "latest").exists()
        assert (watched.out / "current").resolve() == runs_in(watched.out)[0]
        assert "It proves nothing" in (watched.out / "current" / "summary.md").read_text()


@pytest.mark.parametrize(
    ("how", "stage"),
    [
        (signal.SIGINT, "restore"),
        pytest.param(signal.SIGTERM, "restore", marks=pytest.mark.further),
        pytest.param(signal.SIGHUP, "migrate", marks=pytest.mark.further),
    ],
)
def test_a_drill_that_is_ended_during_a_stage_says_what_it_removes_and_proves_nothing(
    how: signal.Signals, stage: str, whole_set: Path, tmp_path: Path
) -> None:
    with watched_drill(whole_set.parent, tmp_path, workers=2) as watched:
        until(watched, stage)
        if how == signal.SIGINT:
            watched.interrupt()
        else:
            watched.process.send_signal(how)
        ended = watched.end()
        assert ended.exit_code == 128 + how, ended.output
        assert "Traceback" not in ended.output
        assert f"restore drill: {how.name}: the drill ends here. Removing " in ended.output
        assert "folder " in ended.output
        assert "process " in ended.output
        evidence = ended.evidence
        assert evidence.verdict == "INCONCLUSIVE"
        assert f"ended by {how.name}" in evidence.headline
        states = {each.name: (each.state, each.cause) for each in evidence.record.stages}
        assert states[stage] == ("blocked", f"the drill was ended during this stage, by {how.name}")
        assert {result.outcome for result in evidence.results} == {"blocked"}
        assert {result.control for result in evidence.results} == {card.id for card in evidence.controls}
        assert all(thing.gone for thing in evidence.teardown), evidence.teardown
        assert watched.leaves_nothing_within(20), watched.left


@pytest.mark.whole
def test_a_second_signal_leaves_the_rest_to_the_guardian(whole_set: Path, tmp_path: Path) -> None:
    with watched_drill(whole_set.parent, tmp_path, workers=2) as watched:
        watched.wait_for(STAGES["restore"])
        watched.interrupt()
        watched.wait_to_say("the drill ends here")
        watched.interrupt()
        ended = watched.end()
        assert ended.exit_code == 128 + signal.SIGINT, ended.output
        assert "SIGINT again: the guardian removes what is left" in ended.output
        assert "Traceback" not in ended.output
        assert watched.leaves_nothing_within(20), watched.left
        assert not list(watched.out.glob("*/evidence.json"))


@pytest.mark.whole
@pytest.mark.parametrize("workers", [2, None])
def test_a_drill_interrupted_during_its_checks_reports_what_it_did_not_try(
    workers: int | None, whole_set: Path, tmp_path: Path
) -> None:
    python = interpreter_that_does_not_run(tmp_path)
    with watched_drill(whole_set.parent, tmp_path, workers=workers, python=python) as watched:
        # As early as can be: one process tries all checks in a few seconds.
        watched.wait_for(1)
        # The sample is too small for workers that nobody asked for.
        assert len(watched.workers()) == (workers or 0)
        watched.interrupt()
        ended = watched.end()
        assert ended.exit_code == 128 + signal.SIGINT, ended.output
        assert "the drill ends here" in ended.output
        assert "Traceback" not in ended.output
        assert ended.evidence.verdict == "INCONCLUSIVE"
        assert ended.evidence.completeness.not_reported
        assert {result.control for result in ended.evidence.results} == {card.id for card in ended.evidence.controls}
        assert watched.leaves_nothing_within(20), watched.left


@pytest.mark.parametrize(
    ("how", "where", "workers"),
    [
        ("in a destructor", "inspect", None),
        pytest.param("in a callback", "a check", 2, marks=pytest.mark.whole),
        pytest.param("caught", "inspect", None, marks=pytest.mark.further),
        pytest.param("caught", "a check", 2, marks=pytest.mark.whole),
    ],
)
def test_an_interrupt_ends_a_drill_that_is_in_the_midst_of_what_nothing_raised_leaves(
    how: str, where: str, workers: int | None, whole_set: Path, tmp_path: Path
) -> None:
    """Python drops what a signal's handler raises within `__del__` or a callback; and anything may catch it."""
    python = interpreter_that_does_not_run(tmp_path)
    plugin = ("-p", dropped_interrupt.__name__)
    told = {dropped_interrupt.NAMED_BY: f"{how} at {where}"}
    with watched_drill(
        whole_set.parent, tmp_path, workers=workers, python=python, arguments=plugin, environment=told
    ) as watched:
        ended = watched.end()
        assert ended.exit_code == 128 + signal.SIGINT, ended.output
        assert "Traceback" not in ended.output
        evidence = ended.evidence
        assert evidence.verdict == "INCONCLUSIVE"
        if where == "a check":
            assert evidence.completeness.not_reported
        else:
            ended_in = next(each for each in evidence.record.stages if each.state == "blocked")
            assert ended_in.cause == "the drill was ended during this stage, by SIGINT"
            # What is dropped is raised at once; what somebody caught lets no other stage begin.
            assert (ended_in.name == where) == (how != "caught")
            assert ended_in.name in ("inspect", "serve")
        assert watched.leaves_nothing_within(20), watched.left


@pytest.mark.whole
def test_a_worker_that_dies_takes_no_check_with_it_unseen(whole_set: Path, tmp_path: Path) -> None:
    with watched_drill(
        whole_set.parent, tmp_path, workers=2, python=interpreter_that_does_not_run(tmp_path)
    ) as watched:
        watched.wait_for(5)
        os.kill(watched.workers()[0].pid, signal.SIGKILL)
        ended = watched.end()
        evidence = ended.evidence
        assert ended.exit_code == 2, ended.output
        assert evidence.verdict == "INCONCLUSIVE"
        lost = evidence.completeness.not_reported
        assert lost
        blocked = [each for each in evidence.results if each.outcome == "blocked"]
        unheard = [each for each in blocked if NOT_MIGRATED not in each.message]
        assert sorted(f"{each.control}[{each.subject}]" for each in unheard) == sorted(lost)
        assert {result.control for result in evidence.results} == {card.id for card in evidence.controls}
        nothing_told(ended, *watched.secrets, without=(PDF,))
        assert watched.leaves_nothing_within(20), watched.left


@pytest.mark.usefixtures("docker")
@pytest.mark.further
def test_a_drill_killed_with_its_container_leaves_none(whole_set: Path, tmp_path: Path) -> None:
    with watched_drill(whole_set.parent, tmp_path, server="container") as watched:
        watched.wait_for("--dbname=restored")
        (run,) = [path.name for path in runs_in(watched.out)]
        assert len(containers(run)) == 1
        watched.process.kill()
        watched.end()
        assert watched.leaves_nothing_within(30), watched.left
        assert containers(run) == []
