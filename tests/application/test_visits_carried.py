"""A user is logged in as the application wants it: by values of the session, by headers, by cookies, by a token."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from fixtures.profile.reading import ProfileError, read_profile
from fixtures.profile.words import SqlFile
from tests.support.application_under_test import copy_of_the_sample
from tests.support.drills import PROFILE
from tests.support.visited_sample import Migrated, by_pattern

# Each answers whoever carries what it asks for, and refuses everybody else; two of them then look at nothing more.
VIEWS = """

import os
from django.contrib.auth.decorators import login_required
from django.core import signing
from django.db import connection
from django.db.models import Q
from django.http import HttpResponse, JsonResponse
from igny8_core.igny8.models import Content, Invoice, Site


def token_for(user):
    return None, signing.dumps(user.pk)


def no_token_for(user):
    raise LookupError("Ada Lovelace")


def holder(request):
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if kind == "Signed":
        return signing.loads(token)
    with connection.cursor() as cursor:
        cursor.execute("SELECT user_id FROM public.api_tokens WHERE token = %s", [token])
        row = cursor.fetchone()
    return row and row[0]


def shown(rows):
    rows = list(rows[:50])
    return JsonResponse([{"id": row.pk} for row in rows], safe=False) if rows else HttpResponse(status=404)


def by_token(request, invoice_id):
    own = Q(tenant__memberships__user=holder(request))
    return shown(Invoice.objects.filter(own, pk=invoice_id)) if holder(request) else HttpResponse(status=401)


def by_any_token(request, invoice_id):
    return shown(Invoice.objects.filter(pk=invoice_id)) if holder(request) else HttpResponse(status=401)


def by_session(request, site_id):
    chosen = request.session.get("tenant")
    return shown(Site.objects.filter(pk=site_id, tenant_id=chosen)) if isinstance(chosen, int) else HttpResponse(status=403)


def by_cookie(request, site_id):
    return shown(Site.objects.filter(pk=site_id, tenant__slug=request.COOKIES.get("tenant", "")))


def by_key(request, site_id):
    key = request.headers.get("X-Shop-Key") == os.environ.get("SHOP_KEY", "none")
    return shown(Site.objects.filter(pk=site_id)) if key else HttpResponse(status=403)


@login_required
def sites(request):
    return shown(Site.objects.filter(Q(tenant__memberships__user=request.user) | Q(pk__in=PUBLIC)).distinct())


@login_required
def site(request, site_id):
    own = Q(tenant__memberships__user=request.user) | Q(pk__in=PUBLIC)
    return shown(Site.objects.filter(own, pk=site_id).distinct())


PUBLIC = range(0, 100000, 2)
# What the others show is asked for elsewhere.
urlpatterns = [each for each in urlpatterns if getattr(each, "name", "") == "login"] + [
    path("by-token/<int:invoice_id>/", by_token),
    path("by-any-token/<int:invoice_id>/", by_any_token),
    path("by-session/<int:site_id>/", by_session),
    path("by-cookie/<int:site_id>/", by_cookie),
    path("by-key/<int:site_id>/", by_key),
    path("with-public/", sites),
    path("with-public/<int:site_id>/", site),
]
"""
LIMIT = 600
OURS = ("by-", "with-public/")
TOKENS = """
    CREATE TABLE public.api_tokens (user_id bigint PRIMARY KEY, token text);
    INSERT INTO public.api_tokens SELECT id, 'secret-' || md5(id::text) FROM public.igny8_users;
    GRANT SELECT ON public.api_tokens TO PUBLIC;
