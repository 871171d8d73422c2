"""The application is asked as users of its tenants: what it shows of others is told, and nothing that it writes stays."""

import json
import shutil
from pathlib import Path

import pytest

from fixtures.application.visits import NOBODY
from tests.support.application_under_test import copy_of_the_sample
from tests.support.drills import SAMPLE
from tests.support.visited_sample import Migrated, by_pattern

LEAKY = """

from django.contrib import admin
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import include, re_path
from django.views.generic import DetailView, ListView
from igny8_core.igny8.models import Content, Image, Invoice, Keyword, Site, Subscription, Tag, Tenant


class OpenInvoice(DetailView):
    # It looks at whether somebody is logged in, and not at who.
    queryset = Invoice.objects.all()

    def render_to_response(self, context):
        return HttpResponse(self.object.number)


class OpenTags(ListView):
    model = Tag

    def render_to_response(self, context):
        return JsonResponse([{"id": tag.pk} for tag in self.object_list[:500]], safe=False)


class LinkedSites(ListView):
    # Own sites, and those of others that the last link of each page leads to.
    template_name = None

    def get_queryset(self):
        return Site.objects.all()

    def render_to_response(self, context):
        return HttpResponse("".join('<a href="/sites/%d/?from=here">site</a>' % site.pk for site in self.object_list))


@login_required
def open_keyword(request, key):
    return JsonResponse({"phrase": get_object_or_404(Keyword, pk=key).phrase})


@login_required
def sites_of_tenant(request, tenant_id):
    return JsonResponse([{"id": site.pk} for site in Site.objects.filter(tenant_id=tenant_id)], safe=False)


@login_required
def own_sites_of_tenant(request, tenant_id):
    found = Site.objects.filter(tenant_id=tenant_id, tenant__memberships__user=request.user)
    return JsonResponse([{"id": site.pk} for site in found], safe=False)


@login_required
def open_invoice(request, invoice_number):
    return HttpResponse(Invoice.objects.filter(number=invoice_number).first().total)


def writes(request):
    Tenant.objects.update(name="changed by a visit")
    Tag.objects.all().delete()
    return JsonResponse([], safe=False)


def breaks(request, subscription_id):
    raise LookupError("Ada Lovelace")


def image(request, site_pk, image_pk):
    return HttpResponse(Image.objects.get(pk=image_pk).path)


@login_required
def anything(request, path):
    kind, _, key = path.partition("/")
    return JsonResponse({"title": get_object_or_404(Content, pk=key).title}) if kind == "content" else HttpResponse()


class OpenAdmin(admin.AdminSite):
    # It lets everybody in.
    def has_permission(self, request):
        return True


class OpenTagAdmin(admin.ModelAdmin):
    def has_view_permission(self, request, obj=None):
        return True

    def get_urls(self):
        # Beside what its site guards.
        return [path("<int:pk>/name/", self.name_of), *super().get_urls()]

    def name_of(self, request, pk):
        return HttpResponse(get_object_or_404(Tag, pk=pk).name)


open_admin = OpenAdmin(name="open-admin")
open_admin.register(Tag, OpenTagAdmin)
guarded_admin = admin.AdminSite(name="guarded-admin")
guarded_admin.register(Tag, OpenTagAdmin)


class Impatient:
    # What stands before an administration and soon tires.
    requests = 0

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        Impatient.requests += request.path.startswith("/admin/")
        return HttpResponse(status=500) if Impatient.requests > 60 else self.get_response(request)


urlpatterns += [
    path("open-admin/", open_admin.urls),
    path("guarded-admin/", guarded_admin.urls),
    path("open/", include(([
        path("invoices/<int:pk>/", OpenInvoice.as_view()),
        path("tags/", OpenTags.as_view()),
        path("sites/", LinkedSites.as_view()),
        re_path(r"^keywords/(?P<key>[0-9]+)/$", open_keyword),
    ], "open"))),
    path("tenants/<int:tenant_id>/sites/", sites_of_tenant),
    path("tenants/<int:tenant_id>/own-sites/", own_sites_of_tenant),
    path("bills/<str:invoice_number>/", open_invoice),
    path("writes/", writes),
    path("breaks/<int:subscription_id>/", breaks),
    path("sites/<int:site_pk>/images/<int:image_pk>/", image),
    path("tenants/<int:tenant_id>/days/<str:day>/", sites_of_tenant),
    re_path(r"^rest/(?P<path>.*)$", anything),
]
"""
DESCRIBED = {"paths": {"/rest/content/{id}": {"get": {}}, "/rest/content": {"post": {}}, "/nowhere/{id}": {"get": {}}}}


