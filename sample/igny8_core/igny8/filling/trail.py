"""Notes on rows of other tables, and the audit trail."""

import json
from collections.abc import Iterator, Mapping

from . import canary
from .outline import Outline
from .rows import Rows
from .scripts import body

NOTED = ("site", "content", "invoice")
_ACTIONS = ("signed_in", "content.changed", "site.published", "invoice.viewed", "key.rotated")


def tables(outline: Outline, content_types: Mapping[str, int]) -> Iterator[Rows]:
    """`content_types` gives the key that Django has for each model in NOTED."""
    yield Rows(
        "igny8_notes",
        ("id", "tenant_id", "content_type_id", "object_id", "author_id", "body", "created_at"),
        _notes(outline, content_types),
    )
    yield Rows(
        "igny8_AuditTrail",
        ("entryId", "tenantId", "actorId", "action", "address", "details", "happenedAt"),
        _trail(outline),
        key="entryId",
    )


def _notes(outline: Outline, content_types: Mapping[str, int]) -> Iterator[tuple[object, ...]]:
    number = 0
    for tenant in outline.tenants:
        random = outline.random("notes", tenant.id)
        for place in range(50):
            number += 1
            site = outline.sites[random.choice(tenant.sites) - 1]
            noted = NOTED[place % 3]
            about = {
                "site": site.id,
                "content": random.choice(site.content),
                "invoice": tenant.invoice(random.randrange(30)),
            }[noted]
            author = random.choice(tenant.users) if random.random() < 0.8 else None
            text = canary.SENTENCE if number == 4 else body(site.language, random, random.randint(5, 40))
            at = outline.any_moment(random)
            yield number, tenant.id, content_types[noted], about, author, text, at


def _trail(outline: Outline) -> Iterator[tuple[object, ...]]:
    number = 0
    for tenant in outline.tenants:
        random = outline.random("trail", tenant.id)
        for _ in range(250):
            number += 1
            actor = random.choice(tenant.users) if random.random() < 0.9 else None
            address = f"2001:db8::{number % 0x10000:x}" if number % 4 == 0 else f"198.51.100.{number % 254 + 1}"
            details = {"agent": "browser", "count": random.randrange(9)}
            if number == 3:
                details |= {"name": canary.NAME}
            action, sent = random.choice(_ACTIONS), json.dumps(details)
            yield number, tenant.id, actor, action, address, sent, outline.any_moment(random)