"""
TOKEN_QUERY = {
    "file": "tokens.sql",
    "text": "SELECT user_id AS user, token FROM public.api_tokens WHERE token LIKE '%'",
}
EVEN = {"file": "public.sql", "text": "SELECT id FROM public.igny8_sites WHERE id % 2 = 0"}
IN_SESSION = {"tenant": "{tenant}", "who": "{user} of {tenant.slug}"}


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = copy_of_the_sample(tmp_path_factory.mktemp("carried"))
    with (made / "igny8_core" / "urls.py").open("a") as urls:
        urls.write(VIEWS)
    return made


def outcomes(visited: Any) -> dict[str, str]:
    """Of each of the views above: leaks, keeps, or why it could not be tried."""
    return {
        pattern.split("<")[0]: each.why or ("leaks" if each.shown else "keeps")
        for pattern, each in by_pattern(visited).items()
        if pattern.startswith(OURS)
        if not pattern.startswith("with-public/<")
    }


@pytest.mark.further
def test_what_a_user_carries_opens_addresses_that_no_session_alone_does(
    migrated: Migrated, checkout: Path, tmp_path: Path
) -> None:
    closed = "it refuses every user of a tenant"
    server = migrated.place.server
    with server.altering("migrated") as connection:
        connection.execute(TOKENS)
    try:
        bare = outcomes(migrated.visited(checkout, tmp_path / "bare", LIMIT, tables={"with-public/": "igny8_sites"}))
        carried = migrated.visited(
            checkout,
            tmp_path / "carried",
            LIMIT,
            given={"SHOP_KEY": "given-where-it-runs"},
            tables={"with-public/": "igny8_sites"},
            session=IN_SESSION,
            headers={"Authorization": "Token {token}", "X-Shop-Key": "{SHOP_KEY}"},
            cookies={"tenant": "{tenant.slug}"},
            token_query=SqlFile(**TOKEN_QUERY),
            public_rows={"igny8_sites": {"reason": "every second site is open", "condition": SqlFile(**EVEN)}},
        )
    finally:
        with server.altering("migrated") as connection:
            connection.execute("DROP TABLE public.api_tokens")
    assert bare == {
        **dict.fromkeys(("by-token/", "by-any-token/", "by-session/", "by-cookie/", "by-key/"), closed),
        "with-public/": "leaks",
    }
    assert outcomes(carried) == {
        "by-token/": "keeps",
        "by-any-token/": "leaks",
        "by-session/": "keeps",
        "by-cookie/": "keeps",
        "by-key/": "leaks",
        "with-public/": "keeps",
    }
    below = by_pattern(carried)["with-public/<int:site_id>/"]
    assert (below.why, below.shown) == ("", 0)
    written = [each.read_bytes() for each in tmp_path.rglob("*") if each.is_file()]
    assert written
    assert not any(secret in each for secret in (b"secret-", b"given-where-it-runs") for each in written)


def test_a_token_is_made_by_the_application_itself(migrated: Migrated, checkout: Path, tmp_path: Path) -> None:
    headers = {"Authorization": "Signed {token}"}
    made = migrated.visited(checkout, tmp_path / "made", LIMIT, headers=headers, token="igny8_core.urls.token_for")
    assert {each: outcomes(made)[each] for each in ("by-token/", "by-any-token/")} == {
        "by-token/": "keeps",
        "by-any-token/": "leaks",
    }


def test_a_token_that_cannot_be_made_is_told_without_what_was_said(
    migrated: Migrated, checkout: Path, tmp_path: Path
) -> None:
    headers, names = {"Authorization": "Signed {token}"}, "igny8_core.urls.no_token_for"
    visited = migrated.visited(checkout, tmp_path / "unmade", LIMIT, headers=headers, token=names)
    assert visited.problem == f"{names}, which tenancy.probe.token names, raised LookupError"
    assert not visited.addresses


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ('headers = { Authorization = "Token of somebody" }', "may hold a credential, and a profile holds none"),
        ('headers = { X-Api-Key = "of somebody" }', "may hold a credential, and a profile holds none"),
        ('headers = { Authorization = "{token}" }', "say how it is made"),
        ('token = "shop.made_for"', "and where it stands"),
        ('cookies = { tenant = "{tenants}" }', "{tenants} means nothing"),
        ('headers = { X-Key = "{SHOP_KEY}" }', "the variable SHOP_KEY, which the application is not given"),
    ],
)
def test_a_profile_holds_no_credential_and_nothing_that_stands_for_nothing(
    said: str, told: str, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(PROFILE, tmp_path / "profile"))
    text = (folder / "profile.toml").read_text()
    assert "[tenancy.probe]\n" in text
    (folder / "profile.toml").write_text(text.replace("[tenancy.probe]\n", f"[tenancy.probe]\n{said}\n"))
    with pytest.raises(ProfileError, match=told.replace("{", r"\{")):
        read_profile(folder)
