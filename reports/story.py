"""The evidence in the order that a person wants to read it in: findings first, everything else grouped."""

import shlex
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from fixtures.record.areas import AREAS
from fixtures.record.budget import NO_TIME
from fixtures.record.evidence import Evidence, Excepted, Measure, Outcome, Result, TornDown
from fixtures.record.migrated import AppliedMigration
from fixtures.record.proof import Proof
from fixtures.record.record import StageOutcome
from fixtures.record.recovery_rehearsal import RecoveryRehearsal
from reports import costs, words
from reports.bars import Bar, one_after_another
from reports.by_tenant import ByTenant, by_tenant
from reports.chapter import IMPACTS, Chapter, chapter_of
from reports.costs import Cost
from reports.faults import Fault, faults
from reports.lost_things import LostThings
from reports.older import ShelfShown
from reports.repairs import RepairList, repair_list
from reports.since_last import SinceLast
from reports.whose_fault import whose_fault
from reports.written_evidence import WrittenEvidence, evidence_in

_REPORTS, _INSTALLED_REPORTS = "reports/out", "drill-reports"
"""Where a drill writes that is not told where: from a checkout, which has a lock, and from a package, which has none."""

_TO_CHOOSE = 3
"""From so many findings on a reader can choose which are shown."""


@dataclass(frozen=True)
class Cause:
    """One reason why checks could not be tried, and the controls that it stopped."""

    message: str
    chapters: tuple[Chapter, ...]

    @property
    def checks(self) -> int:
        return sum(len(chapter.results) for chapter in self.chapters)


