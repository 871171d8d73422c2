"""Markdown documents: no name, message or key becomes anything but itself, and the summary fits a comment."""

import re

import pytest
from markdown_it import MarkdownIt

from fixtures.record.evidence import Evidence
from reports import markdown, runbook, summary
from reports.story import Story
from tests.support import evidence_examples as examples
from tests.support import record_examples

HOSTILE = (
    "a|b",
    "<script>alert(1)</script>",
    "`code`",
    "``` fence",
    "[link](//evil.example)",
    "![img](x)",
    "**bold** _under_ ~~struck~~",
    "line\n\n# heading\n- item",
    "&lt;b&gt;",
    "\\",
    "1. first",
    "- minus",
    "> quoted",
    "$x$",
    "\x1b[31mred\u202e",
)


def html(text: str) -> str:
    return MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(text)


def hostile(text: str) -> Evidence:
    failed = examples.result("TEN-02", text, "failed", message=text, samples=(text,))
    blocked = examples.result("BIL-02", text, "blocked", message=text)
    waiver = examples.Waived(owner=text, ticket=text, reason=text, approved_by=text, until="2027-01-31")
    waived = examples.result("APP-04", text, "waived", message=text, waiver=waiver)
    record = record_examples.record(
        backup_set=record_examples.backup_set().model_copy(update={"name": text}),
        stages=record_examples.stages("restore", text, text),
        profile_problems=(text,),
    )
    return examples.evidence([failed, blocked, waived], record=record, not_shown=(text,), headline=text, run_id=text)


@pytest.mark.parametrize("text", HOSTILE)
def test_escaped_prose_reads_as_it_was_written(text: str) -> None:
    shown = re.sub(r"<!-- -->|</?p>", "", html(markdown.escaped(text))).strip()
    plain = " ".join(text.replace("\x1b", "\\x1b").replace("\u202e", "\\u202e").split())
    assert shown == plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


@pytest.mark.parametrize("text", HOSTILE)
def test_code_reads_as_it_was_written(text: str) -> None:
    plain = " ".join(text.replace("\x1b", "\\x1b").replace("\u202e", "\\u202e").split())
    expected = plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert html(markdown.code(text)) == f"<p><code>{expected}</code></p>\n"


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("write_up", [summary.write_up, runbook.write_up])
def test_hostile_text_changes_no_element_of_a_document(text: str, write_up) -> None:
    def elements(value: str) -> list[str]:
        return re.findall(r"<(?!!--)[^>]*>", html(write_up(Story(hostile(value)))))

    assert elements(text) == elements("harmless")


def test_mentions_issues_and_addresses_are_not_linked_by_github() -> None:
    shown = markdown.escaped("ask @octocat about #12 at https://evil.example or www.evil.example")
    assert "@octocat" not in shown
    assert "#12" not in shown
    assert "://" not in shown
    assert "www." not in shown


def test_fence_cannot_be_closed_from_inside() -> None:
    assert "</code></pre>" not in html(markdown.fence("a\n```\nb"))[: html(markdown.fence("a\n```\nb")).index("b")]


@pytest.mark.parametrize("drill", [examples.verified, examples.failed, examples.inconclusive])
def test_summary_tells_verdict_first_then_findings(drill) -> None:
    evidence = drill()
    text = summary.write_up(Story(evidence))
    assert text.startswith(f"## Restore drill: {evidence.verdict}\n")
    assert ("### Failed" in text) == (evidence.verdict == "FAILED")
    assert text.count("| Complete | yes:") == 1


def test_a_gates_summary_has_a_row_for_each_migrations_cost() -> None:
    text = html(summary.write_up(Story(examples.gate())))
    assert "<h2>Release gate: GO</h2>" in text
    assert "Measured on PostgreSQL as production runs it: fsync on, wal_level replica." in text
    row = re.findall(r"<td>(.*?)</td>", text[text.index("<h3>Release</h3>") :])[:5]
    assert row == [
        "<code>igny8_core.0007_site_region_not_null</code>",
        "1.9 s",
        "3.1 MiB",
        "table public.igny8_content (39.1 MiB)",
        "ACCESS EXCLUSIVE on public.igny8_content for 1.2 s",
    ]
    assert "<h3>Release</h3>" not in html(summary.write_up(Story(examples.verified())))


def test_summary_counts_what_it_leaves_out() -> None:
    assert "and 9 more subjects" in summary.write_up(Story(examples.failed()))


def test_blocked_reads_as_could_not_be_tried() -> None:
    text = summary.write_up(Story(examples.inconclusive()))
    assert "### Could not be tried" in text
    assert 'restore failed: extension "postgis"' in text
    assert "never reached: facts, migrate, sites, application" in text


def test_ten_thousand_failures_fit_a_comment_and_a_jobs_summary() -> None:
    failed = [
        examples.result(id, f"public.{'ä' * 300}_{number}", "failed", message="m" * 2_000, samples=("k" * 200,) * 20)
        for id, *_ in examples.CARDS
        for number in range(1_000)
    ]
    assert len(failed) >= 10_000
    text = summary.write_up(Story(examples.evidence(failed)))
    # GitHub counts a comment in characters and a job's summary in bytes.
    assert len(text) <= summary.MOST_CHARACTERS < 65_536
    assert len(text.encode()) < 1 << 20
    assert "more controls" in text or "more subjects" in text


def test_summary_that_cannot_fit_says_what_is_too_long() -> None:
    with pytest.raises(ValueError, match=r"headline, not_shown, a title"):
        summary.write_up(Story(examples.evidence([examples.result("BAK-01")], headline="x" * 70_000)))
