"""metrics.prom: the drill in figures, for node_exporter's textfile collector."""

from collections import Counter
from typing import get_args

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from fixtures.record.areas import AREAS
from fixtures.record.evidence import Verdict
from reports import words
from reports.story import Story


def write_up(story: Story) -> str:
    """Gauges alone: a drill counts nothing across runs. Times are Unix seconds, durations seconds, sizes bytes.

    What was not measured has no sample: zero would be a figure."""
    registry = CollectorRegistry(auto_describe=False)
    _verdict(story, registry)
    _times(story, registry)
    _checks(story, registry)
    _tenants(story, registry)
    _addresses(story, registry)
    _proof(story, registry)
    _findings(story, registry)
    _shelf(story, registry)
    _rehearsal(story, registry)
    return generate_latest(registry).decode()


def _verdict(story: Story, registry: CollectorRegistry) -> None:
    evidence = story.evidence
    verdict = Gauge("restore_drill_verdict", "1 for the verdict of the last drill.", ["verdict"], registry=registry)
    for each in get_args(Verdict):
        verdict.labels(each).set(each == evidence.verdict)
    _gauge("restore_drill_complete", "1 when every planned check was reported.", story.whole, registry)
    _gauge("restore_drill_signed", "1 when a key vouches for the report.", bool(evidence.signed_by), registry)
    mighty = bool(evidence.record.loaded_as_superuser)
    _gauge("restore_drill_loaded_as_superuser", "1 when a superuser executed the dump.", mighty, registry)
    _gauge("restore_drill_finished_timestamp_seconds", "When it ended.", evidence.finished_at.timestamp(), registry)
    shelf = story.shelf_shown
    last = evidence.finished_at if evidence.verdict == "VERIFIED" and not shelf.older else evidence.record.last_verified
    if last is not None:
        meaning = "When the last drill of the newest set that was VERIFIED ended."
        _gauge("restore_drill_last_verified_timestamp_seconds", meaning, last.timestamp(), registry)


def _times(story: Story, registry: CollectorRegistry) -> None:
    evidence = story.evidence
    _gauge("restore_drill_duration_seconds", "How long it took, checks included.", story.seconds, registry)
    stages = Gauge("restore_drill_stage_seconds", "How long each stage took.", ["stage"], registry=registry)
    for stage in story.run_stages:
        if stage in evidence.record.timed_stages:
            stages.labels(stage.name).set(stage.seconds)
    seconds = {"hours": 3600, "minutes": 60}
    for measure in evidence.measures:
        name = f"restore_drill_{measure.name.lower()}"
        _gauge(f"{name}_target_seconds", f"{measure.name}'s target.", measure.target * seconds[measure.unit], registry)
        if measure.measured is not None:
            measured = measure.measured * seconds[measure.unit]
            _gauge(f"{name}_seconds", f"{measure.name} as measured.", measured, registry)
    backup_set = evidence.record.backup_set
    if backup_set is not None:
        taken, size = backup_set.taken_at.timestamp(), sum(file.size for file in backup_set.artefacts)
        _gauge("restore_drill_backup_timestamp_seconds", "When the drilled set was taken.", taken, registry)
        _gauge("restore_drill_backup_bytes", "How large the drilled set is.", size, registry)


def _checks(story: Story, registry: CollectorRegistry) -> None:
    checks = Gauge("restore_drill_checks", "Checks by area and outcome.", ["area", "outcome"], registry=registry)
    counted = Counter((result.control.split("-")[0], result.outcome) for result in story.evidence.results)
    for area in (*AREAS, *sorted({area for area, _ in counted} - AREAS.keys())):
        for outcome in words.OUTCOMES:
            checks.labels(area, outcome).set(counted[area, outcome])


