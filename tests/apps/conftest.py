"""Gives each application's tests to one worker, and prints at the end what the drafts of all applications found, wherever
they were measured."""

import pytest
from xdist.scheduler import LoadScopeScheduling

from tests.apps.measured import DRAFTED, Figures, table_of


class ByApplication(LoadScopeScheduling):  # type: ignore[misc]
    """What is filled once for an application's tests is filled by one worker, and two applications go on at once."""

    def _split_scope(self, nodeid: str) -> str:
        return nodeid.rpartition("[")[2]


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> ByApplication:
    return ByApplication(config, log)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    measured: dict[str, dict[str, Figures]] = {}
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        for name, value in getattr(report, "user_properties", ()):
            if name == DRAFTED:
                application, figures = value
                measured[application] = {kind: Figures(*each) for kind, each in figures.items()}
    if measured:
        terminalreporter.section("what drafts found of what is so, and how much of what they said is so")
        terminalreporter.write_line(table_of(measured))
