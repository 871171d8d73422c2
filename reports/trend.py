"""This drill among those before it: night by night, streaks, and what each stage usually takes."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from statistics import median
from typing import Literal

from fixtures.record.evidence import Evidence, Verdict
from fixtures.record.figures import figures
from fixtures.record.past import LOOK_BACK, Figures, ReportState
from reports import words

STRIP = 14

Report = Literal[ReportState, "this drill"]


@dataclass(frozen=True)
class Night:
    """One drill, or one that was due and never came: then `verdict` is None. `figures` are None where none are known."""

    at: datetime
    verdict: Verdict | None
    run_id: str = ""
    report: Report | None = None
    figures: Figures | None = None

    @property
    def in_words(self) -> str:
        return self.verdict or "missed"

    @property
    def tone(self) -> str:
        """The outcome whose colour and sign this night has."""
        signs = {"VERIFIED": "passed", "FAILED": "failed", "INCONCLUSIVE": "blocked"}
        return signs[self.verdict] if self.verdict is not None else "missed"


@dataclass(frozen=True)
class StagePace:
    """How long a stage took in this drill (None: not reached), and usually, in seconds; `over` so many drills."""

    name: str
    state: str | None
    seconds: float | None
    usual: float | None
    over: int

    @property
    def against(self) -> str:
        """This drill's time beside the usual one, in words."""
        if self.seconds is None or not self.usual:
            return ""
        change = self.seconds / self.usual - 1
        return "as usual" if abs(change) < 0.1 else f"{'+' if change > 0 else '-'}{abs(change):.0%}"


@dataclass(frozen=True)
class Trend:
    """The nights up to this drill, the oldest first."""

    evidence: Evidence

    @cached_property
    def nights(self) -> tuple[Night, ...]:
        """At most ninety, drills and missed nights together; this drill is the last."""
        ours = self.evidence
        past = ours.past
        drills = [
            Night(each.finished_at, each.verdict, each.run_id, each.report, each.figures)
            for each in (past.drills if past is not None else ())
        ]
        missed = [Night(at, None) for at in (past.missed if past is not None else ())]
        this = Night(ours.finished_at, ours.verdict, ours.run_id, "this drill", figures(ours))
        earlier = sorted((*drills, *missed), key=lambda night: night.at)
        return (*earlier[-(LOOK_BACK - 1) :], this)

    @property
    def is_night(self) -> bool:
        """Whether this run stands for a night: a gate is held against the nights and is none."""
        return self.evidence.kind == "drill"

    @property
    def before(self) -> tuple[Night, ...]:
        return self.nights[:-1]

    @property
    def strip(self) -> tuple[Night, ...]:
        return (self.nights if self.is_night else self.before)[-STRIP:]

    @property
    def counted(self) -> str:
        """How many nights are listed, and the gate beside them."""
        return _nights(len(self.nights)) if self.is_night else f"{_nights(len(self.before))} and this gate"

    @property
    def drills(self) -> tuple[Night, ...]:
        return tuple(night for night in self.nights if night.verdict is not None)

    @property
    def missed(self) -> int:
        return self.evidence.past.missed_total if self.evidence.past is not None else 0

    @property
    def scheduled(self) -> bool:
        """Whether a night can be called missed at all."""
        return self.evidence.past is not None and self.evidence.past.every_hours is not None

    @property
    def unbelieved(self) -> tuple[Night, ...]:
        """Drills whose report is not the one that was entered any more."""
        return tuple(night for night in self.nights if night.report in ("altered", "unreadable"))

    @cached_property
    def streak(self) -> str:
        """How this drill goes on, or ends, the row of those before it; before a gate, how they stand. A missed night ends a
        row of good ones."""
        before = self.before
        good = _run_of(before, lambda night: night.verdict == "VERIFIED")
        bad = _run_of(before, lambda night: night.verdict != "VERIFIED")
        if not self.is_night:
            return _before_a_gate(before, good, bad)
        if not before:
            return "none before this one in the ledger"
        if self.evidence.verdict == "VERIFIED":
            return (
                f"{words.ordinal(good + 1)} VERIFIED in a row"
                if good
                else f"VERIFIED again after {_nights(bad)} without"
            )
        if good:
            return f"not VERIFIED, after {words.many(good, 'VERIFIED drill')}"
        return f"not VERIFIED {words.ordinal(bad + 1)} time in a row; {_last_verified(before)}"

    @cached_property
    def paces(self) -> tuple[StagePace, ...]:
        """Every stage of a drill in its order, against the median of the times it ended well.

        A stage that began from a cache ended well, and its time is held against no other."""
        this = self.nights[-1].figures
        assert this is not None
        now = {stage.name: stage.seconds for stage in this.stages}
        ok = {stage.name for stage in self.evidence.record.stages if stage.state == "ok"}
        states = {stage.name: stage.state for stage in this.stages} | dict.fromkeys(ok, "ok")
        paces = []
        for name in (stage.name for stage in self.evidence.expected_stages):
            times = [
                stage.seconds
                for night in self.before
                if night.figures is not None
                for stage in night.figures.stages
                if stage.name == name and stage.state == "ok"
            ]
            paces.append(StagePace(name, states.get(name), now.get(name), median(times) if times else None, len(times)))
        return tuple(paces)

    @property
    def longest(self) -> float:
        """The end of the axis that all stages share, in seconds."""
        return max([*(each.seconds or 0 for each in self.paces), *(each.usual or 0 for each in self.paces)], default=0)


def _before_a_gate(nights: tuple[Night, ...], good: int, bad: int) -> str:
    if not nights:
        return "no nightly drill of this profile is in the ledger"
    count, how = (good, "VERIFIED") if good else (bad, f"not VERIFIED; {_last_verified(nights)}")
    return f"the {words.last(count, 'night')} before this gate {'was' if count == 1 else 'were'} {how}"


def _last_verified(nights: tuple[Night, ...]) -> str:
    last = next((night for night in reversed(nights) if night.verdict == "VERIFIED"), None)
    return f"last VERIFIED {words.moment(last.at)}" if last is not None else "never VERIFIED among those listed"


def _nights(count: int) -> str:
    return words.many(count, "night")


def _run_of(nights: tuple[Night, ...], holds: Callable[[Night], bool]) -> int:
    """How many at the end of these hold."""
    count = 0
    for night in reversed(nights):
        if not holds(night):
            break
        count += 1
    return count
