"""What there will be before any of it is written: how many of what, and which row belongs to whom.

Everything that refers to something else takes its key from here, so that rows can be streamed table by table.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random

from .scripts import LANGUAGES

UNTIL = datetime(2026, 1, 1, tzinfo=UTC)
MONTH = timedelta(days=30)
MONTHS = 36

CONTENT_A_SECTOR = 50
TAGS_A_TENANT = 20
KEYWORDS_A_SITE = 60
# Name, decimals, and what one unit of the price list costs in it.
CURRENCIES = {
    "USD": ("US dollar", 2, "1"),
    "EUR": ("Euro", 2, "0.92"),
    "JPY": ("Japanese yen", 0, "151"),
    "KWD": ("Kuwaiti dinar", 3, "0.307"),
    "BRL": ("Brazilian real", 2, "5.4"),
}


@dataclass(frozen=True)
class TenantOutline:
    id: int
    currency: str
    plan: int
    """The plan's place in pricing.PLANS, counted from 0."""
    users: Sequence[int]
    sites: Sequence[int]

    def invoice(self, month: int) -> int:
        """The key of the invoice for a month, 0 <= month < MONTHS."""
        return (self.id - 1) * MONTHS + month + 1


@dataclass(frozen=True)
class SiteOutline:
    id: int
    tenant: int
    language: str
    status: str
    version: int | None
    """The live version; None unless the site is active."""
    sectors: Sequence[int]

    @property
    def content(self) -> range:
        """The keys of its content, those of one sector next to each other."""
        return range((self.sectors[0] - 1) * CONTENT_A_SECTOR + 1, self.sectors[-1] * CONTENT_A_SECTOR + 1)

    @property
    def keywords(self) -> range:
        return range((self.id - 1) * KEYWORDS_A_SITE + 1, self.id * KEYWORDS_A_SITE + 1)


@dataclass(frozen=True)
class Outline:
    seed: int
    scale: int
    until: datetime
    users: range
    tenants: Sequence[TenantOutline]
    sites: Sequence[SiteOutline]

    def random(self, *path: object) -> Random:
        """Chance of its own for each purpose, so that one table's rows don't hang on another's."""
        return Random(":".join(str(part) for part in (self.seed, *path)))

    def day(self, month: int, days: int = 0) -> date:
        return (self.until - (MONTHS - month) * MONTH + timedelta(days=days)).date()

    def moment(self, month: int, seconds: float = 0) -> datetime:
        return self.until - (MONTHS - month) * MONTH + timedelta(seconds=round(seconds))

    def any_moment(self, random: Random) -> datetime:
        return self.until - timedelta(seconds=random.randrange(1, int((MONTHS * MONTH).total_seconds())))

    def images(self) -> Iterator[tuple[int, int, int]]:
        """(tenant, image, content) for every image: each fifteenth piece of content has one."""
        number = 0
        for site in self.sites:
            for content in site.content[::15]:
                number += 1
                yield site.tenant, number, content


def draw(seed: int, scale: int, until: datetime = UNTIL) -> Outline:
    """Scale 1: 6 tenants, 40 users, 15 sites, 3000 pieces of content, 216 invoices; everything grows with scale."""
    if scale < 1:
        raise ValueError(f"scale is {scale}; it must be 1 or more")
    random = Random(f"{seed}:outline")
    users = range(1, 40 * scale + 1)
    codes = list(CURRENCIES)
    sites: list[SiteOutline] = []
    tenants: list[TenantOutline] = []
    for tenant_id in range(1, 6 * scale + 1):
        # Three, two, three, two … sites a tenant: 15 for each 6 tenants. Four sectors each.
        first, count = len(sites) + 1, 2 + tenant_id % 2
        for site_id in range(first, first + count):
            sites.append(_site(site_id, tenant_id, random))
        # Everyone belongs to one tenant, every fifth person to a second one.
        own = users[tenant_id - 1 :: 6 * scale]
        lent = [user for user in users[tenant_id % (6 * scale) :: 6 * scale] if user % 5 == 0]
        tenants.append(
            TenantOutline(
                id=tenant_id,
                currency=codes[(tenant_id - 1) % len(codes)],
                plan=random.randrange(3),
                users=sorted({*own, *lent}),
                sites=range(first, first + count),
            )
        )
    return Outline(seed, scale, until, users, tenants, sites)


def _site(site_id: int, tenant_id: int, random: Random) -> SiteOutline:
    status = {3: "draft", 8: "draft", 11: "archived", 14: "draft"}.get(site_id % 15, "active")
    return SiteOutline(
        id=site_id,
        tenant=tenant_id,
        language=random.choice(LANGUAGES),
        status=status,
        version=random.randint(1, 4) if status == "active" else None,
        sectors=range((site_id - 1) * 4 + 1, site_id * 4 + 1),
    )
