"""Adds up the findings by the tenant that they name: how many of each area, the worst first."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from fixtures.record.evidence import Result

TENANTS_SHOWN = 20
NOBODY = "none"


@dataclass(frozen=True)
class Tenant:
    """One tenant, as it may be shown, with the failed checks that name it."""

    name: str
    results: tuple[Result, ...]

    @property
    def title(self) -> str:
        return "no tenant" if self.name == NOBODY else self.name

    @property
    def heading(self) -> str:
        return "No tenant" if self.name == NOBODY else f"Tenant {self.name}"

    @property
    def areas(self) -> Counter[str]:
        """Its findings by area."""
        return Counter(result.control.split("-")[0] for result in self.results)

    def broken(self, result: Result) -> int | None:
        """How much of a finding is its own; None where nobody counted."""
        return next(each.broken for each in result.tenants if each.tenant == self.name)


@dataclass(frozen=True)
class ByTenant:
    """The tenants that findings name; `more` are only counted. A finding names 20 at most, so others may have it too."""

    shown: tuple[Tenant, ...]
    more: int
    areas: tuple[str, ...]

    def places(self, results: Iterable[Result]) -> str:
        """The places of the tenants that these findings name, as the page's filter knows them."""
        names = {each.tenant for result in results for each in result.tenants}
        return " ".join(f"t{place}" for place, tenant in enumerate(self.shown) if tenant.name in names)


def by_tenant(failed: Iterable[Result], areas: Iterable[str]) -> ByTenant:
    """The tenants by how many failed checks name them, then by how much of it is counted as theirs."""
    named: defaultdict[str, list[Result]] = defaultdict(list)
    for result in failed:
        for each in result.tenants:
            named[each.tenant].append(result)
    tenants = [Tenant(name, tuple(results)) for name, results in named.items()]
    worst = sorted(tenants, key=lambda each: (-len(each.results), -_counted(each), each.name))
    there = {area for tenant in tenants for area in tenant.areas}
    return ByTenant(
        tuple(worst[:TENANTS_SHOWN]),
        max(len(worst) - TENANTS_SHOWN, 0),
        tuple(area for area in areas if area in there),
    )


def _counted(tenant: Tenant) -> int:
    return sum(tenant.broken(result) or 0 for result in tenant.results)
