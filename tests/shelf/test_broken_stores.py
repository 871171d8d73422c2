"""A store that breaks off, or gives another file each time, is told as that, by its name, and never as a wrong address."""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from fixtures.record.progress import Progress, silent
from fixtures.record.stage import StageBlocked
from fixtures.shelf.locate import locate
from fixtures.shelf.stores.address import Address, parse_backups
from fixtures.shelf.stores.fetch import fetch
from fixtures.shelf.stores.messages import Fetched, Trouble
from fixtures.shelf.stores.open_store import open_store
from fixtures.shelf.stores.stock import stock
from fixtures.shelf.stores.store import Store
from fixtures.shelf.stores.troubles import Troubled
from tests.support.remote_sets import NEWER, lay_out, set_environment
from tests.support.small_source import PROFILE
from tests.support.stores import BUCKET, cut_line, s3_server, sftp_server, web_server

SIZE = 2 << 20
CLIENTS_READ = 256 << 10
NAME = f"{NEWER}.dump"
MISLEADING = ("letter by letter", "firewall", "credentials")


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    lay_out(tmp_path / "shelf", NEWER, b"PGDMP" + os.urandom(SIZE - 5))
    return tmp_path / "shelf"


def opened(url: str) -> tuple[Store, str, Address]:
    address = parse_backups(url)
    assert isinstance(address, Address)
    return *open_store(address), address


def fetched(store: Store, path: str, address: Address, into: Path, advanced: Callable[[int], None]) -> Fetched:
    return fetch(store, store.look(path), into / NAME, address, advanced)


