"""A drill rehearses the recovery of the whole application on its own server and on copies, and leaves nothing of it."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args
from unittest.mock import patch

import pytest

from fixtures.application.clones import RESTORED
from fixtures.dump.format import Inspection
from fixtures.dump.formats import format_named
from fixtures.plugin.gathering import Gatherer, Planned
from fixtures.plugin.rehearsing import Rehearsing, asked_for
from fixtures.profile.reading import read_profile
from fixtures.record.evidence import Evidence
from fixtures.record.progress import silent
from fixtures.record.recovery_rehearsal import RehearsedPart
from fixtures.recovery.whole import in_drill
from fixtures.recovery.whole.in_drill import rehearse
from fixtures.recovery.whole.program_words import restore_words
from fixtures.sandbox.child import run_child
from fixtures.story.run_drill import DrillRun, run_drill
from fixtures.story.story import INSPECTED, SERVED
from tests.support import evidence_examples as examples
from tests.support.drills import SAMPLE, drill
from tests.support.profiles import profile_and
from tests.support.short_drills import INSTEAD, Standing, an_order

RECOVERY = """
[recovery]
stop = [["touch", "{folder}/stopped"]]
still_running = [["touch", "{folder}/looked"]]
migrate = [["touch", "{folder}/migrated {{database}}"]]
start = [["touch", "{folder}/started"]]
answers = [["touch", "{folder}/answered"]]
rehearse = true
"""
"""Whose every command would leave a file in the folder."""


@dataclass(frozen=True)
class Drilled:
    """A short drill whose databases still stand."""

    run: DrillRun
    stack: ExitStack
    folder: Path

    @property
    def databases(self) -> list[Any]:
        assert self.run.server is not None
        with self.run.server.connect() as session:
            return session.execute("SELECT datname FROM pg_database ORDER BY 1").fetchall()

    def saying(self, line: str) -> DrillRun:
        """The same by a profile whose [recovery] says this besides."""
        file = self.folder / "profile" / "igny8" / "profile.toml"
        own = file.read_text()
        file.write_text(f"{own}{line}\n")
        changed = read_profile(file.parent)
        file.write_text(own)
        return replace(self.run, order=replace(self.run.order, profile=changed))


@pytest.fixture(scope="module")
def drilled(standing: Standing, whole_set: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drilled]:
    folder = tmp_path_factory.mktemp("rehearsed")
    profile = profile_and(folder, RECOVERY.format(folder=folder))
    order = an_order(whole_set.parent, SAMPLE, profile, standing.guardian)
    with ExitStack() as stack:
        stack.callback(standing._drop)
        with ExitStack() as short:
            for name, stand_in in standing._instead("").items():
                short.enter_context(patch(f"{INSTEAD[name]}.{name}", stand_in))
            run = run_drill(order, stack, lambda _: silent)
        yield Drilled(run, stack, folder)


def test_every_step_is_rehearsed_by_none_of_productions_commands_and_nothing_is_left(drilled: Drilled) -> None:
    before = drilled.databases
    done = rehearse(drilled.run, frozenset(), drilled.stack)
    assert (done.state, done.cause) == ("ok", "")
    assert tuple(step.name for step in done.steps) == get_args(RehearsedPart)
    assert drilled.databases == before
    assert [path.name for path in drilled.folder.iterdir()] == ["profile"]


def test_a_plain_dump_is_rehearsed_as_an_archive_is(drilled: Drilled, tmp_path: Path) -> None:
    before, run = drilled.databases, drilled.run
    inspected = run.results.of(INSPECTED)
    assert inspected is not None
    assert run.server is not None
    dump, guardian = tmp_path / "plain.sql", run.order.guardian
    done = run_child(
        [str(run.server.clients.pg_dump), f"--file={dump}", run.server.database(RESTORED)],
        environment=run.server.environment(RESTORED),
        guardian=guardian,
    )
    assert done.succeeded, done.stderr
    says = format_named("plain").inspect(dump, Inspection("plain", guardian, run.server.account))
    with patch.dict(run.results._results, {INSPECTED: replace(inspected, file=dump, says=says)}):
        rehearsal = rehearse(run, frozenset(), drilled.stack)
    assert (rehearsal.state, rehearsal.cause) == ("ok", "")
    assert drilled.databases == before


def test_a_recovery_that_would_fail_fails_the_rehearsal_and_nothing_is_left(drilled: Drilled) -> None:
    before = drilled.databases
    done = rehearse(drilled.saying('sites_root = "elsewhere"'), frozenset(), drilled.stack)
    assert done.state == "failed"
    assert "something that does not lie below elsewhere" in done.cause
    assert [step.name for step in done.steps] == ["load", "compare"]
    assert drilled.databases == before


def test_a_recovery_that_could_not_migrate_is_seen_and_one_that_is_ended_leaves_nothing(drilled: Drilled) -> None:
    before, run = drilled.databases, drilled.run
    recovery = run.profile.profile.recovery
    assert recovery is not None
    assert run.record.migrated is not None
    assert run.record.migrated.applied
    unable = run.profile.profile.model_copy(update={"recovery": recovery.model_copy(update={"migrate": ()})})
    source = replace(run.order.profile, profile=unable)
    done = rehearse(replace(run, order=replace(run.order, profile=source)), frozenset(), drilled.stack)
    assert done.state == "failed"
    assert "migrations that this set has not" in done.cause
    assert drilled.databases == before
    with patch.object(in_drill, "migrate_anew", side_effect=KeyboardInterrupt("SIGTERM")):
        done = rehearse(run, frozenset(), drilled.stack)
    assert (done.state, done.cause) == ("blocked", "the drill was ended while the recovery was rehearsed, by SIGTERM")
    assert [step.name for step in done.steps] == ["load", "compare", "files"]
    assert drilled.databases == before


def test_no_dump_is_loaded_by_a_superuser_of_a_server_that_was_named(drilled: Drilled) -> None:
    served = drilled.run.results.of(SERVED)
    assert served is not None
    with patch.dict(
        drilled.run.results._results, {SERVED: replace(served, server=replace(served.server, outlives=True))}
    ):
        done = rehearse(drilled.run, frozenset(), drilled.stack)
    assert (done.state, done.steps) == ("blocked", ())
    assert "on a server that was named" in done.cause


def test_what_pg_restore_quotes_of_a_row_is_not_told() -> None:
    lines = [
        "pg_restore: while PROCESSING TOC:",
        'pg_restore: error: COPY failed for table "bills": ERROR:  invalid input syntax for type integer: "Zephyrine"',
        'CONTEXT:  COPY bills, line 1, column id: "Zephyrine"',
    ]
    said = restore_words(lines, {"bills"}.__contains__)
    assert said.startswith('COPY failed for table "bills"')
    assert "Zephyrine" not in said


@pytest.mark.parametrize("outcome", ["failed", "blocked", None])
def test_nothing_is_rehearsed_after_a_fault_or_an_end(outcome: Any) -> None:
    gathered = Gatherer([Planned("node", "BAK-01", "set")])
    if outcome is not None:
        gathered.results["BAK-01", "set"] = examples.result("BAK-01", "set", outcome)
    ours: Any = SimpleNamespace(gatherer=gathered, run=object(), ending=SimpleNamespace(by=None), rehearsal=None)
    loop = Rehearsing(ours).pytest_runtestloop(SimpleNamespace())  # type: ignore[arg-type]
    next(loop)
    with pytest.raises(StopIteration):
        loop.send(True)
    assert ours.rehearsal.state == "blocked"
    assert "no set is recovered whose drill is not VERIFIED" in ours.rehearsal.cause


@pytest.mark.parametrize(
    ("rehearse", "kind", "told_not_to", "asked"),
    [
        (True, "drill", False, True),
        (False, "drill", False, False),
        (True, "gate", False, False),
        (True, "drill", True, False),
    ],
)
def test_it_is_asked_for_by_the_profile_of_a_drill_that_was_not_told_otherwise(
    rehearse: bool, kind: str, told_not_to: bool, asked: bool
) -> None:
    source: Any = SimpleNamespace(profile=SimpleNamespace(recovery=SimpleNamespace(rehearse=rehearse)))
    config: Any = SimpleNamespace(option=SimpleNamespace(no_rehearsal=told_not_to))
    ours: Any = SimpleNamespace(source=source, kind=kind)
    assert (asked_for(config, ours) is not None) == asked
    source.profile.recovery = None
    assert asked_for(config, ours) is None


@pytest.mark.whole
def test_a_drill_rehearses_after_its_checks_and_its_runbook_has_the_times(whole_set: Path, tmp_path: Path) -> None:
    profile = profile_and(tmp_path, RECOVERY.format(folder=tmp_path))
    done = drill(whole_set.parent, tmp_path / "out", profile=profile, python=Path(sys.executable))
    evidence: Evidence = done.evidence
    assert evidence.verdict == "VERIFIED", done.output
    assert evidence.rehearsal is not None
    assert evidence.rehearsal.state == "ok"
    assert "rehearsing the recovery took" in done.output
    assert "| swap | " in (done.directory / "runbook.md").read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "profile"]
