"""Has the PDF set in a process of its own: PDF/A-3 at level A and PDF/UA-1 at once, fonts and evidence inside, the same
bytes for the same evidence.

What sets it takes as much memory as a drill's checks, and as long as all other documents together: it starts with a drill's
stages, and sets it beside the other documents."""

import subprocess
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain

from reports import words
from reports.audit import page, typeset
from reports.audit.typesetter import typesetter
from reports.story import Story


class NoPdf(Exception):
    """This machine cannot set a PDF; the text says why and what to do. Nothing is wrong with the evidence."""


@dataclass(frozen=True)
class Setting:
    """A PDF that is being set."""

    process: subprocess.Popen[bytes]
    said: Future[tuple[bytes, bytes]]

    def written(self) -> bytes:
        """The whole file, once it is there. Raises NoPdf, and RuntimeError when what sets it failed."""
        written, complaint = self.said.result()
        if self.process.returncode == typeset.NOT_HERE:
            raise NoPdf(written.decode())
        if self.process.returncode != 0:
            last = (complaint.decode("utf-8", "replace").splitlines() or ["it said nothing"])[-1]
            raise RuntimeError(f"what sets the PDF ended with {self.process.returncode}: {last}")
        return written


@contextmanager
def being_set(story: Story, begun: subprocess.Popen[bytes] | None = None) -> Iterator[Setting]:
    """Begins to set it, by the typesetter that has `begun` where there is one, and ends what is still at it when the block is
    left."""
    with nullcontext(begun) if begun is not None else typesetter() as process, ThreadPoolExecutor(1) as beside:
        try:
            # While the text is written here, it imports what it needs.
            yield Setting(process, beside.submit(_set, process, order(story)))
        finally:
            process.kill()


def write_up(story: Story) -> bytes:
    """The whole file. Raises NoPdf, and RuntimeError when what sets it failed."""
    with being_set(story) as setting:
        return setting.written()


def order(story: Story) -> Iterator[bytes]:
    """What a typesetter is sent: a line that says what to set, and the evidence to attach, in pieces."""
    evidence = story.evidence
    ordered = typeset.Order(
        text=page.write_up(story),
        title=story.name,
        at=_zoned(evidence.finished_at).isoformat(),
        identifier=story.written.sha256[:32],
        attached=words.EVIDENCE,
        about="The evidence that this document was rendered from",
    )
    return chain((ordered.line(),), story.written.pieces())


def _set(process: subprocess.Popen[bytes], ordered: Iterator[bytes]) -> tuple[bytes, bytes]:
    """What it said, on stdout and stderr, once it has been sent all and has ended."""
    assert process.stdin is not None
    # One that cannot set a PDF says so before it has read what to set.
    with suppress(BrokenPipeError):
        process.stdin.writelines(ordered)
    return process.communicate()


def _zoned(value: datetime) -> datetime:
    zoned = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    return zoned.replace(microsecond=0)
