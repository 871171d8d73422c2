"""What the screens tell beside one drill: rows of nights, usual times, blockers, waivers that end, the line to run again."""

from datetime import timedelta
from itertools import pairwise

import pytest

from fixtures.record.evidence import Evidence, Waived
from fixtures.record.past import EarlierDrill, Past
from fixtures.record.set_record import Drawn
from reports.courses import courses
from reports.night import NightlyNews
from reports.plots import HEIGHT, line
from reports.release import Release
from reports.story import Story
from reports.trend import Night, Trend
from tests.support import evidence_examples as examples
from tests.support import record_examples
from tests.support.past_examples import with_past
from tests.support.whole_documents import page_of

VERDICTS = {"V": "VERIFIED", "F": "FAILED", "I": "INCONCLUSIVE"}


def after(evidence: Evidence, nights: str) -> Evidence:
    """The drill after these nights: V, F, I, or - for one that was missed."""
    at = {place: evidence.finished_at - timedelta(days=len(nights) - place) for place in range(len(nights))}
    drills = tuple(
        EarlierDrill(
            run_id=f"night-{place}",
            finished_at=at[place],
            verdict=VERDICTS[night],
            evidence_sha256="e" * 64,
            report="gone",
            figures=None,
        )
        for place, night in enumerate(nights)
        if night != "-"
    )
    missed = tuple(at[place] for place, night in enumerate(nights) if night == "-")
    past = Past(drills=drills, before=0, every_hours=24, missed=missed, missed_total=len(missed))
    return evidence.model_copy(update={"past": past})


@pytest.mark.parametrize(
    ("nights", "drill", "streak"),
    [
        ("", examples.verified, "none before this one in the ledger"),
        ("VV", examples.verified, "3rd VERIFIED in a row"),
        ("VF", examples.verified, "VERIFIED again after 1 night without"),
        ("VV-", examples.verified, "VERIFIED again after 1 night without"),
        ("FVVV", examples.failed, "not VERIFIED, after 3 VERIFIED drills"),
        ("VFI", examples.failed, "not VERIFIED 3rd time in a row; last VERIFIED 2026-11-19 03:17:10 UTC"),
        ("F", examples.inconclusive, "not VERIFIED 2nd time in a row; never VERIFIED among those listed"),
    ],
)
def test_a_row_of_nights_is_gone_on_with_or_ended(nights: str, drill, streak: str) -> None:
    assert Trend(after(drill(), nights)).streak == streak


@pytest.mark.parametrize(
    ("nights", "streak", "counted"),
    [
        ("", "no nightly drill of this profile is in the ledger", "0 nights and this gate"),
        ("V", "the last night before this gate was VERIFIED", "1 night and this gate"),
        ("FVV", "the last 2 nights before this gate were VERIFIED", "3 nights and this gate"),
        ("V-", "the last night before this gate was not VERIFIED; last VERIFIED", "2 nights and this gate"),
    ],
)
def test_a_gate_is_no_night(nights: str, streak: str, counted: str) -> None:
    story = Story(after(examples.gate(), nights))
    trend = Trend(story.evidence)
    assert trend.streak.startswith(streak)
    assert (len(trend.strip), trend.counted) == (len(nights), counted)
    assert "this drill" not in [night.report for night in trend.strip]
    assert trend.streak[1:] in page_of(story)


def test_nights_are_ninety_at_most_in_order_and_this_drill_is_the_last() -> None:
    trend = Trend(with_past(examples.failed()))
    assert len(trend.nights) == 90
    assert all(earlier.at <= other.at for earlier, other in pairwise(trend.nights))
    assert [night.in_words for night in trend.strip].count("missed") == 1
    assert (trend.nights[-1].report, trend.nights[-1].tone) == ("this drill", "failed")


def test_stages_stand_beside_the_median_of_those_that_ended_well() -> None:
    paces = {pace.name: pace for pace in Trend(with_past(examples.inconclusive())).paces}
    assert paces["restore"].state == "failed"
    assert paces["restore"].usual is not None
    assert 40 < paces["restore"].usual < record_examples.SECONDS["restore"]
    assert (paces["migrate"].state, paces["migrate"].seconds, paces["migrate"].against) == (None, None, "")
    alone = {pace.name: pace for pace in Trend(examples.verified()).paces}
    assert (alone["restore"].usual, alone["restore"].against) == (None, "")


