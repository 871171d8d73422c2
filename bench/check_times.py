"""A plugin for pytest, `-p bench.check_times`: writes what proofs are held against, of a drill in one process.

`checks.json` beside `evidence.json` has the seconds of all checks, with the making of what they are given: a result's own
leave that out, while a proof makes it anew and counts it. The migrations come after the facts, so that the facts' seconds
are those of a stage with both cores."""

import json
from pathlib import Path

import pytest

from fixtures.record.evidence import Evidence
from fixtures.story import running

FILE = "checks.json"


class CheckTimes:
    """Seconds of the checks that have ended by now."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._ahead_of = running.ahead_of

    def pytest_configure(self) -> None:
        setattr(running, "ahead_of", lambda *_: None)  # noqa: B010 - a module's name, which mypy holds for constant

    def pytest_unconfigure(self) -> None:
        setattr(running, "ahead_of", self._ahead_of)  # noqa: B010

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when != "teardown":
            self.seconds += report.duration

    def pytest_drill_evidence(self, config: pytest.Config, evidence: Evidence, directory: Path) -> None:
        (directory / FILE).write_text(json.dumps({"seconds": self.seconds}) + "\n")


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    pluginmanager.register(CheckTimes(), "check-times")
