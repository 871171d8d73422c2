"""The queries behind each finding stand under it, folded, and in the PDF's appendix, as they can be pasted."""

import hashlib
from pathlib import Path

import pytest

from fixtures.record.evidence import Evidence
from fixtures.record.queries import FILE, AskedTogether, Query, digest_of
from reports.audit import page as audit
from reports.query_text import texts_by_digest
from reports.story import Story
from tests.reports.test_page import HOSTILE, Page
from tests.support import evidence_examples as examples
from tests.support.whole_documents import page_of

CROSSING = Query(text="SELECT id FROM content WHERE tenant_id <> %s", parameters=("tenant_id",))
COUNT = Query(text="SELECT count(*) FROM content -- all of them")


def drill(folder: Path, *queries: Query) -> tuple[Evidence, str]:
    """Evidence of two findings of the same queries, with their file beside it."""
    together = AskedTogether(sha256=digest_of(queries), queries=queries)
    content = (together.model_dump_json() + "\n").encode()
    (folder / FILE).write_bytes(content)
    results = [examples.result("TEN-02", name, "failed", query_sha256=together.sha256) for name in ("content", "sites")]
    evidence = examples.evidence(results)
    named = evidence.model_copy(update={"queries_sha256": hashlib.sha256(content).hexdigest()})
    return named, together.sha256


def test_the_queries_of_a_finding_are_statements_that_end_and_say_what_was_given(tmp_path: Path) -> None:
    evidence, sha256 = drill(tmp_path, CROSSING, COUNT)
    assert texts_by_digest(evidence, tmp_path) == {
        sha256: "-- put in for each %s, in this order: tenant_id\nSELECT id FROM content WHERE tenant_id <> %s;\n\n"
        "SELECT count(*) FROM content -- all of them\n;"
    }


@pytest.mark.parametrize("text", ["SELECT 1", HOSTILE])
def test_they_stand_folded_under_the_finding_once_for_findings_of_the_same(tmp_path: Path, text: str) -> None:
    evidence, sha256 = drill(tmp_path, Query(text=text))
    written = page_of(Story(evidence, queries=texts_by_digest(evidence, tmp_path)))
    assert written.count('<details class="query fold">') == 1
    assert f"Its queries <small><code>{sha256[:12]}</code>" in written
    parsed = Page(written)
    assert "script" not in {tag for tag, _ in parsed.elements}


def test_the_pdf_has_them_in_an_appendix_and_a_long_one_only_begins_there(tmp_path: Path) -> None:
    evidence, sha256 = drill(tmp_path, Query(text=f"SELECT '{'x' * 5_000}'"))
    written = audit.write_up(Story(evidence, queries=texts_by_digest(evidence, tmp_path)))
    appendix = written[written.index("13. Queries") : written.index("14. Words")]
    assert f"<h3>{sha256[:12]}</h3>" in appendix
    assert f"more characters, in {FILE}" in appendix
    assert len(appendix) < 4_000


def test_a_file_that_is_not_the_one_that_the_evidence_names_is_not_quoted(tmp_path: Path) -> None:
    evidence, _ = drill(tmp_path, CROSSING)
    (tmp_path / FILE).write_text("SELECT 1\n")
    assert texts_by_digest(evidence, tmp_path) == {}
    (tmp_path / FILE).unlink()
    assert texts_by_digest(evidence, tmp_path) == {}
    assert f"{FILE}, which the evidence names, is not beside this file as the drill wrote it" in audit.write_up(
        Story(evidence)
    )
