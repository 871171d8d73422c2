"""A profile's query that does not fit, or fails on the rows, costs a backup its shares, never the backup."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.commands.backup import Source, take_backup
from fixtures.database.shares_file import read_shares
from fixtures.profile.reading import read_profile
from fixtures.record.manifest import Manifest
from tests.support.small_tenancy import SmallTenancy, small_tenancy

PROFILE = """
[application]
name = "small"
environment = {}
[backup]
required = ["dump"]
least_bytes = 1
[targets]
rpo_hours = 24
rto_minutes = 5
[tenancy]
root = "tenants"
owner_query = { Words = "owners/words.sql" }
owner_via = { spent = "tenant_id" }
shared = { people = "a person may belong to several tenants" }
"""


@pytest.fixture(scope="module")
def tenancy() -> Iterator[SmallTenancy]:
    with small_tenancy() as ready:
        yield ready


def backed_up(tenancy: SmallTenancy, folder: Path, query: str) -> tuple[str, dict[str, dict[str, int]]]:
    """Why nothing was shared out, and the rows that each tenant has of each table."""
    (folder / "owners").mkdir()
    (folder / "owners" / "words.sql").write_text(query)
    (folder / "profile.toml").write_text(PROFILE)
    taken = take_backup(
        Source.from_environment(tenancy.server.environment("tenancy")),
        folder / "sets",
        application="small",
        sites_data=None,
        profile=read_profile(folder),
        pg_dump=tenancy.server.clients.pg_dump,
    )
    (manifest,) = taken.glob("*.manifest.json")
    contents = Manifest.model_validate_json(manifest.read_text()).contents
    assert contents is not None
    assert len(contents.digests) == 6, "every table is digested, whatever its owner's query does"
    lines = (line for file in taken.glob("*.shares.jsonl.gz") for line in read_shares(file))
    shares = {each.division.table.name: {key: share.rows for key, share in each.shares.items()} for each in lines}
    return contents.undivided, shares


def test_a_query_divides_the_rows(tenancy: SmallTenancy, tmp_path: Path) -> None:
    undivided, shares = backed_up(tenancy, tmp_path, 'SELECT w.id, 2 AS tenant FROM public."Words" w')
    assert (undivided, shares["Words"], shares["cards"]) == ("", {"2": 1}, {"1": 1, "2": 2})


def test_a_query_that_fails_on_the_rows_leaves_its_table_out(tenancy: SmallTenancy, tmp_path: Path) -> None:
    undivided, shares = backed_up(tenancy, tmp_path, 'SELECT w.id, 1 / (w.id - 7) AS tenant FROM public."Words" w')
    assert (undivided, "Words" in shares, shares["cards"]) == ("", False, {"1": 1, "2": 2})


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ('SELECT w.id, 1 AS tenant FROM "Words" w', 'relation "Words" does not exist'),
        ('SELECT w.id FROM public."Words" w', "column o.tenant does not exist"),
        ("SELECT w.id, 'a' || w.id AS tenant FROM public.\"Words\" w", "operator does not exist: integer = text"),
        ("SELECT w.id,", "syntax error at or near"),
    ],
)
def test_a_query_that_does_not_fit_is_told_in_the_manifest(
    tenancy: SmallTenancy, tmp_path: Path, query: str, problem: str
) -> None:
    undivided, shares = backed_up(tenancy, tmp_path, query)
    assert shares == {}
    entry = "profile.toml: tenancy.owner_query public.Words"
    assert undivided.startswith(f"the backup's profile did not fit the database: {entry}: owners/words.sql: {problem}")
    assert undivided.endswith("it returns id and tenant, and names every table with its schema")
