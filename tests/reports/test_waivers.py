"""A waiver is announced fourteen days before it ends, wherever a person reads first; a later one is not."""

import io
from datetime import timedelta
from pathlib import Path

import pytest
from rich.console import Console

from fixtures.record.evidence import Evidence, Waived
from reports import summary, terminal
from reports.story import Story
from tests.support import evidence_examples as examples
from tests.support import record_examples

DRILLED_ON = (record_examples.STARTED + timedelta(minutes=2)).date()


def waived(*days: int) -> Evidence:
    """One waived result for each number of days that are left."""
    return examples.evidence(
        [
            examples.result("BIL-06", "passes"),
            *(
                examples.result(
                    "APP-04",
                    f"host-{left}.example.net",
                    "waived",
                    waiver=Waived(
                        owner="platform team",
                        ticket=f"OPS-{left}",
                        reason="known",
                        approved_by="head of platform",
                        until=(DRILLED_ON + timedelta(days=left)).isoformat(),
                    ),
                )
                for left in days
            ),
        ]
    )


@pytest.mark.parametrize("days", [(), (15,), (400, 15)])
def test_what_holds_for_longer_is_not_announced(days: tuple[int, ...]) -> None:
    assert waived(*days).running_out == ()
    assert "running out" not in summary.write_up(Story(waived(*days)))


def test_the_first_to_end_is_told_first_and_with_who_mends_it(tmp_path: Path) -> None:
    evidence = waived(14, 0, 15, 1)
    story = Story(evidence)
    assert [result.subject for result in evidence.running_out] == [f"host-{left}.example.net" for left in (0, 1, 14)]
    assert [accepted.partition(" is accepted ")[2].partition(", until")[0] for accepted in story.running_out] == [
        "today for the last time",
        "for 1 more day",
        "for 14 more days",
    ]
    assert story.running_out[2].endswith(f"until {DRILLED_ON + timedelta(days=14)}; platform team fixes it (OPS-14)")
    text = io.StringIO()
    terminal.show(evidence, tmp_path, Console(file=text, width=200))
    markdown = summary.write_up(story)
    for warning in story.running_out:
        assert warning in text.getvalue()
    assert markdown.count(" is accepted ") == 3
    assert "(fixed by platform team, ticket OPS-14)" in markdown
