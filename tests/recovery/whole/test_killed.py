"""A recovery that is killed at any line of its journal goes on, or back, and the application is wholly the new or the old."""

import os
import signal
from pathlib import Path
from unittest.mock import patch

import pytest

from fixtures.recovery.journal import read_journal
from fixtures.recovery.whole import folders, swap
from fixtures.recovery.whole.plan import Plan
from tests.support.small_recovery import EndingJournal, Tiny, ended_at

LINES = (
    *("recovery begun", "stop begun", "stop done", "look begun", "look done", "drill begun", "drill done"),
    *("load begun", "load done", "compare begun", "compare done", "files begun", "files done"),
    *("migrate begun", "migrate done", "control begun", "control done", "show begun", "show done", "confirm yes"),
    *("swap begun", "swap done", "start begun", "start done", "answer begun", "answer done", "recovery ended"),
)
NEW, OLD = ("recovered", "recovered"), ("old", "old")


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing writes here once it was told to stop: what lasts on is tried in tests/recovery/whole/test_trouble.py."""
    monkeypatch.setattr("fixtures.recovery.whole.standstill._PAUSE", 0.01)


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
    assert tiny.resume(back=back)
    assert tiny.mark == (OLD if back else NEW)
    assert tiny.running.exists()
    # At no moment did any part of it run on the one with the other.
    assert set(tiny.starts) <= {"old old", "recovered recovered"}
    swapped = line > LINES.index("swap begun")
    kept = ["tiny__before_20260101_abcdef", "sites__before_20260101_abcdef"]
    beside = ["tiny__recovered_20260101_abcdef", "sites__recovered_20260101_abcdef"] if swapped else []
    assert left_beside(tiny) == (beside if back else kept)


@pytest.mark.parametrize("back", [False, True], ids=["on", "back"])
@pytest.mark.parametrize("moved", [0, 1], ids=["before a folder", "between folders"])
def test_what_was_killed_between_the_renames_goes_on_or_back_whole(tiny: Tiny, moved: int, back: bool) -> None:
    left = [moved]

    def killed(source: Path, target: Path) -> None:
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)
        left[0] -= 1
        folders.move(source, target)

    def recover(each: Tiny, _line: int) -> None:
        with patch.object(swap, "move", killed):
            each.recover()

    assert ended_at(tiny, 0, recover)
    assert not (tiny.folder / "starts").exists()
    assert tiny.resume(back=back)
    assert tiny.mark == (OLD if back else NEW)
    assert set(tiny.starts) == {" ".join(tiny.mark)}


@pytest.mark.parametrize("line", [LINES.index("load begun") + 1, LINES.index("swap begun") + 1])
def test_what_was_killed_twice_goes_on(tiny: Tiny, line: int) -> None:
    """The second time it is the recovery that goes on which is killed, at its third line."""

    def go_on(each: Tiny, at: int) -> None:
        lines = read_journal(each.journal)
        with EndingJournal.going_on(each.journal) as journal:
            journal.lines_left = at
            each.recovery(journal, Plan.read(lines)).resume(lines, each.backup, back=False)

    assert ended_at(tiny, line, lambda each, at: each.recover(ended_at=at))
    assert ended_at(tiny, 3, go_on)
    assert tiny.resume()
    assert tiny.mark == NEW
    assert set(tiny.starts) == {"recovered recovered"}


def test_a_rehearsal_that_was_killed_after_its_swap_is_cleared_away(tiny: Tiny) -> None:
    rehearsed = [each for each in LINES if each.partition(" ")[0] not in ("stop", "look", "confirm", "start", "answer")]
    assert ended_at(tiny, rehearsed.index("swap done") + 1, lambda each, at: each.recover(ended_at=at, rehearse=True))
    assert tiny.resume()
    assert (tiny.mark, tiny.starts, left_beside(tiny)) == (OLD, [], [])
    assert tiny.running.exists()


def test_what_was_recovered_lies_beside_after_the_way_back(tiny: Tiny) -> None:
    assert tiny.recover()
    assert tiny.resume(back=True)
    assert tiny.mark == OLD
    assert left_beside(tiny) == ["tiny__recovered_20260101_abcdef", "sites__recovered_20260101_abcdef"]
