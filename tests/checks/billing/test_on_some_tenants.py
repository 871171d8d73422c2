"""What is asked of money on some tenants alone is what is found in their rows when all are asked."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import pytest

from fixtures.checks.billing.document import used_twice
from fixtures.checks.blocked import Blocked
from fixtures.checks.databases import Database
from fixtures.checks.examination import Examination, Finding
from fixtures.checks.probe import Probe
from fixtures.checks.sampled import TenantSample
from fixtures.checks.sharing import sharing
from fixtures.record.names import TableName
from tests.checks.billing.probes import SOUND, processed, totals, used
from tests.checks.billing.test_compiled import WRONG
from tests.support.small_shop import Shop

TENANTS = ("acme", "zen", "gone")
NOT_IN_PART = {"used": "no tenant owns what it looks at", "probe": "rows of Shop.Lines have no primary key"}
"""What is not asked of some tenants alone, and why: sums of two tables, and rows that nothing names."""


def drawing(shop: Shop, tenants: int) -> dict[str, TenantSample]:
    """A sample of so many tenants for each tenant that can be drawn first."""
    by_first: dict[str, TenantSample] = {}
    for number in range(200):
        sample = TenantSample(
            f"run {number}", TableName("Shop", "Tenants"), "code", tenants, 3, "it would take an hour"
        )
        (first, *_) = (tenant for (tenant,) in shop.session.execute(sample.drawn).fetchall())
        by_first.setdefault(first, sample)
        if len(by_first) == len(TENANTS):
            break
    assert set(by_first) == set(TENANTS)
    return by_first


def keys(shop: Shop, probe: Probe, sample: TenantSample | None = None) -> tuple[list[str], int]:
    """The keys of what is found, and how many rows were looked at."""
    database = replace(shop.database(), sample=sample)
    found: list[str] = []
    try:
        database.expect_none(probe)
    except Finding as finding:
        found = sorted(finding.samples)
    on = database.examination.on_tenants
    assert on == (sample.on_tenants if sample is not None else None)
    return found, database.examination.examined or 0


def parts(shop: Shop, asked: Callable[[Shop], Probe]) -> list[tuple[list[str], int]]:
    """The same of each tenant alone."""
    probe = sharing({"": asked(shop)})[""]
    return [keys(shop, probe, sample) for sample in drawing(shop, 1).values()]


def test_all_of_a_healthy_shop_can_be_asked_of_each_tenant_but_for_what_is_nobodys(shop: Shop) -> None:
    blocked: dict[str, str] = {}
    for each in SOUND:
        try:
            of_each = parts(shop, each)
        except Blocked as why:
            blocked[each.__name__] = str(why)
            continue
        _, looked_at = keys(shop, each(shop))
        assert not any(found for found, _ in of_each)
        assert sum(of for _, of in of_each) == looked_at
    assert set(blocked) == set(NOT_IN_PART)
    assert all(NOT_IN_PART[name] in why for name, why in blocked.items())


@pytest.mark.parametrize("what", [what for what in WRONG if WRONG[what][0] is not used])
def test_each_tenants_fault_is_found_in_it_and_nowhere_else(shop: Shop, what: str) -> None:
    asked, fault, *_ = WRONG[what]
    shop.done(fault)
    found, looked_at = keys(shop, asked(shop))
    of_each = parts(shop, asked)
    # A refund of no payment is nobody's, and so in no tenant's part.
    owned = [key for key in found if not key.startswith("id=999 ")]
    assert owned
    assert sorted(key for part, _ in of_each for key in part) == owned
    assert sum(of for _, of in of_each) == looked_at - (len(found) - len(owned))


def test_what_a_tenants_row_is_compared_with_is_looked_up_among_all(shop: Shop) -> None:
    """An id of the processor that an earlier payment of another tenant has."""
    shop.done("""UPDATE "Charges" SET processor = 'stripe', charge = 'ch_1' WHERE id = 5""")
    samples, probe = drawing(shop, 1), sharing({"": processed(shop)})[""]
    assert {tenant: keys(shop, probe, sample)[0] for tenant, sample in samples.items()} == {
        "acme": [],
        "zen": ["id=5"],
        "gone": [],
    }


def test_numbers_that_are_one_series_of_all_tenants_have_no_part(shop: Shop) -> None:
    invoice = shop.profile.invoice[0]
    assert invoice.numbering is not None
    probe = used_twice(invoice, invoice.numbering.model_copy(update={"scope": ()}), shop.books)
    with pytest.raises(Blocked, match="it compares the rows of all tenants with each other"):
        keys(shop, sharing({"": probe})[""], drawing(shop, 1)["acme"])


def test_the_same_seed_draws_the_same_and_another_draws_another(shop: Shop) -> None:
    acme, zen = drawing(shop, 1)["acme"], drawing(shop, 1)["zen"]
    shop.done("""UPDATE "Bills" SET gross = gross + 1 WHERE id = 1""")
    assert keys(shop, totals(shop), acme) == keys(shop, totals(shop), acme)
    assert keys(shop, totals(shop), acme) != keys(shop, totals(shop), zen)


def test_what_reads_rows_otherwise_is_blocked_with_its_cause(shop: Shop) -> None:
    database: Database = replace(shop.database(), sample=drawing(shop, 1)["acme"], examination=Examination())
    with pytest.raises(
        Blocked, match=r"it cannot be tried on some .*\[limits\] checks .* raise it .*; it would take an hour"
    ):
        database.rows(totals(shop).broken)  # type: ignore[arg-type]
    with suppress(Finding), pytest.raises(Blocked, match="there are no tenants"):
        replace(database, sample=replace(drawing(shop, 1)["acme"], tenants=0)).expect_none(totals(shop))
