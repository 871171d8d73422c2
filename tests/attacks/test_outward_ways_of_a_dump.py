"""What of a dump leads elsewhere, to a publisher or a foreign server, comes back and leads nowhere while it is drilled."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fixtures.record.stage import StageBlocked
from fixtures.server import Server
from tests.support.dump_formats import ARCHIVES, PLAIN, dump_as
from tests.support.restore_target import Target
from tests.support.small_source import Small, small_source

SUBSCRIBES = """
    CREATE SUBSCRIPTION "s 1" CONNECTION 'host=127.0.0.1 port=1 dbname=none' PUBLICATION p
        WITH (connect = false, slot_name = 'x');
    COMMENT ON SUBSCRIPTION "s 1" IS 'it''s ours';
"""
REACHES = """
    CREATE EXTENSION postgres_fdw;
    CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1', port '9', dbname 'x');
    CREATE USER MAPPING FOR PUBLIC SERVER far OPTIONS (user 'u', password 'p');
    CREATE FOREIGN TABLE there (id integer) SERVER far;
"""
FORMATS = {"plain": PLAIN["plain"], "custom": ARCHIVES["custom"]}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    with small_source(tmp_path_factory.mktemp("small")) as ready:
        ready.clone("subscribing")
        ready.run(SUBSCRIBES, "subscribing")
        ready.clone("reaching")
        ready.run(REACHES, "reaching")
        yield ready
        ready.server.drop_database("subscribing")


@pytest.fixture
def target(small: Small) -> Iterator[Target]:
    target = Target(small.server, small.guardian)
    yield target
    if is_there(small.server, target.database):
        small.server.drop_database(target.database)


def dumped(small: Small, name: str, database: str, folder: Path) -> Path:
    folder.mkdir()
    environment = small.server.environment(database)
    dump_as(FORMATS[name], small.server.clients, environment, folder, "small_20260101_000000")
    return folder


def is_there(server: Server, database: str) -> bool:
    with server.administer() as connection:
        return connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone() is not None


def outliving(server: Server) -> Server:
    return replace(server, outlives=True)


@pytest.mark.parametrize("name", FORMATS)
def test_a_subscription_comes_back_with_what_is_said_of_it_and_asks_nobody(
    name: str, small: Small, target: Target, tmp_path: Path
) -> None:
    backups = dumped(small, name, "subscribing", tmp_path / "backups")
    assert target.load(backups, roles=False).exit_code == 0
    subscribed = target.ask(
        "SELECT subname, subenabled, obj_description(oid, 'pg_subscription') FROM pg_subscription "
        "WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    assert subscribed == [("s 1", False, "it's ours")]


@pytest.mark.parametrize("name", FORMATS)
def test_on_a_server_that_is_somebody_elses_there_is_none(
    name: str, small: Small, target: Target, tmp_path: Path
) -> None:
    backups = dumped(small, name, "subscribing", tmp_path / "backups")
    assert target.load(backups, roles=False, server=outliving(small.server)).exit_code == 0
    assert (
        target.ask("SELECT 1 FROM pg_subscription s JOIN pg_database d ON d.oid = subdbid AND datname ~ '^rest'") == []
    )


@pytest.mark.parametrize("name", FORMATS)
def test_no_foreign_server_is_made_where_nothing_confines_it(
    name: str, small: Small, target: Target, tmp_path: Path
) -> None:
    backups = dumped(small, name, "reaching", tmp_path / "backups")
    with pytest.raises(StageBlocked, match=r"the dump defines foreign servers \(far\)"):
        target.load(backups, roles=False, server=outliving(small.server))
    assert not is_there(small.server, target.database)


def test_it_comes_back_on_a_server_without_a_network(small: Small, target: Target, tmp_path: Path) -> None:
    target.load(dumped(small, "custom", "reaching", tmp_path / "backups"), roles=False)
    assert target.ask("SELECT srvname FROM pg_foreign_server") == [("far",)]
