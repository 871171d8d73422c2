"""Renders all documents of a drill."""

import subprocess
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from pathlib import Path

from fixtures.record.evidence import Evidence
from reports import junit, metrics, oscal, page, runbook, summary, words
from reports.audit import pdf
from reports.query_text import texts_by_digest
from reports.story import Story

_PDF = "audit.pdf"
_NOT_WANTED = "the drill was told --no-pdf. make report makes it from the evidence, whenever it is wanted"
DOCUMENTS: dict[str, Callable[[Story], Iterable[str | bytes]]] = {
    "summary.md": lambda story: (summary.write_up(story),),
    "index.html": page.pieces,
    "junit.xml": junit.pieces,
    "runbook.md": lambda story: (runbook.write_up(story),),
    "metrics.prom": lambda story: (metrics.write_up(story),),
    "oscal.json": oscal.pieces,
    _PDF: lambda story: (pdf.write_up(story),),
}
"""Each document in the pieces that it is made in: of a drill of many tables one is larger than all else that is held."""


def render(
    evidence: Evidence,
    directory: Path,
    *,
    with_pdf: bool = True,
    typesetter: subprocess.Popen[bytes] | None = None,
) -> list[Path]:
    """Write every document of this drill into `directory`, which exists; the same evidence gives the same bytes.

    All are written beside their places before one is put there: a fault in any of them leaves what was there before. A
    document that this machine cannot make, or that was not wanted, has in its place a text that says why, and what was
    there of it goes. `typesetter` sets the PDF where one was begun before (`pdf.typesetter`); it can set one only."""
    file = directory / words.EVIDENCE
    story = Story(evidence, file.read_bytes() if file.exists() else b"", texts_by_digest(evidence, directory))
    names = [each for document in DOCUMENTS for each in (document, document + words.NOT_MADE)]
    try:
        with pdf.being_set(story, typesetter) if with_pdf else nullcontext() as setting:
            made = {name: words.write_aside(directory / name, pieces) for name, pieces in _made(story, setting)}
        for name in names:
            if name not in made:
                (directory / name).unlink(missing_ok=True)
        return [written.replace(directory / name) for name, written in made.items()]
    finally:
        for name in names:
            words.aside(directory / name).unlink(missing_ok=True)


def _made(story: Story, setting: pdf.Setting | None) -> Iterator[tuple[str, Iterable[str | bytes]]]:
    """Every document by its name, or what stands in its place; the one that is being set beside the others comes last."""
    for name, pieces in DOCUMENTS.items():
        if name != _PDF:
            yield name, pieces(story)
    try:
        if setting is None:
            raise pdf.NoPdf(_NOT_WANTED)
        yield _PDF, (setting.written(),)
    except pdf.NoPdf as why:
        yield _PDF + words.NOT_MADE, (f"{_PDF} was not made: {why}\n",)
