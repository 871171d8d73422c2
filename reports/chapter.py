"""One control with its results, as every document tells it."""

from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby

from fixtures.record.evidence import ControlCard, Outcome, Result
from reports import words
from reports.frameworks import supported_by

IMPACTS = ("critical", "high", "medium", "low")
_WHOLE = ("whole", "set")


@dataclass(frozen=True)
class Chapter:
    """One control with its results, worst first. A result that no card describes still gets its chapter."""

    id: str
    title: str
    impact: str
    remediation: str
    rationale: str
    source: str
    results: tuple[Result, ...]

    @cached_property
    def counts(self) -> dict[Outcome, int]:
        """How many results of each outcome, worst first, none that is zero."""
        counts = Counter(result.outcome for result in self.results)
        return {outcome: counts[outcome] for outcome in words.OUTCOMES if counts[outcome]}

    @property
    def worst(self) -> Outcome | None:
        return next(iter(self.counts), None)

    @property
    def sentence(self) -> str:
        """What its first finding says, with what it was tried on; a check of the whole names that in its message."""
        first, more = self.results[0], len(self.results) - 1
        says = first.message or words.looked_at(first)
        said = says if first.subject in _WHOLE else f"{first.subject}: {says}"
        return f"{said} (and on {words.many(more, 'more subject')})" if more else said

    @property
    def supports(self) -> str:
        """The requirements of frameworks that it supports, in one line; empty for none."""
        return "; ".join(supported_by(self.id))

    @property
    def area(self) -> str:
        return self.id.split("-")[0]

    def batches(self, most: int) -> list[tuple[Result, ...]]:
        """The results in groups of at most so many: one outcome each, unless all of them make one group."""
        if len(self.results) <= most:
            return [self.results] if self.results else []
        alike = [tuple(same) for _, same in groupby(self.results, key=lambda result: result.outcome)]
        return [same[place : place + most] for same in alike for place in range(0, len(same), most)]

    def only(self, outcome: Outcome) -> "Chapter":
        return replace(self, results=tuple(result for result in self.results if result.outcome == outcome))


def chapter_of(id: str, card: ControlCard | None, results: list[Result]) -> Chapter:
    rank = {outcome: place for place, outcome in enumerate(words.OUTCOMES)}
    ordered = tuple(sorted(results, key=lambda result: (rank[result.outcome], -result.broken, result.subject)))
    if card is None:
        # An unknown control is read as the most severe: to leave it out, or low, would hide it.
        return Chapter(id, "(the evidence has no card for this control)", IMPACTS[0], "", "", "", ordered)
    return Chapter(id, card.title, card.impact, card.remediation, card.rationale, card.source, ordered)
