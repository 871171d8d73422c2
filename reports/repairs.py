"""Lists what to repair after a recovery from a set, tenant by tenant: losses first, and skew apart from them."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import get_args

from fixtures.record.evidence import Act, Result

_OVER_FILES = ("SIT", "FIL")
_CAUSES = {"loss": "lost or damaged", "skew": "made between the two snapshots"}


@dataclass(frozen=True)
class Mending:
    """One kind of work for one tenant (empty: nobody's): on which things, each once, and which controls ask for it."""

    tenant: str
    cause: str
    act: Act
    things: tuple[str, ...]
    controls: tuple[str, ...]


@dataclass(frozen=True)
class RepairList:
    """All of it in order; `unlisted` is how many more things the controls found than the evidence names, `untried` the
    controls over files that could not look: what they would have found is not known."""

    mendings: tuple[Mending, ...]
    unlisted: int
    untried: tuple[str, ...]

    @property
    def only_skew(self) -> bool:
        return all(mending.cause == _CAUSES["skew"] for mending in self.mendings)


def repair_list(results: Iterable[Result]) -> RepairList:
    """The repairs of every control that was tried, put together by tenant, cause and work."""
    things: defaultdict[tuple[str, str, Act], dict[str, None]] = defaultdict(dict)
    controls: defaultdict[tuple[str, str, Act], set[str]] = defaultdict(set)
    unlisted = 0
    untried: set[str] = set()
    for result in results:
        if result.outcome == "blocked" and result.control.startswith(_OVER_FILES):
            untried.add(result.control)
        unlisted += result.repairs_total - len(result.repairs)
        for repair in result.repairs:
            key = (repair.tenant, repair.cause, repair.act)
            things[key][repair.what] = None
            controls[key].add(result.control)
    acts = get_args(Act)
    ordered = sorted(things, key=lambda key: (key[1], not key[0], len(key[0]), key[0], acts.index(key[2])))
    return RepairList(
        tuple(
            Mending(
                tenant,
                _CAUSES[cause],
                act,
                tuple(things[tenant, cause, act]),
                tuple(sorted(controls[tenant, cause, act])),
            )
            for tenant, cause, act in ordered
        ),
        unlisted,
        tuple(sorted(untried)),
    )
