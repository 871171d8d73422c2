"""The table of frameworks names controls that there are, and claims no more than support."""

import re
from pathlib import Path

from fixtures.plan.cards import read_controls
from fixtures.plugin.options import VERIFY
from fixtures.record.areas import AREAS
from reports.audit import page as audit
from reports.frameworks import REQUIREMENTS, supported_by
from reports.story import Story
from tests.support import evidence_examples as examples
from tests.support.whole_documents import oscal_of, page_of

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "docs" / "frameworks.md"
RANGE = re.compile(r"([A-Z]{3})-01\u2026\1-(\d\d)")
ASKED_FOR = (
    *("A.8.13", "A.5.30", "A1.2", "A1.3", "CC7.5", "CP-4", "CP-9(1)", "CP-9(2)", "CP-10", "SI-7", "800-34"),
    *("12.10.1", "12.10.2", "6.5.5", "164.308(a)(7)(ii)(D)", "32(1)(c)", "32(1)(d)", "11.5"),
    *("DORA 11(6)", "DORA 12(1)", "DORA 12(2)", "DORA 12(6)", "DORA 12(7)"),
)


def rows() -> list[list[str]]:
    lines = [line for line in TABLE.read_text().splitlines() if line.startswith("| ") and not line.startswith("| req")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_every_control_that_is_named_is_there() -> None:
    controls = {control.card.id for control in read_controls(VERIFY)}
    named = set(re.findall(r"\b[A-Z]{3}-\d\d\b", TABLE.read_text()))
    assert len(named) > 20
    assert named <= controls


def test_every_requirement_has_a_row_that_says_what_is_not_covered() -> None:
    table = rows()
    requirements = " ".join(row[0] for row in table)
    assert [each for each in ASKED_FOR if each not in requirements] == []
    assert all(
        len(row) == 5 and row[2] not in ("", "\N{EN DASH}") and row[4] not in ("", "\N{EN DASH}") for row in table
    )


def test_every_control_supports_something() -> None:
    text = TABLE.read_text()
    covered = {f"{area}-{number:02}" for area, end in RANGE.findall(text) for number in range(1, int(end) + 1)}
    whole_areas = set(re.findall(r"\b[A-Z]{3}\b(?!-)", text))
    controls = {control.card.id for control in read_controls(VERIFY)}
    assert {each for each in controls - covered if each[:3] not in whole_areas and each not in text} == set()


def test_nothing_is_called_compliant() -> None:
    documents = [
        ROOT / "README.md",
        *(ROOT / "docs").glob("*.md"),
        *(ROOT / "reports").rglob("*.j2"),
        *(ROOT / "verify").rglob("*.py"),
    ]
    claims = [
        line
        for file in documents
        for line in file.read_text().splitlines()
        if re.search(r"complian(t|ce)\b", line, re.IGNORECASE) and "compliance-trestle" not in line
    ]
    assert claims == [line for line in TABLE.read_text().splitlines() if 'nothing here says "compliant"' in line]


def test_reports_have_the_requirements_of_this_table() -> None:
    entry = re.compile(rf"\b(?:{'|'.join(AREAS)})(?:-\d\d(?:\u2026[A-Z]{{3}}-\d\d)?)?\b")
    documented = [(row[0], tuple(entry.findall(row[2])), tuple(entry.findall(row[3]))) for row in rows()]
    assert [(each.name, each.shown, each.partly) for each in REQUIREMENTS] == documented


def test_a_control_supports_what_names_it_its_range_or_its_area() -> None:
    assert "NIST SP 800-53 SI-7" in supported_by("BAK-03")
    assert "SOC 2 CC7.5" in supported_by("TEN-02")
    assert "ISO/IEC 27001:2022 A.8.13 (in part)" in supported_by("BAK-10")
    assert "SOC 2 A1.2" in supported_by("BAK-16")
    assert supported_by("XYZ-01") == ()


def test_page_pdf_and_oscal_have_the_frameworks_of_each_control() -> None:
    story = Story(examples.verified())
    (chapter,) = [each for each in story.chapters if each.id == "BIL-02"]
    assert chapter.supports == "SOC 2 CC7.5; NIST SP 800-53 CP-10 (in part); DORA 12(7)"
    documents = (page_of(story), audit.write_up(story), oscal_of(story))
    assert [chapter.supports in document for document in documents] == [True, True, True]
