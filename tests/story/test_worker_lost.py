"""A check whose worker died is told as never reported, whatever it had reported before."""

import pytest

from fixtures.plugin.gathering import Gatherer, Planned
from fixtures.plugin.outcomes import RESULT
from tests.support import evidence_examples as examples

NODES = {"BAK-03": "verify/test_backup_set.py::test_one", "BAK-04": "verify/test_backup_set.py::test_other"}


def report(control: str, outcome: str, *, told: bool = True) -> pytest.TestReport:
    result = examples.result(control, "whole").model_dump(mode="json")
    return pytest.TestReport(
        nodeid=NODES[control],
        location=("", 0, ""),
        keywords={},
        outcome="passed" if outcome == "passed" else "failed",
        longrepr=None,
        when="call",
        user_properties=[(RESULT, result)] if told else [],
    )


def test_a_check_whose_worker_died_is_never_reported_although_it_had_passed() -> None:
    gatherer = Gatherer([Planned(node, control, "whole") for control, node in NODES.items()])
    for control in NODES:
        gatherer.pytest_runtest_logreport(report(control, "passed"))
    assert gatherer.completeness().not_reported == ()
    gatherer.pytest_runtest_logreport(report("BAK-04", "failed", told=False))
    assert gatherer.completeness().not_reported == ("BAK-04[whole]",)
    assert set(gatherer.results) == {("BAK-03", "whole")}
