"""No figure of a report contradicts another that stands near it."""

import html
import io
import re
from pathlib import Path

from rich.console import Console

from fixtures.record.counts import units
from fixtures.record.evidence import Completeness, Evidence
from fixtures.record.judging import judge
from reports import summary, terminal
from reports.audit import page as audit
from reports.plugin import last_line
from reports.release import Release
from reports.story import Story
from tests.support import evidence_examples as examples
from tests.support.whole_documents import page_of

ONE = Completeness(planned=1, collected=1, reported=1, not_collected=(), not_reported=(), unplanned=())
COMPLETE = Completeness(planned=2, collected=2, reported=2, not_collected=(), not_reported=(), unplanned=())


def test_a_migration_that_does_not_come_back_is_not_called_reversible() -> None:
    gate = examples.gate()
    assert "<td>no</td><td>yes</td><td>yes</td></tr>" in page_of(Story(gate))
    broken = examples.result("REL-13", "whole", "failed", unit="migrations")
    written = page_of(Story(gate.model_copy(update={"results": (*gate.results, broken)})))
    assert '<td>by its operations; tried, it does not come back: <span class="whole">REL-13</span></td>' in written


def test_migrations_are_timed_by_themselves_and_not_by_their_stage() -> None:
    evidence = examples.verified()
    assert evidence.record.migrated is not None
    applied = sum(each.seconds for each in evidence.record.migrated.applied)
    good, outcome = Release(Story(evidence)).migration
    assert good
    assert f"migrations applied in {applied:.1f} s; the stage took " in outcome


def examples_of_all() -> tuple[Evidence, ...]:
    return examples.failed(), examples.inconclusive(), examples.verified(), examples.gate()


def printed(evidence: Evidence) -> str:
    text = io.StringIO()
    terminal.show(evidence, Path("out"), Console(file=text, width=200, legacy_windows=False))
    return text.getvalue()


def plain(document: str) -> str:
    """The words of a page, the cells of its tables apart."""
    return " ".join(html.unescape(re.sub(r"<style>.*?</style>|<[^>]+>", " | ", document, flags=re.DOTALL)).split())


def test_passes_on_nothing_are_part_of_the_verdicts_line() -> None:
    nothing = examples.result("TEN-02", "public.empty", examined=0)
    _, headline = judge((examples.result("BAK-01"), nothing), COMPLETE, ())
    assert headline == "all 2 checks passed, 1 of them with nothing to examine"
    assert judge((examples.result("BAK-01"),), COMPLETE, ())[1] == "the one check passed"


def test_no_document_says_that_all_passed_and_further_down_that_some_had_nothing_to_examine() -> None:
    """Beside the number of those that passed stands how many of them looked at nothing."""
    evidence = examples.verified()
    story = Story(evidence)
    assert story.on_nothing == 1
    bare = re.compile(r"\ball [\d,]+ checks passed(?!, 1 of them with nothing to examine)")
    for document in (printed(evidence), page_of(story), audit.write_up(story), summary.write_up(story)):
        text = plain(document)
        assert "checks passed, 1 of them with nothing to examine" in text
        assert not bare.search(text)


def test_pytests_last_line_counts_as_the_report_above_it_does() -> None:
    """pytest itself would call a check failed that was blocked, and passed that was waived or exempt."""
    for evidence in examples_of_all():
        parts, _ = last_line(evidence)
        (counted,) = re.findall(r"^ checks +(.*)$", printed(evidence), re.MULTILINE)
        assert counted.startswith(", ".join(part for part, _ in parts))
        assert len({result.outcome for result in evidence.results}) == len(parts)


ONE_AS_MANY = re.compile(r"(?<![\w.,:/-])1 (?:more |other )?(?!ms\b)([a-z]+[^siu\W]s)\b")


def test_one_thing_is_never_told_as_many() -> None:
    """The figures of tables stand apart from the words beside them."""
    single = examples.evidence([examples.result("BAK-01")], completeness=ONE)
    for evidence in (single, *examples_of_all()):
        story = Story(evidence)
        for document in (page_of(story), audit.write_up(story), summary.write_up(story)):
            text = plain(document)
            assert [text[max(0, one.start() - 40) : one.end() + 20] for one in ONE_AS_MANY.finditer(text)] == []
    assert "The last night" in page_of(Story(single))
    assert units(1, "pages to look at") == "1 page to look at"


def test_no_label_is_said_twice() -> None:
    """As `complete complete:` was, the row's name and then the sentence's."""
    for evidence in examples_of_all():
        for text in (printed(evidence), summary.write_up(Story(evidence))):
            assert re.findall(r"\b([a-z]{3,}):? +\1\b:?", text) == []


def test_a_red_page_does_not_begin_with_a_stage_that_did_not_fail() -> None:
    """No document names a first failing stage, `none` included, where every stage ended well."""
    named = re.compile("first failing stage", re.IGNORECASE)
    for evidence in examples_of_all():
        story = Story(evidence)
        stopped = [stage for stage in evidence.record.stages if stage.state != "ok"]
        assert bool(named.search(page_of(story))) == bool(stopped and evidence.kind == "drill")
        if not stopped:
            for text in (printed(evidence), audit.write_up(story), summary.write_up(story)):
                assert not named.search(text)


def test_the_summary_has_no_empty_table_head_and_its_figures_come_after_the_faults() -> None:
    text = summary.write_up(Story(examples.failed()))
    assert "| | |" not in text
    assert text.index("### Failed") < text.index("<details><summary>Figures of this drill") < text.index("| Checks |")
