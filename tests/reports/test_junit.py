"""junit.xml: read by a JUnit reader, red wherever the drill is not fine, never a skip."""

from pathlib import Path

import junitparser
import pytest
import xmlschema

from fixtures.record.evidence import Evidence
from reports.story import Story
from tests.support import evidence_examples as examples
from tests.support.whole_documents import junit_of

XUNIT2 = xmlschema.XMLSchema(Path(__file__).with_name("xunit2.xsd"))
DRILLS = (examples.verified, examples.failed, examples.inconclusive)


def read(evidence: Evidence, folder: Path) -> junitparser.JUnitXml:
    path = folder / "junit.xml"
    path.write_text(junit_of(Story(evidence)), encoding="utf-8")
    return junitparser.JUnitXml.fromfile(str(path))


def cases(evidence: Evidence, folder: Path) -> list[junitparser.TestCase]:
    return [case for suite in read(evidence, folder) for case in suite if case.classname != "drill"]


@pytest.mark.parametrize("drill", DRILLS)
def test_it_is_xunit2(drill) -> None:
    assert list(XUNIT2.iter_errors(junit_of(Story(drill())))) == []


def test_ten_thousand_subjects_are_xunit2_too(tmp_path: Path) -> None:
    evidence = examples.large(subjects=1_000)
    assert len(evidence.results) > 10_000
    assert list(XUNIT2.iter_errors(junit_of(Story(evidence)))) == []


@pytest.mark.parametrize("drill", DRILLS)
def test_one_testcase_for_each_control_on_each_subject(drill, tmp_path: Path) -> None:
    evidence = drill()
    names = [(case.classname, case.name) for case in cases(evidence, tmp_path)]
    titles = {card.id: card.title for card in evidence.controls}
    expected = [
        (f"{result.control[:3]}.{result.control}", f"{titles[result.control]} [{result.subject}]")
        for result in evidence.results
    ]
    assert sorted(names) == sorted(expected)
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("drill", DRILLS)
def test_counts_are_those_of_the_outcomes(drill, tmp_path: Path) -> None:
    evidence = drill()
    outcomes = [result.outcome for result in evidence.results]
    read_back = read(evidence, tmp_path)
    assert read_back.tests == len(outcomes) + 1
    assert read_back.failures == outcomes.count("failed") + (evidence.verdict == "FAILED")
    assert read_back.errors == outcomes.count("blocked") + (evidence.verdict == "INCONCLUSIVE")
    for suite in read_back:
        kinds = [type(entry) for case in suite for entry in case.result]
        assert (suite.failures, suite.errors) == (kinds.count(junitparser.Failure), kinds.count(junitparser.Error))


def test_blocked_is_an_error_and_never_a_pass(tmp_path: Path) -> None:
    blocked = [case for case in cases(examples.inconclusive(), tmp_path) if not case.classname.startswith("BAK")]
    assert blocked
    assert all([type(entry) for entry in case.result] == [junitparser.Error] for case in blocked)
    assert all("restore failed" in case.result[0].message for case in blocked)


def test_waived_and_exempt_are_passes_with_a_note(tmp_path: Path) -> None:
    by_name = {case.classname: case for case in cases(examples.verified(), tmp_path) if "[" in case.name}
    assert by_name["APP.APP-04"].is_passed
    assert "WAIVED by head of platform until 2027-01-31" in by_name["APP.APP-04"].system_out
    exempt = next(case for case in cases(examples.verified(), tmp_path) if "[trials]" in case.name)
    assert exempt.system_out == "EXEMPT: this application has no trials"


def test_pass_on_nothing_carries_a_note(tmp_path: Path) -> None:
    written = cases(examples.evidence([examples.result("TEN-02", "empty", examined=0)]), tmp_path)
    assert written[0].system_out == "passed, but there was nothing to examine"


def test_failure_tells_what_a_person_needs(tmp_path: Path) -> None:
    ledger = next(case for case in cases(examples.failed(), tmp_path) if case.classname == "BIL.BIL-02" and case.result)
    text = ledger.result[0].text
    for line in (
        "impact: critical",
        "subject: credits",
        "found: 3 of 42 accounts broken",
        "to do: Rebuild the balance",
    ):
        assert line in text


@pytest.mark.parametrize("drill", DRILLS)
def test_verdict_is_red_unless_verified(drill, tmp_path: Path) -> None:
    evidence = drill()
    verdict = next(case for suite in read(evidence, tmp_path) for case in suite if case.classname == "drill")
    assert verdict.is_passed == (evidence.verdict == "VERIFIED")


def test_drill_that_left_something_behind_is_red_though_each_check_is_green(tmp_path: Path) -> None:
    left = examples.TornDown(what="scratch folder", gone=False, how="permission denied")
    assert read(examples.evidence([examples.result("BAK-01")], teardown=(left,)), tmp_path).failures == 1


def test_characters_that_xml_forbids_are_written_out(tmp_path: Path) -> None:
    text = "nul\x00 esc\x1b[0m \ufffe ]]> <&> \"'"
    written = cases(examples.evidence([examples.result("BAK-01", text, "failed", message=text)]), tmp_path)
    assert written[0].result[0].message == "nul\\x00 esc\\x1b[0m \\ufffe ]]> <&> \"'"
