"""Evidence with a past: ninety nights of a shop that grows, with bad nights, missed ones, and a report that was altered."""

from datetime import timedelta

from fixtures.custody.since import compare_findings
from fixtures.record.evidence import Evidence
from fixtures.record.figures import figures
from fixtures.record.past import LOOK_BACK, EarlierDrill, Figures, Past, StageTime
from tests.support import evidence_examples as examples

MISSED = (30, 31, 6)
BAD = {60: "FAILED", 44: "INCONCLUSIVE", 12: "FAILED"}
ALTERED = 20


def with_past(evidence: Evidence, nights: int = LOOK_BACK) -> Evidence:
    """The same drill after so many nights, the last of which was VERIFIED."""
    earlier = tuple(_night(evidence, ago) for ago in range(nights, 0, -1) if ago not in MISSED)
    missed = tuple(evidence.finished_at - timedelta(days=ago) for ago in sorted(MISSED, reverse=True) if ago <= nights)
    past = Past(drills=earlier, before=210, every_hours=24, missed=missed, missed_total=len(missed))
    before = examples.verified().model_copy(update={"finished_at": evidence.finished_at - timedelta(days=1)})
    return evidence.model_copy(update={"past": past, "since": compare_findings(before, evidence.results)})


def _night(evidence: Evidence, ago: int) -> EarlierDrill:
    verdict = BAD.get(ago, "VERIFIED")
    measured = figures({"VERIFIED": examples.verified, "FAILED": examples.failed}.get(verdict, examples.inconclusive)())
    return EarlierDrill.model_validate(
        {
            "run_id": f"night-{ago:03}",
            "finished_at": evidence.finished_at - timedelta(days=ago),
            "verdict": verdict,
            "evidence_sha256": f"{ago:064x}",
            "report": "altered" if ago == ALTERED else "as entered" if ago < 80 else "gone",
            "figures": None if ago == ALTERED else _grown(measured, ago).model_dump(),
        }
    )


def _grown(measured: Figures, ago: int) -> Figures:
    """A little smaller and quicker for each night back, never twice the same."""
    share = (1 - ago / 220) * (1 + ((ago * 37) % 11 - 5) / 90)

    def scaled(value: float | None) -> float | None:
        return None if value is None else round(value * share, 3)

    def whole(value: int | None) -> int | None:
        return None if value is None else round(value * (1 - ago / 220))

    stages = tuple(
        StageTime(name=stage.name, state=stage.state, seconds=round(stage.seconds * share, 3))
        for stage in measured.stages
    )
    return measured.model_copy(
        update={
            "stages": stages,
            "rpo_hours": scaled(measured.rpo_hours),
            "rto_minutes": scaled(measured.rto_minutes),
            "dump_bytes": whole(measured.dump_bytes),
            "set_bytes": whole(measured.set_bytes),
            "rows": whole(measured.rows),
        }
    )
