"""index.html: asks nobody for anything, tells everything, and reads well to eyes, paper and screen readers."""

import json
import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from pydantic import ValidationError

from fixtures.record.evidence import Evidence, Since
from reports.audit import page as audit
from reports.story import Story
from tests.support import evidence_examples as examples
from tests.support.browser import visit
from tests.support.whole_documents import oscal_of, page_of

DRILLS = (examples.verified, examples.failed, examples.inconclusive, examples.gate)
VOID = {"meta", "link", "br", "img", "hr", "input", "source", "rect", "path"}
HOSTILE = '"><script>alert(1)</script>\x1b[2J\u202e`|<img src=//evil.example/x>'


class Page(HTMLParser):
    """The page as a reader meets it: elements with their attributes, and everything closed where it must be."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self._open:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


def page(evidence: Evidence) -> Page:
    return Page(page_of(Story(evidence)))


@pytest.mark.parametrize("drill", DRILLS)
def test_page_holds_no_script_and_loads_nothing(drill) -> None:
    text = page_of(Story(drill()))
    parsed = Page(text)
    assert not {tag for tag, _ in parsed.elements} & {"script", "link", "img", "iframe", "object", "embed", "form"}
    assert not [attributes for _, attributes in parsed.elements if attributes.keys() & {"src", "srcset", "onclick"}]
    assert all(attributes["href"].startswith("#") for attributes in parsed.all("a"))
    assert "url(" not in text
    assert "@import" not in text
    policy = next(meta for meta in parsed.all("meta") if meta.get("http-equiv") == "Content-Security-Policy")
    assert policy["content"].startswith("default-src 'none'; style-src 'unsafe-inline'")


@pytest.mark.parametrize("drill", DRILLS)
def test_page_has_landmarks_captions_scopes_and_links_that_lead_somewhere(drill) -> None:
    parsed = page(drill())
    ids = [attributes["id"] for _, attributes in parsed.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {attributes["href"][1:] for attributes in parsed.all("a")} <= set(ids)
    tags = [tag for tag, _ in parsed.elements]
    assert [tags.count(landmark) for landmark in ("header", "main", "footer")] == [1] * 3
    # One of each screen; the audit has its table of contents besides.
    assert [tags.count(part) for part in ("h1", "nav")] == [3, 4]
    assert tags.count("table") == tags.count("caption")
    assert all("scope" in attributes for attributes in parsed.all("th"))
    headings = [int(tag[1]) for tag in tags if re.fullmatch(r"h[1-6]", tag)]
    assert all(after - before <= 1 for before, after in pairwise(headings))


@pytest.mark.parametrize("drill", DRILLS)
def test_verdict_and_headline_come_first(drill) -> None:
    evidence = drill()
    body = page(evidence).text.split("What to do", 1)[0]
    assert evidence.verdict in body
    assert "".join(evidence.headline.split()) in "".join(body.split()), "ids stand in elements of their own"


def test_finding_carries_control_impact_subject_count_keys_and_remediation() -> None:
    text = page(examples.failed()).text
    card = next(card for card in examples.control_cards() if card.id == "TEN-02")
    exceptions = text[text.index("Exceptions Findings") :]
    finding = exceptions[exceptions.index("TEN-02 Every reference") : exceptions.index("Waivers and exemptions")]
    for words in (card.remediation, card.rationale, "18 of 1,200 rows broken", "id=#001eef"):
        assert words in finding


def test_a_gates_page_has_each_migrations_sql_and_cost() -> None:
    written = page_of(Story(examples.gate()))
    assert "ALTER TABLE &#34;igny8_content&#34; ADD COLUMN &#34;region&#34; text;" in written
    assert "ACCESS EXCLUSIVE on public.igny8_content for 1.2 s" in written
    assert "the longest wait was 1.3 s, a read during igny8_core.0007_site_region_not_null" in written


def test_failed_comes_before_blocked() -> None:
    text = page(examples.failed()).text.split("Exceptions Findings", 1)[1]
    assert text.index("BIL-02 The balance") < text.index("1 check of 1 control could not be tried")


def test_blocked_never_reads_as_passed() -> None:
    evidence = examples.evidence([examples.result("TEN-02", "one", "blocked", message="no server")])
    parsed = page(evidence)
    tone = [
        attributes["class"]
        for tag, attributes in parsed.elements
        if tag == "span" and "sign" in attributes.get("class", "")
    ]
    assert evidence.verdict == "INCONCLUSIVE"
    assert "could not be tried" in parsed.text
    assert "1 passed" not in parsed.text
    assert "sign blocked" in tone


def test_pass_on_nothing_says_so() -> None:
    evidence = examples.evidence([examples.result("TEN-02", "empty", examined=0), examples.result("TEN-02", "full")])
    text = page(evidence).text
    assert "passed, but there was nothing to examine" in text
    assert "1 pass had nothing to examine" in text


def test_waiver_and_exemption_carry_their_reasons() -> None:
    text = page(examples.verified()).text
    assert "Accepted by head of platform until 2027-01-31: metrics leave until the new gateway is there" in text
    assert "this application has no trials" in text


def test_stage_that_never_ran_says_why() -> None:
    text = page(examples.inconclusive()).text
    assert "Not known, because restore failed: extension" in text
    assert "Install postgis for PostgreSQL 17" in text
    assert text.count("never reached") >= 4


def test_every_result_is_on_the_page() -> None:
    evidence = examples.large(subjects=200)
    parsed = page(evidence)
    rows = [code for code in parsed.words if code.startswith("public.table_") and ": " not in code]
    assert len(evidence.results) > 2_000
    assert len(set(rows)) == 200
    assert parsed.text.count("12 ms") == len(evidence.results)


def test_page_of_two_thousand_results_opens_folded() -> None:
    parsed = page(examples.large(subjects=200))
    controls = [attributes for attributes in parsed.all("details") if "control" in attributes.get("class", "")]
    assert len(controls) == len(examples.CARDS)
    assert not [attributes for attributes in controls if "open" in attributes]


def test_nothing_in_evidence_becomes_markup() -> None:
    result = examples.result("TEN-02", HOSTILE, "failed", message=HOSTILE, samples=(HOSTILE,), unit=HOSTILE)
    hostile = examples.evidence([result], not_shown=(HOSTILE,), command=(HOSTILE,), run_id=HOSTILE, platform=HOSTILE)
    text = page_of(Story(hostile))
    assert "<script" not in text
    assert "<img" not in text
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "\\x1b[2J\\u202e" in Page(text).text


def test_result_without_a_card_is_shown_all_the_same() -> None:
    evidence = examples.evidence([examples.result("ZZZ-01", "orphan", "failed")])
    text = page(evidence).text
    assert "orphan: ZZZ-01 found something on orphan critical impact" in text
    assert "ZZZ-01 (the evidence has no card for this control)" in text


def test_what_was_left_behind_is_told() -> None:
    left = examples.TornDown(what="scratch folder", gone=False, how="permission denied")
    text = page(examples.evidence([examples.result("TEN-02")], teardown=(left,))).text
    assert "Not everything that the drill made was seen to be gone" in text
    assert "still there" in text


def test_what_could_not_be_looked_for_is_no_fault_of_the_backup() -> None:
    """Who lost the server does not know what is left there: that is inconclusive, and says what to look for."""
    lost = examples.TornDown(
        what="database restored", gone=False, how="could not be looked for: OperationalError", looked=False
    )
    evidence = examples.evidence([examples.result("TEN-02")], teardown=(lost,))
    assert evidence.verdict == "INCONCLUSIVE"
    assert "teardown could not look for database restored" in evidence.headline
    text = page(evidence).text
    assert "database restored" in text
    assert "not known" in text
    assert "still there" not in text
    faulty = examples.evidence([examples.result("TEN-02", outcome="failed")], teardown=(lost,))
    assert faulty.verdict == "FAILED"


def test_missing_reports_are_named() -> None:
    holes = examples.Completeness(
        planned=2, collected=2, reported=1, not_collected=(), not_reported=("TEN-02[b]",), unplanned=()
    )
    text = page(examples.evidence([examples.result("TEN-02", "a")], completeness=holes)).text
    assert "Not every planned check was reported" in text
    assert "TEN-02[b]" in text
    assert "Nothing: no control found a fault" not in text


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_the_contrast_of_wcag_aa(scheme: str) -> None:
    css = Path("reports/templates/style.css").read_text()
    blocks = re.findall(r":root \{(.*?)\}", css, re.DOTALL)
    block = blocks[("light", "dark").index(scheme)]
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", block))
    grounds = ("paper", "ground")
    pairs = [
        (ink, ground)
        for ink in ("ink", "muted", "link", "good", "bad", "unsure", "accepted", "aside")
        for ground in grounds
    ]
    for tint in ("good-tint", "bad-tint", "unsure-tint"):
        pairs += [(ink, tint) for ink in ("ink", "muted", "good", "bad", "unsure", "accepted", "aside")]
    faint = {pair: round(_contrast(*(colours[name] for name in pair)), 2) for pair in pairs}
    assert {pair: ratio for pair, ratio in faint.items() if ratio < 4.5} == {}


def _contrast(color: str, other: str) -> float:
    lighter, darker = sorted((_luminance(color), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4 for channel in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize(("width", "dark"), [(390, False), (1280, True)])
def test_browser_opens_the_page_without_a_complaint_or_a_request(tmp_path: Path, width: int, dark: bool) -> None:
    path = tmp_path / "index.html"
    path.write_text(page_of(Story(examples.large(subjects=200))), encoding="utf-8")
    visited = visit(path, width=width, dark=dark)
    assert visited.console == ()
    assert visited.asked == ()
    assert visited.picture > 10_000


def test_browser_would_have_noticed_a_request_and_a_complaint(tmp_path: Path) -> None:
    path = tmp_path / "index.html"
    image = '<img src="http://report.example/x.png">'
    path.write_text(f"<!DOCTYPE html><title>t</title>{image}<script>console.error('x')</script>", encoding="utf-8")
    visited = visit(path, width=600)
    assert len(visited.console) >= 1
    assert any("report.example" in line for line in visited.asked)


def test_the_findings_since_the_drill_before_are_listed_by_what_became_of_them() -> None:
    evidence = examples.failed()
    since = Since(
        run_id="20261125T030000Z-aaaaaa",
        finished_at=evidence.started_at,
        new=("BIL-02[credits]",),
        still=(),
        gone=("BAK-04[set]", HOSTILE),
        untried=("APP-04[set]",),
    )
    text = page_of(Story(evidence.model_copy(update={"since": since})))
    listed = text[text.index("<h3>Since ") : text.index('id="again-h"')]
    assert re.findall(r"<summary>(.*?)</summary>", listed) == [
        "New: 1 finding",
        "Gone: 2 findings",
        "Could not be tried now: 1 finding",
    ]
    assert "<code>BIL-02[credits]</code>" in listed
    assert "<script>" not in listed
    assert "<h3>Since " not in page_of(Story(evidence))


@pytest.mark.parametrize(
    ("command", "folder"),
    [
        (("pytest", "verify"), "reports/out"),
        (("pytest", "verify", "--out", "/srv/my drills"), "'/srv/my drills"),
        (("pytest", "verify", "--out=/srv/drills"), "/srv/drills"),
    ],
)
def test_how_to_check_it_names_the_folder_that_the_drill_wrote(command: tuple[str, ...], folder: str) -> None:
    evidence = examples.verified().model_copy(update={"command": command})
    text = page(evidence).text
    assert f"make verify-report RUN={folder}/{evidence.run_id}" in text
    assert text.count("RUN=reports/out") in (0, text.count("RUN="))


def test_a_control_of_a_strange_name_steers_no_style() -> None:
    strange = examples.result("}*{x:y}-01", "whole", "failed")
    evidence = examples.failed()
    with pytest.raises(ValidationError, match=r"\[A-Z\]\{3\}"):
        page_of(Story(evidence.model_copy(update={"results": (*evidence.results, strange)})))


def test_few_findings_need_no_choice() -> None:
    assert 'class="choices"' in page_of(Story(examples.failed()))
    assert 'class="choices"' not in page_of(Story(examples.verified()))


def test_each_control_names_the_requirements_that_it_supports() -> None:
    story = Story(examples.verified())
    supports = "Supports ISO/IEC 27001:2022 A.8.13; SOC 2 A1.2"
    for text in (page_of(story), audit.write_up(story)):
        assert supports in text
    observed = json.loads(oscal_of(story))["assessment-results"]["results"][0]["observations"]
    assert all(any(prop["name"] == "supports" for prop in each["props"]) for each in observed)


def test_the_audit_tells_the_opinion_then_exceptions_scope_and_method_with_completeness_folded() -> None:
    parsed = page(examples.failed())
    sections = [attributes["id"] for attributes in parsed.all("section") if "id" in attributes]
    audited = sections[sections.index("audit") + 1 :]
    assert audited[:3] == ["verdict", "exceptions", "not-shown"]
    assert audited.index("method") < audited.index("completeness")
    text = page_of(Story(examples.failed()))
    completeness = text[text.index('<section id="completeness"') : text.index('<section id="results"')]
    assert completeness.count("<table>") == completeness.count('<details class="fold">')
