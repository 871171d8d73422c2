"""Shares compared: whose rows changed hands, whose money differs, and nothing of a row or a slug told."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from fixtures.checks.fidelity.table_difference import TableDifference
from fixtures.commands.backup.place import create
from fixtures.database.catalogue import take_structure
from fixtures.database.digests import Division, MoneyColumn, pin, scan
from fixtures.database.places import Place
from fixtures.database.shares_file import SharedOut, writing_shares
from fixtures.database.take_contents import TakenContents, take_contents
from fixtures.ownership import OwnerPath
from fixtures.record.contents import SharesCompared
from fixtures.record.names import TableName
from fixtures.server import Server
from tests.support.kept_server import kept_server

TABLES = """
CREATE TABLE tenants (slug text PRIMARY KEY);
CREATE TABLE sites (id int PRIMARY KEY, tenant text REFERENCES tenants);
CREATE TABLE bills (id int PRIMARY KEY, site int REFERENCES sites, currency text, total numeric(14, 3));
INSERT INTO tenants VALUES ('acme'), ('zenith');
INSERT INTO sites VALUES (1, 'acme'), (2, 'zenith'), (3, NULL);
INSERT INTO bills SELECT g, 1 + g % 3, CASE WHEN g % 2 = 0 THEN 'EUR' ELSE 'USD' END, g * 1.001
  FROM generate_series(1, 60) g;
CREATE TABLE loose (id int, text text);
INSERT INTO loose VALUES (1, 'a');
"""
BILLS = TableName("public", "bills")
Taken = Callable[[str], TakenContents]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with kept_server() as ready:
        yield ready


@pytest.fixture
def taken(server: Server, tmp_path: Path) -> Iterator[Taken]:
    """Takes the contents of a database whose shares were written down before something was done to it."""
    server.create_database("shared")
    connection = server.connect("shared")
    connection.execute(TABLES)  # type: ignore[call-overload]
    shares = write_shares(connection, tmp_path)

    def after(fault: str) -> TakenContents:
        connection.execute(fault)  # type: ignore[call-overload]
        return take_contents(
            lambda: server.connect("shared"), "UTF8", shares, mask=lambda key: "hmac:#", limit=60, connections=2
        )

    yield after
    connection.close()
    server.drop_database("shared")


def write_shares(connection: psycopg.Connection[Any], folder: Path) -> Path:
    file = folder / "set.shares.jsonl.gz"
    with connection.transaction(), connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        pin(cursor)
        structure = take_structure(cursor)
        keys = {str(key.table): key for key in structure.foreign_keys}
        division = Division(
            table=BILLS,
            owner=OwnerPath(
                BILLS, TableName("public", "tenants"), "slug", (keys["public.bills"], keys["public.sites"])
            ),
            plain_keys=False,
            money=(MoneyColumn(column="total", currency=Place(column="currency")),),
        )
        table = structure.table(BILLS)
        assert table is not None
        with writing_shares(create(file)) as writer:
            writer.add(SharedOut(division=division, shares=scan(cursor, table, "UTF8", division).shares))
    return file


def bills(contents: TakenContents) -> SharesCompared:
    (shares,) = contents.shares
    assert contents.shares_problem == ""
    return shares


def like(before: TakenContents, after: TakenContents) -> TableDifference:
    """The bills at both ends."""
    digest_before, digest_after = before.contents.digests[BILLS], after.contents.digests[BILLS]
    return TableDifference(BILLS, before.rows[BILLS], after.rows[BILLS], digest_before, digest_after, bills(after))


def test_nothing_differs_where_nothing_was_done(taken: Taken) -> None:
    contents = taken("SELECT 1")
    shares = bills(contents)
    assert (shares.tenants, shares.moved, shares.changed, shares.samples) == (3, 0, 0, ())
    assert [(money.currencies, money.total, money.tenants) for money in shares.money] == [(2, False, 0)]
    assert contents.rows == {
        TableName("public", name): n for name, n in {"tenants": 2, "sites": 3, "bills": 60, "loose": 1}.items()
    }


def test_rows_that_change_hands_through_a_parent_are_fid_05s_though_the_table_is_the_same(taken: Taken) -> None:
    before = taken("SELECT 1")
    after = taken("UPDATE sites SET tenant = CASE tenant WHEN 'acme' THEN 'zenith' ELSE 'acme' END WHERE id < 3")
    shares = bills(after)
    assert before.contents.digests[BILLS] == after.contents.digests[BILLS]
    assert (shares.moved, shares.changed) == (0, 2), "as many rows as before, and not the same"
    assert like(before, after).named_by == "FID-05"
    assert like(before, before).named_by == ""


def test_a_parent_that_lost_its_tenant_leaves_rows_that_nobody_owns(taken: Taken) -> None:
    shares = bills(taken("UPDATE sites SET tenant = NULL WHERE id = 1"))
    assert shares.moved == 2
    assert set(shares.samples) == {"tenant=none rows=+20", "tenant=hmac:# rows=-20"}


def test_a_cent_between_two_tenants_shows_though_the_sum_is_the_same(taken: Taken) -> None:
    before = taken("SELECT 1")
    after = taken("UPDATE bills SET total = total + CASE id WHEN 3 THEN 0.01 ELSE -0.01 END WHERE id IN (3, 1)")
    (money,) = bills(after).money
    assert (money.total, money.tenants) == (False, 2)
    assert sorted(money.samples) == [
        "tenant=hmac:# currency=USD difference=+0.010",
        "tenant=hmac:# currency=USD difference=-0.010",
    ]
    assert like(before, after).named_by == "FID-06"


def test_another_currency_is_another_sum(taken: Taken) -> None:
    (money,) = bills(taken("UPDATE bills SET currency = 'somebody@example.org' WHERE id = 3")).money
    assert money.total
    assert any("currency=hmac:# difference=+3.003" in sample for sample in money.samples)
    assert not any("example" in sample for sample in money.samples)


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("ALTER TABLE bills RENAME currency TO coin", "public.bills has no column currency"),
        ("ALTER TABLE sites DROP tenant", "public.sites has no column tenant"),
        ("ALTER TABLE sites RENAME TO places", "there is no table public.sites"),
        (
            "ALTER TABLE bills DROP CONSTRAINT bills_site_fkey; ALTER TABLE bills ALTER site TYPE text",
            "operator does not",
        ),
    ],
)
def test_a_table_that_cannot_be_divided_any_more_is_still_counted_and_digested(
    taken: Taken, fault: str, says: str
) -> None:
    contents = taken(fault)
    shares = bills(contents)
    assert re.search(says, shares.problem), shares.problem
    assert contents.rows[BILLS] == 60
    assert contents.contents.digests[BILLS]


def test_a_table_that_is_gone_is_told_and_not_left_out(taken: Taken) -> None:
    assert bills(taken("DROP TABLE bills")).problem == "the table is not there (see FID-01)"
