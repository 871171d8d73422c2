"""Says how the findings changed since the last drill with this profile: new, still there, gone, not tried."""

from collections.abc import Iterable
from dataclasses import dataclass

from fixtures.record.evidence import Evidence, Result
from reports import words


@dataclass(frozen=True)
class SinceLast:
    """An evidence's findings beside those of the drill before, where one is known."""

    evidence: Evidence

    def age(self, results: Iterable[Result]) -> str:
        """Whether these findings are new, or for how many nights the oldest has been open; empty where no drill before is
        known."""
        since = self.evidence.since
        if since is None:
            return ""
        names = {f"{result.control}[{result.subject}]" for result in results}
        oldest = max((since.nights.get(name, 0) for name in names), default=0)
        if not oldest:
            return "new" if names.intersection(since.new) else ""
        new = len(names.intersection(since.new))
        return self.open_for(oldest) + (f", {words.number(new)} new" if new else "")

    def open_for(self, drills: int) -> str:
        """`open for 4 nights`; a gate is no night, and one may be held against nights."""
        since = self.evidence.since
        kind = since.kind if since is not None and since.kind is not None else self.evidence.kind
        return f"open for {words.many(drills, 'gate' if kind == 'gate' else 'night')}"

    @property
    def said(self) -> str:
        """How the findings changed since the last drill with this profile; empty where none is known or none changed."""
        since = self.evidence.since
        if since is None:
            return ""
        counted = (
            (since.new, "new"),
            (since.still, "still there"),
            (since.gone, "gone"),
            (since.untried, "not tried now"),
        )
        groups = [
            f"{len(names)} {word} ({words.few(self._oldest_first(names), 3)})" for names, word in counted if names
        ]
        return f"{'; '.join(groups) or 'no finding then or now'}, since {words.moment(since.finished_at)}"

    def _oldest_first(self, names: tuple[str, ...]) -> list[str]:
        since = self.evidence.since
        nights = since.nights if since is not None else {}
        oldest_first = sorted(names, key=lambda name: -nights.get(name, 0))
        return [f"{name} {self.open_for(nights[name])}" if name in nights else name for name in oldest_first]

    @property
    def groups(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """What became of each finding since the last drill with this profile, the longest open first; none of what nothing
        became."""
        since = self.evidence.since
        if since is None:
            return ()
        groups = (
            ("New", since.new),
            ("Still there", since.still),
            ("Gone", since.gone),
            ("Could not be tried now", since.untried),
        )
        return tuple((title, tuple(self._oldest_first(names))) for title, names in groups if names)
