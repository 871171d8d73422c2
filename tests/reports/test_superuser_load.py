"""That a superuser executed the dump stands in the first lines of every document."""

import json
from pathlib import Path

import pytest

from fixtures.record.evidence import Evidence
from reports.render import DOCUMENTS
from reports.story import Story
from tests.reports.test_terminal import printed
from tests.support import evidence_examples as examples
from tests.support import record_examples
from tests.support.audit_pdfs import text
from tests.support.whole_documents import whole

WORDS = "a superuser executed the dump (the source is our own)"
# How far a reader of each document reads at least: behind what a page has before its first words.
FIRST_LINES = {
    "summary.md": 400,
    "index.html": 1500,
    "runbook.md": 900,
    "audit.pdf": 400,
    "junit.xml": None,
    "oscal.json": None,
}


@pytest.fixture(scope="module")
def allowed() -> Evidence:
    restored = record_examples.record().restored
    assert restored is not None
    trusted = restored.model_copy(update={"superuser_load": "the source is our own"})
    return examples.evidence(examples.passes(), record=record_examples.record(restored=trusted))


def test_the_headline_begins_with_it(allowed: Evidence) -> None:
    assert allowed.headline.startswith(WORDS)
    assert json.loads(allowed.written)["headline"].startswith(WORDS)
    assert printed(allowed, width=200).splitlines()[0].startswith(f"VERIFIED  {WORDS}")


@pytest.mark.parametrize("name", [name for name in DOCUMENTS if name != "metrics.prom"])
def test_every_document_says_so_at_once(name: str, allowed: Evidence, tmp_path: Path) -> None:
    written = text(allowed, tmp_path) if name == "audit.pdf" else whole(name, Story(allowed))
    body = written[written.index("<body") :] if "<body" in written else written
    assert WORDS in body[: FIRST_LINES[name]], body[:3000]


def test_figures_have_a_gauge_of_it(allowed: Evidence) -> None:
    for evidence, value in ((allowed, 1), (examples.verified(), 0)):
        metrics = whole("metrics.prom", Story(evidence))
        assert f"restore_drill_loaded_as_superuser {value}.0" in metrics.splitlines()


def test_a_drill_that_needed_none_says_nothing_of_it() -> None:
    assert "superuser executed" not in examples.verified().headline
