"""Words how much of the shelf was ever shown to be restorable, and whether an older set is due to be drilled."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from fixtures.record.evidence import Evidence
from fixtures.record.set_record import BackupSet, ShelvedSet
from reports import words


@dataclass(frozen=True)
class ShelfShown:
    """The sets beside the drilled one by what the ledger, and this drill, have of them."""

    evidence: Evidence

    @property
    def _set(self) -> BackupSet | None:
        return self.evidence.record.backup_set

    @property
    def older(self) -> bool:
        """Whether this drill is of an older set than the newest."""
        return self._set is not None and self._set.newer > 0

    @cached_property
    def sets(self) -> tuple[ShelvedSet, ...]:
        """Those with a dump that tell their time, the oldest first."""
        shelf = self._set.shelf if self._set is not None else None
        return tuple(sorted((each for each in shelf or () if each.taken_at and each.dump), key=_taken_at))

    @cached_property
    def verified(self) -> tuple[ShelvedSet, ...]:
        """Those that a drill VERIFIED, this one included, the oldest first."""
        now = self._set.name if self._set is not None and self.evidence.verdict == "VERIFIED" else None
        return tuple(each for each in self.sets if each.verified_at is not None or each.name == now)

    @property
    def due_at(self) -> datetime | None:
        """By when the schedule asks for a drill of an older set; None: for none, or it is this one."""
        return None if self.older and self.evidence.verdict != "INCONCLUSIVE" else self.evidence.record.older_due_at

    @property
    def overdue(self) -> bool:
        return self.due_at is not None and self.due_at < self.evidence.finished_at

    @property
    def line(self) -> str:
        """One sentence or two; empty where the set was named by itself, so that no other was seen."""
        if not self.sets:
            return ""
        said = (
            f"{words.number(len(self.verified))} of {words.many(len(self.sets), 'set')} "
            f"{'was' if 1 in (len(self.verified), len(self.sets)) else 'were'} VERIFIED by a drill"
        )
        if self.verified:
            said += f", the oldest of {_taken_at(self.verified[0]):%Y-%m-%d}"
        if self.older and self._set is not None:
            drawn = self._set.drawn
            said += f"; this drill is of an older set, {words.number(self._set.newer)} are newer" + (
                f" (drawn from {words.number(drawn.among)} with the seed {drawn.seed})" if drawn is not None else ""
            )
        if self.due_at is not None:
            said += f"; an older set is due by {self.due_at:%Y-%m-%d}" + (": overdue" if self.overdue else "")
        return said


def _taken_at(shelved: ShelvedSet) -> datetime:
    assert shelved.taken_at is not None
    return shelved.taken_at