# Every look-up of a session, and of whatever else is called something, goes through this.
NEVER_ENDS = """
    CREATE FUNCTION public.never(varchar, varchar) RETURNS boolean LANGUAGE plpgsql AS $f$BEGIN
        LOOP BEGIN PERFORM pg_catalog.pg_sleep(0.1); EXCEPTION WHEN OTHERS THEN NULL; END; END LOOP;
    END$f$;
    CREATE OPERATOR public.= (LEFTARG = varchar, RIGHTARG = varchar, FUNCTION = public.never);
"""


# A view in the place of a table: what reads it calls what the view calls.
CANCELS = """
    CREATE FUNCTION public.cancels() RETURNS boolean LANGUAGE plpgsql AS $f$BEGIN
        RAISE EXCEPTION USING ERRCODE = '57014', MESSAGE = 'canceling statement due to statement timeout';
    END$f$;
    ALTER TABLE public.igny8_memberships RENAME TO memberships_behind;
    CREATE VIEW public.igny8_memberships AS SELECT * FROM public.memberships_behind WHERE public.cancels();
"""
NO_LONGER = """
    DROP VIEW public.igny8_memberships;
    ALTER TABLE public.memberships_behind RENAME TO igny8_memberships;
    DROP FUNCTION public.cancels;
"""


@pytest.mark.further
def test_the_sample_shows_nobody_anothers_rows(migrated: Migrated, tmp_path: Path) -> None:
    visited = migrated.visited(SAMPLE, tmp_path / "private")
    assert visited.visitors == 3
    assert [each.pattern for each in visited.tried] == [
        *("sites/", "sites/<int:pk>/", "api/sites/", "api/sites/<int:pk>/", "api/content/", "api/content/<int:pk>/"),
        *("api/invoices/", "api/invoices/<int:pk>/", "api/tasks/", "api/tasks/<uuid:pk>/"),
    ]
    assert all(each.asked and not each.shown for each in visited.tried)
    closed = by_pattern(visited)["admin/igny8/site/<path:object_id>/change/"]
    assert closed.why == "it refuses every user of a tenant"


def test_every_kind_of_leak_is_told_and_nothing_that_a_view_writes_stays(migrated: Migrated, tmp_path: Path) -> None:
    checkout = copy_of_the_sample(tmp_path)
    with (checkout / "igny8_core" / "urls.py").open("a") as urls:
        urls.write(LEAKY)
    with (checkout / "igny8_core" / "settings.py").open("a") as settings:
        settings.write('\nMIDDLEWARE += ["igny8_core.urls.Impatient"]\n')
    (checkout / "described.json").write_text(json.dumps(DESCRIBED))
    before = migrated.contents()
    visits = by_pattern(
        migrated.visited(
            checkout,
            tmp_path / "private",
            tables={
                "open/keywords/(?P<key>[0-9]+)/$": "igny8_keywords",
                "rest/content/{id}": "igny8_content",
                "guarded-admin/igny8/tag/<int:pk>/name/": "igny8_tags",
            },
            public={"sites/": "a page for anybody"},
            openapi="described.json",
        )
    )
    assert migrated.contents() == before
    leaks = {pattern: (each.kind, each.shown > 0) for pattern, each in visits.items() if not each.why}
    assert {pattern for pattern, (_, shown) in leaks.items() if shown} == {
        "open/invoices/<int:pk>/",
        "open/tags/",
        "open/sites/",
        "open/keywords/(?P<key>[0-9]+)/$",
        "tenants/<int:tenant_id>/sites/",
        "bills/<str:invoice_number>/",
        "rest/content/{id}",
        "sites/<int:site_pk>/images/<int:image_pk>/",
        "open-admin/igny8/tag/",
        "open-admin/igny8/tag/<path:object_id>/change/",
        "open-admin/igny8/tag/<path:object_id>/history/",
        "guarded-admin/igny8/tag/<int:pk>/name/",
    }
    assert leaks["tenants/<int:tenant_id>/own-sites/"] == ("detail", False)
    why = {pattern: each.why for pattern, each in visits.items()}
    assert why["sites/"] == "it is meant to be open to anybody"
    assert why["breaks/<int:subscription_id>/"] == "it failed when it was requested"
    assert why["tenants/<int:tenant_id>/days/<str:day>/"] == "nothing says which rows its arguments name"
    refused = {each for each in why if each.startswith(("admin/igny8/", "guarded-admin/igny8/tag/<path"))}
    told = {"it refuses every user of a tenant", "its rows belong to no single tenant"}
    assert {why[each] for each in refused} == told, "its site was asked once"
    assert why["writes/"] == "it showed an empty list"
    assert "nowhere/{id}" not in visits


