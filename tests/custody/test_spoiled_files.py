"""Whatever stands in the files of a report and in the ledger: verifying it says what is wrong, in its own words."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fixtures.custody.drill_ledger import Ledger, read_ledger
from fixtures.custody.lines import lines_astray
from fixtures.custody.queries_file import queries_astray
from fixtures.record.queries import FILE as QUERIES
from tests.dump.test_fuzz import fuzzed, spoiled
from tests.support import evidence_examples as examples
from tests.support.counted_work import ends
from tests.support.report_shelf import Shelf

FILES = ("evidence.json", "attestation.json", "../ledger.jsonl")
DEEP = {"lists": b"[" * 30_000, "objects": b'{"a":' * 10_000, "a number": b"1" * 30_000}


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("deep", DEEP)
def test_what_is_nested_or_long_beyond_reason_is_told(shelf: Shelf, file: str, deep: str) -> None:
    (shelf.runs[-1] / file).write_bytes(DEEP[deep] + b"\n")
    assert shelf.check().wrong


@pytest.mark.parametrize("deep", DEEP)
def test_queries_that_are_nested_or_long_beyond_reason_are_told(tmp_path: Path, deep: str) -> None:
    (tmp_path / QUERIES).write_bytes(DEEP[deep] + b"\n")
    named = examples.verified().model_copy(update={"queries_sha256": "0" * 64})
    assert f"line 1 of {QUERIES} is no query of a drill" in queries_astray(tmp_path, named)


def test_many_queries_cost_what_they_are(tmp_path: Path) -> None:
    lines = (f'{{"sha256": "{number:064x}", "queries": [{{"text": "x"}}]}}\n' for number in range(60_000))
    (tmp_path / QUERIES).write_text("".join(lines))
    named = examples.verified().model_copy(update={"queries_sha256": "0" * 64})
    with ends():
        assert len(queries_astray(tmp_path, named)) > 60_000


def test_a_report_is_read_once_however_many_lines_speak_of_it(shelf: Shelf) -> None:
    entry = read_ledger(shelf.out / "ledger.jsonl").entries[-1]
    evidence = shelf.runs[-1] / "evidence.json"
    with evidence.open("r+b") as file:
        file.truncate(64 << 20)
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    ledger = Ledger((entry.model_copy(update={"evidence_sha256": digest, "attestation_sha256": None}),) * 5000)
    with ends():
        assert lines_astray(shelf.out, ledger, None) == []


def _twice(envelope: dict[str, list[dict[str, str]]]) -> None:
    envelope["signatures"].append({"keyid": "0" * 64, "sig": envelope["signatures"][0]["sig"]})


def _no_text(envelope: dict[str, list[dict[str, str]]]) -> None:
    envelope["signatures"][0]["sig"] = "ü"


@pytest.mark.parametrize("spoil", [_twice, _no_text])
def test_an_envelope_with_other_signatures_is_told(
    shelf: Shelf, spoil: Callable[[dict[str, list[dict[str, str]]]], None]
) -> None:
    file = shelf.runs[-1] / "attestation.json"
    envelope = json.loads(file.read_text())
    spoil(envelope)
    file.write_text(json.dumps(envelope))
    assert any("attestation.json" in wrong for wrong in shelf.check().wrong)


@settings(fuzzed, max_examples=60, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(FILES), st.data())
def test_any_file_of_a_report_may_be_spoiled(shelf: Shelf, file: str, data: st.DataObject) -> None:
    place = shelf.runs[-1] / file
    whole = place.read_bytes()
    content = data.draw(spoiled(whole))
    place.write_bytes(content)
    try:
        assert bool(shelf.check().wrong) or content == whole
    finally:
        place.write_bytes(whole)
