"""A materialised view that came back without its rows is told from one that had none at the source."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.checks.restore.populated import NotPopulated, not_populated
from fixtures.dump.archive_toc import entries_of, header_of
from fixtures.record.dump_list import DumpHeader, TocEntry
from fixtures.record.names import TableName
from tests.support.small_tenancy import SmallTenancy, small_tenancy

VIEWS = """
    CREATE MATERIALIZED VIEW filled AS SELECT count(*) FROM cards;
    CREATE MATERIALIZED VIEW never AS SELECT count(*) FROM cards WITH NO DATA;
    CREATE MATERIALIZED VIEW base AS SELECT count(*) FROM cards;
    CREATE VIEW "Between" AS SELECT * FROM base;
    CREATE MATERIALIZED VIEW above AS SELECT * FROM "Between";
    REFRESH MATERIALIZED VIEW base WITH NO DATA;
"""
LOST = "REFRESH MATERIALIZED VIEW filled WITH NO DATA"


@pytest.fixture(scope="module")
def tenancy() -> Iterator[SmallTenancy]:
    with small_tenancy() as ready:
        yield ready


def toc_of(tenancy: SmallTenancy, folder: Path) -> tuple[DumpHeader, tuple[TocEntry, ...]]:
    """What pg_dump lists of a database that has these views."""
    server, dump = tenancy.server, folder / "dump"
    with tenancy.look(VIEWS) as look:
        url = f"host={server.host} port={server.port} user={server.user} dbname={look.database.name}"
        clients = server.clients
        environment = {"PGPASSWORD": server.password}
        subprocess.run([clients.pg_dump, "-Fc", "-f", dump, "-d", url], check=True, env=environment)
        listed = subprocess.run([clients.pg_restore, "-l", dump], check=True, capture_output=True, text=True)
    lines = listed.stdout.splitlines()
    return header_of(lines), entries_of(dump, lines)


def test_a_view_that_was_filled_at_the_source_is_lost_and_one_that_was_not_is_as_it_was(
    tenancy: SmallTenancy, tmp_path: Path
) -> None:
    header, toc = toc_of(tenancy, tmp_path)
    # pg_dump fills no view that reads one that is not filled, whatever it held.
    for planted, lost in ((VIEWS, ()), (f"{VIEWS}; {LOST}", ("public.filled",))):
        with tenancy.look(f"{planted}; REFRESH MATERIALIZED VIEW above WITH NO DATA") as look:
            told = not_populated(look.database, toc, header)
            assert told == NotPopulated(lost, ("public.base", "public.never"), ("public.above",))
    with tenancy.look(f"{VIEWS}; {LOST}") as look:
        # The dump lists none of them: nothing says that they were not filled.
        lost = not_populated(look.database, (), header).lost
        assert lost == ("public.base", "public.filled", "public.never")


def test_what_a_manifest_tells_of_a_view_goes_before_what_the_dump_lists(tenancy: SmallTenancy, tmp_path: Path) -> None:
    header, toc = toc_of(tenancy, tmp_path)
    there = (TableName("public", "base"), TableName("public", "never"))
    with tenancy.look(f"{VIEWS}; REFRESH MATERIALIZED VIEW above WITH NO DATA") as look:
        # It was filled when its base was, and no dump brings that back.
        told = not_populated(look.database, toc, header, there)
        assert told == NotPopulated(("public.above",), ("public.base", "public.never"), ())
        # A job that leaves a view's refresh out of the dump (--exclude-table-data) loses what the source held.
        without = tuple(entry for entry in toc if entry.kind != "MATERIALIZED VIEW DATA")
    with tenancy.look(f"{VIEWS}; {LOST}; REFRESH MATERIALIZED VIEW above WITH NO DATA") as look:
        assert not_populated(look.database, without, header).lost == ()
        lost = not_populated(look.database, without, header, there).lost
        assert lost == ("public.above", "public.filled")