def _tenants(story: Story, registry: CollectorRegistry) -> None:
    """On how many tenants' rows checks rest, where the profile gives them a time budget."""
    budget = story.evidence.checks_budget
    if budget is not None:
        some = len(story.evidence.on_some_tenants)
        estimate, seconds = budget.estimate_minutes * 60, budget.minutes * 60
        _gauge("restore_drill_checks_estimate_seconds", "What the checks were estimated to take.", estimate, registry)
        _gauge("restore_drill_checks_budget_seconds", "What the profile gives them.", seconds, registry)
        _gauge(
            "restore_drill_checks_on_some_tenants", "Checks that looked at some tenants' rows alone.", some, registry
        )
        _gauge("restore_drill_tenants", "Tenants that there are.", budget.of, registry)
        tried = budget.of if budget.tenants is None else budget.tenants
        _gauge("restore_drill_tenants_tried", "Those whose rows every check looked at.", tried, registry)


def _addresses(story: Story, registry: CollectorRegistry) -> None:
    """On how much of the application a pass of TEN-16 rests, where it was asked."""
    visited = story.evidence.record.visited
    if visited is not None and visited.addresses:
        there, tried = len(visited.addresses), len(visited.tried)
        _gauge("restore_drill_addresses", "Addresses that the application has.", there, registry)
        _gauge("restore_drill_addresses_tried", "Those tried as users of tenants.", tried, registry)


def _proof(story: Story, registry: CollectorRegistry) -> None:
    """What was proven able to fail, where a fault was planted for each check."""
    proving = story.evidence.proving
    if proving is not None:
        meaning = "Checks that found the fault planted for them, in the drills that each check is to be tried once in."
        _gauge("restore_drill_proven", meaning, proving.recently_proven, registry)
        _gauge(
            "restore_drill_blind",
            "Checks that did not see the fault planted for them.",
            proving.counted["blind"],
            registry,
        )
        _gauge("restore_drill_unproven_late", "Checks that have waited for longer than that.", proving.late, registry)


def _findings(story: Story, registry: CollectorRegistry) -> None:
    """What changed since the drill before, where one is known; and the waivers that end within fourteen days."""
    since = story.evidence.since
    if since is not None:
        meaning = "Findings beside those of the drill before: new, still there, gone, or not tried now."
        findings = Gauge("restore_drill_findings", meaning, ["state"], registry=registry)
        for state in ("new", "still", "gone", "untried"):
            findings.labels(state).set(len(getattr(since, state)))
    ending = len(story.evidence.running_out)
    _gauge("restore_drill_waivers_ending", "Waived checks whose waiver ends within 14 days.", ending, registry)


def _shelf(story: Story, registry: CollectorRegistry) -> None:
    """How much of the shelf was ever VERIFIED, where its other sets were seen."""
    shelf = story.shelf_shown
    _gauge("restore_drill_older_set", "1 when an older set than the newest was drilled.", shelf.older, registry)
    if shelf.sets:
        _gauge("restore_drill_shelf_sets", "Sets that lie there.", len(shelf.sets), registry)
        _gauge("restore_drill_shelf_verified", "Those that a drill VERIFIED.", len(shelf.verified), registry)
    if shelf.verified and (oldest := shelf.verified[0].taken_at) is not None:
        meaning = "When the oldest of those that a drill VERIFIED was taken."
        _gauge("restore_drill_shelf_oldest_verified_timestamp_seconds", meaning, oldest.timestamp(), registry)
    if shelf.due_at is not None:
        meaning = "By when the schedule asks for a drill of an older set."
        _gauge("restore_drill_older_due_timestamp_seconds", meaning, shelf.due_at.timestamp(), registry)


def _rehearsal(story: Story, registry: CollectorRegistry) -> None:
    """How the recovery was rehearsed, where that was asked for."""
    rehearsal = story.evidence.rehearsal
    if rehearsal is not None:
        ended = rehearsal.state == "ok"
        _gauge("restore_drill_recovery_rehearsed", "1 when the recovery was rehearsed and ended well.", ended, registry)
        meaning = "How long each step of the recovery took when it was rehearsed."
        steps = Gauge("restore_drill_recovery_step_seconds", meaning, ["step"], registry=registry)
        for step in rehearsal.steps:
            steps.labels(step.name).set(step.seconds)


def _gauge(name: str, help: str, value: float, registry: CollectorRegistry) -> None:
    Gauge(name, help, registry=registry).set(value)
