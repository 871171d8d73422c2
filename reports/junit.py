"""junit.xml: the drill for whatever reads test reports; nothing that was not tried can read as fine there.

A failed check is a `failure`, a blocked one an `error`. Waived and exempt checks are passes with a note in
`system-out`, never `skipped`: most readers show a skip in grey and count it as harmless. The suite `drill` holds the
verdict itself, so that a drill which is not VERIFIED is red even where each check is green.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC
from typing import NamedTuple
from xml.etree import ElementTree

from fixtures.record.areas import AREAS
from fixtures.record.evidence import EXIT_CODES, Result
from reports import words
from reports.chapter import Chapter
from reports.story import Story

FAULTS = 50
_STEP = "  "


def pieces(story: Story) -> Iterator[str]:
    """An xunit2 document, a testcase at a time: one suite an area, one testcase for each control on each subject, class
    `AREA.AREA-nn`."""
    suites = [
        _suite(story, area, chapters)
        for area, chapters in story.areas.items()
        if any(each.results for each in chapters)
    ]
    suites.append(_verdict(story))
    root = ElementTree.Element("testsuites", name="restore drill")
    for counted in ("tests", "failures", "errors"):
        root.set(counted, str(sum(int(suite.head.get(counted, "0")) for suite in suites)))
    root.set("time", _seconds(sum(float(suite.head.get("time", "0")) for suite in suites)))
    yield "<?xml version='1.0' encoding='utf-8'?>\n"
    yield _opening(root)
    for suite in suites:
        yield f"\n{_STEP}{_opening(suite.head)}"
        for each in suite.within:
            ElementTree.indent(each, _STEP, level=2)
            yield f"\n{_STEP * 2}{ElementTree.tostring(each, encoding='unicode')}"
        yield f"\n{_STEP}</{suite.head.tag}>"
    yield f"\n</{root.tag}>\n"


class _Suite(NamedTuple):
    """One suite without what is within it, and that: made one by one, since a drill of many tables has many."""

    head: ElementTree.Element
    within: Iterable[ElementTree.Element]


def _opening(element: ElementTree.Element) -> str:
    """The start tag of an element that has nothing within it yet."""
    return ElementTree.tostring(element, encoding="unicode", short_empty_elements=False).removesuffix(
        f"</{element.tag}>"
    )


def _suite(story: Story, area: str, chapters: tuple[Chapter, ...]) -> _Suite:
    results = [result for chapter in chapters for result in chapter.results]
    head = _counted(
        story,
        AREAS.get(area, area),
        tests=len(results),
        failures=sum(result.outcome == "failed" for result in results),
        errors=sum(result.outcome == "blocked" for result in results),
        seconds=sum(result.seconds for result in results),
    )
    return _Suite(head, (_testcase(story, chapter, result) for chapter in chapters for result in chapter.results))


def _testcase(story: Story, chapter: Chapter, result: Result) -> ElementTree.Element:
    case = ElementTree.Element(
        "testcase",
        classname=_xml(f"{chapter.area}.{chapter.id}"),
        name=_xml(f"{chapter.title} [{result.subject}]"),
        time=_seconds(result.seconds),
    )
    if result.outcome in ("failed", "blocked"):
        tag = "failure" if result.outcome == "failed" else "error"
        trouble = ElementTree.SubElement(case, tag, type=result.outcome, message=_xml(words.one_line(result.message)))
        trouble.text = _xml(_told(story, chapter, result))
    elif note := _note(result):
        ElementTree.SubElement(case, "system-out").text = _xml(note)
    return case


def _told(story: Story, chapter: Chapter, result: Result) -> str:
    lines = [
        result.message,
        f"subject: {result.subject}",
        f"found: {words.looked_at(result)}",
        f"control: {chapter.id}, {chapter.title}",
        f"impact: {chapter.impact}",
    ]
    if result.finding:
        lines.append(f"finding: {result.finding}")
    if age := story.since.age((result,)):
        lines.append(f"since the last drill: {age}")
    if result.samples:
        lines.append(f"{words.samples_label(result)}: {', '.join(result.samples)}")
    if result.outcome == "failed":
        lines.append(f"to do: {chapter.remediation}")
    return "\n".join(lines)


def _note(result: Result) -> str:
    if result.outcome == "waived":
        accepted = result.waiver
        by = "by nobody named"
        if accepted:
            by = f"by {accepted.approved_by} until {accepted.until} ({accepted.ticket}): {accepted.reason}"
        return f"WAIVED {by}\nfound: {words.looked_at(result)}\nmessage: {result.message}"
    if result.outcome == "exempt":
        return f"EXEMPT: {result.message}"
    return words.looked_at(result)


def _verdict(story: Story) -> _Suite:
    verdict, headline = story.evidence.verdict, story.evidence.headline
    failed, unsure = int(verdict == "FAILED"), int(verdict == "INCONCLUSIVE")
    head = _counted(story, "drill", tests=1, failures=failed, errors=unsure, seconds=0.0)
    properties = ElementTree.Element("properties")
    for name, value in {
        "verdict": verdict,
        "exit_code": str(EXIT_CODES[verdict]),
        "run_id": story.evidence.run_id,
        "backup_set": story.evidence.record.backup_set.name if story.evidence.record.backup_set else "",
        **{f"checks_{outcome}": str(count) for outcome, count in story.counts.items()},
    }.items():
        ElementTree.SubElement(properties, "property", name=name, value=_xml(value))
    case = ElementTree.Element("testcase", classname="drill", name="verdict", time=_seconds(0.0))
    if verdict != "VERIFIED":
        tag = "failure" if failed else "error"
        trouble = ElementTree.SubElement(case, tag, type=verdict, message=_xml(words.one_line(headline)))
        trouble.text = _xml("\n".join((headline, *_faults(story))))
    else:
        ElementTree.SubElement(case, "system-out").text = _xml(f"{verdict}: {headline}")
    return _Suite(head, (properties, case))


def _faults(story: Story) -> list[str]:
    """What is wrong, one line a fault as every document calls it: the greatest impact first."""
    lines = [f"{words.one_line(fault.title)}: {fault.ids} ({fault.impact} impact)" for fault in story.faults[:FAULTS]]
    more = len(story.faults) - FAULTS
    return [*lines, f"and {words.many(more, 'more fault')}, in index.html"] if more > 0 else lines


def _counted(story: Story, name: str, *, tests: int, failures: int, errors: int, seconds: float) -> ElementTree.Element:
    started = story.evidence.started_at
    started = started.replace(tzinfo=UTC) if started.tzinfo is None else started.astimezone(UTC)
    return ElementTree.Element(
        "testsuite",
        name=_xml(name),
        tests=str(tests),
        failures=str(failures),
        errors=str(errors),
        skipped="0",
        time=_seconds(seconds),
        timestamp=started.strftime("%Y-%m-%dT%H:%M:%S"),
    )


def _seconds(value: float) -> str:
    return f"{value:.3f}"


def _xml(text: str) -> str:
    """Characters that XML 1.0 forbids are written out; `plain` writes out all of those, and more."""
    return words.plain(text)
