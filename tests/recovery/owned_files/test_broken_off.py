"""A recovery with files that is broken off anywhere is settled by its journal: rows and files are all old, or all new."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import psycopg
import pytest

from fixtures.commands.recovering import __main__ as command
from fixtures.commands.recovering.application import REFUSED, main
from fixtures.commands.recovering.tenants_files import settle_broken_off
from fixtures.recovery.journal import Journal, read_journal
from fixtures.recovery.owned_files import placing
from fixtures.recovery.refused import RecoveryRefused
from tests.support.cut_at_commit import cut_at_commit
from tests.support.shop_with_files import ShopWithFiles, Tree, an_accident, tree

LINES = (
    *("compare begun", "compare done", "files comparing", "files compared", "files begun", "files done", "confirm yes"),
    *("merge begun", *["write done"] * 3, "check begun", "check done", "place begun", "place done"),
    *("commit begun", "commit done", "files ended"),
)
RENAMES = 1 + 6 + 1
"""The list of what is moved, six files to their places, and one of production's own before."""


class Ending(Journal):
    """Ends its process by SIGKILL once this line is on the disk."""

    at = ""

    def write(self, step: str, state: str, **more: object) -> None:
        super().write(step, state, **more)
        if f"{step} {state}" == self.at:
            os.kill(os.getpid(), signal.SIGKILL)


def killed(shop: ShopWithFiles, line: str = "", move: int = 0) -> None:
    """A recovery by a process that is killed after this line of its journal, or after so many renames."""
    renamed = placing.move
    left = move

    def counted(source: Path, target: Path) -> None:
        nonlocal left
        renamed(source, target)
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    child = os.fork()
    if child == 0:
        try:
            with (
                patch.object(Ending, "at", line),
                patch.object(command, "Journal", Ending),
                patch.object(placing, "move", counted),
            ):
                shop.recover(merge=True, yes=True, replace_changed=True)
        finally:
            os._exit(9)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def documents(production: psycopg.Connection[Any]) -> int:
    row = production.execute("SELECT count(*) FROM documents").fetchone()
    assert row is not None
    return int(row[0])


def settled(shop: ShopWithFiles, production: psycopg.Connection[Any], old: Tree) -> bool:
    """Whether all of it is new, once it was settled; nothing is in between."""
    settle_broken_off(shop.journal, shop.production.connect)
    new = documents(production) == 4
    after = tree(shop.data)
    since = {path: content for path, content in after.items() if path.endswith("since.pdf")}
    assert after == (shop.backup | since if new else old)
    assert shop.left_beside == (["before"] if new else [])
    return new


def test_every_line_of_the_journal_is_a_case_here(shop: ShopWithFiles, production: psycopg.Connection[Any]) -> None:
    an_accident(shop, production)
    assert shop.recover(merge=True, yes=True, replace_changed=True) == 0
    assert tuple(f"{line['step']} {line['state']}" for line in read_journal(shop.journal)) == LINES


@pytest.mark.parametrize("line", ["files done", "place begun", "place done", "commit begun", "commit done"])
def test_killed_at_a_line_it_is_wholly_old_or_wholly_new_once_settled(
    shop: ShopWithFiles, production: psycopg.Connection[Any], line: str
) -> None:
    an_accident(shop, production)
    old = tree(shop.data)
    killed(shop, line)
    assert settled(shop, production, old) == (line == "commit done")
    with pytest.raises(RecoveryRefused, match="this recovery ended"):
        settle_broken_off(shop.journal, shop.production.connect)


@pytest.mark.parametrize("move", [1, 2, 4])
def test_killed_between_two_renames_it_is_wholly_old_once_settled(
    shop: ShopWithFiles, production: psycopg.Connection[Any], move: int
) -> None:
    an_accident(shop, production)
    old = tree(shop.data)
    killed(shop, move=move)
    assert not settled(shop, production, old)


@pytest.mark.further
def test_killed_between_any_two_renames_it_is_wholly_old_once_settled_and_can_be_made_again(
    shop: ShopWithFiles, production: psycopg.Connection[Any]
) -> None:
    an_accident(shop, production)
    old = tree(shop.data)
    for move in range(1, RENAMES + 1):
        killed(shop, move=move)
        assert not settled(shop, production, old)
    assert shop.recover(merge=True, yes=True, replace_changed=True) == 0
    assert documents(production) == 4


def test_killed_while_it_is_settled_it_is_settled_again(
    shop: ShopWithFiles, production: psycopg.Connection[Any]
) -> None:
    an_accident(shop, production)
    old = tree(shop.data)
    killed(shop, "place done")
    renamed, left = placing.move, 2

    def counted(source: Path, target: Path) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise KeyboardInterrupt
        renamed(source, target)

    with patch.object(placing, "move", counted), pytest.raises(KeyboardInterrupt):
        settle_broken_off(shop.journal, shop.production.connect)
    assert tree(shop.data) != old
    assert not settled(shop, production, old)


