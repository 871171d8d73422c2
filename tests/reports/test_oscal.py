"""oscal.json is what NIST's model takes, refers to nothing that it lacks, and is the evidence's own word for word."""

import hashlib
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from fixtures.record.evidence import Evidence
from reports.story import Story
from tests.support import evidence_examples as examples
from tests.support.programs import missing
from tests.support.whole_documents import oscal_of

DRILLS = (examples.verified, examples.failed, examples.inconclusive)
HOSTILE = '\x1b[2J\n"</script> \u202e'
READER = Path(sys.prefix) / "oscal" / "bin" / "python"
VALIDATE = Path(__file__).parents[1] / "oscal" / "validate.py"


def document(evidence: Evidence) -> dict[str, Any]:
    return json.loads(oscal_of(Story(evidence)))["assessment-results"]


def result(evidence: Evidence) -> dict[str, Any]:
    (only,) = document(evidence)["results"]
    return only


def everything(value: Any, key: str = "") -> list[tuple[str, Any]]:
    """Every value of the document that is no object or list, with the key that it stands under."""
    if isinstance(value, dict):
        return [found for name, each in value.items() for found in everything(each, name)]
    if isinstance(value, list):
        return [found for each in value for found in everything(each, key)]
    return [(key, value)]


def read_by_trestle(folder: Path, *drills: Evidence) -> list[int]:
    """How many observations compliance-trestle finds in each."""
    if not READER.exists():
        missing(f"left out: {READER} is not there, and make test makes it")
    files = [folder / f"{number}.json" for number in range(len(drills))]
    for file, drill in zip(files, drills, strict=True):
        file.write_text(oscal_of(Story(drill)), "utf-8")
    done = subprocess.run([READER, VALIDATE, *files], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return [int(line) for line in done.stdout.splitlines() if line.isdigit()]


def test_compliance_trestle_reads_every_kind_of_drill(tmp_path: Path) -> None:
    drills = [drill() for drill in DRILLS]
    odd = examples.result("TEN-02", HOSTILE, "failed", message=HOSTILE, samples=(HOSTILE,))
    drills.append(examples.evidence([odd], headline=HOSTILE, not_shown=(HOSTILE,)))
    drills.append(examples.evidence([]))
    assert read_by_trestle(tmp_path, *drills) == [len(drill.results) for drill in drills]


@pytest.mark.parametrize("drill", DRILLS)
def test_every_name_is_one_things_and_every_reference_leads_somewhere(drill) -> None:
    entries = everything(document(drill()))
    names = Counter(value for key, value in entries if key == "uuid")
    assert max(names.values()) == 1
    referred = {value for key, value in entries if key.endswith("-uuid")}
    referred |= {value[1:] for key, value in entries if key == "href" and value.startswith("#")}
    assert referred
    assert referred <= names.keys()


@pytest.mark.parametrize("drill", DRILLS)
def test_each_result_is_an_observation_and_each_control_a_finding(drill) -> None:
    evidence = drill()
    written = result(evidence)
    outcomes = Counter(each["props"][0]["value"] for each in written["observations"])
    assert outcomes == Counter(each.outcome for each in evidence.results)
    assert sorted(each["target"]["target-id"] for each in written["findings"]) == sorted(
        {each.control for each in evidence.results}
    )


def test_only_what_held_is_satisfied() -> None:
    for outcome, state in (("passed", "satisfied"), ("exempt", "satisfied"), ("failed", "not-satisfied")):
        (finding,) = result(examples.evidence([examples.result("TEN-02", "one", outcome)]))["findings"]
        assert finding["target"]["status"]["state"] == state
    mixed = [examples.result("TEN-02", "one"), examples.result("TEN-02", "two", "blocked")]
    (finding,) = result(examples.evidence(mixed))["findings"]
    assert finding["target"]["status"]["state"] == "not-satisfied"
    assert finding["target"]["status"]["reason"] == "other"


def test_a_pass_on_nothing_says_so() -> None:
    written = result(examples.evidence([examples.result("TEN-02", "empty", examined=0)]))
    assert written["observations"][0]["description"] == "passed, but there was nothing to examine"
    assert "1 pass had nothing to examine" in written["findings"][0]["target"]["status"]["remarks"]


def test_a_waiver_is_a_deviation_with_its_end_and_an_open_failure_is_not() -> None:
    (risk,) = result(examples.verified())["risks"]
    assert (risk["status"], risk["deadline"]) == ("deviation-approved", "2027-01-31T00:00:00+00:00")
    assert "approved by head of platform" in json.dumps(risk["props"])
    assert {each["status"] for each in result(examples.failed())["risks"]} == {"open"}


def test_the_evidence_and_the_set_are_named_by_their_digests() -> None:
    evidence = examples.verified()
    links = [each["rlinks"][0] for each in document(evidence)["back-matter"]["resources"]]
    hashes = {link["href"]: link["hashes"][0]["value"] for link in links}
    assert hashes["evidence.json"] == hashlib.sha256(evidence.written).hexdigest()
    backup_set = evidence.record.backup_set
    assert backup_set is not None
    assert all(hashes[file.name] == file.sha256 for file in backup_set.artefacts)


def test_ten_thousand_subjects_have_an_observation_each() -> None:
    evidence = examples.large(subjects=1_000)
    assert len(evidence.results) > 10_000
    assert len(result(evidence)["observations"]) == len(evidence.results)
