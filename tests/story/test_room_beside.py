"""Two stages of a gate run beside each other where there are cores, a confined application and a disk for both."""

import shutil
from dataclasses import replace
from types import SimpleNamespace

import psycopg
import pytest

from fixtures.application.clones import clone
from fixtures.sandbox.isolation import Isolation
from fixtures.server import Server
from fixtures.story import room_beside as module
from fixtures.story.room_beside import room_beside
from tests.support.application_under_test import Bench

MIGRATED = "migrated"
AMPLE = 1 << 50
CONFINED = Isolation("bubblewrap", "")


@pytest.fixture
def server(place: Bench, restored: psycopg.Connection, monkeypatch: pytest.MonkeyPatch) -> Server:
    restored.close()
    clone(place.server, MIGRATED)
    machine(monkeypatch)
    return place.server


def machine(
    monkeypatch: pytest.MonkeyPatch, cores: int = 2, isolation: Isolation = CONFINED, free: int = AMPLE
) -> None:
    monkeypatch.setattr(module, "cores", lambda: cores)
    monkeypatch.setattr(module, "network_isolation", lambda _: isolation)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free, total=AMPLE))


def test_there_is_room_where_nothing_lacks(server: Server) -> None:
    assert room_beside(server)


@pytest.mark.parametrize(
    "lacks",
    [
        {"cores": 1},
        {"isolation": Isolation("unshare --net", "")},
        {"isolation": Isolation("bubblewrap", "", network=True)},
    ],
    ids=["a core", "a file system of its own", "a network of its own"],
)
def test_there_is_none_where_one_thing_lacks(
    server: Server, monkeypatch: pytest.MonkeyPatch, lacks: dict[str, object]
) -> None:
    machine(monkeypatch, **lacks)  # type: ignore[arg-type]  # each of its own type
    assert not room_beside(server)


def test_the_disk_has_to_hold_three_copies_beyond_what_is_left_free(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    with server.administer() as connection:
        row = connection.execute("SELECT pg_database_size(%s)", [server.database(MIGRATED)]).fetchone()
    assert row is not None
    least = (512 << 20) + 3 * int(row[0])
    machine(monkeypatch, free=least)
    assert not room_beside(server)
    machine(monkeypatch, free=least + 1)
    assert room_beside(server)


def test_a_server_that_does_not_answer_leaves_it_to_the_stages_to_say_so(server: Server) -> None:
    assert not room_beside(replace(server, port=1))


def test_a_disk_that_cannot_be_seen_is_not_relied_on(server: Server) -> None:
    assert not room_beside(replace(server, data=None))
