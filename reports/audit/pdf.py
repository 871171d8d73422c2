"""The PDF: PDF/A-3 at level A and PDF/UA-1 at once, fonts and evidence inside, the same bytes for the same evidence.

Sources: ISO 19005-3 (PDF/A-3, associated files, extension schemas of metadata), ISO 14289-1 (PDF/UA-1)."""

import hashlib
import io
import warnings
from contextlib import redirect_stdout
from datetime import UTC, datetime
from typing import Any

from reports import words
from reports.audit import page
from reports.audit.xmp import metadata
from reports.story import Story

_TO_DO = (
    "Install Pango and a font (Debian: apt-get install libpango-1.0-0 libpangoft2-1.0-0 "
    "libharfbuzz-subset0 fonts-liberation), "
    "then: make report"
)


class NoPdf(Exception):
    """This machine cannot set a PDF; the text says why and what to do. Nothing is wrong with the evidence."""


def write_up(story: Story) -> bytes:
    """The whole file. Raises NoPdf."""
    try:
        # Where Pango is missing it prints its own advice, and where a library is old it warns: both are for programmers.
        with redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import weasyprint
    except ImportError as error:
        raise NoPdf(f"{error.name} is not installed. Install the suite with its extra pdf, then: make report") from None
    except OSError:
        # What the loader says names every path that it tried.
        raise NoPdf(f"the library Pango, which sets its text, is not on this machine. {_TO_DO}") from None
    at = _zoned(story.evidence.finished_at)
    evidence = weasyprint.Attachment(
        file_obj=io.BytesIO(story.written),
        name=words.EVIDENCE,
        description="The evidence that this document was rendered from",
        created=at,
        modified=at,
        relationship="Source",
    )
    document = weasyprint.HTML(string=page.write_up(story), url_fetcher=weasyprint.URLFetcher(allowed_protocols=()))
    with warnings.catch_warnings():
        # It leaves its own colour profile for the collector to close, and says which libraries it would rather have: a
        # report is not to fail on either.
        warnings.simplefilter("ignore")
        written: bytes = document.write_pdf(
            pdf_variant="pdf/a-3a",
            pdf_tags=True,
            pdf_identifier=hashlib.sha256(story.written).digest()[:16],
            attachments=[evidence],
            finisher=lambda _, pdf: _finish(pdf, story),
        )
    return written


def _finish(pdf: Any, story: Story) -> None:
    """WeasyPrint makes a PDF/A or a PDF/UA: what it lacks to be both is one metadata packet that says so."""
    evidence = story.evidence
    title = f"{evidence.verdict}: restore drill {evidence.run_id}"
    stream = _referred(pdf, pdf.catalog["Metadata"])
    producer = pdf.info["Producer"].string
    stream.stream = [metadata(title, _zoned(evidence.finished_at), producer)]
    stream.compress = False
    _scope_headings(pdf)
    # It names each associated file twice: once as an attachment, once as a file.
    files = list(dict.fromkeys(pdf.catalog["AF"]))
    pdf.catalog["AF"].clear()
    pdf.catalog["AF"].extend(files)


def _scope_headings(pdf: Any) -> None:
    """Says of each heading of a table what it heads: WeasyPrint names the headings of each cell, which some readers skip."""
    for element in pdf.objects:
        if isinstance(element, dict) and element.get("S") == "/TH":
            row = _referred(pdf, element["P"])
            in_head = _referred(pdf, row["P"])["S"] == "/THead"
            element["A"]["Scope"] = "/Column" if in_head else "/Row"


def _referred(pdf: Any, reference: Any) -> Any:
    return pdf.objects[int(reference.split()[0])]


def _zoned(value: datetime) -> datetime:
    zoned = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    return zoned.replace(microsecond=0)
