"""Renders all documents of a drill."""

import subprocess
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from fixtures.record.evidence import Evidence
from reports import junit, metrics, oscal, page, runbook, summary, words
from reports.audit import pdf
from reports.query_text import texts_by_digest
from reports.story import Story

_PDF = "audit.pdf"
_NOT_WANTED = "the drill was told --no-pdf. make report makes it from the evidence, whenever it is wanted"
_NOT_YET = (
    "it comes last, beside the drill's ending. Where this text stays, that was ended first: make report makes it from the "
    "evidence"
)
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
    there of it goes. `typesetter` sets the PDF where one was begun before (`typesetter.typesetter`); it can set one only."""
    story = _story(evidence, directory)
    with pdf.being_set(story, typesetter) if with_pdf else nullcontext() as setting:
        return _put(directory, DOCUMENTS, _made(story, setting, _NOT_WANTED))


@dataclass(frozen=True)
class LastDocument:
    """The PDF of a drill that has all its other documents."""

    directory: Path
    setting: pdf.Setting

    def put(self) -> str:
        """Waits for it and puts it in its place. Returns why there is none, which the text in its place says, too; empty
        where there is one."""
        try:
            made, why = (_PDF, (self.setting.written(),)), ""
        except (pdf.NoPdf, RuntimeError) as error:
            why = f"{_PDF} was not made: {error}"
            made = _PDF + words.NOT_MADE, (f"{why}\n".encode(),)
        try:
            _put(self.directory, (_PDF,), (made,))
        except OSError as error:
            return f"{_PDF} could not be written: {error.strerror}. make report makes it from the evidence"
        return why


@contextmanager
def rendered_but_pdf(
    evidence: Evidence, directory: Path, typesetter: subprocess.Popen[bytes]
) -> Iterator[LastDocument]:
    """Writes every document as `render` does, but the PDF, which the `typesetter` sets meanwhile; a text stands in its
    place. What is still at it is ended when the block is left."""
    story = _story(evidence, directory)
    with pdf.being_set(story, typesetter) as setting:
        _put(directory, DOCUMENTS, _made(story, None, _NOT_YET))
        yield LastDocument(directory, setting)


def _story(evidence: Evidence, directory: Path) -> Story:
    file = directory / words.EVIDENCE
    return Story(evidence, file if file.exists() else None, texts_by_digest(evidence, directory))


def _put(directory: Path, documents: Iterable[str], made: Iterable[tuple[str, Iterable[str | bytes]]]) -> list[Path]:
    """Puts what was made of these documents in their places, once all of it is written; what was there of others goes."""
    names = [each for document in documents for each in (document, document + words.NOT_MADE)]
    try:
        written = {name: words.write_aside(directory / name, pieces) for name, pieces in made}
        there = [partial.replace(directory / name) for name, partial in written.items()]
        for name in names:
            if name not in written:
                (directory / name).unlink(missing_ok=True)
        return there
    finally:
        for name in names:
            words.aside(directory / name).unlink(missing_ok=True)


def _made(story: Story, setting: pdf.Setting | None, without: str) -> Iterator[tuple[str, Iterable[str | bytes]]]:
    """Every document by its name, or what stands in its place; the one that is being set beside the others comes last.
    `without`: why no PDF is waited for, where none is being set."""
    for name, pieces in DOCUMENTS.items():
        if name != _PDF:
            yield name, pieces(story)
    try:
        if setting is None:
            raise pdf.NoPdf(without)
        yield _PDF, (setting.written(),)
    except pdf.NoPdf as why:
        yield _PDF + words.NOT_MADE, (f"{_PDF} was not made: {why}\n",)
