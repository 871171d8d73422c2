"""audit.pdf tells what an auditor reads, in that order, and lays it out so that it can be read."""

import html
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from fixtures.record.evidence import Evidence
from fixtures.record.proof import Proof, Proven, Proving
from reports.audit import page
from reports.story import Story
from tests.reports.test_gate import cached, gate
from tests.support import evidence_examples as examples
from tests.support import record_examples
from tests.support.audit_pdfs import failed, opened, pages, text
from tests.support.further import first_of
from tests.support.past_examples import with_past

SIX_SCRIPTS = "Ωμέγα Пример żółw 漢字 \U0001f600 \u202e\x1b[2J"


def test_it_tells_what_an_auditor_reads_in_that_order(tmp_path: Path) -> None:
    evidence = failed()
    words = text(evidence, tmp_path)
    parts = (
        *("The verdict, and how to check it", "Exceptions", "Scope and limits", "Identity of the backup"),
        *(
            "Targets and measures",
            "Method",
            "Completeness",
            "Results by invariant",
            "Control matrix",
            "Trend",
            "Review",
        ),
        *("File hashes", "Queries", "Words"),
    )
    places = [words.index(f"{number}. {part}") for number, part in enumerate(parts, 1)]
    assert places == sorted(places)
    assert words.startswith(f"Restore drill of {record_examples.STEM} FAILED {evidence.headline}")
    for line in ("18 of 1,200 rows broken", "3 of 42 accounts broken", "no sites table", *evidence.not_shown):
        assert line in words
    assert f"1 of {len(opened(evidence).pages)}" in words
    squeezed = words.replace(" ", "")
    assert "/usr/lib/postgresql/17/bin,17.10,oftheDebianpackagepostgresql-client-1717.10-1,madebyDebian" in squeezed
    backup_set = evidence.record.backup_set
    assert backup_set is not None
    assert all(file.sha256 in squeezed for file in backup_set.artefacts)


@pytest.mark.parametrize("drill", first_of([failed, examples.inconclusive]))
def test_no_page_ends_with_a_heading_or_with_the_first_row_of_a_table(
    drill: Callable[[], Evidence], tmp_path: Path
) -> None:
    evidence = drill()
    headings = re.findall(r"<h[234]>([^<]*)</h[234]>", page.write_up(Story(evidence)))
    assert len(headings) > 14
    lines_of = pages(evidence, tmp_path)
    last = [lines[-1] for lines in lines_of]
    assert len(last) > 3
    alone = [line for line in last if any(html.unescape(heading).endswith(line) for heading in headings)]
    assert (alone, [line for line in last if line.startswith(("Beside the last drill", "Each stage stands"))]) == (
        [],
        [],
    )
    matrix = [lines for lines in lines_of if "Control What must hold Impact Outcome Examined" in lines]
    rows = [sum(bool(re.match(r"[A-Z]{3}-\d\d [A-Z]", line)) for line in lines) for lines in matrix]
    assert rows
    assert min(rows) > 1


@pytest.mark.further
def test_a_pass_on_nothing_and_what_was_not_tried_say_so(tmp_path: Path) -> None:
    asked = examples.result("TEN-16", "visits", examined=1, out_of=666, unit="addresses")
    nothing = examples.evidence([examples.result("TEN-02", "empty", examined=0), asked])
    outcomes: tuple[Proven, ...] = ("proven", "unproven", "unproven", "in tests")
    proofs = tuple(
        Proof(control="TEN-02", subject=f"part {number}", outcome=outcome, says=f"reason {number}")
        for number, outcome in enumerate(outcomes)
    )
    words = text(nothing.model_copy(update={"proving": Proving(seed="0", proofs=proofs)}), tmp_path)
    assert "1 passed (1 on nothing) 0 rows" in words
    assert "1 passed 1 of 666 addresses" in words
    assert "Area Proven Blind Unproven In tests Why unproven TEN 1 0 2 1 1: reason 1; 1: reason 2" in words
    words = text(examples.inconclusive(), tmp_path)
    assert 'restore failed: extension "postgis" is not on this server' in words
    assert words.count("never reached") >= 4


@pytest.mark.further
def test_the_drills_before_and_the_nights_that_were_missed_are_told(tmp_path: Path) -> None:
    evidence = with_past(examples.verified())
    past = evidence.past
    assert past is not None
    words = text(evidence, tmp_path)
    trend = words[words.index("10. Trend") : words.index("11. Review")]
    assert f"A drill is due every 24 h; {past.missed_total} were missed, the last due at" in trend
    assert len(re.findall(r"(VERIFIED|FAILED|INCONCLUSIVE) (as entered|altered)", trend)) == page.NIGHTS
    assert f"{past.before + len(past.drills) - page.NIGHTS} more before those" in trend


@pytest.mark.further
def test_a_gate_answers_and_a_cached_start_says_that_nothing_was_restored(tmp_path: Path) -> None:
    words = text(gate(examples.inconclusive()), tmp_path)
    assert words.startswith(f"Release gate of {record_examples.STEM} NO-GO, could not tell ")
    assert "This was a gate: the release was tried besides." in words
    assert "NO-GO, could not tell is what follows from" in words
    assert "GO means that every planned check was made" in words
    assert "INCONCLUSIVE: restore drill" not in words
    words = text(cached(examples.verified()), tmp_path)
    assert "The database was not restored in this drill" in words
    assert "loaded by drill 20261122-010400-aaaa" in words


def test_what_no_font_may_have_is_written_out(tmp_path: Path) -> None:
    odd = examples.result("TEN-02", "subject", "failed", message=SIX_SCRIPTS, samples=())
    words = text(examples.evidence([odd]), tmp_path)
    assert r"Пример żółw \u6f22\u5b57 \U0001f600 \u202e\x1b[2J" in words


def test_markup_in_a_name_is_text(tmp_path: Path) -> None:
    hostile = '"><img src=file:///etc/passwd><script>'
    evidence = examples.evidence([examples.result("TEN-02", hostile, "failed", message=hostile)], headline=hostile)
    assert text(evidence, tmp_path).count('"><img src=file:///etc/passwd><script>') >= 3


@pytest.mark.further
def test_ten_thousand_subjects_stay_readable() -> None:
    evidence = examples.large(subjects=1_000)
    assert len(evidence.results) > 10_000
    with opened(evidence) as document:
        assert len(document.pages) < 40
