"""How many workers load a dump of very many entries: pg_restore chose among them for longer than it loaded."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from fixtures.dump.archive_toc import read_archive
from fixtures.restore.load import ArchiveLoader
from fixtures.sandbox.account import unprivileged_account
from fixtures.sandbox.guardian import Guardian
from fixtures.server import Clients
from tests.support.dump_formats import FORMATS, dump_as
from tests.support.kept_server import kept_server


@pytest.mark.parametrize(
    ("version", "entries", "bytes_each", "jobs"),
    [("16.10", 120_000, 400, 1), ("17.6", 120_000, 400, 2), ("16.10", 90_000, 400, 2), ("16.10", 120_000, 20_000, 2)],
)
def test_one_worker_loads_very_many_small_tables_where_pg_restore_sorts_them_each_time(
    tmp_path: Path, version: str, entries: int, bytes_each: int, jobs: int
) -> None:
    with Guardian("3a7eb1e5") as guardian, kept_server() as server:
        server.create_database("little")
        with server.connect("little") as connection:
            connection.execute("CREATE TABLE one (id int)")
        dump = dump_as(FORMATS["custom"], server.clients, server.environment("little"), tmp_path, "shop_20260101")
        dump = Path(shutil.move(dump, server.scratch / "many.dump"))
        dump.chmod(0o644)
        archive = read_archive(dump, guardian, account=unprivileged_account())
        assert archive.toc
        many = (archive.toc * entries)[:entries]
        # As long as the sparse file says, and no longer on the disk.
        with dump.open("r+b") as file:
            file.truncate(entries * bytes_each)
        clients = Clients(server.clients.folder, version)
        loader = ArchiveLoader(dump, replace(archive, toc=many))
        assert loader.jobs(replace(server, clients=clients), 2) == jobs
