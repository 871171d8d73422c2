"""Sets one PDF, as a process of its own: reads an order and the file to attach, writes the PDF to stdout.

It imports nothing of ours but the metadata packet: it starts as fast as WeasyPrint does. Before it reads its order it sets a
line that nobody reads, so that what WeasyPrint does once in a process is done by then. Sources: ISO 19005-3 (PDF/A-3,
associated files, extension schemas of metadata), ISO 14289-1 (PDF/UA-1)."""

import ctypes.util
import gc
import io
import json
import sys
import warnings
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Self

from reports.audit.xmp import metadata

NOT_HERE = 3
"""The exit code where this machine cannot set a PDF; stdout then says why and what to do."""

_TO_DO = (
    "Install Pango and a font (Debian: apt-get install libpango-1.0-0 libpangoft2-1.0-0 "
    "libharfbuzz-subset0 fonts-liberation), "
    "then: make report"
)


@dataclass(frozen=True)
class Order:
    """What to set: the tagged HTML text, and what the file says of itself and of what is attached to it."""

    text: str
    title: str
    at: str
    identifier: str
    attached: str
    about: str

    def line(self) -> bytes:
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def read(cls, line: bytes) -> Self:
        return cls(**json.loads(line))


_LINE = Order(
    text='<html lang="en"><title>A</title><h1>A</h1><table><tr><th scope="row">B<td><code>C</code></table>',
    title="A",
    at="2000-01-01T00:00:00+00:00",
    identifier="00" * 16,
    attached="a",
    about="a",
)


def main() -> int:
    """Sets what stdin orders; returns the exit code. It is called once in a process, which looks for no garbage from here on:
    nearly all that a document is made of lasts to its end, and looking for it took a fifth of the time."""
    gc.disable()
    # Whatever a library prints belongs to no document.
    with redirect_stdout(io.StringIO()), warnings.catch_warnings():
        # Where a library is old it warns, and it leaves its own colour profile for the collector to close: a report is
        # not to fail on either.
        warnings.simplefilter("ignore")
        answer, code = _answer()
    sys.stdout.buffer.write(answer)
    # Python looks for it twice more while it ends, unless there is nothing to look at.
    gc.freeze()
    return code


def _answer() -> tuple[bytes, int]:
    if sys.platform == "linux":
        # It asks for each library by six names, one of them the one that Linux has. For each of the others compiler and
        # linker would be started, to look for it.
        ctypes.util.find_library = lambda name: None
    try:
        import weasyprint
    except ImportError as error:
        text = f"{error.name} is not installed. Install the suite with its extra pdf, then: make report"
        return text.encode(), NOT_HERE
    except OSError:
        # What the loader says names every path that it tried.
        return f"the library Pango, which sets its text, is not on this machine. {_TO_DO}".encode(), NOT_HERE
    set_pdf(weasyprint, _LINE, b"")
    order, attached = Order.read(sys.stdin.buffer.readline()), sys.stdin.buffer.read()
    return set_pdf(weasyprint, order, attached), 0


def set_pdf(weasyprint: Any, order: Order, attached: bytes) -> bytes:
    """The whole file that was ordered, with what is attached in it."""
    at = datetime.fromisoformat(order.at)
    attachment = weasyprint.Attachment(
        file_obj=io.BytesIO(attached),
        name=order.attached,
        description=order.about,
        created=at,
        modified=at,
        relationship="Source",
    )
    document = weasyprint.HTML(string=order.text, url_fetcher=weasyprint.URLFetcher(allowed_protocols=()))
    written: bytes = document.write_pdf(
        pdf_variant="pdf/a-3a",
        pdf_tags=True,
        pdf_identifier=bytes.fromhex(order.identifier),
        attachments=[attachment],
        finisher=lambda _, pdf: _finish(pdf, order.title, at),
    )
    return written


def _finish(pdf: Any, title: str, at: datetime) -> None:
    """WeasyPrint makes a PDF/A or a PDF/UA: what it lacks to be both is one metadata packet that says so."""
    stream = _referred(pdf, pdf.catalog["Metadata"])
    producer = pdf.info["Producer"].string
    stream.stream = [metadata(title, at, producer)]
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
