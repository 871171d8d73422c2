"""What was proven, what is blind and what is unproven stands in every document that speaks of tonight's checks."""

import io
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from rich.console import Console

from fixtures.record.evidence import Evidence
from fixtures.record.proof import Proof, Proving
from reports import metrics, summary, terminal
from reports.audit import page as audit
from reports.story import Story
from tests.support import evidence_examples as examples
from tests.support.whole_documents import oscal_of, page_of

CONTENT, NOTES, SITES = "public.igny8_content", "public.Igny8_Notes", "public.igny8_sites"
SHARED = "shared: everybody reads them"
BLIND = f"1 row of {NOTES} pointed at another tenant, and the control did not see it"
NO_ROW = "nothing was planted (a row of another tenant): the table has no row"
LAST = datetime(2026, 11, 20, 3, tzinfo=UTC)
TOKEN = r"[^\W\d][\w.-]*"
"""What OSCAL's schema lets a property be called."""
RECENT = "2 of 4 checks proven able to fail in the last 7 drills; 1 blind; 1 check was not tried in 7 drills"


@pytest.fixture
def evidence() -> Evidence:
    """A drill of which one check is proven tonight, another was by an earlier drill, one is blind, and one waits too long."""
    proofs = (
        Proof(
            control="TEN-02", subject=CONTENT, outcome="proven", says="one row", last_proven=LAST, proven_drills_ago=0
        ),
        Proof(control="TEN-02", subject=NOTES, outcome="blind", says=BLIND, hidden_by=(SHARED,)),
        Proof(
            **{"control": "TEN-02", "subject": SITES, "outcome": "unproven", "says": NO_ROW},
            **{"last_proven": LAST, "proven_drills_ago": 3},
        ),
        Proof(control="TEN-07", subject="42 tenants", outcome="unproven", says=NO_ROW, tried=False, waits=7),
    )
    return examples.verified().model_copy(update={"proving": Proving(seed="5eed", drills=9, proofs=proofs)})


def shown(evidence: Evidence) -> str:
    text = io.StringIO()
    terminal.show(evidence, Path("out/run"), Console(file=text, width=160))
    return text.getvalue()


def test_the_page_the_summary_and_the_terminal_say_it_in_one_line(evidence: Evidence) -> None:
    for text in (page_of(Story(evidence)), summary.write_up(Story(evidence)), shown(evidence)):
        assert RECENT in " ".join(text.split())


def test_the_page_and_the_terminal_name_what_is_blind(evidence: Evidence) -> None:
    assert f"blind TEN-02 [{NOTES}]" in " ".join(shown(evidence).split())
    text = page_of(Story(evidence))
    assert BLIND in text
    assert "2 checks (TEN-02, TEN-07): nothing was planted" in " ".join(text.split())
    assert f'The oldest proof is that of TEN-02 on <code class="subject">{SITES}</code>' in text


def test_the_audit_counts_each_area_and_the_exceptions_by_what_they_blind(evidence: Evidence) -> None:
    text = " ".join(audit.write_up(Story(evidence)).split())
    counted = "".join(f"<td>{count}</td>" for count in (1, 1, 2, 0))
    assert f'<th scope="row">TEN</th>{counted}<td>2: {NO_ROW}</td>' in text
    assert f"<li>1 check: {SHARED}</li>" in text
    assert "TEN-02 did not see what was planted for them" in text


def test_metrics_count_what_is_proven_blind_and_late(evidence: Evidence) -> None:
    written = text_string_to_metric_families(metrics.write_up(Story(evidence)))
    figures = {each.name: each.samples[0].value for each in written if each.samples}
    assert [figures[f"restore_drill_{name}"] for name in ("proven", "blind", "unproven_late")] == [2, 1, 1]
    without = metrics.write_up(Story(evidence.model_copy(update={"proving": None})))
    assert "restore_drill_blind" not in without


def test_oscal_has_the_counts_and_each_checks_own_proof(evidence: Evidence) -> None:
    (result,) = json.loads(oscal_of(Story(evidence)))["assessment-results"]["results"]
    of_all = {each["name"]: each["value"] for each in result["props"]}
    assert {name: of_all[f"proof-{name}"] for name in ("proven", "blind", "unproven", "in-tests", "in-words")} == {
        **{"proven": "1", "blind": "1", "unproven": "2", "in-tests": "0"},
        "in-words": RECENT,
    }
    (of_notes,) = [each for each in props_within(result) if each.get("proof") == "blind"]
    assert of_notes["proof-says"] == BLIND
    names = {name for each in props_within(result) for name in each}
    assert [name for name in names if not re.fullmatch(TOKEN, name)] == []


def props_within(value: Any) -> list[dict[str, str]]:
    """Each list of properties of the document, by their names."""
    if isinstance(value, list):
        return [found for each in value for found in props_within(each)]
    if not isinstance(value, dict):
        return []
    own = [{each["name"]: each["value"] for each in value["props"]}] if "props" in value else []
    return own + [found for each in value.values() for found in props_within(each)]
