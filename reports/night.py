"""Words what whoever is woken by a drill must know: the first stage that failed, what is new, how to run it again."""

import shlex
from dataclasses import dataclass
from functools import cached_property

from fixtures.record.record import StageOutcome
from reports.faults import Fault
from reports.story import Story

PYTEST = (".venv/bin/python", "-m", "pytest")
"""As `make venv` installs it, in the suite's own folder."""


@dataclass(frozen=True)
class Finding:
    """A fault with the controls that found it; `new` and `earlier` count its subjects beside the last drill, None where none
    is known."""

    fault: Fault
    new: int | None
    earlier: int | None
    open_for: str = ""
    """Of those of earlier drills: for how many nights the oldest of them has been open."""


@dataclass(frozen=True)
class NightlyNews:
    """One drill beside the one before it."""

    story: Story

    @property
    def first_stopped(self) -> StageOutcome | None:
        return next(iter(self.story.stopped_stages), None)

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """Those with something new first, then by impact."""
        since = self.story.evidence.since
        findings = []
        for fault in self.story.faults:
            if since is None:
                findings.append(Finding(fault, None, None))
                continue
            names = {f"{result.control}[{result.subject}]" for result in fault.results}
            oldest = max((since.nights.get(name, 0) for name in names), default=0)
            open_for = self.story.since.open_for(oldest) if oldest else "known"
            new, earlier = len(names.intersection(since.new)), len(names.intersection(since.still))
            findings.append(Finding(fault, new, earlier, open_for))
        return tuple(sorted(findings, key=lambda each: not each.new))

    @property
    def command(self) -> str:
        """What drills this very set again; not the newest, which may be another by then."""
        return shlex.join(self._words)

    @property
    def command_by_line(self) -> str:
        """The same for the eye and for a shell alike: each option in a line of its own."""
        words = self._words
        begins = [place for place, word in enumerate(words) if place == 0 or word.startswith("--")]
        ends = [*begins[1:], len(words)]
        return " \\\n  ".join(shlex.join(words[begin:end]) for begin, end in zip(begins, ends, strict=True))

    @property
    def _words(self) -> list[str]:
        evidence = self.story.evidence
        words = list(evidence.command)
        if words[:1] == ["pytest"]:
            words[:1] = [*PYTEST]
        backup_set = evidence.record.backup_set
        if backup_set is not None and backup_set.drawn is not None:
            words = _without(_without(words, "--set"), "--seed")
        named = any(word == "--set" or word.startswith("--set=") for word in words)
        if backup_set is not None and backup_set.shelf is not None and not named:
            words = [*_without(words, "--before"), "--set", backup_set.name]
        return words


def _without(words: list[str], option: str) -> list[str]:
    """The command without an option and its value, however the two were written."""
    others = [word for word in words if not word.startswith(f"{option}=")]
    while option in others:
        place = others.index(option)
        others[place : place + 2] = []
    return others
