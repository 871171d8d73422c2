"""Whoever waits for a drill sees which stage is under way, and how long it took the last time."""

import io
import re

import pytest
from rich.console import Console
from rich.progress import Progress, TextColumn

from fixtures.plugin.progress_bar import Bar
from fixtures.plugin.terminal_progress import Lines, shown_writing
from fixtures.record import stages
from fixtures.record.record import StageOutcome

LAST = {"restore": 128.0, "migrate": 4.0}


def ended(name: str, state: str = "ok") -> StageOutcome:
    return StageOutcome.model_validate({"name": name, "state": state, "seconds": 131.2})


def test_a_line_tells_the_last_drills_time_and_a_stage_that_stopped(
    pytestconfig: pytest.Config, capfd: pytest.CaptureFixture[str]
) -> None:
    lines = Lines(pytestconfig, LAST)
    lines.begun(stages.RESTORE)
    lines.ended(ended("restore", "failed"))
    lines.begun(stages.FACTS)
    with shown_writing(pytestconfig, None):
        assert "writing reports begins" in (said := capfd.readouterr().err)
    assert re.sub(r"\d\d:\d\d:\d\d UTC  ", "", said).splitlines() == [
        "restore begins (2 min 8 s last time)",
        "restore failed after 2 min 11 s",
        "facts begins",
        "writing reports begins",
    ]
    assert "writing reports took " in capfd.readouterr().err


def test_a_bar_tells_the_amount_and_what_is_left_of_all_stages() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=100)
    progress = Progress(TextColumn("{task.description}"), TextColumn("{task.fields[amount]}"), console=console)
    bar = Bar(progress, LAST)

    def shown() -> dict[str, str]:
        return {task.description: task.fields["amount"] for task in progress.tasks}

    assert shown() == {"all stages": "about 2 min 12 s left, as last time"}
    bar.begun(stages.RESTORE)
    assert shown()["restore"] == "2 min 8 s last time"
    bar(stages.RESTORE)(1200, 4800, "bytes")
    assert shown()["restore"] == "1,200 of 4,800 bytes"
    bar.ended(ended("restore"))
    bar.begun(stages.MIGRATE)
    assert shown()["all stages"] == "about 4 s left, as last time"
    bar.ended(ended("migrate"))
    assert shown()["all stages"] == ""
    assert "all stages" not in {task.description for task in _without_a_last_drill().tasks}


def _without_a_last_drill() -> Progress:
    progress = Progress()
    Bar(progress, {}).begun(stages.RESTORE)
    return progress
