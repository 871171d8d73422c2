"""A disk that runs full is told as one, whoever meets it, and not as a fault of the drill."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from fixtures.archives import in_order as names_in_order
from fixtures.archives.in_order import in_order
from fixtures.database import shares as shares_of_tables
from fixtures.database.shares import Shares
from fixtures.record import stages
from fixtures.record.contents import Share
from fixtures.record.full_disk import is_full
from fixtures.record.stage import outcome_of

PAGES = 8


class Small(sqlite3.Connection):
    """A database that has room for a few pages."""

    def executescript(self, script: str) -> sqlite3.Cursor:
        return super().executescript(f"PRAGMA max_page_count = {PAGES}; {script}")


@pytest.fixture
def little_room(monkeypatch: pytest.MonkeyPatch) -> None:
    connect = sqlite3.connect
    for module in (names_in_order, shares_of_tables):
        monkeypatch.setattr(module, "HELD", 10)
        monkeypatch.setattr(module.sqlite3, "connect", lambda *at, **how: connect(*at, **how, factory=Small))


def written_to_a_full_device() -> None:
    with Path("/dev/full").open("wb", buffering=0) as device:
        device.write(b"x")


def a_table_of_sqlite() -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as database:
        database.executescript(f"PRAGMA max_page_count = {PAGES}; CREATE TABLE t (a BLOB)")
        try:
            database.execute("INSERT INTO t VALUES (zeroblob(1000000))")
        except sqlite3.OperationalError as error:
            raise ValueError("raised on the way") from error


@pytest.mark.parametrize("write", [written_to_a_full_device, a_table_of_sqlite])
def test_a_stage_whose_disk_is_full_is_blocked_and_says_where_to_make_room(
    write: Callable[[], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    outcome = outcome_of(stages.SITES, write)
    assert outcome.state == "blocked"
    assert outcome.cause.endswith(f"is full (temporary files: {tmp_path})")
    assert outcome.fix.startswith("Free some space there, or set TMPDIR to a folder with more room")


def test_any_other_trouble_is_a_fault_of_the_drill() -> None:
    for trouble in (OSError(2, "No such file"), sqlite3.OperationalError("no such table"), ValueError("full")):
        assert not is_full(trouble)

    def crash() -> None:
        raise ValueError("full")

    assert outcome_of(stages.SITES, crash).fix == "This is a fault of the drill: report it."


@pytest.mark.usefixtures("little_room")
@pytest.mark.parametrize(
    "use",
    [
        lambda: list(in_order(b"%08d" % number * 100 for number in range(1000))),
        lambda: Shares((f"{number:0999d}", Share(rows=1, digest="1")) for number in range(1000)),
    ],
    ids=["names", "shares"],
)
def test_what_lies_in_a_file_of_sqlite_says_it_as_the_system_does(use: Callable[[], object]) -> None:
    """So that every command tells it that tells what the system says."""
    with pytest.raises(OSError, match="No space left on device") as raised:
        use()
    assert is_full(raised.value)
