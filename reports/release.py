"""May this be released: GO or NO-GO in a sentence, what stands in the way, and which waivers run out."""

from dataclasses import dataclass
from functools import cached_property

from fixtures.record import stages
from fixtures.record.evidence import NOTICE, Result, Waived
from fixtures.record.judging import go_or_not
from reports import words
from reports.story import Story

_COMES_BACK = "REL-13"


@dataclass(frozen=True)
class Blocker:
    """One thing that stands in the way; `place` is where the page tells all of it."""

    name: str
    message: str
    outcome: str
    place: str


@dataclass(frozen=True)
class Ending:
    """A waiver in use and the days that it still holds, counted from the end of the drill."""

    result: Result
    waiver: Waived
    days: int

    @property
    def soon(self) -> bool:
        return self.days <= NOTICE.days


@dataclass(frozen=True)
class Release:
    """The question of a release, answered from one drill."""

    story: Story

    @property
    def go(self) -> bool:
        return self.story.evidence.verdict == "VERIFIED"

    @property
    def word(self) -> str:
        return "GO" if self.go else "NO-GO"

    @property
    def sentence(self) -> str:
        """The answer in a sentence. A drill that was no gate says what it did not try of the release."""
        evidence = self.story.evidence
        if evidence.kind == "gate" or not self.go:
            return evidence.headline if evidence.kind == "gate" else go_or_not(evidence.verdict, evidence.headline)
        migrated = evidence.record.migrated
        count = len(migrated.applied) if migrated is not None else 0
        applied = f"{words.many(count, 'migration')} of this checkout went through on it" if count else ""
        return (
            "GO, as far as a nightly drill tells: the newest backup restores, "
            f"{applied or 'this checkout has no migration to apply to it'}, and {evidence.headline}"
        )

    @property
    def reason(self) -> str:
        """The sentence below the word, which it does not repeat."""
        rest = self.sentence.removeprefix(self.word).lstrip(",: ")
        return rest[:1].upper() + rest[1:]

    @property
    def migration(self) -> tuple[bool | None, str]:
        """Whether this checkout's migrations went through on the restored data (None: not known), and how."""
        record = self.story.evidence.record
        stage, migrated = record.stage(stages.MIGRATE), record.migrated
        if stage is None or stage.state == "blocked":
            return None, f"not known: {record.why_missing(stages.MIGRATE)}"
        if stage.state == "failed" or migrated is None:
            return False, record.why_missing(stages.MIGRATE)
        if migrated.pending:
            return False, f"{words.many(len(migrated.pending), 'migration')} still not applied"
        took = f"the stage took {words.duration(stage.seconds)}"
        if not migrated.applied:
            return True, f"none was due; {took}"
        seconds = words.duration(sum(each.seconds for each in migrated.applied))
        return True, f"{words.many(len(migrated.applied), 'migration')} applied in {seconds}; {took}"

    @property
    def came_back(self) -> bool:
        """Whether nothing was found wrong when the release was reversed and applied again."""
        results = self.story.evidence.results
        return not any(result.control == _COMES_BACK and result.outcome in ("failed", "waived") for result in results)

    @cached_property
    def blockers(self) -> tuple[Blocker, ...]:
        """Everything that keeps the verdict from being VERIFIED, the most severe first."""
        story = self.story
        blockers = [
            Blocker(f"Stage {stage.name}", stage.cause, stage.state, "stages") for stage in story.stopped_stages
        ]
        blockers += [Blocker(fault.ids, fault.title, "failed", f"finding-{fault.first.id}") for fault in story.faults]
        blockers += [
            Blocker("Teardown", f"{thing.what}: {thing.how}", "failed", "teardown") for thing in story.not_seen_gone
        ]
        blockers += [Blocker("Profile", problem, "blocked", "exceptions") for problem in story.profile_problems]
        stages_said = {f"{stage.name} {stage.state}: {stage.cause}" for stage in story.stopped_stages}
        blockers += [
            Blocker(words.many(cause.checks, "check"), f"could not be tried: {cause.message}", "blocked", "exceptions")
            for cause in story.causes
            if cause.message not in stages_said
        ]
        if not story.whole:
            blockers.append(Blocker("Completeness", "not every planned check was reported", "blocked", "completeness"))
        if not self.go and not blockers:
            blockers.append(Blocker("Verdict", story.evidence.headline, "blocked", "verdict"))
        return tuple(blockers)

    @cached_property
    def waivers(self) -> tuple[Ending, ...]:
        """Every waiver in use, the first to run out first."""
        today = self.story.evidence.record.day
        endings = [
            Ending(result, result.waiver, result.waiver.days_left(today))
            for result in self.story.evidence.results
            if result.outcome == "waived" and result.waiver is not None
        ]
        return tuple(sorted(endings, key=lambda each: (each.days, each.result.control, each.result.subject)))

    @property
    def running_out(self) -> tuple[Ending, ...]:
        return tuple(each for each in self.waivers if each.soon)