@dataclass(frozen=True)
class Story:
    """Everything that more than one document tells, worked out once; `file` is the evidence as it lies in the run's folder,
    where it does, `queries` the text of those that results name, by digest."""

    evidence: Evidence
    file: Path | None = None
    queries: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def written(self) -> WrittenEvidence:
        """`evidence.json`: what documents quote the digest of, or carry whole."""
        return evidence_in(self.file) if self.file is not None else WrittenEvidence(self.evidence.pieces)

    @cached_property
    def chapters(self) -> tuple[Chapter, ...]:
        """Every control in the order of its id, with or without results."""
        results: defaultdict[str, list[Result]] = defaultdict(list)
        for result in self.evidence.results:
            results[result.control].append(result)
        cards = {card.id: card for card in self.evidence.controls}
        return tuple(chapter_of(id, cards.get(id), results[id]) for id in sorted({*cards, *results}))

    @cached_property
    def areas(self) -> dict[str, tuple[Chapter, ...]]:
        """Controls by area, the areas in the order of a drill, those of a profile's own after them."""
        areas_in_order = list(AREAS)
        grouped: defaultdict[str, list[Chapter]] = defaultdict(list)
        for chapter in self.chapters:
            grouped[chapter.area].append(chapter)
        order = sorted(
            grouped, key=lambda area: (areas_in_order.index(area) if area in AREAS else len(areas_in_order), area)
        )
        return {area: tuple(grouped[area]) for area in order}

    @cached_property
    def area_counts(self) -> dict[str, dict[Outcome, int]]:
        """Checks of each area by outcome, worst first."""
        return {
            area: {outcome: sum(chapter.counts.get(outcome, 0) for chapter in chapters) for outcome in words.OUTCOMES}
            for area, chapters in self.areas.items()
        }

    def of(self, outcome: Outcome) -> tuple[Chapter, ...]:
        """The controls with results of this outcome, those results alone; the greatest impact first."""
        chapters = [chapter.only(outcome) for chapter in self.chapters if outcome in chapter.counts]
        return tuple(sorted(chapters, key=lambda chapter: (IMPACTS.index(chapter.impact), chapter.id)))

    @cached_property
    def faults(self) -> tuple[Fault, ...]:
        """The failed controls by what they failed for, the greatest impact first."""
        return faults(self.evidence.record, self.of("failed"))

    @cached_property
    def by_tenant(self) -> ByTenant:
        """The failed checks by the tenant that they name."""
        return by_tenant((result for chapter in self.of("failed") for result in chapter.results), self.areas)

    @property
    def with_queries(self) -> tuple[Result, ...]:
        """The failed and the waived results that name queries, in the order in which they are told."""
        wrong = (*self.of("failed"), *self.of("waived"))
        return tuple(result for chapter in wrong for result in chapter.results if result.query_sha256)

    @cached_property
    def whose_fault(self) -> str:
        """Whether the faults are in production or came of the backup; empty where there is none to tell of."""
        return whose_fault(self.evidence.results)

    @cached_property
    def excepted(self) -> tuple[tuple[Result, Excepted], ...]:
        """What the profile accepts, counted, each with the check that counted it."""
        return tuple((result, each) for result in self.evidence.results for each in result.excepted)

    @cached_property
    def causes(self) -> tuple[Cause, ...]:
        """What kept checks from being tried: one cause with everything it stopped, the widest first."""
        stopped: defaultdict[str, list[Chapter]] = defaultdict(list)
        for chapter in self.of("blocked"):
            by_cause: defaultdict[str, list[Result]] = defaultdict(list)
            for result in chapter.results:
                by_cause[self._cause(result.message)].append(result)
            for cause, results in by_cause.items():
                stopped[cause].append(replace(chapter, results=tuple(results)))
        causes = [Cause(message, tuple(chapters)) for message, chapters in stopped.items()]
        return tuple(sorted(causes, key=lambda cause: (-cause.checks, cause.message)))

    def _cause(self, message: str) -> str:
        """The stage at the root of it, however many stages lie between, or the thing that is lost: what it stopped is told
        together."""
        if NO_TIME in message:
            return message.partition(NO_TIME)[0] + NO_TIME
        if (lost := self._lost.cause(message)) is not None:
            return lost
        roots = (stage for stage in self.stopped_stages if stage.cause and stage.cause in message)
        return next((f"{stage.name} {stage.state}: {stage.cause}" for stage in roots), message)

    @property
    def choices(self) -> dict[str, dict[str, str]]:
        """By what the findings can be chosen: the values of each group, with the words for each. None for a few findings."""
        of_faults = [chapter for each in self.faults for chapter in each.chapters]
        chapters = [*of_faults, *(chapter for each in self.causes for chapter in each.chapters)]
        if len(self.faults) + len(self.causes) < _TO_CHOOSE:
            return {}
        outcomes = {"failed": bool(self.faults), "blocked": bool(self.causes)}
        impacts = {each.impact for each in self.faults} | {
            chapter.impact for each in self.causes for chapter in each.chapters
        }
        # They become part of the page's style, where nothing can be escaped: `Family` holds them to three letters.
        areas = {chapter.area for chapter in chapters}
        groups = {
            "outcome": {outcome: outcome for outcome, there in outcomes.items() if there},
            "impact": {impact: impact for impact in IMPACTS if impact in impacts},
            "area": {area: AREAS.get(area, area) for area in self.areas if area in areas},
            # By their places: what a tenant is called stands in no style.
            "tenant": {f"t{place}": each.title for place, each in enumerate(self.by_tenant.shown)},
        }
        return {group: values for group, values in groups.items() if len(values) > 1}

    @cached_property
    def _lost(self) -> LostThings:
        return LostThings(self.evidence.record)

    @property
    def profile_problems(self) -> tuple[str, ...]:
        """What of the profile does not fit the database; one lost thing is told once."""
        return self._lost.problems

    @cached_property
    def stopped_stages(self) -> tuple[StageOutcome, ...]:
        """The stages that went wrong of themselves: one that only stood on another quotes the cause of that one."""
        stopped: list[StageOutcome] = []
        for stage in self.evidence.record.stages:
            follows = any(first.cause and first.cause in stage.cause for first in stopped)
            if stage.state != "ok" and not follows:
                stopped.append(stage)
        return tuple(stopped)

    @property
    def run_stages(self) -> tuple[StageOutcome, ...]:
        """The stages that were reached, in their order."""
        stages = self.evidence.record.stages
        return tuple(stage for stage in stages if stage.state == "ok" or stage in self.stopped_stages)

    @property
    def folder(self) -> str:
        """The run's folder as the drill was told it, quoted for a shell."""
        command = self.evidence.command
        folder = _REPORTS if self.evidence.origin.lock_sha256 else _INSTALLED_REPORTS
        for place, word in enumerate(command):
            if word == "--out" and place + 1 < len(command):
                folder = command[place + 1]
            elif word.startswith("--out="):
                folder = word.removeprefix("--out=")
        return shlex.quote(f"{folder.rstrip('/')}/{self.evidence.run_id}")

    @property
    def title(self) -> str:
        return "Release gate" if self.evidence.kind == "gate" else "Restore drill"

    @property
    def answer(self) -> str:
        """The verdict; of a gate, whether the release may be deployed."""
        if self.evidence.kind == "drill":
            return self.evidence.verdict
        return {"VERIFIED": "GO", "FAILED": "NO-GO", "INCONCLUSIVE": "NO-GO, could not tell"}[self.evidence.verdict]

    @property
    def name(self) -> str:
        """What a document of it is called: `NO-GO: release gate 20261122-031509-7f3a`."""
        return f"{self.answer}: {self.title.lower()} {self.evidence.run_id}"

    @property
    def never_reached(self) -> tuple[str, ...]:
        reached = {stage.name for stage in self.run_stages}
        return tuple(stage.name for stage in self.evidence.expected_stages if stage.name not in reached)

    @cached_property
    def costs(self) -> tuple[Cost, ...]:
        """What the migrations of a release cost; none where no gate was asked for."""
        return costs.costs(self.evidence.record)

    @property
    def costs_server(self) -> str:
        return costs.server(self.evidence.record)

    @property
    def load(self) -> str:
        return costs.load(self.evidence.record)

    @cached_property
    def repairs(self) -> RepairList:
        """What is to be mended after a recovery from this set."""
        return repair_list(self.evidence.results)

    @cached_property
    def shelf_shown(self) -> ShelfShown:
        """Which sets of the shelf were ever VERIFIED."""
        return ShelfShown(self.evidence)

    @property
    def drilled_before(self) -> str:
        """When this very dump was drilled before, the last time first, with the verdicts; empty when it never was."""
        past = self.evidence.record.drilled_before[::-1]
        return words.few([f"{words.moment(each.finished_at)} {each.verdict}" for each in past], 3)

    @property
    def since(self) -> SinceLast:
        return SinceLast(self.evidence)

    @property
    def running_out(self) -> tuple[str, ...]:
        """Each waiver that ends within 14 days, the first to end first: what it accepts, when it ends, who fixes it."""
        today = self.evidence.record.day
        return tuple(
            f"{result.control} on {result.subject} is accepted {words.days_left(result.waiver.days_left(today))}, until "
            f"{result.waiver.until}; {result.waiver.owner} fixes it ({result.waiver.ticket})"
            for result in self.evidence.running_out
            if result.waiver is not None
        )

    @property
    def not_seen_gone(self) -> tuple[TornDown, ...]:
        return tuple(thing for thing in self.evidence.teardown if not thing.gone)

    @property
    def not_met(self) -> tuple[Measure, ...]:
        """Targets that were missed, or that nobody can tell of though this drill was to."""
        measures = self.evidence.measures
        return tuple(each for each in measures if words.met(each) != "met" and not each.unmeasured)

    @cached_property
    def counts(self) -> dict[Outcome, int]:
        counts = Counter(result.outcome for result in self.evidence.results)
        return {outcome: counts[outcome] for outcome in words.OUTCOMES}

    @property
    def on_nothing(self) -> int:
        """Passes that looked at nothing."""
        return sum(result.outcome == "passed" and result.examined == 0 for result in self.evidence.results)

    @property
    def on_some_tenants(self) -> str:
        """How many passes are of some tenants' rows alone, as `12 passes on 10 of 600 tenants`; empty: none."""
        some = self.evidence.on_some_tenants
        passes = sum(result.outcome == "passed" for result in some)
        if not passes or some[0].on_tenants is None:
            return ""
        return f"{words.many(passes, 'pass', 'passes')} {some[0].on_tenants.in_words} alone"

    @property
    def clear(self) -> bool:
        """Nothing at all for a person to do."""
        trouble = (
            *(self.stopped_stages, self.not_seen_gone, self.not_met, self.evidence.record.profile_problems),
            self.not_rehearsed,
        )
        return not (self.counts["failed"] or self.counts["blocked"] or self.blind or any(trouble)) and self.whole

    @property
    def blind(self) -> tuple[Proof, ...]:
        """The checks that did not see the fault that was planted for them."""
        return self.evidence.proving.blind if self.evidence.proving is not None else ()

    @property
    def not_rehearsed(self) -> RecoveryRehearsal | None:
        """The rehearsal of the recovery that did not end well; None where none was asked for, or all is well."""
        rehearsal = self.evidence.rehearsal
        return rehearsal if rehearsal is not None and rehearsal.state != "ok" else None

    @property
    def whole(self) -> bool:
        planned = self.evidence.completeness
        return planned.whole and planned.planned == planned.collected == planned.reported

    @property
    def seconds(self) -> float:
        return (self.evidence.finished_at - self.evidence.started_at).total_seconds()

    @property
    def stages_seconds(self) -> float:
        return sum(stage.seconds for stage in self.run_stages)

    @property
    def stage_bars(self) -> tuple[tuple[StageOutcome, Bar], ...]:
        stages = self.run_stages
        return tuple(zip(stages, one_after_another([stage.seconds for stage in stages]), strict=True))

    @property
    def migration_bars(self) -> tuple[tuple[AppliedMigration, Bar], ...]:
        migrated = self.evidence.record.migrated
        applied = migrated.applied if migrated else ()
        return tuple(zip(applied, one_after_another([migration.seconds for migration in applied]), strict=True))
