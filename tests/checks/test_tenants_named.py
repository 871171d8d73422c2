"""A finding names its tenants: counted where they were counted, else by what its samples and its things name."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from fixtures.checks.examination import Finding
from fixtures.checks.probe import ToldTenant
from fixtures.checks.tenancy.references import strays
from fixtures.checks.tenants_named import counted_by_tenant, tenants_named
from fixtures.record.evidence import SAMPLES
from fixtures.record.named_thing import NamedThing
from tests.support.small_tenancy import SmallTenancy, small_tenancy

SPENT = "public.spent(cardNo)->public.cards"
TWO = 'UPDATE spent SET tenant_id = 1 WHERE "cardNo" = 2'
KEY = b"a key of a test"


@pytest.fixture(scope="module")
def tenancy() -> Iterator[SmallTenancy]:
    with small_tenancy() as ready:
        yield ready


def told(finding: Finding, *things: NamedThing) -> list[tuple[str, int | None]]:
    return [(each.tenant, each.broken) for each in tenants_named(finding, things)]


@pytest.mark.parametrize("counted", [True, False])
def test_a_probes_finding_names_whose_rows_they_are(tenancy: SmallTenancy, counted: bool) -> None:
    with tenancy.look(TWO, owner_via={"spent": "tenant_id"}) as look:
        (reference,) = [key for key in look.database.facts.foreign_keys if key.id == SPENT]
        probe = strays(reference, look.table("spent"), look.ownership)
        with pytest.raises(Finding) as caught:
            look.database.expect_none(replace(probe, per_tenant=ToldTenant("tenant") if counted else None))
    assert bool(caught.value.tenants) == counted
    assert told(caught.value) == [("1", 2)]


def test_a_line_for_each_currency_is_one_tenant_and_a_persons_text_is_masked() -> None:
    lines = ({"tenant": "acme", "rows": 2}, {"tenant": None, "rows": 1}, {"tenant": "acme", "rows": 3})
    (first, second) = counted_by_tenant(lines, KEY)
    assert first.tenant.startswith("hmac:")
    assert (first.broken, second.tenant, second.broken) == (5, "none", 1)


def test_what_samples_leave_out_is_not_counted() -> None:
    samples = ("id=1 tenant=7", "id=2 tenant=7 other_tenant=9", "id=3 tenant=None")
    assert told(Finding("all named", 3, samples)) == [("7", 2), ("none", 1)]
    assert told(Finding("some named", 40, samples)) == [("7", None), ("none", None)]
    site = NamedThing(kind="site", name="1", tenant="8")
    assert told(Finding("a site", 1, ()), site, site) == [("8", None)]


def test_no_finding_names_more_than_twenty_tenants() -> None:
    things = [NamedThing(kind="site", name=str(number), tenant=str(number)) for number in range(2 * SAMPLES)]
    assert len(tenants_named(Finding("many sites", 40, ()), things)) == SAMPLES
