"""A stage that fails takes no control out of the report: what stands on it is blocked, and says why."""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from fixtures.custody.keys import read_public_key
from fixtures.custody.verify import verify_report
from fixtures.plan.cards import read_controls, read_rules
from fixtures.record import stages
from fixtures.record.evidence import Verdict
from tests.support.application_under_test import copy_of_the_sample, new_migration
from tests.support.drills import PROFILE, ROOT, Drill, Healthy, Signed, drill, programs_that_do_not_run
from tests.support.further import first_of
from tests.support.profiles import profile_and
from tests.support.short_drills import LOADED, MIGRATED, STOOD_UP, VISITED, Standing
from tests.support.spoiled_sets import copy_of, cut, part, sign

# The index is not kept while the row goes in, as when it is damaged: the dump then holds what its own index refuses.
_A_NAME_TWICE = """
    UPDATE pg_index SET indisready = false, indisvalid = false
     WHERE indexrelid = (SELECT oid FROM pg_class WHERE relname = 'igny8_plans_code_key');
    INSERT INTO igny8_plans (code, name, monthly_credits, price, currency_id)
    SELECT code, name, monthly_credits, price, currency_id FROM igny8_plans ORDER BY id LIMIT 1;
    UPDATE pg_index SET indisready = true, indisvalid = true
     WHERE indexrelid = (SELECT oid FROM pg_class WHERE relname = 'igny8_plans_code_key');
"""


@dataclass
class Setting:
    """What the drill is given: a healthy set in `backups`, and arguments of `drill`; `binaries` for the Postgres programs."""

    folder: Path
    the_set: Path
    healthy: Healthy
    arguments: dict[str, Any] = field(default_factory=dict)
    binaries: Path | None = None

    @property
    def whole(self) -> dict[str, Any]:
        if self.binaries is None:
            return self.arguments
        return self.arguments | {"arguments": ("--postgres-bin", str(self.binaries))}

    @property
    def short(self) -> dict[str, Any]:
        return self.arguments if self.binaries is None else self.arguments | {"binaries": self.binaries}

    def limit(self, stage: str) -> None:
        self.arguments["profile"] = profile_and(self.folder, f"[limits]\n{stage} = 0.000001")


@dataclass(frozen=True)
class Fault:
    spoil: Callable[[Setting], None]
    stages: dict[str, str]
    cause: str
    red: set[str]
    verdict: Verdict
    really: frozenset[str] = frozenset()


def _no_set(setting: Setting) -> None:
    setting.the_set.rename(setting.folder / "elsewhere")


def _cut_dump(setting: Setting) -> None:
    cut(setting.the_set, "dump", 0.005)


def _no_programs(setting: Setting) -> None:
    setting.binaries = programs_that_do_not_run(setting.folder / "no-programs")


def _no_server(setting: Setting) -> None:
    setting.arguments["server"] = "postgresql://drills@/postgres?host=/nonexistent"


def _row_twice(setting: Setting) -> None:
    spoiled = setting.healthy.backup(setting.folder / "spoiled", _A_NAME_TWICE)
    _no_set(setting)
    spoiled.rename(setting.folder / "backups" / spoiled.name)


def _migration_that_raises(setting: Setting) -> None:
    setting.arguments["app"] = copy = copy_of_the_sample(setting.folder)
    new_migration(copy, "0010_never", 'migrations.RunSQL("SELECT 1 / 0")')


def _no_interpreter(setting: Setting) -> None:
    setting.arguments["python"] = setting.folder / "no-python"


def _no_sites(setting: Setting) -> None:
    part(setting.the_set, "sites").unlink()
    sign(setting.the_set)


ON_SERVER = ("restore", "facts", "migrate", "application")


def states(failed: str, state: str, after: tuple[str, ...]) -> dict[str, str]:
    return {failed: state, **dict.fromkeys(after, "blocked")}


