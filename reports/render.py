"""Which documents a drill has, and the rendering of them all."""

from pathlib import Path

from fixtures.drill.evidence import Evidence
from reports import junit, metrics, oscal, page, runbook, summary, words
from reports.story import Story

DOCUMENTS = {
    "summary.md": summary.write_up,
    "index.html": page.write_up,
    "junit.xml": junit.write_up,
    "runbook.md": runbook.write_up,
    "metrics.prom": metrics.write_up,
    "oscal.json": oscal.write_up,
}


def render(evidence: Evidence, directory: Path) -> list[Path]:
    """Write every document of this drill into `directory`, which exists; the same evidence gives the same bytes.

    All are rendered before one is written: a fault in any of them leaves what was there before."""
    file = directory / words.EVIDENCE
    story = Story(evidence, file.read_bytes() if file.exists() else b"")
    texts = {name: write_up(story) for name, write_up in DOCUMENTS.items()}
    return [words.write(directory / name, text) for name, text in texts.items()]
