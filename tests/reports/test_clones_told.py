"""The page and the audit's text say how a drill's clones were made, where the evidence does."""

import json

import pytest

from fixtures.record.evidence import Evidence
from fixtures.record.server_facts import Cloning
from reports import words
from reports.audit import page as audit
from reports.story import Story
from tests.support import evidence_examples as examples
from tests.support.whole_documents import page_of

SHARED = Cloning(way="file_copy, cloned", why="its disk shares blocks between files: tried when the server started")


def of(cloning: Cloning | None) -> Evidence:
    evidence = examples.verified()
    assert evidence.record.server is not None
    server = evidence.record.server.model_copy(update={"cloning": cloning})
    return evidence.model_copy(update={"record": evidence.record.model_copy(update={"server": server})})


@pytest.mark.parametrize("document", [page_of, audit.write_up])
def test_both_say_how_clones_were_made_and_why(document) -> None:  # type: ignore[no-untyped-def]
    told = "blocks shared with what was cloned until one of the two writes (file_copy, cloned)"
    assert f"{told}: {SHARED.why}" == words.cloning(SHARED)
    assert told in document(Story(of(SHARED)))


def test_evidence_of_before_is_read_and_says_nothing_of_it() -> None:
    old = json.loads(of(None).written)
    del old["record"]["server"]["cloning"]
    read = Evidence.model_validate_json(json.dumps(old))
    assert read == of(None)
    assert "<dt>Clones</dt>" not in page_of(Story(read))
    assert "<dt>Clones</dt>" in page_of(Story(of(SHARED)))
    assert "not written down" in audit.write_up(Story(read))
