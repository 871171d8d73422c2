"""A table of many tenants takes several lines of the file of shares, and comes back whole."""

from pathlib import Path

import pytest

from fixtures.commands.backup.place import create
from fixtures.database import shares_file
from fixtures.database.digests import Division
from fixtures.database.shares import Shares
from fixtures.database.shares_file import SharedOut, SharesUnreadable, read_shares, writing_shares
from fixtures.record.contents import Share
from fixtures.record.names import TableName


@pytest.fixture(autouse=True)
def few_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shares_file, "TENANTS_A_LINE", 3)


def table(name: str, tenants: range, *, plain_keys: bool = True) -> SharedOut:
    division = Division(table=TableName("public", name), owner=None, plain_keys=plain_keys, money=())
    return SharedOut(division=division, shares=Shares((str(key), Share(rows=key, digest=str(key))) for key in tenants))


def written(folder: Path, *tables: SharedOut) -> Path:
    path = folder / "set.shares.jsonl.gz"
    with writing_shares(create(path)) as writer:
        for each in tables:
            writer.add(each)
    return path


@pytest.mark.parametrize("tenants", [0, 1, 3, 4, 6, 7])
def test_a_table_comes_back_whole_however_many_tenants_it_has(tmp_path: Path, tenants: int) -> None:
    tables = [table("bills", range(tenants)), table("sites", range(2))]
    assert list(read_shares(written(tmp_path, *tables))) == tables


def test_no_line_grows_with_the_tenants(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, table("bills", range(400)))
    monkeypatch.setattr(shares_file, "_LONGEST_LINE", 400)
    (read,) = read_shares(path)
    assert len(read.shares) == 400


@pytest.mark.parametrize("other", [table("bills", range(5, 6)), table("bills", range(9, 10), plain_keys=False)])
def test_lines_of_a_table_that_contradict_each_other_are_no_file_of_shares(tmp_path: Path, other: SharedOut) -> None:
    """The same tenant twice, or another way to divide: neither line could be believed."""
    with pytest.raises(SharesUnreadable, match="the lines of one table contradict each other"):
        list(read_shares(written(tmp_path, table("bills", range(6)), other)))
