"""`evidence.json` is written one result at a time, and no byte of it tells."""

import pytest
from pydantic import TypeAdapter

from fixtures.record.evidence import Evidence
from tests.support import evidence_examples as examples

_LIKE_THE_KEY = '\n "results": [{}]'
DRILLS = {
    "verified": examples.verified(),
    "failed": examples.failed(),
    "one result": examples.evidence([examples.result("BAK-01")]),
    "no result": examples.evidence([]),
    "a text like what parts it": examples.evidence([examples.result("BAK-01", _LIKE_THE_KEY)], headline=_LIKE_THE_KEY),
}


@pytest.mark.parametrize("drill", DRILLS)
def test_the_pieces_are_what_would_be_written_at_once(drill: str) -> None:
    evidence = DRILLS[drill]
    pieces = list(evidence.pieces())
    assert b"".join(pieces) == TypeAdapter(Evidence).dump_json(evidence, indent=1) + b"\n"
    assert len(pieces) == len(evidence.results) + 2