@pytest.mark.further
def test_routers_and_viewsets_are_asked_and_each_leak_of_theirs_is_told(migrated: Migrated, tmp_path: Path) -> None:
    """Django REST framework itself: a viewset whose details show everything, and one below a site that forgets the site."""
    checkout = copy_of_the_sample(tmp_path)
    shutil.copy(Path(__file__).parents[1] / "support" / "rest_api.py", checkout / "igny8_core" / "rest_api.py")
    with (checkout / "igny8_core" / "settings.py").open("a") as settings:
        settings.write('\nINSTALLED_APPS += ["rest_framework"]\n')
    with (checkout / "igny8_core" / "urls.py").open("a") as urls:
        urls.write(
            "\nfrom django.urls import include\nfrom igny8_core import rest_api\n"
            'urlpatterns += [path("rest/", include(rest_api.router.urls))]\n'
        )
    visits = by_pattern(migrated.visited(checkout, tmp_path / "private"))
    rest = {pattern.removeprefix("rest/"): each for pattern, each in visits.items() if pattern.startswith("rest/")}
    tried = {pattern: each.shown > 0 for pattern, each in rest.items() if not each.why}
    below = "sites/(?P<site_pk>[0-9]+)"
    assert tried == {
        "sites/$": False,
        "sites/(?P<pk>[^/.]+)/$": False,
        "invoices/$": False,
        "invoices/(?P<pk>[^/.]+)/$": False,
        "keywords/$": False,
        "keywords/(?P<pk>[^/.]+)/$": True,
        f"{below}/content/$": False,
        f"{below}/content/(?P<pk>[^/.]+)/$": False,
        f"{below}/images/$": False,
        f"{below}/images/(?P<pk>[^/.]+)/$": True,
    }
    leak = rest[f"{below}/images/(?P<pk>[^/.]+)/$"]
    assert leak.shown * 2 == leak.asked, "of a foreign site it shows nothing; below an own one it shows another's image"


def test_what_keeps_the_application_from_being_asked_is_its_problem(migrated: Migrated, tmp_path: Path) -> None:
    visited = migrated.visited(SAMPLE, tmp_path / "private", openapi="lacking.json")
    assert visited.problem == "the checkout has no lacking.json, which tenancy.probe.openapi names"
    alone = migrated.visited(SAMPLE, tmp_path / "private", privileged=["is_active"])
    assert (alone.visitors, alone.problem) == (0, NOBODY)


def test_a_query_that_a_function_of_the_dump_cancels_met_no_time_limit(migrated: Migrated, tmp_path: Path) -> None:
    with migrated.place.server.altering("migrated") as connection:
        connection.execute(CANCELS)
        try:
            visited = migrated.visited(SAMPLE, tmp_path / "private")
        finally:
            connection.execute(NO_LONGER)
    assert "QueryCanceled within a function of the database" in visited.problem
    assert "time limit" not in visited.problem


@pytest.mark.further
def test_an_application_that_an_operator_of_the_dump_holds_up_is_ended_with_its_sessions(
    migrated: Migrated, tmp_path: Path
) -> None:
    server = migrated.place.server
    with server.altering("migrated") as connection:
        connection.execute(NEVER_ENDS)
        try:
            held_up = migrated.visited(SAMPLE, tmp_path / "private", limit=7)
            left = "SELECT count(*) FROM pg_stat_activity WHERE usename = %s"
            sessions = connection.execute(left, [server.logins.of(server, "application").user]).fetchone()
        finally:
            connection.execute("DROP FUNCTION public.never CASCADE")
    assert held_up.problem == "the application did not answer within its time limit (7 s)"
    assert sessions == (0,)
