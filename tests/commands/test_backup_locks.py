"""A source with room for the locks of pg_dump and few more: what is read beside it holds those of a few tables at a time."""

import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from fixtures.commands.backup import BackupFailed, Source, take_backup
from fixtures.record.manifest import Manifest
from tests.support.trusting_cluster import trusting_cluster

FEW = {
    "max_locks_per_transaction": "10",
    "max_connections": "20",
    "superuser_reserved_connections": "0",
    "max_wal_senders": "0",
    "max_worker_processes": "0",
    "autovacuum": "off",
    "autovacuum_max_workers": "1",
    "fsync": "off",
}
TABLES, INDEXES, AT_ONCE, TOO_MANY = 100, 10, 10, 1000
WITHOUT_A_FILE = {
    "partitioned tables": "CREATE TABLE p{} (id int) PARTITION BY LIST (id);",
    "sequences": "CREATE SEQUENCE s{};",
}
TABLE = (
    "CREATE TABLE t{0} (id int GENERATED ALWAYS AS IDENTITY, v int); INSERT INTO t{0} (v) VALUES ({0});"
    + "CREATE INDEX ON t{0} (v);" * INDEXES
)
READ_AT_ONCE = f"""DO $$ BEGIN
    FOR n IN 0..{TABLES - 1} LOOP EXECUTE pg_catalog.format('SELECT FROM public.t%s', n); END LOOP; END $$"""


@pytest.fixture(scope="module")
def tight() -> Iterator[Source]:
    """A server with next to no room for locks."""
    with trusting_cluster(settings=FEW) as (folder, port):
        yield Source({"host": str(folder), "port": str(port), "user": "postgres", "dbname": "postgres"})


def database(tight: Source, name: str, text: str, number: int) -> Source:
    """A database in which `text` was executed so many times, with a number each."""
    with tight.connect() as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    source = Source({**tight.settings, "dbname": name})
    with psycopg.connect(**source.settings, autocommit=True) as connection:  # type: ignore[arg-type]
        for first in range(0, number, AT_ONCE):
            connection.execute("".join(text.format(n) for n in range(first, first + AT_ONCE)))
    return source


def test_what_is_read_beside_a_dump_needs_no_more_room_for_locks_than_the_dump(tight: Source, tmp_path: Path) -> None:
    source = database(tight, "many", TABLE, TABLES)
    made = take_backup(source, tmp_path, application="many", sites_data=None)

    manifest = Manifest.model_validate_json((made / f"{made.name}.manifest.json").read_text())
    assert manifest.contents is not None
    assert list(manifest.tables.values()) == [1] * TABLES
    assert len(manifest.contents.digests) == len(manifest.contents.sequences) == TABLES
    assert {span.before.last_value for span in manifest.contents.sequences.values()} == {1}
    with source.connect() as connection, pytest.raises(psycopg.errors.OutOfMemory):
        connection.execute(READ_AT_ONCE)


@pytest.mark.parametrize("kind", WITHOUT_A_FILE)
def test_a_source_with_no_room_for_the_dumps_own_locks_is_told_how_much_it_takes(
    tight: Source, tmp_path: Path, kind: str
) -> None:
    """Our own transaction finds it out by tables, pg_dump by sequences."""
    source = database(tight, kind, WITHOUT_A_FILE[kind], TOO_MANY)
    with pytest.raises(BackupFailed) as failed:
        take_backup(source, tmp_path, application="many", sites_data=None)
    assert failed.value.cause.startswith(
        "the source's server has no room for more locks: a dump holds one on each table"
    )
    told = re.fullmatch(
        r"raise max_locks_per_transaction there, which takes a restart: (\d+), or more\.", failed.value.fix
    )
    assert told is not None
    room = int(told[1]) * int(FEW["max_connections"])
    assert TOO_MANY * 1.2 < room < TOO_MANY * 2
    assert not [path for path in tmp_path.iterdir() if not path.name.startswith(".")]