def trouble(attempt: Callable[[], object]) -> Trouble:
    with pytest.raises(Troubled) as caught:
        attempt()
    blocked = caught.value.trouble
    assert blocked.state == "blocked"
    assert not any(words in blocked.cause + blocked.fix for words in MISLEADING)
    return blocked


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two tries nobody waits."""
    monkeypatch.setattr("fixtures.shelf.stores.fetch.time.sleep", lambda _: None)


@pytest.mark.parametrize("ranges", [True, False])
def test_a_transfer_that_ends_early_each_time_is_told_with_how_far_it_came(
    ranges: bool, shelf: Path, tmp_path: Path
) -> None:
    with web_server(shelf, ends_at=SIZE // 2, ranges=ranges) as port:
        store, place, address = opened(f"http://127.0.0.1:{port}/{NEWER}/{NAME}")
        blocked = trouble(lambda: fetched(store, place, address, tmp_path, lambda _: None))
    told = re.match(
        rf"{re.escape(NAME)} from {re.escape(address.shown)} broke off at ([0-9,]+) of {SIZE:,} bytes at each of 6 tries",
        blocked.cause,
    )
    assert told, blocked.cause
    # The client drops what it has not yet handed on when the line ends: one of its reads at most.
    assert SIZE // 2 - CLIENTS_READ <= int(told[1].replace(",", "")) <= SIZE // 2


def test_a_host_that_is_cut_off_at_each_try_is_told_with_how_far_it_came(
    shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with sftp_server(shelf, tmp_path / "keys") as server, cut_line(server.port, 1 << 20, always=True) as line:
        known_hosts = tmp_path / "keys" / "known_hosts"
        known_hosts.write_text(known_hosts.read_text().replace(str(server.port), str(line.port)))
        set_environment(monkeypatch, server.environment)
        store, _, address = opened(f"sftp://drill@127.0.0.1:{line.port}/")
        blocked = trouble(lambda: fetched(store, f"/{NEWER}/{NAME}", address, tmp_path, lambda _: None))
        assert line.cuts
    assert blocked.cause.startswith(
        f"{NAME} from {address.shown} broke off at 0 of {SIZE:,} bytes at each of 6 tries ("
    )


@contextmanager
def restless(
    kind: str, shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[str, str, Callable[[], None]]]:
    """A store, the path of the dump in it, and how it becomes another file."""
    dump = shelf / NEWER / NAME
    versions = iter(range(1, 1 << 20))
    with ExitStack() as stack:
        if kind == "s3":
            s3 = stack.enter_context(s3_server())
            set_environment(monkeypatch, s3.environment)

            def put() -> None:
                s3.client.put_object(Bucket=BUCKET, Key=f"{NEWER}/{NAME}", Body=b"x" * (SIZE - next(versions)))

            put()
            yield f"s3://{BUCKET}/", f"{BUCKET}/{NEWER}/{NAME}", put
        elif kind == "sftp":
            server = stack.enter_context(sftp_server(shelf, tmp_path / "keys"))
            set_environment(monkeypatch, server.environment)
            change = lambda: os.utime(dump, (0, next(versions)))  # noqa: E731
            yield f"sftp://drill@127.0.0.1:{server.port}/", f"/{NEWER}/{NAME}", change
        else:
            port = stack.enter_context(web_server(shelf, restless=True))
            yield f"http://127.0.0.1:{port}/", f"http://127.0.0.1:{port}/{NEWER}/{NAME}", lambda: None


@pytest.mark.parametrize("kind", ["web", "sftp", "s3"])
def test_a_file_that_changes_while_it_is_read_is_told_as_that(
    kind: str, shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with restless(kind, shelf, tmp_path, monkeypatch) as (url, path, change):
        store, _, address = opened(url)
        blocked = trouble(lambda: fetched(store, path, address, tmp_path, lambda more: change() if more > 0 else None))
    assert blocked.cause == f"{NAME} in {address.shown} changes while it is read: it was begun 4 times"


def test_a_store_that_goes_silent_while_it_is_listed_is_told_as_that(shelf: Path, tmp_path: Path) -> None:
    # More than are asked for at once.
    for day in range(1, 29):
        lay_out(shelf, f"igny8_202610{day:02}_031500", b"PGDMP")
    into = tmp_path / "into"
    into.mkdir()
    with web_server(shelf, answers=5) as port:
        store, place, address = opened(f"http://127.0.0.1:{port}/")
        blocked = trouble(lambda: stock(store, place, address, into, lambda _: None))
    assert blocked.cause.startswith(f"{address.shown} answered, and then broke off (")


def test_a_link_to_nothing_is_no_reason_to_read_nothing(
    shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (shelf / "latest").symlink_to(shelf / "gone")
    (shelf / f"{NEWER}.dump").symlink_to(shelf / "gone.dump")
    places: list[str] = []
    with sftp_server(shelf, tmp_path / "keys") as server:
        set_environment(monkeypatch, server.environment)
        into = tmp_path / "into"
        into.mkdir()
        stock(*opened(f"sftp://drill@127.0.0.1:{server.port}/"), into, lambda each: places.append(each.place))
    assert sorted(places) == [*sorted(f"{NEWER}/{path.name}" for path in (shelf / NEWER).iterdir()), "latest"]


def test_an_empty_folder_is_no_wrong_address(shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty").mkdir()
    with sftp_server(tmp_path / "empty", tmp_path / "keys") as server:
        set_environment(monkeypatch, server.environment)
        stock(*opened(f"sftp://drill@127.0.0.1:{server.port}/"), tmp_path, lambda _: None)
    with web_server(tmp_path / "empty") as port:
        blocked = trouble(lambda: stock(*opened(f"http://127.0.0.1:{port}/"), tmp_path, lambda _: None))
    assert "links to nothing below itself" in blocked.cause


def blocked_on_this_disk(shelf: Path, progress: Progress = silent) -> StageBlocked:
    with pytest.raises(StageBlocked) as caught:
        locate(shelf, PROFILE, progress=progress)
    assert not any(words in caught.value.cause + caught.value.fix for words in MISLEADING)
    return caught.value


def test_a_file_of_this_disk_that_changes_while_it_is_read_is_told_as_that(shelf: Path) -> None:
    dump = shelf / NEWER / NAME
    blocked = blocked_on_this_disk(shelf, lambda *_: os.utime(dump, (0, 0)))
    assert blocked.cause == f"{dump} changes while it is read"


def test_a_file_of_this_disk_that_is_gone_once_it_was_listed_is_told_as_that(shelf: Path) -> None:
    roles = shelf / NEWER / f"{NEWER}.roles.sql"
    blocked = blocked_on_this_disk(shelf, lambda *_: roles.unlink(missing_ok=True))
    assert blocked.cause == f"{roles} was listed, and then it was gone"


def test_a_disk_that_gives_an_error_is_no_wrong_path(shelf: Path) -> None:
    # Reading this file of the kernel's fails as reading a broken disk does.
    roles = shelf / NEWER / f"{NEWER}.roles.sql"
    roles.unlink()
    roles.symlink_to("/proc/self/mem")
    blocked = blocked_on_this_disk(shelf)
    assert blocked.cause == f"{roles} cannot be read: Input/output error"
    assert blocked.fix.startswith("look at the disk or the mount")
