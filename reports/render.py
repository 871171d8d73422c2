"""Renders all documents of a drill."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path

from fixtures.record.evidence import Evidence
from reports import junit, metrics, oscal, page, runbook, summary, words
from reports.audit import pdf
from reports.query_text import texts_by_digest
from reports.story import Story

_PDF = "audit.pdf"
DOCUMENTS: dict[str, Callable[[Story], str | bytes]] = {
    "summary.md": summary.write_up,
    "index.html": page.write_up,
    "junit.xml": junit.write_up,
    "runbook.md": runbook.write_up,
    "metrics.prom": metrics.write_up,
    "oscal.json": oscal.write_up,
    _PDF: pdf.write_up,
}

_NOT_WANTED = "the drill was told --no-pdf. make report makes it from the evidence, whenever it is wanted"


def render(
    evidence: Evidence,
    directory: Path,
    *,
    with_pdf: bool = True,
    typesetter: subprocess.Popen[bytes] | None = None,
) -> list[Path]:
    """Write every document of this drill into `directory`, which exists; the same evidence gives the same bytes.

    All are rendered before one is written: a fault in any of them leaves what was there before. A document that this
    machine cannot make, or that was not wanted, has in its place a text that says why, and what was there of it goes.
    `typesetter` sets the PDF where one was begun before (`pdf.typesetter`); it can set one only."""
    file = directory / words.EVIDENCE
    story = Story(evidence, file.read_bytes() if file.exists() else b"", texts_by_digest(evidence, directory))
    with pdf.being_set(story, typesetter) if with_pdf else nullcontext() as setting:
        made = dict(_made(story, setting))
    for name in (each for document in DOCUMENTS for each in (document, document + words.NOT_MADE)):
        if name not in made:
            (directory / name).unlink(missing_ok=True)
    return [words.write(directory / name, content) for name, content in made.items()]


def _made(story: Story, setting: pdf.Setting | None) -> Iterator[tuple[str, str | bytes]]:
    """Every document by its name, or what stands in its place; the one that is being set beside the others comes last."""
    for name, write_up in DOCUMENTS.items():
        if write_up is not pdf.write_up:
            yield name, write_up(story)
    try:
        if setting is None:
            raise pdf.NoPdf(_NOT_WANTED)
        yield _PDF, setting.written()
    except pdf.NoPdf as why:
        yield _PDF + words.NOT_MADE, f"{_PDF} was not made: {why}\n"
