"""index.html: three first screens and the whole drill on one page that asks nobody for anything."""

from collections import Counter
from collections.abc import Iterator
from functools import cache

from jinja2 import Environment

from fixtures.record.areas import AREAS
from fixtures.record.evidence import Evidence
from fixtures.record.names import TableName
from reports.courses import courses, stage_courses, stage_times
from reports.dump_commands import program
from reports.glossary import WORDS
from reports.night import NightlyNews
from reports.rehearsed import rehearsed
from reports.release import Release
from reports.schema_diff import LINES_SHOWN, schema_diff
from reports.story import Story
from reports.templating import html_templates
from reports.trend import Trend

# Beyond these, rows are folded away: a page of 2,000 results opens with what matters.
SUBJECTS_SHOWN = 10
SAMPLES_SHOWN = 5
PRINTED_RESULTS = 40
BRIEF_FINDINGS = 8
BRIEF_SUBJECTS = 3
WAIVERS_SHOWN = 20
LIMITS_SHOWN = 10
TOGETHER = 200


def pieces(story: Story) -> Iterator[str]:
    """One HTML file, in the pieces that it is made in: no script, no request, light and dark, on screen and on paper."""
    evidence = story.evidence
    trend = Trend(evidence)
    return (
        _templates()
        .get_template("index.html.j2")
        .generate(
            story=story,
            evidence=evidence,
            record=evidence.record,
            program=program(evidence.record),
            verdict=evidence.verdict,
            opening="release" if evidence.kind == "gate" else "nightly",
            news=NightlyNews(story),
            release=Release(story),
            rehearsed=rehearsed(story),
            schema=schema_diff(evidence.record),
            trend=trend,
            lines=courses(trend),
            courses=stage_courses(trend),
            stage_times=stage_times,
            most_checks=max((sum(counts.values()) for counts in story.area_counts.values()), default=0),
            toc_kinds=sorted(Counter(entry.kind for entry in evidence.record.toc).items()),
            table_rows=_table_rows(evidence),
            examined=_examined(evidence),
            glossary=WORDS,
        )
    )


def _table_rows(evidence: Evidence) -> list[tuple[TableName, int | None, int | None, int | None]]:
    """Rows of every table: by the manifest, restored, and after the migrations; None where it is not known."""
    record = evidence.record
    manifest = record.backup_set.manifest if record.backup_set else None
    source = manifest.tables if manifest else {}
    restored = {table.name: table.rows for table in record.facts.row_tables} if record.facts else {}
    migrated = {table.name: table.rows for table in record.migrated_facts.row_tables} if record.migrated_facts else {}
    names = sorted({*source, *restored, *migrated})
    return [(name, source.get(name), restored.get(name), migrated.get(name)) for name in names]


def _examined(evidence: Evidence) -> list[tuple[str, int, int]]:
    """Unit, how many checks counted in it, how many they looked at between them, the most first."""
    checks: Counter[str] = Counter()
    looked_at: Counter[str] = Counter()
    for result in evidence.results:
        if result.examined is not None:
            checks[result.unit] += 1
            looked_at[result.unit] += result.examined
    return sorted(((unit, checks[unit], looked_at[unit]) for unit in checks), key=lambda row: (-row[2], row[0]))


@cache
def _templates() -> Environment:
    return html_templates(
        areas=AREAS,
        SUBJECTS_SHOWN=SUBJECTS_SHOWN,
        SAMPLES_SHOWN=SAMPLES_SHOWN,
        PRINTED_RESULTS=PRINTED_RESULTS,
        BRIEF_FINDINGS=BRIEF_FINDINGS,
        BRIEF_SUBJECTS=BRIEF_SUBJECTS,
        WAIVERS_SHOWN=WAIVERS_SHOWN,
        LIMITS_SHOWN=LIMITS_SHOWN,
        LINES_SHOWN=LINES_SHOWN,
        TOGETHER=TOGETHER,
    )
