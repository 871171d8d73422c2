"""Each REL control goes red on its own fault in a release, and no other control does."""

import hashlib
from pathlib import Path

import pytest

from fixtures.custody.drill_ledger import NAME, enter_drill
from fixtures.record.evidence import FILE as EVIDENCE
from fixtures.record.evidence import Evidence
from tests.support import evidence_examples as examples
from tests.support.drills import Drill, Healthy, drill
from tests.support.outputs import nothing_told
from tests.support.planted_release import (
    RELEASE,
    THRESHOLDS,
    Planted,
    fails_half_way,
    findings,
    migration_name,
    planted_checkout,
    planted_in_source,
    previous_checkout,
)
from tests.support.spoiled_sets import profile_with

FAILS = {"REL-04": ["a migration fails half way"], "REL-05": ["a migration fails half way"]}
PLANTED = FAILS | {
    control: [planted.name for planted in RELEASE if control in planted.findings]
    for control in findings()
    if control.startswith("REL")
}


@pytest.fixture(scope="module")
def gate(healthy: Healthy, tmp_path_factory: pytest.TempPathFactory) -> Drill:
    folder = tmp_path_factory.mktemp("gate")
    healthy.backup(folder / "backups", planted_in_source())
    checkout, profile = planted_checkout(folder), profile_with(folder, THRESHOLDS)
    arguments = ("--gate", "--previous", str(previous_checkout(folder / "previous")))
    return drill(
        folder / "backups", folder / "out", app=checkout, profile=profile, arguments=arguments, seconds=900, pdf=True
    )


@pytest.mark.whole
def test_every_fault_is_found_and_nothing_else_is(gate: Drill) -> None:
    assert (gate.red, gate.blocked) == (findings(), {}), gate.output
    assert (gate.exit_code, gate.evidence.kind) == (1, "gate")
    assert "FAILED  NO-GO: " in gate.output
    assert gate.evidence.completeness.whole


@pytest.mark.whole
def test_a_gate_tells_nothing_of_any_row_either(gate: Drill) -> None:
    nothing_told(gate)


@pytest.mark.whole
@pytest.mark.parametrize("planted", RELEASE, ids=[planted.name for planted in RELEASE])
def test_the_finding_names_its_fault(gate: Drill, planted: Planted) -> None:
    for control, subjects in planted.findings.items():
        for subject in subjects:
            result = gate.result(control, subject)
            migration = f"igny8.{migration_name(planted)}" if planted.operations else ""
            named = [text.format(migration=migration) for text in planted.samples.get(control, ("{migration}",))]
            assert set(named) <= set(result.samples), result


@pytest.mark.whole
def test_what_fails_half_way_outside_a_transaction_is_named_with_what_it_leaves(
    whole_set: Path, tmp_path: Path
) -> None:
    checkout, nights = fails_half_way(tmp_path), tmp_path / "nights"
    night = examples.evidence(
        [examples.result("MIG-01", "whole", "failed"), examples.result("BIL-02", "whole", "failed")]
    )
    before = entered(nights, night)
    arguments = ("--gate", "--history", str(nights))
    outcome = drill(whole_set.parent, tmp_path / "out", app=checkout, arguments=arguments, seconds=900)
    assert outcome.red == {"MIG-01": ["whole"], "REL-04": ["whole"], "REL-05": ["whole"]}, outcome.output
    ends, left = outcome.result("REL-04"), outcome.result("REL-05")
    assert (ends.samples, ends.examined) == (("igny8.0010_half_way",), 4)
    assert "did not come to the end: DataError (DivisionByZero)" in ends.message
    assert left.samples == ("column public.half.id integer", "table public.half")
    assert "FAILED  NO-GO: " in outcome.output
    # Beside the last night: what is the release's own stands out, and nothing was written there.
    since = outcome.evidence.since
    assert since is not None
    assert (since.run_id, since.kind, since.new) == (night.run_id, "drill", ("REL-04[whole]", "REL-05[whole]"))
    assert (since.still, since.nights["MIG-01[whole]"]) == (("MIG-01[whole]",), 1)
    assert outcome.evidence.past is not None
    assert [each.run_id for each in outcome.evidence.past.drills] == [night.run_id]
    assert content_of(nights) == before


def content_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def entered(nights: Path, evidence: Evidence) -> dict[str, bytes]:
    """Makes a folder of reports that holds this drill, and gives back what lies in it."""
    written = evidence.model_dump_json().encode()
    (nights / evidence.run_id).mkdir(parents=True)
    (nights / evidence.run_id / EVIDENCE).write_bytes(written)
    enter_drill(nights / NAME, evidence, hashlib.sha256(written).hexdigest())
    return content_of(nights)
