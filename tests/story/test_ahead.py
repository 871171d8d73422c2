"""The migrations run beside the facts, wait for what they need of them, and count as not tried where those fail."""

import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from fixtures.application.migrate import Migrating
from fixtures.record.progress import silent
from fixtures.record.record import StageOutcome
from fixtures.record.stage import StageBlocked, StageFailed
from fixtures.record.stages import FACTS, MIGRATE, SITES, Stage
from fixtures.sandbox.guardian import Guardian
from fixtures.story.drill import Drill
from fixtures.story.run_drill import DrillRun, run_drill
from fixtures.story.step import Step, StepResults, first, passing, restarting
from fixtures.story.steps import take_facts
from tests.support.drills import PROFILE, SAMPLE
from tests.support.short_drills import Standing, an_order

PATIENCE = 60
BOTH = (FACTS, MIGRATE)


class Watched:
    """What a story of these two stages did, in its order, and how it is told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, guardian: Guardian) -> None:
        self.did: list[str] = []
        self.told: list[str] = []
        self._patch, self._order = monkeypatch, an_order(tmp_path, SAMPLE, PROFILE, guardian)

    def begun(self, stage: Stage) -> None:
        self.told.append(f"{stage} begins")

    def ended(self, outcome: StageOutcome) -> None:
        self.told.append(f"{outcome.name} {outcome.state}")

    def step(
        self, stage: Stage, name: str, do: Callable[[Drill], Any] = lambda _: None, *needs: Step[Any]
    ) -> Step[Any]:
        def done(drill: Drill, *_: Any) -> Any:
            result = do(drill)
            self.did.append(name)
            return result

        return Step(stage, done, needs)

    def run(self, *steps: Step[Any], story: tuple[Stage, ...] = BOTH) -> DrillRun:
        self._patch.setattr("fixtures.story.running.steps_of", lambda stage: [s for s in steps if s.stage is stage])
        self._patch.setattr("fixtures.story.running.SERVED", object())
        with ExitStack() as stack:
            return run_drill(self._order, stack, lambda _: silent, story, self)


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, guardian: Guardian) -> Watched:
    return Watched(monkeypatch, tmp_path, guardian)


def waits(event: threading.Event) -> Callable[[Drill], None]:
    def wait(_: Drill) -> None:
        assert event.wait(PATIENCE)

    return wait


def sets(event: threading.Event) -> Callable[[Drill], None]:
    return lambda _: event.set()


def states(run: DrillRun) -> dict[str, str]:
    return {outcome.name: outcome.state for outcome in run.outcomes}


def test_each_step_waits_for_what_it_needs_of_the_stage_beside_it_alone(watched: Watched) -> None:
    migrating = threading.Event()
    believed = watched.step(FACTS, "believed")
    counted = watched.step(FACTS, "counted", waits(migrating))
    clone = watched.step(MIGRATE, "cloned")
    run = watched.run(
        *(believed, counted, clone),
        watched.step(MIGRATE, "migrated", sets(migrating), believed, clone),
        watched.step(MIGRATE, "compared", lambda _: None, counted),
    )
    assert [(each.name, each.state) for each in run.outcomes] == [("facts", "ok"), ("migrate", "ok")]
    assert sorted(watched.did[:2]) == ["believed", "cloned"]
    assert sorted(watched.did[2:4]) == ["counted", "migrated"]
    assert watched.did[4:] == ["compared"]
    assert watched.told == ["facts begins", "migrate begins", "facts ok", "migrate ok"]


def test_what_passes_is_let_go_of_once_the_stages_are_over_that_need_it(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    passes = passing(watched.step(FACTS, "passes", lambda _: "rows"))
    stays = watched.step(FACTS, "stays", lambda _: "rows")
    steps = (passes, stays, watched.step(MIGRATE, "compared", lambda _: None, passes, stays))
    monkeypatch.setattr("fixtures.story.story.STEPS", steps)
    run = watched.run(*steps)
    assert states(run) == {"facts": "ok", "migrate": "ok"}
    assert (run.results.of(passes), run.results.of(stays)) == (None, "rows")


def test_what_comes_first_of_both_is_done_beside_each_other_and_before_anything_is_connected(watched: Watched) -> None:
    reading, cloning = threading.Event(), threading.Event()

    def reads_template(_: Drill) -> None:
        reading.set()
        assert cloning.wait(PATIENCE)

    def clones(_: Drill) -> None:
        assert reading.wait(PATIENCE)
        cloning.set()
        # Long enough for one that does not wait.
        connected.wait(0.5)

    connected = threading.Event()
    run = watched.run(
        first(watched.step(FACTS, "template", reads_template)),
        watched.step(FACTS, "connected", sets(connected)),
        first(watched.step(MIGRATE, "cloned", clones)),
    )
    assert states(run) == {"facts": "ok", "migrate": "ok"}
    assert watched.did == ["template", "cloned", "connected"]


def test_an_interrupt_while_it_is_cloned_leaves_nobody_waiting(watched: Watched) -> None:
    def interrupted(_: Drill) -> None:
        raise KeyboardInterrupt("SIGINT")

    def counts(drill: Drill) -> None:
        assert drill.given_up.wait(PATIENCE)

    clone = first(watched.step(MIGRATE, "cloned", interrupted))
    run = watched.run(watched.step(FACTS, "counted", counts), watched.step(FACTS, "more"), clone)
    assert states(run) == {"facts": "blocked", "migrate": "blocked"}
    assert "more" not in watched.did


def test_a_step_that_restarts_the_server_waits_until_nobody_reads(watched: Watched) -> None:
    closed, begun, restarted = threading.Event(), threading.Event(), threading.Event()
    stood: list[bool] = []

    def reads(drill: Drill) -> None:
        assert begun.wait(PATIENCE)
        drill.closing_with(FACTS, closed.set)
        # Long enough for one that does not wait.
        restarted.wait(0.5)

    def restarts(_: Drill) -> None:
        stood.append(closed.is_set())
        restarted.set()

    run = watched.run(
        watched.step(FACTS, "read", reads),
        watched.step(MIGRATE, "migrated", sets(begun)),
        restarting(watched.step(MIGRATE, "restarted", restarts)),
    )
    assert states(run) == {"facts": "ok", "migrate": "ok"}
    assert stood == [True]


@pytest.mark.parametrize(
    ("failure", "state"),
    [(StageFailed("a table cannot be read", "Read it."), "failed"), (StageBlocked("refused", "Grant it."), "blocked")],
)
def test_where_the_facts_fail_the_migrations_count_as_not_tried_and_are_ended(
    watched: Watched, failure: StageFailed | StageBlocked, state: str
) -> None:
    migrating = threading.Event()
    stopped: list[bool] = []

    def fails(_: Drill) -> None:
        assert migrating.wait(PATIENCE)
        raise failure

    def migrates(drill: Drill) -> str:
        migrating.set()
        stopped.append(drill.in_vain.wait(PATIENCE))
        return "what nobody may see"

    ran = watched.step(MIGRATE, "migrated", migrates)
    run = watched.run(watched.step(FACTS, "counted", fails), ran)
    assert states(run) == {"facts": state, "migrate": "blocked"}
    assert run.outcomes[1].cause == f"not reached, since facts {state}: {failure.cause}"
    assert run.outcomes[1].fix == failure.fix
    assert run.results.of(ran) is None
    assert stopped == [True]
    assert watched.told[-2:] == [f"facts {state}", "migrate blocked"]


def test_nothing_is_migrated_where_the_servers_own_catalogue_is_not_believed(watched: Watched) -> None:
    def unbelieved(_: Drill) -> None:
        raise StageBlocked("not template0's")

    believed = watched.step(FACTS, "believed", unbelieved)
    run = watched.run(believed, watched.step(MIGRATE, "migrated", lambda _: None, believed))
    assert states(run) == {"facts": "blocked", "migrate": "blocked"}
    assert watched.did == []


def test_what_fails_of_the_migrations_takes_nothing_from_the_facts(watched: Watched) -> None:
    def full(_: Drill) -> None:
        raise StageBlocked("the disk is full", "Make room.")

    counted = watched.step(FACTS, "counted", lambda _: 7)
    run = watched.run(counted, first(watched.step(MIGRATE, "cloned", full)), watched.step(MIGRATE, "migrated"))
    assert [(each.state, each.cause) for each in run.outcomes] == [("ok", ""), ("blocked", "the disk is full")]
    assert (run.results.of(counted), watched.did) == (7, ["counted"])


def test_what_a_stage_waits_for_the_other_is_not_its_own_time(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    clock = SimpleNamespace(monotonic=lambda: now[0])
    monkeypatch.setattr("fixtures.story.running.time", clock)
    monkeypatch.setattr("fixtures.record.stage.time", clock)
    waited = StepResults.wait_for_needs

    def migrates(_: Drill) -> None:
        now[0] += 3

    counted, migrated = watched.step(FACTS, "counted"), watched.step(MIGRATE, "migrated", migrates)
    compared = watched.step(MIGRATE, "compared", lambda _: None, counted)

    def wait(results: StepResults, step: Step[Any]) -> None:
        waited(results, step)
        now[0] += 50 if step is compared else 0

    monkeypatch.setattr(StepResults, "wait_for_needs", wait)
    assert watched.run(counted, migrated, compared).outcomes[1].seconds == 3


@pytest.mark.parametrize("facts", ["ok", "blocked"])
def test_an_interrupt_gives_the_facts_up_and_is_told_of_what_was_under_way(watched: Watched, facts: str) -> None:
    begun, over = threading.Event(), threading.Event()

    def counts(drill: Drill) -> None:
        begun.set()
        if facts == "blocked":
            assert drill.given_up.wait(PATIENCE)
            raise StageBlocked("a query was canceled")
        drill.closing_with(FACTS, over.set)

    def interrupted(_: Drill) -> None:
        assert (over if facts == "ok" else begun).wait(PATIENCE)
        raise KeyboardInterrupt("SIGTERM")

    migrated = watched.step(MIGRATE, "settings", lambda _: 7)
    run = watched.run(watched.step(FACTS, "counted", counts), migrated, watched.step(MIGRATE, "migrated", interrupted))
    assert states(run) == {"facts": facts, "migrate": "blocked"}
    ended = [each for each in run.outcomes if each.state != "ok"]
    assert {each.cause for each in ended} == {"the drill was ended during this stage, by SIGTERM"}
    assert run.results.of(migrated) == (7 if facts == "ok" else None)


def test_roles_that_migrations_make_meanwhile_are_not_the_backups(
    standing: Standing, whole_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, reads = threading.Event(), take_facts.contents_of_restored

    def migrate(*_: Any, **__: Any) -> Migrating:
        with standing.server.connect() as connection:
            connection.execute("CREATE ROLE made_meanwhile; GRANT made_meanwhile TO igny8_owner")
        made.set()
        assert standing.record.migrated is not None
        return Migrating(standing.record.migrated, standing.models)

    def contents(*given: Any) -> Any:
        assert made.wait(PATIENCE), "the migrations do not run beside the facts"
        return reads(*given)

    monkeypatch.setattr(take_facts, "contents_of_restored", contents)
    monkeypatch.setattr("fixtures.story.steps.migrate_clone.migrate", migrate)
    try:
        outcome = standing.drill(
            *(whole_set.parent, tmp_path), really=frozenset({"migrate"}), only=("test_fidelity.py",)
        )
    finally:
        with standing.server.connect() as connection:
            connection.execute("DROP ROLE made_meanwhile")
    record = outcome.evidence.record
    found, before = record.facts, standing.record.facts
    assert found is not None
    assert before is not None
    # Tests beside this one may have made roles on the same server.
    assert "made_meanwhile" not in {role.name for role in found.roles}
    assert [role for role in found.roles if role in before.roles] == list(before.roles)
    assert record.contents is not None
    assert standing.record.contents is not None
    assert "made_meanwhile" not in record.contents.roles
    assert record.contents.roles.items() >= standing.record.contents.roles.items()
    assert record.migrated_facts is not None
    assert "made_meanwhile" in {role.name for role in record.migrated_facts.roles}


def test_what_a_stage_does_for_another_is_counted_as_that_ones_time(watched: Watched) -> None:
    def asks_for_others(drill: Drill) -> None:
        drill.spent_for(FACTS, 600.0, by=MIGRATE)
        drill.spent_for(MIGRATE, 700.0, by=SITES)

    asked = watched.step(MIGRATE, "asked", asks_for_others)
    run = watched.run(asked, watched.step(FACTS, "told", lambda _: None, asked))
    seconds = {outcome.name: outcome.seconds for outcome in run.outcomes}
    assert seconds["facts"] >= 600.0
    assert 100.0 <= seconds["migrate"] < 700.0
