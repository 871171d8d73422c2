"""The pytest side of the reports: renders when the evidence is there, prints the summary at the end.

What makes documents is imported while the server starts, for which a drill only waits; a worker never needs it."""

import importlib
import io
import subprocess
import threading
from collections import Counter
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fixtures.record.evidence import Evidence
from fixtures.record.stages import SERVE, Stage

if TYPE_CHECKING:
    from reports.render import LastDocument

_COLOURS = {"VERIFIED": "green", "FAILED": "red", "INCONCLUSIVE": "yellow"}


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Reports(), "drill-reports")


class Reports:
    """Keeps the evidence that it was handed until pytest prints its summary."""

    def __init__(self) -> None:
        self._drilled: tuple[Evidence, Path] | None = None
        self._typesetter: subprocess.Popen[bytes] | None = None
        self._stack = ExitStack()
        self._last: LastDocument | None = None

    @pytest.hookimpl
    def pytest_drill_stage_begins(self, config: pytest.Config, stage: Stage) -> None:
        """Has what makes documents imported while the server starts, and starts what sets the PDF, which takes the longest of
        them. What goes wrong there is told where it is asked for."""
        if stage is SERVE:
            threading.Thread(target=_import_ahead, name="imports of the reports", daemon=True).start()
            self._start_typesetter(config)

    def _start_typesetter(self, config: pytest.Config) -> None:
        if config.getoption("no_pdf", False) or self._typesetter is not None:
            return
        from reports.audit.typesetter import typesetter

        config.add_cleanup(self._stack.close)
        self._typesetter = self._stack.enter_context(typesetter())

    @pytest.hookimpl
    def pytest_drill_evidence(self, config: pytest.Config, evidence: Evidence, directory: Path) -> None:
        """Whatever goes wrong here goes on up, and nothing is kept: a drill that cannot show its evidence has no
        verdict to print.

        The PDF is waited for where a signature is to cover it; else it comes last."""
        from reports.render import render, rendered_but_pdf

        if config.getoption("no_pdf", False):
            # A drill that a signal ended wants none any more.
            self._stack.close()
            self._typesetter = None
        # A drill that came to no server has none yet.
        self._start_typesetter(config)
        if self._typesetter is not None and not evidence.signed_by:
            self._last = self._stack.enter_context(rendered_but_pdf(evidence, directory, self._typesetter))
        else:
            render(evidence, directory, with_pdf=not config.getoption("no_pdf", False), typesetter=self._typesetter)
        self._drilled = evidence, directory

    @pytest.hookimpl
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
        if self._drilled is None:
            return
        from rich.console import Console

        from reports import terminal

        evidence, directory = self._drilled
        writer = config.get_terminal_writer()
        text = io.StringIO()
        console = Console(
            file=text,
            width=writer.fullwidth,
            force_terminal=writer.hasmarkup,
            color_system="standard" if writer.hasmarkup else None,
            legacy_windows=False,
        )
        terminal.show(evidence, directory, console, pdf_follows=self._last is not None)
        terminalreporter.section("restore drill" if evidence.kind == "drill" else "release gate")
        terminalreporter.write(text.getvalue())
        # Pytest's own count calls a check failed that was blocked, and passed that was waived.
        terminalreporter.build_summary_stats_line = lambda: last_line(evidence)  # type: ignore[method-assign]

    @pytest.hookimpl
    def pytest_unconfigure(self, config: pytest.Config) -> None:
        """Puts the PDF in its place: nothing runs any more that began before the drill's command ended."""
        if self._last is None:
            return
        why = self._last.put()
        if why:
            config.get_terminal_writer().line(why, yellow=True)


def last_line(evidence: Evidence) -> tuple[list[tuple[str, dict[str, bool]]], str]:
    """What pytest's last line says of a drill: the number of checks by outcome, in markup, and the line's colour."""
    from reports import words

    colour = _COLOURS[evidence.verdict]
    counted = Counter(result.outcome for result in evidence.results)
    parts = [f"{words.number(counted[outcome])} {outcome}" for outcome in words.OUTCOMES if counted[outcome]]
    return [(part, {colour: True}) for part in parts or ["no check reported"]], colour


def _import_ahead() -> None:
    for module in ("reports.render", "reports.terminal", "rich.console"):
        with suppress(ImportError):
            importlib.import_module(module)