def test_a_line_has_gaps_where_nothing_is_known_and_its_target_is_on_it() -> None:
    evidence = with_past(examples.verified())
    rpo, *_ = courses(Trend(evidence))
    assert (len(rpo.line.dots), len(rpo.line.missed), rpo.line.path.count("M")) == (86, 3, 4)
    assert [tick.label for tick in rpo.line.ticks] == ["30 h", "15 h", "0"]
    assert all(0 <= dot.y <= HEIGHT for dot in rpo.line.dots)
    assert rpo.standing == "1 h 15 min now; target 24 h"
    nothing = line([Night(evidence.finished_at, None)], lambda figures: figures.rows, str)
    assert (nothing.shown, nothing.path, len(nothing.missed)) == (0, "", 1)


def test_what_stands_in_the_way_of_a_release_is_told_once_and_the_gravest_first() -> None:
    assert Release(Story(examples.verified())).blockers == ()
    failed = Release(Story(examples.failed()))
    assert [(each.name, each.outcome) for each in failed.blockers] == [
        ("BIL-02", "failed"),
        ("TEN-02", "failed"),
        ("1 check", "blocked"),
    ]
    stopped = Release(Story(examples.inconclusive()))
    assert [each.name for each in stopped.blockers] == ["Stage restore"], "what a stage stopped is no second blocker"
    assert stopped.sentence.startswith("NO-GO, could not tell: ")
    assert stopped.migration[0] is None
    assert failed.migration == (True, "3 migrations applied in 20.3 s; the stage took 22.6 s")
    nowhere = examples.evidence([], headline="no check was made")
    assert [each.name for each in Release(Story(nowhere)).blockers] == ["Verdict"], "NO-GO always says why"


def test_a_drill_that_was_no_gate_says_so_where_it_says_go() -> None:
    assert Release(Story(examples.verified())).sentence.startswith("GO, as far as a nightly drill tells: ")
    assert Release(Story(examples.gate())).sentence == "GO: all checks passed"


@pytest.mark.parametrize(("days", "soon"), [(0, True), (14, True), (15, False)])
def test_waivers_that_run_out_within_a_fortnight_are_told_apart(days: int, soon: bool) -> None:
    until = (record_examples.STARTED + timedelta(days=days)).date().isoformat()
    waiver = Waived(owner="a", ticket="b", reason="c", approved_by="d", until=until)
    release = Release(
        Story(examples.evidence([*examples.passes(), examples.result("APP-04", "x", "waived", waiver=waiver)]))
    )
    assert [each.days for each in release.waivers] == [days]
    assert bool(release.running_out) is soon


def test_the_line_to_run_again_names_the_very_set() -> None:
    evidence = examples.verified()
    record = evidence.record
    assert record.backup_set is not None
    shelved = record.model_copy(update={"backup_set": record.backup_set.model_copy(update={"shelf": ()})})

    def command(*words: str) -> str:
        return NightlyNews(
            Story(evidence.model_copy(update={"record": shelved, "command": ("pytest", *words)}))
        ).command

    run = ".venv/bin/python -m pytest verify"
    assert command("verify", "--app", "a b") == f"{run} --app 'a b' --set {record_examples.STEM}"
    assert command("verify", "--before", "2026-11-01") == f"{run} --set {record_examples.STEM}"
    assert command("verify", "--before=2026-11-01", "-n2") == f"{run} -n2 --set {record_examples.STEM}"
    assert command("verify", "--set=other") == f"{run} --set=other"
    drawn = record.backup_set.model_copy(update={"shelf": (), "drawn": Drawn(seed="x", among=2)})
    shelved = record.model_copy(update={"backup_set": drawn})
    assert command("verify", "--set", "random", "--seed", "x") == f"{run} --set {record_examples.STEM}"
    assert command("verify", "--set=random") == f"{run} --set {record_examples.STEM}"
    lines = NightlyNews(Story(evidence.model_copy(update={"command": ("pytest", "verify", "--app", "a b", "-n2")})))
    assert lines.command_by_line == ".venv/bin/python -m pytest verify \\\n  --app 'a b' -n2"
    named_alone = NightlyNews(Story(evidence)).command
    assert "--set" not in named_alone, "a set that was named by its own folder is on no shelf"


def test_new_findings_come_before_known_ones() -> None:
    news = NightlyNews(Story(with_past(examples.failed())))
    assert [(each.fault.ids, each.new, each.earlier) for each in news.findings] == [
        ("BIL-02", 1, 0),
        ("TEN-02", 14, 0),
    ]
    unknown = NightlyNews(Story(examples.failed()))
    assert {(each.new, each.earlier) for each in unknown.findings} == {(None, None)}
