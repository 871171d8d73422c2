"""Whole drills of sets that tell less: counts only, or nothing. None of them passes for compared."""

import json
import shutil
from pathlib import Path

import pytest

from fixtures.database.fidelity import manifest_unforeseen
from fixtures.profile.reading import read_profile
from tests.support.drills import Drill, Drilling
from tests.support.seen_faults import expect_no_canary, expect_red
from tests.support.spoiled_sets import copy_of, part, profile_with

SAID = "unreconciled: no manifest; all "
REASON = "our pgBackRest restores the cluster, and takes no manifest"
NEVER_ONE = {
    'required = ["dump", "roles", "sites", "manifest"]': f'required = ["dump", "roles", "sites"]\nno_manifest = "{REASON}"'
}


@pytest.mark.further
def test_a_manifest_of_counts_only_is_compared_as_far_as_it_goes(
    whole_set: Path, tmp_path: Path, drilling: Drilling
) -> None:
    backup = copy_of(whole_set, tmp_path / "backups")
    part(backup, "shares").unlink()
    manifest = part(backup, "manifest")
    fields = json.loads(manifest.read_text())
    del fields["contents"], fields["files"]["shares"]
    manifest.write_text(json.dumps(fields | {"format": 1}))
    outcome = drilling(tmp_path / "backups", tmp_path / "out")
    finer = [card.id for card in outcome.evidence.controls if card.area == "FID" and card.id > "FID-03"]
    expect_red(outcome, {}, finer, "the manifest has counts only (format 1")
    assert outcome.result("FID-01", "public.igny8_tenants").outcome == "passed"
    assert any("by their row counts" in line for line in outcome.evidence.not_shown)


def test_a_set_that_never_has_a_manifest_is_verified_and_every_document_says_unreconciled(
    whole_set: Path, tmp_path: Path, drilling: Drilling
) -> None:
    backup = copy_of(whole_set, tmp_path / "backups")
    part(backup, "shares").unlink()
    part(backup, "manifest").unlink()
    outcome = drilling(tmp_path / "backups", tmp_path / "out", profile=profile_with(tmp_path, NEVER_ONE))
    assert (outcome.red, outcome.blocked, outcome.exit_code) == ({}, {}, 0), outcome.output
    exempt = outcome.with_outcome("exempt")
    assert {card.id for card in outcome.evidence.controls if card.area == "FID"} <= set(exempt)
    assert "BAK-03" in exempt
    assert outcome.result("FID-03").message == REASON
    assert outcome.evidence.verdict == "VERIFIED"
    assert outcome.evidence.headline.startswith(SAID)
    assert any(REASON in line for line in outcome.evidence.not_shown)
    assert f"VERIFIED  {SAID}" in outcome.output
    _every_document_says(outcome, "unreconciled: no manifest")
    expect_no_canary(outcome)


def _every_document_says(outcome: Drill, words: str) -> None:
    documents = ("evidence.json", "index.html", "summary.md", "runbook.md", "junit.xml")
    assert [name for name in documents if words not in (outcome.directory / name).read_text()] == []


def test_a_manifest_that_was_said_never_to_be_there_is_a_problem_of_the_profile(
    healthy_drill: Drill, tmp_path: Path
) -> None:
    """Else the day on which it goes missing would pass unseen."""
    profile = read_profile(profile_with(tmp_path, NEVER_ONE)).profile
    backup_set = healthy_drill.evidence.record.backup_set
    assert backup_set is not None
    (problem,) = manifest_unforeseen(profile, backup_set, "profile.toml")
    assert problem.startswith("profile.toml: backup.no_manifest: this set has a manifest; remove the line")
    without = backup_set.model_copy(
        update={"manifest": None, "artefacts": tuple(each for each in backup_set.artefacts if each.role != "manifest")}
    )
    assert manifest_unforeseen(profile, without, "profile.toml") == ()


@pytest.mark.further
def test_shares_that_were_altered_are_never_parsed(whole_set: Path, tmp_path: Path, drilling: Drilling) -> None:
    backup = copy_of(whole_set, tmp_path / "backups")
    shutil.copy(part(backup, "logs"), part(backup, "shares"))
    outcome = drilling(tmp_path / "backups", tmp_path / "out")
    expect_red(outcome, {"BAK-03": ["shares"]}, ["FID-05", "FID-06"], "not the one that the manifest describes")


def test_the_evidence_of_a_healthy_drill_holds_no_sum_and_no_tenant(healthy_drill: Drill) -> None:
    """What the shares tell of single tenants stays in the set, which its owner alone may read."""
    record = healthy_drill.evidence.record
    assert record.shares
    assert all(not each.samples and not each.problem for each in record.shares)
    assert all(not money.samples for each in record.shares for money in each.money)
    text = (healthy_drill.directory / "evidence.json").read_text()
    assert '"sums"' not in text
    assert "root_key" not in text
