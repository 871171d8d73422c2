"""Tenants' shares are added up and compared alike, whether memory holds them or a file does."""

from collections.abc import Iterator

import pytest

from fixtures.database import shares as shares_of_tables
from fixtures.database.compare_shares import compare_shares
from fixtures.database.digests import Division, MoneyColumn
from fixtures.database.shares import Shares, side_by_side, together
from fixtures.ownership import OwnerPath
from fixtures.record.contents import Share, SharesCompared
from fixtures.record.names import TableName
from tests.support.memory import bytes_for_one_more

BILLS, TENANTS = TableName("public", "bills"), TableName("public", "tenants")
OWNED = Division(
    table=BILLS,
    owner=OwnerPath(BILLS, TENANTS, "id", ()),
    plain_keys=True,
    money=(MoneyColumn(column="total", currency=None),),
)
NOTHING = Share(rows=0, digest="0")


def share(rows: int, digest: int, **total: str) -> Share:
    return Share(rows=rows, digest=str(digest), sums={"total": total} if total else {})


def pairs(number: int, *, money: str = "1.50") -> Iterator[tuple[str, Share]]:
    return ((str(key), share(key, key * 7, EUR=money)) for key in range(number))


@pytest.fixture(params=[3, 20_000], ids=["in a file", "in memory"])
def held(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shares_of_tables, "HELD", request.param)


@pytest.mark.usefixtures("held")
def test_each_tenant_comes_back_once_in_order_and_added_up() -> None:
    shares = Shares([*pairs(12), ("7", share(1, 1, EUR="0.25", USD="2")), ("", share(2, 2))])
    assert [tenant for tenant, _ in shares.in_order()] == sorted(["", *map(str, range(12))])
    assert shares["7"] == share(8, 50, EUR="1.75", USD="2")
    assert (len(shares), "12" in shares, "" in shares) == (13, False, True)
    assert dict(together([shares, Shares(pairs(3))]))["2"] == share(4, 28, EUR="3.00")


@pytest.mark.usefixtures("held")
def test_a_tenant_that_one_end_lacks_stands_beside_nothing() -> None:
    beside = {tenant: (here, there) for tenant, here, there in side_by_side(Shares(pairs(10)), Shares(), NOTHING)}
    assert beside == {tenant: (each, NOTHING) for tenant, each in pairs(10)}


def compared(source: Shares, restored: Shares) -> SharesCompared:
    return compare_shares(OWNED, source, restored, str)


@pytest.mark.usefixtures("held")
def test_what_differs_is_counted_and_its_first_are_named_by_the_length_of_their_keys() -> None:
    source = Shares(pairs(120))
    found = compared(source, Shares((key, each) for key, each in pairs(120) if int(key) not in range(5, 110)))
    assert (found.tenants, found.moved, found.changed) == (120, 105, 105)
    assert found.samples[:6] == tuple(f"tenant={key} rows={-key:+d}" for key in range(5, 11))
    assert len(found.samples) == 20
    (money,) = found.money
    assert (money.currencies, money.total, money.tenants) == (1, True, 105)
    assert money.samples[:2] == ("tenant=10 currency=EUR difference=-1.50", "tenant=100 currency=EUR difference=-1.50")
    same = compared(source, Shares(pairs(120)))
    assert (same.tenants, same.changed, same.samples, same.money[0].total) == (120, 0, (), False)


@pytest.mark.usefixtures("held")
def test_sums_that_cancel_out_over_all_tenants_are_found_by_tenant() -> None:
    other = {"3": "1.40", "4": "1.60"}
    found = compared(
        Shares(pairs(9)),
        Shares((key, share(int(key), int(key) * 7, EUR=other.get(key, "1.50"))) for key, _ in pairs(9)),
    )
    (money,) = found.money
    assert (found.changed, money.total, money.tenants) == (0, False, 2)
    assert money.samples == ("tenant=3 currency=EUR difference=-0.10", "tenant=4 currency=EUR difference=+0.10")


def test_no_tenant_more_takes_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where every one differs."""
    monkeypatch.setattr(shares_of_tables, "HELD", 200)

    def run(number: int) -> None:
        found = compared(Shares(pairs(number)), Shares(pairs(number, money="2")))
        assert (found.tenants, found.money[0].tenants) == (number, number)

    assert bytes_for_one_more(run, 1000) < 20
