"""Sites, sectors and deployments."""

from collections.abc import Iterator

from .outline import Outline, SiteOutline
from .rows import Rows
from .scripts import title
from .sites_data import content_digest, version_files


def tables(outline: Outline) -> Iterator[Rows]:
    yield Rows(
        "igny8_sites",
        ("id", "tenant_id", "name", "slug", "domain", "status", "current_version", "created_at"),
        _sites(outline),
    )
    yield Rows("igny8_sectors", ("id", "site_id", "parent_id", "name", "position"), _sectors(outline))
    yield Rows(
        "igny8_deployments",
        ("id", "site_id", "version", "content_digest", "status", "deployed_at", "deployed_by_id"),
        _deployments(outline),
    )


def slug(site: SiteOutline) -> str:
    return f"site-{site.id}"


def _sites(outline: Outline) -> Iterator[tuple[object, ...]]:
    for site in outline.sites:
        name = title(site.language, outline.random("site", site.id))
        domain = f"{slug(site)}.igny8.example"
        made = outline.moment(1, site.id)
        yield site.id, site.tenant, name[:120], slug(site), domain, site.status, site.version, made


def _sectors(outline: Outline) -> Iterator[tuple[object, ...]]:
    for site in outline.sites:
        random = outline.random("sectors", site.id)
        for position, sector in enumerate(site.sectors):
            # The first stands on top; the third hangs under the second, the rest under the first.
            parent = None if position == 0 else site.sectors[1] if position == 2 else site.sectors[0]
            yield sector, site.id, parent, title(site.language, random)[:120], position


def _deployments(outline: Outline) -> Iterator[tuple[object, ...]]:
    number = 0
    for site in outline.sites:
        for version, status in history(site):
            number += 1
            random = outline.random("deployment", site.id, version)
            digest = content_digest(version_files(outline, site, version))
            by = random.choice(outline.tenants[site.tenant - 1].users) if random.random() < 0.9 else None
            at = outline.moment(4 + 5 * version, random.randrange(10 * 86400))
            yield number, site.id, version, digest, status, at, by


def history(site: SiteOutline) -> list[tuple[int, str]]:
    """Its deployments as (version, status): older ones superseded, the live one, and at times a failed one after it."""
    if site.status == "draft":
        return []
    if site.version is None:
        return [(1, "superseded")]
    versions = [(version, "superseded") for version in range(1, site.version)]
    versions.append((site.version, "live"))
    if site.id % 5 == 2:
        versions.append((site.version + 1, "failed"))
    return versions
