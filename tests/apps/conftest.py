"""Prints at the end what the drafts of all applications found, wherever they were measured."""

import pytest

from tests.apps.measured import DRAFTED, Figures, table_of


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