FAULTS = {
    "locate: no set": Fault(
        _no_set,
        states("locate", "failed", ("inspect", "serve", *ON_SERVER, "sites")),
        "no backup found in",
        {"BAK-01"},
        "FAILED",
    ),
    "inspect: cut dump": Fault(
        _cut_dump, states("inspect", "failed", ("serve", *ON_SERVER)), "pg_restore --list", {"BAK-07"}, "FAILED"
    ),
    "inspect: no programs": Fault(
        _no_programs,
        states("inspect", "blocked", ("serve", *ON_SERVER)),
        "no pg_restore to read the dump with",
        set(),
        "INCONCLUSIVE",
    ),
    "serve: no server": Fault(
        _no_server, states("serve", "blocked", ON_SERVER), "refuses the connection", set(), "INCONCLUSIVE", LOADED
    ),
    "restore: a row twice": Fault(
        _row_twice,
        states("restore", "failed", ON_SERVER[1:]),
        "igny8_plans_code_key",
        {"RST-01"},
        "FAILED",
        LOADED,
    ),
    "restore: over its limit": Fault(
        lambda setting: setting.limit("restore"),
        states("restore", "failed", ON_SERVER[1:]),
        "longer than its limit",
        {"RST-01"},
        "FAILED",
        LOADED,
    ),
    "facts: over its limit": Fault(
        lambda setting: setting.limit("facts"),
        states("facts", "failed", ON_SERVER[2:]),
        "could not be counted within the time limit",
        {"RST-09"},
        "FAILED",
    ),
    "migrate: a migration that raises": Fault(
        _migration_that_raises,
        states("migrate", "failed", ("application",)),
        "migration igny8.0010_never failed",
        {"MIG-01"},
        "FAILED",
        MIGRATED,
    ),
    "migrate: over its limit": Fault(
        lambda setting: setting.limit("migrate"),
        states("migrate", "failed", ("application",)),
        "",
        {"MIG-01"},
        "FAILED",
        MIGRATED,
    ),
    "migrate: no interpreter": Fault(
        _no_interpreter,
        states("migrate", "blocked", ("application",)),
        "no interpreter for the application",
        set(),
        "INCONCLUSIVE",
        MIGRATED,
    ),
    "sites: no archive": Fault(_no_sites, {"sites": "blocked"}, "the set holds no sites archive", {"BAK-02"}, "FAILED"),
    "sites: over its limit": Fault(
        lambda setting: setting.limit("sites"), {"sites": "failed"}, "", {"SIT-01"}, "FAILED"
    ),
    "application: over its limit": Fault(
        lambda setting: setting.limit("application"),
        {"application": "failed"},
        "time limit",
        {"APP-01"},
        "FAILED",
        VISITED | STOOD_UP,
    ),
}
SHORTEST = ("locate: no set", "inspect: cut dump", "serve: no server", "restore: over its limit")
EXIT = {"VERIFIED": 0, "FAILED": 1, "INCONCLUSIVE": 2}


ALL = {declared.card.id for declared in read_controls(ROOT / "verify", gate=False)} | {
    rule.card.id for rule in read_rules(PROFILE)
}


def set_up(name: str, healthy: Healthy, whole_set: Path, folder: Path) -> Setting:
    setting = Setting(folder, copy_of(whole_set, folder / "backups"), healthy)
    FAULTS[name].spoil(setting)
    return setting


# What is met with workers besides: a stage that is blocked, and one that fails once others have been tried. What a stage
# after that one takes with it is met without workers.
WITH_WORKERS = ("inspect: no programs", "migrate: over its limit")


@pytest.mark.parametrize(
    "name", first_of([*SHORTEST, *(name for name in FAULTS if name not in SHORTEST + WITH_WORKERS)], len(SHORTEST))
)
def test_a_stage_that_fails_takes_no_control_away(
    name: str, healthy: Healthy, whole_set: Path, standing: Standing, tmp_path: Path
) -> None:
    setting, fault = set_up(name, healthy, whole_set, tmp_path), FAULTS[name]
    outcome = standing.drill(tmp_path / "backups", tmp_path / "out", **setting.short, really=fault.really)
    expect_all_told(outcome, fault)


@pytest.mark.whole
@pytest.mark.parametrize("name", WITH_WORKERS)
def test_a_stage_that_fails_takes_no_control_away_with_workers_either(
    name: str, healthy: Healthy, whole_set: Path, standing: Standing, tmp_path: Path
) -> None:
    setting, fault = set_up(name, healthy, whole_set, tmp_path), FAULTS[name]
    short = standing.drill(tmp_path / "backups", tmp_path / "short", **setting.short, really=fault.really)
    shared = drill(tmp_path / "backups", tmp_path / "shared", **setting.whole, workers=2)
    expect_all_told(short, fault)
    expect_all_told(shared, fault)
    assert outcomes(short) == outcomes(shared)
    expect_counted_by_pytest(shared)


