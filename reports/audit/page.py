"""Writes what an auditor reads, in an auditor's order, as one tagged HTML text to be set on paper."""

import re
from functools import cache

from jinja2 import Environment

from fixtures.record.areas import AREAS
from fixtures.record.evidence import Outcome, Result
from fixtures.record.origin import Revision
from reports import words
from reports.chapter import Chapter
from reports.glossary import WORDS
from reports.query_text import queries_of
from reports.rehearsed import rehearsed
from reports.story import Story
from reports.templating import html_templates

# Paper is read by people: what goes beyond is counted, and the evidence inside the file has every one.
SUBJECTS = 12
SAMPLES = 5
LINES = 40
NIGHTS = 30
QUERIES = 40
QUERY = 3_000
_NOTHING = "\N{EN DASH}"

# What fonts of every machine have. Anything else is written out: a glyph that is missing would be an empty box, and the
# file no PDF/A.
_IN_NO_FONT = re.compile(
    r"[^\n\t\x20-\x7e\u00a0-\u017f\u0391-\u03a9\u03b1-\u03c9\u0410-\u044f\u2013\u2014\u2018-\u201e\u2026\u2192\u2264\u2265]"
)


def write_up(story: Story) -> str:
    """The whole text; nothing in it is loaded from anywhere."""
    record = story.evidence.record
    queries = queries_of(story.with_queries, story.queries)
    return (
        _templates()
        .get_template("audit.html.j2")
        .render(
            story=story,
            evidence=story.evidence,
            record=record,
            rehearsed=rehearsed(story),
            areas=[_Area(name, chapters) for name, chapters in story.areas.items()],
            evidence_sha256=story.written.sha256,
            evidence_bytes=story.written.size,
            tried_all=", ".join(f"{words.number(n)} {outcome}" for outcome, n in story.counts.items() if n) or "none",
            glossary=WORDS,
            queries=dict(list(queries.items())[:QUERIES]),
            queries_more=len(queries) - QUERIES if len(queries) > QUERIES else 0,
        )
    )


class _Area:
    """One family of controls: what was tried and what came of it."""

    def __init__(self, name: str, chapters: tuple[Chapter, ...]) -> None:
        self.name, self.title, self.chapters = name, AREAS.get(name, name), chapters
        results = [result for chapter in chapters for result in chapter.results]
        self.results = len(results)
        self.counts: dict[Outcome, int] = {
            outcome: sum(result.outcome == outcome for result in results) for outcome in words.OUTCOMES
        }
        self.on_nothing = _on_nothing(results)


def _on_nothing(results: list[Result] | tuple[Result, ...]) -> int:
    return sum(result.outcome == "passed" and result.examined == 0 for result in results)


def _tried(chapter: Chapter) -> str:
    """`3 failed, 12 passed`, and how many of the passes had nothing to look at."""
    counts = ", ".join(f"{words.number(count)} {outcome}" for outcome, count in chapter.counts.items())
    nothing = _on_nothing(chapter.results)
    some = sum(result.on_tenants is not None for result in chapter.results)
    beside = [f"{words.number(nothing)} on nothing"] if nothing else []
    beside += [f"{words.number(some)} on some tenants"] if some else []
    return (counts or "no result") + (f" ({', '.join(beside)})" if beside else "")


def _examined(chapter: Chapter) -> str:
    """What all its checks looked at together, by unit."""
    counts: dict[str, int] = {}
    there: dict[str, int] = {}
    for result in chapter.results:
        if result.examined is not None and result.outcome != "blocked":
            counts[result.unit] = counts.get(result.unit, 0) + result.examined
            there[result.unit] = there.get(result.unit, 0) + (result.out_of or result.examined)
    left_out = {unit: count for unit, count in there.items() if count > counts[unit]}
    figures = (words.units_of(count, left_out.get(unit), unit) for unit, count in sorted(counts.items()))
    return ", ".join(figures) or _NOTHING


def _revision(code: Revision) -> str:
    if not code.commit:
        return f"commit not known{': ' + code.problem if code.problem else ''}"
    state = {None: "not known whether changed", True: f"{code.changed} files changed", False: "unchanged"}[code.dirty]
    return f"commit {code.commit}, {state}"


def _figure(value: float | None) -> str:
    return _NOTHING if value is None else f"{value:.2f}"


def _spelled(value: str) -> str:
    return _IN_NO_FONT.sub(lambda match: match[0].encode("unicode_escape").decode(), words.plain(value))


@cache
def _templates() -> Environment:
    return html_templates(
        _spelled,
        tried=_tried,
        examined=_examined,
        revision=_revision,
        figure=_figure,
        SUBJECTS=SUBJECTS,
        SAMPLES=SAMPLES,
        LINES=LINES,
        NIGHTS=NIGHTS,
        QUERY=QUERY,
    )
