"""Currencies, plans, tenants, users and memberships."""

import hashlib
from base64 import b64encode
from collections.abc import Iterator

from . import canary
from .ledger import closing_balance
from .outline import CURRENCIES, MONTHS, Outline
from .pricing import PLANS
from .rows import Rows
from .scripts import words

CANARY_TENANT = 1
CANARY_USER = 1
PASSWORD = "sample-password"  # everyone's


def tables(outline: Outline) -> Iterator[Rows]:
    yield Rows(
        "igny8_currencies",
        ("code", "name", "minor_units"),
        ((code, name, decimals) for code, (name, decimals, _) in CURRENCIES.items()),
        key=None,
    )
    yield Rows(
        "igny8_plans",
        ("id", "code", "name", "monthly_credits", "price", "currency_id"),
        ((number, *plan, "USD") for number, plan in enumerate(PLANS, 1)),
    )
    yield Rows(
        "igny8_tenants",
        ("id", "name", "slug", "plan_id", "currency_id", "credits_balance", "is_active", "created_at"),
        _tenants(outline),
    )
    yield Rows(
        "igny8_users",
        (
            *("id", "password", "last_login", "is_superuser", "email", "full_name"),
            *("is_staff", "is_active", "date_joined"),
        ),
        _users(outline),
    )
    yield Rows("igny8_memberships", ("id", "tenant_id", "user_id", "role", "created_at"), _memberships(outline))


def _tenants(outline: Outline) -> Iterator[tuple[object, ...]]:
    for tenant in outline.tenants:
        random = outline.random("tenant", tenant.id)
        name = " ".join(random.choices(words(random.choice(("en", "fr", "ru", "zh-Hans"))), k=2)).title()
        slug = f"tenant-{tenant.id}"
        if tenant.id == CANARY_TENANT:
            name, slug = f"{canary.NAME} & Co", canary.TENANT_SLUG
        balance = closing_balance(outline, tenant)
        active = tenant.id % 25 != 24
        yield (tenant.id, name, slug, tenant.plan + 1, tenant.currency, balance, active, outline.moment(0))


def _users(outline: Outline) -> Iterator[tuple[object, ...]]:
    password = _hashed(PASSWORD)
    owners = {tenant.users[0] for tenant in outline.tenants}
    for user in outline.users:
        random = outline.random("user", user)
        first, last = random.choices(words(random.choice(("en", "fr", "ru", "ar", "vi"))), k=2)
        # Mixed case on purpose: the column is citext.
        email, name = f"Person.{user}@Example.com", f"{first} {last}".title()
        if user == CANARY_USER:
            email, name = canary.EMAIL, canary.NAME
        seen = outline.any_moment(random) if random.random() < 0.8 else None
        office = user == 2
        # Nobody may be locked out of what is theirs.
        active = random.random() > 0.05 or user in owners
        yield (user, password, seen, office, email, name, office, active, outline.moment(0))


def _memberships(outline: Outline) -> Iterator[tuple[object, ...]]:
    number = 0
    for tenant in outline.tenants:
        for place, user in enumerate(tenant.users):
            number += 1
            role = "owner" if place == 0 else ("editor", "viewer")[user % 2]
            yield number, tenant.id, user, role, outline.moment(number % MONTHS)


def _hashed(password: str) -> str:
    # A thousand rounds, not the million Django would take: nothing is protected here and filling stays quick.
    digest = hashlib.pbkdf2_hmac("sha256", password.encode(), b"sample", 1000)
    return f"pbkdf2_sha256$1000$sample${b64encode(digest).decode()}"
