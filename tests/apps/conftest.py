"""Gives each application's tests to one worker, and prints at the end what the drafts of all applications found, wherever
they were measured."""

import pytest
from xdist.scheduler import LoadScopeScheduling

from tests.apps.measured import CHANGED, DRAFTED, Figures, table_of


class ByApplication(LoadScopeScheduling):  # type: ignore[misc]
    """What is filled once for an application's tests is filled by one worker, and two applications go on at once."""

    def _split_scope(self, nodeid: str) -> str:
        return nodeid.rpartition("[")[2]


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> ByApplication:
    return ByApplication(config, log)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    measured: dict[str, dict[str, Figures]] = {}
    changed: list[str] = []
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        for name, value in getattr(report, "user_properties", ()):
            if name == DRAFTED:
                application, figures = value
                measured[application] = {kind: Figures(*each) for kind, each in figures.items()}
            elif name == CHANGED:
                application, write, take_out = value
                lines = f"{write:>3} lines to write, {take_out:>3} to take out"
                changed.append(f"{application:<10} {lines}, from the draft to the confirmed profile")
    if measured:
        terminalreporter.section("what drafts found of what is so, and how much of what they said is so")
        terminalreporter.write_line(table_of(measured))
        for line in sorted(changed):
            terminalreporter.write_line(line)
