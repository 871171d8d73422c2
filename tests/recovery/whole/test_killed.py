"""A recovery that is killed at any line of its journal goes on, or back, and the application is wholly the new or the old."""

import pytest

from fixtures.recovery.journal import Journal, read_journal
from fixtures.recovery.whole.plan import Plan
from tests.support.small_recovery import Tiny, ended_at

LINES = (
    *("recovery begun", "stop begun", "stop done", "look begun", "look done", "drill begun", "drill done"),
    *("load begun", "load done", "compare begun", "compare done", "files begun", "files done"),
    *("migrate begun", "migrate done", "control begun", "control done", "show begun", "show done", "confirm yes"),
    *("swap begun", "swap done", "start begun", "start done", "answer begun", "answer done", "recovery ended"),
)
NEW, OLD = ("recovered", "recovered"), ("old", "old")


def resumed(tiny: Tiny, *, back: bool = False) -> bool:
    lines = read_journal(tiny.journal)
    with Journal.going_on(tiny.journal) as journal:
        return tiny.recovery(journal, Plan.read(lines)).resume(lines, tiny.backup, back=back)


def left_beside(tiny: Tiny) -> list[str]:
    """Databases and folders that a recovery made, and nobody uses."""
    with tiny.production.administer() as session:
        rows = session.execute("SELECT datname FROM pg_database WHERE datname LIKE 'tiny\\_\\_%' ORDER BY 1")
        names = [str(name) for (name,) in rows]
    return [*names, *sorted(path.name for path in tiny.folder.iterdir() if path.name.startswith("sites__"))]


def test_every_line_of_the_journal_is_a_case_here(tiny: Tiny) -> None:
    assert tiny.recover()
    assert tuple(f"{line['step']} {line['state']}" for line in read_journal(tiny.journal)) == LINES
    assert tiny.mark == NEW
    assert tiny.starts == ["recovered recovered"]
    assert left_beside(tiny) == ["tiny__before_20260101_abcdef", "sites__before_20260101_abcdef"]


@pytest.mark.further
@pytest.mark.parametrize("back", [False, True], ids=["on", "back"])
@pytest.mark.parametrize("line", range(1, len(LINES)), ids=LINES[:-1])
def test_what_was_killed_goes_on_or_back_whole(tiny: Tiny, line: int, back: bool) -> None:
    assert ended_at(tiny, line, lambda each, at: each.recover(ended_at=at))
    assert resumed(tiny, back=back)
    assert tiny.mark == (OLD if back else NEW)
    assert tiny.running.exists()
    # At no moment did any part of it run on the one with the other.
    assert set(tiny.starts) <= {"old old", "recovered recovered"}
    swapped = line > LINES.index("swap begun")
    kept = ["tiny__before_20260101_abcdef", "sites__before_20260101_abcdef"]
    beside = ["tiny__recovered_20260101_abcdef", "sites__recovered_20260101_abcdef"] if swapped else []
    assert left_beside(tiny) == (beside if back else kept)
