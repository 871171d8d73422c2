"""Probes that were broken on purpose and pass all the same are called blind: how many of how many is the mutation score."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import pytest
from psycopg import sql

from fixtures.checks.access import Access
from fixtures.checks.drilled import Drilled
from fixtures.checks.probe import Probe
from fixtures.checks.trying import Trying
from fixtures.proof.rotation import Sample
from fixtures.record.evidence import Evidence
from tests.support import short_drills
from tests.support.short_drills import Standing

Check = tuple[str, str]
_FIRST_OF_A_DUMP = 16384
"""The oid that `read_as` compares a type's with: either way the value is the same."""
_TURNED = {" IS DISTINCT FROM ": " IS NOT DISTINCT FROM ", " <> ": " = ", " > ": " <= ", " < ": " >= ", " >= ": " < "}


def returns_nothing(query: str) -> str:
    """WHERE false."""
    return f"SELECT * FROM ({query}) nothing WHERE false"


def comparison_turned(query: str) -> str:
    """The first comparison of the last condition, the other way round; not the one that only chooses how a value is read."""
    before, where, condition = query.rpartition("WHERE ")
    for comparison, turned in _TURNED.items():
        other, changed = re.subn(f"{comparison}(?!{_FIRST_OF_A_DUMP})", turned, condition, count=1)
        if changed:
            return before + where + other
    return query


def join_dropped(query: str) -> str:
    """What an outer join keeps for the sake of what is missing is dropped: it joins only what is there."""
    return query.replace("LEFT JOIN", "JOIN")


def null_swallowed(query: str) -> str:
    """A missing value is taken for an empty one."""
    return re.sub(r'((?:"?\w+"?\.)?"?\w+"?) IS NULL', r"coalesce(\1::text, '') IS NULL", query)


class Score(NamedTuple):
    """Of the mutants that raise no false alarm by themselves: how many the proof calls blind, and which it does not."""

    blind: int
    proven: tuple[Check, ...]


def mutated(mutant: Callable[[str], str], changed: set[str]) -> Callable[[Trying, Probe], Any]:
    tried = Trying.of

    def of_mutant(trying: Trying, probe: Probe) -> Any:
        query = probe.broken.as_string(trying.session)
        other = mutant(query)
        if other == query:
            return tried(trying, probe)
        changed.add(query)
        broken = sql.Composed([sql.SQL(other)])  # type: ignore[arg-type]  # the test's own text
        # Asked by itself: in a pass over the table its part would count, and the mutant choose rows alone.
        return tried(trying, replace(probe, broken=broken, share=None))

    return of_mutant


def proofs_of(evidence: Evidence) -> dict[Check, str]:
    assert evidence.proving is not None
    return {(each.control, each.subject): each.outcome for each in evidence.proving.proofs}


def of_rows(healthy: Evidence) -> dict[Check, str]:
    """What each check asked that is proven by a query when nothing is mutated: no other can be a mutant's."""
    asked = {(each.control, each.subject): each.query_sha256 for each in healthy.results if each.query_sha256}
    return {
        check: asked[check] for check, outcome in proofs_of(healthy).items() if outcome == "proven" and check in asked
    }


def score(asked: dict[Check, str], mutated: Evidence) -> Score:
    """Of those that pass though they are asked another query now."""
    results = {(each.control, each.subject): each for each in mutated.results}
    silent = sorted(
        check
        for check, before in asked.items()
        if results[check].outcome == "passed" and results[check].query_sha256 != before
    )
    now = proofs_of(mutated)
    return Score(
        sum(now[check] == "blind" for check in silent), tuple(check for check in silent if now[check] == "proven")
    )


@pytest.mark.further
def test_mutants_of_each_kind_of_probe_are_called_blind(standing: Standing, whole_set: Path, tmp_path: Path) -> None:
    """The controls are tried once as they are, and once under each mutant, on the databases of one drill."""
    try_controls: Callable[..., Any] = short_drills.try_controls
    scores: dict[str, Score] = {}

    def under_each(drilled: Drilled, access: Access, *more: Any, **how: Any) -> Any:
        healthy = try_controls(drilled, access, *more, **how)
        asked = of_rows(healthy[0])
        for mutant in (returns_nothing, comparison_turned, join_dropped, null_swallowed):
            changed: set[str] = set()
            with patch.object(Trying, "of", mutated(mutant, changed)):
                evidence, *_ = try_controls(drilled, access, proving=Sample(frozenset(asked)))
            assert changed
            scores[mutant.__name__] = score(asked, evidence)
            print(f"{mutant.__name__}: {scores[mutant.__name__]}")
        return healthy

    with patch.object(short_drills, "try_controls", under_each):
        standing.drill(whole_set.parent, tmp_path, proving=True)
    assert scores["returns_nothing"].proven == ()
    assert all(each.blind for each in scores.values()), scores
    silent = sum(each.blind + len(each.proven) for each in scores.values())
    assert sum(each.blind for each in scores.values()) / silent > 0.7, scores