def test_it_is_settled_by_the_command_that_it_names(
    shop: ShopWithFiles,
    production: psycopg.Connection[Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    an_accident(shop, production)
    old = tree(shop.data)
    killed(shop, "place done")
    assert tree(shop.data) != old
    made = list(shop.folder.glob("data__*"))
    assert [path.stat().st_mode & 0o777 for path in made] == [0o700, 0o700]
    for name, value in shop.server.environment("postgres").items():
        monkeypatch.setenv(name, value)
    assert main(["--resume", str(shop.journal)]) == REFUSED
    assert "the journal is of the database" in capsys.readouterr().err
    for name, value in shop.server.environment("production").items():
        monkeypatch.setenv(name, value)
    assert main(["--resume", str(shop.journal), "--back"]) == REFUSED
    assert "what was committed of it is not taken back" in capsys.readouterr().err
    assert main(["--resume", str(shop.journal)]) == 0
    assert "Nothing was committed." in capsys.readouterr().out
    assert tree(shop.data) == old


def test_a_connection_that_is_lost_in_the_commit_leaves_it_to_the_server_which_of_both_it_is(
    shop: ShopWithFiles, production: psycopg.Connection[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    an_accident(shop, production)
    with (
        cut_at_commit(shop.server, delivered=True, of=b"txid_current") as shop.port,
        pytest.raises(RecoveryRefused, match="the connection was lost while production committed"),
    ):
        shop.recover(merge=True, yes=True, replace_changed=True)
    assert "The server says that the rows were committed: the tenant's files are in place." in capsys.readouterr().out
    assert documents(production) == 4
    assert {path: tree(shop.data)[path] for path in shop.backup} == shop.backup
    assert shop.left_beside == ["before"]


def write(path: Path, text: str) -> None:
    path.write_text(text)


def written_at(*ends: str, act: Callable[[], None]) -> type[Journal]:
    """A journal that does something else once such a line is on the disk."""

    class Acting(Journal):
        def write(self, step: str, state: str, **more: object) -> None:
            super().write(step, state, **more)
            if (step, state) == ends:
                act()

    return Acting


@contextmanager
def meanwhile(step: str, state: str, act: Callable[[], None]) -> Iterator[None]:
    with patch.object(command, "Journal", written_at(step, state, act=act)):
        yield


@pytest.mark.parametrize(
    ("moment", "name", "said", "replace_changed"),
    [
        (("confirm", "yes"), "4.pdf", "files in production are not any more as they were shown", False),
        (("place", "begun"), "thumbnail.png", "not any more as it was compared", True),
    ],
    ids=["while the yes is awaited", "while files are put in place"],
)
def test_a_file_that_somebody_writes_meanwhile_leaves_all_as_it_was(
    shop: ShopWithFiles,
    production: psycopg.Connection[Any],
    moment: tuple[str, str],
    name: str,
    said: str,
    replace_changed: bool,
) -> None:
    an_accident(shop, production)
    old = tree(shop.data)
    late = shop.data / "uploads" / "1" / name
    with meanwhile(*moment, lambda: write(late, "theirs")), pytest.raises(RecoveryRefused, match=said):
        shop.recover(merge=True, yes=True, replace_changed=replace_changed)
    assert tree(shop.data) == old | {f"uploads/1/{name}": b"theirs"}
    assert (documents(production), shop.left_beside) == (3, [])


def test_a_folder_that_became_a_link_meanwhile_is_not_written_through(
    shop: ShopWithFiles, production: psycopg.Connection[Any]
) -> None:
    an_accident(shop, production)
    old, elsewhere = tree(shop.data), shop.folder / "elsewhere"

    def linked() -> None:
        (shop.data / "uploads" / "1").rename(elsewhere)
        (shop.data / "uploads" / "1").symlink_to(elsewhere)

    with meanwhile("place", "begun", linked), pytest.raises(RecoveryRefused, match="not any more as it was compared"):
        shop.recover(merge=True, yes=True)
    (shop.data / "uploads" / "1").unlink()
    elsewhere.rename(shop.data / "uploads" / "1")
    assert (tree(shop.data), documents(production), shop.left_beside) == (old, 3, [])


def test_a_file_of_another_tenant_that_is_written_meanwhile_is_told_and_stays(
    shop: ShopWithFiles, production: psycopg.Connection[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    an_accident(shop, production)
    theirs = shop.data / "uploads" / "2" / "1.pdf"
    with meanwhile("place", "begun", lambda: write(theirs, "meanwhile")):
        assert shop.recover(merge=True, yes=True) == 0
    assert theirs.read_text() == "meanwhile"
    assert "before and after, the same; others wrote, made or removed 1 meanwhile." in capsys.readouterr().out


def test_a_disk_that_is_full_when_the_journal_says_commit_takes_the_files_back(
    shop: ShopWithFiles, production: psycopg.Connection[Any]
) -> None:
    an_accident(shop, production)
    old = tree(shop.data)

    def full() -> None:
        raise OSError(28, "No space left on device")

    with meanwhile("commit", "begun", full), pytest.raises(OSError, match="No space left"):
        shop.recover(merge=True, yes=True, replace_changed=True)
    assert (tree(shop.data), documents(production), shop.left_beside) == (old, 3, [])
