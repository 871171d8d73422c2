"""A finding is resolved from evidence that nobody altered, with the key that hid it, onto a terminal: or not at all."""

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from fixtures.checks.masking import RememberingKey, masked, masked_text
from fixtures.commands.resolving.wanted import NotResolvable, find
from fixtures.custody.drill_ledger import NAME, enter_drill
from fixtures.custody.mask_key import MaskKey, make_mask_key, passing_mask_key, read_mask_key
from fixtures.record.evidence import Evidence, Masking, Result, finding_id
from tests.support import evidence_examples as examples
from tests.support.drills import ROOT

ID = finding_id("igny8", "BIL-02", "credits")
SAMPLES = ("slug=hmac:0123456789ab difference=2", "slug=hmac:ba9876543210 difference=1")


@pytest.fixture
def key(tmp_path: Path) -> MaskKey:
    return read_mask_key(make_mask_key(tmp_path / "keys"))


def drilled(out: Path, masking: Masking, samples: tuple[str, ...] = SAMPLES) -> Path:
    failed: Result = examples.result("BIL-02", "credits", "failed", samples=samples, finding=ID)
    evidence: Evidence = examples.evidence([failed], masking=masking)
    run = out / evidence.run_id
    run.mkdir(parents=True)
    content = evidence.model_dump_json().encode()
    (run / "evidence.json").write_bytes(content)
    enter_drill(out / NAME, evidence, hashlib.sha256(content).hexdigest())
    return run


def test_a_finding_is_found_by_its_id_with_every_mask_it_shows(tmp_path: Path, key: MaskKey) -> None:
    wanted = find(drilled(tmp_path, key.masking), ID, key)
    assert (wanted.result.control, wanted.masks) == ("BIL-02", ("hmac:0123456789ab", "hmac:ba9876543210"))


def test_what_cannot_be_resolved_is_refused_with_the_reason(tmp_path: Path, key: MaskKey) -> None:
    run = drilled(tmp_path / "one", key.masking)
    with pytest.raises(NotResolvable, match="has no finding F-000000000000; it has " + ID):
        find(run, "F-000000000000", key)
    with pytest.raises(NotResolvable, match=f"with the mask key {key.masking.key_id}, and this one is none"):
        find(run, ID, passing_mask_key())
    with pytest.raises(NotResolvable, match="drilled without a mask key"):
        find(drilled(tmp_path / "two", passing_mask_key().masking), ID, passing_mask_key())
    with pytest.raises(NotResolvable, match="hides nothing"):
        find(drilled(tmp_path / "three", key.masking, ("id=17",)), ID, key)
    with pytest.raises(NotResolvable, match="cannot be read"):
        find(tmp_path, ID, key)
    (run / "evidence.json").write_text((run / "evidence.json").read_text() + " ")
    with pytest.raises(NotResolvable, match="it was altered, and says what to restore"):
        find(run, ID, key)


def test_nothing_is_shown_where_no_person_looks(tmp_path: Path, key: MaskKey) -> None:
    run = drilled(tmp_path, key.masking)
    done = subprocess.run(
        [sys.executable, "-m", "fixtures.commands.resolving", ID, "--run", str(run)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("stdout is no terminal")
    assert not list(tmp_path.glob("resolved*"))


def test_a_key_that_remembers_hides_as_any_other() -> None:
    remembering = RememberingKey(b"key")
    row = {"id": 17, "slug": "acme"}
    assert masked(row, remembering) == masked(row, b"key") == f"id=17 slug={masked_text('acme', b'key')}"
    assert remembering.texts == {masked_text("acme", b"key"): "acme"}
    assert "acme" not in repr(remembering)
