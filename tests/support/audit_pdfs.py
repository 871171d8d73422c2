"""The audit PDFs of drills that ended one way and another, and what a reader of the file sees in them."""

import io
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pikepdf

from fixtures.record.evidence import Evidence
from reports.audit import pdf
from reports.story import Story
from tests.support import evidence_examples as examples
from tests.support.past_examples import with_past
from tests.support.programs import program


def failed() -> Evidence:
    """A red night after many: findings by card, each with what it was the night before."""
    return with_past(examples.failed())


DRILLS = (examples.verified, failed, examples.inconclusive)


@cache
def made(written: bytes) -> bytes:
    """Each drill's file is made once for all that look at it."""
    return pdf.write_up(Story(Evidence.model_validate_json(written)))


def opened(evidence: Evidence) -> pikepdf.Pdf:
    return pikepdf.open(io.BytesIO(made(evidence.written)))


def text(evidence: Evidence, folder: Path) -> str:
    """What poppler reads in it, on one line."""
    pdftotext = program("pdftotext", "poppler-utils")
    (folder / "audit.pdf").write_bytes(made(evidence.written))
    done = subprocess.run([pdftotext, "-raw", folder / "audit.pdf", "-"], capture_output=True, text=True, check=True)
    return " ".join(done.stdout.split())


def pages(evidence: Evidence, folder: Path) -> list[list[str]]:
    """The lines of each page as poppler reads them, without its foot."""
    pdftotext = program("pdftotext", "poppler-utils")
    (folder / "audit.pdf").write_bytes(made(evidence.written))
    done = subprocess.run([pdftotext, "-raw", folder / "audit.pdf", "-"], capture_output=True, text=True, check=True)
    foot = Story(evidence).name
    assert done.stdout.count(foot) >= done.stdout.count("\f")
    return [
        [line for line in page.splitlines() if line.strip("\u2022 ") and not line.startswith(foot)]
        for page in done.stdout.split("\f")[:-1]
    ]


def elements(node: pikepdf.Object) -> Iterator[pikepdf.Dictionary]:
    """Every element of the tree of tags, in the order of reading."""
    if isinstance(node, pikepdf.Array):
        for each in node:
            yield from elements(each)
    elif isinstance(node, pikepdf.Dictionary):
        if "/S" in node:
            yield node
        if "/K" in node:
            yield from elements(node.K)