def expect_all_told(outcome: Drill, fault: Fault) -> None:
    """Every control is told; the stage that failed says why and what to do, and whatever stands on it says so too."""
    evidence = outcome.evidence
    assert (outcome.exit_code, evidence.verdict) == (EXIT[fault.verdict], fault.verdict), outcome.output
    assert {card.id for card in evidence.controls} == ALL
    assert {result.control for result in evidence.results} == ALL
    assert evidence.completeness.whole
    outcomes = {stage.name: stage for stage in evidence.record.stages}
    assert list(outcomes) == [stage.name for stage in stages.DRILL]
    assert {name: stage.state for name, stage in outcomes.items() if stage.state != "ok"} == fault.stages
    first = outcomes[next(iter(fault.stages))]
    assert fault.cause in first.cause
    assert first.fix
    assert set(outcome.red) == fault.red
    # What the application was asked before it ran out of time tells its own shortage of it.
    causes = [cause for cause in (first.cause, fault.cause) if cause]
    blocked = [each for each in evidence.results if each.outcome == "blocked"]
    untold = [each for each in blocked if not any(cause in each.message for cause in causes)]
    assert not untold
    assert all(thing.gone for thing in evidence.teardown)
    assert first.cause.split(":")[0].split(" (")[0][:40] in " ".join(outcome.output.split())


def outcomes(outcome: Drill) -> list[tuple[str, str, str]]:
    return [(result.control, result.subject, result.outcome) for result in outcome.evidence.results]


def test_the_healthy_drill_is_verified(healthy_drill: Drill) -> None:
    expect_verified(healthy_drill)
    assert healthy_drill.evidence.headline.endswith("; unsigned")


@pytest.mark.whole
def test_the_healthy_drill_is_the_same_with_workers_signed_and_whatever_the_shell_has_set_for_libpq(
    healthy_drill: Drill, second_drill: Signed
) -> None:
    shared = second_drill.drill
    expect_verified(shared)
    assert outcomes(healthy_drill) == outcomes(shared)
    assert "unsigned" not in shared.output
    checked = verify_report(shared.directory, read_public_key(second_drill.public_key))
    assert (checked.wrong, checked.signed, checked.verdict) == ([], True, "VERIFIED")


def expect_verified(outcome: Drill) -> None:
    assert (outcome.exit_code, outcome.evidence.verdict) == (0, "VERIFIED"), outcome.output
    written = [path.name for path in (outcome.directory / "allure-results").iterdir()]
    results = [name for name in written if name.endswith("-result.json")]
    assert len(results) == len(outcome.evidence.results)
    assert not [name for name in written if name.endswith("-container.json")], "files of fixtures, with tracebacks"
    assert (outcome.directory.parent / "latest").resolve() == outcome.directory


def expect_counted_by_pytest(outcome: Drill) -> None:
    """Its last line calls nothing failed that was blocked, and nothing passed that was exempt."""
    (line,) = re.findall(r"^=+ (.*) in [\d.]+s.* =+$", outcome.output, re.MULTILINE)
    counted = Counter(result.outcome for result in outcome.evidence.results)
    assert {part.split()[1]: int(part.split()[0]) for part in line.split(", ")} == counted


def test_pytests_last_line_counts_what_the_evidence_does(healthy_drill: Drill) -> None:
    expect_counted_by_pytest(healthy_drill)


def test_a_drill_without_a_terminal_writes_when_each_stage_begins_and_ends(healthy_drill: Drill) -> None:
    lines = re.findall(r"^\d\d:\d\d:\d\d UTC  (.+)$", healthy_drill.output, re.MULTILINE)
    for stage in stages.DRILL:
        assert sum(line.startswith(f"{stage} begins") for line in lines) == 1, lines
        assert sum(bool(re.fullmatch(rf"{stage} took [\d.]+ (?:ms|s|min.*)", line)) for line in lines) == 1, lines
    after = [line for line in lines if line.startswith(("checks ", "writing reports "))]
    assert re.fullmatch(
        r"checks begin: [\d,]+ planned\nchecks took \S+ \S+\nwriting reports begins\nwriting reports took \S+ \S+",
        "\n".join(after),
    )
