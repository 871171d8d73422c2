"""Where each tenant has a schema, its users are asked for their rows, and at each other tenant's place for that one's."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fixtures.application.clones import marked_clone
from fixtures.application.visits import visit
from fixtures.database.read_facts import read_facts
from fixtures.ownership import derive_ownership
from fixtures.profile import Profile
from fixtures.profile.each_schema import said_of_each
from fixtures.profile.reading import read_profile
from fixtures.record.facts import Facts
from fixtures.record.visited import AskedAddress, Visited
from tests.support.clinics_database import PROJECT, Clinics, clinics

PLAIN = """
application = { name = "clinics", environment = {} }
backup = { required = ["dump"], least_bytes = 1 }
targets = { rpo_hours = 26, rto_minutes = 60 }
"""
SETTINGS = """
INSTALLED_APPS = [*INSTALLED_APPS, "django.contrib.sessions"]
ALLOWED_HOSTS = ["localhost", ".clinics.example"]
SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
SESSION_COOKIE_SAMESITE = None
MIDDLEWARE = [
    "{middleware}",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
PUBLIC_SCHEMA_URLCONF = "urls"
SHOW_PUBLIC_IF_NO_TENANT_FOUND = True
"""
BY_HOST = "django_tenants.middleware.main.TenantMainMiddleware"
PAGES = """
from contextlib import nullcontext

from diary.models import Visit
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import path
from django_tenants.utils import schema_context

place = nullcontext
guarded = login_required


def visits(request):
    with place():
        return JsonResponse([{"id": visit.pk, "number": visit.number} for visit in Visit.objects.all()], safe=False)


def visit(request, key):
    with place():
        return HttpResponse(get_object_or_404(Visit, pk=key).number)


urlpatterns = [path("visits/", guarded(visits)), path("visits/<int:key>/", guarded(visit))]
"""
# Whoever asks is served from its own clinic, whatever name it asks under.
BY_SESSION = '''
"""Chooses the clinic by what the session says."""

from importlib import import_module

from customers.models import Clinic
from django.conf import settings
from django.db import connection


def by_session(get_response):
    def middleware(request):
        store = import_module(settings.SESSION_ENGINE).SessionStore(request.COOKIES.get(settings.SESSION_COOKIE_NAME))
        connection.set_schema_to_public()
        clinic = Clinic.objects.filter(pk=store.get("clinic")).first()
        if clinic is not None:
            connection.set_tenant(clinic)
        return get_response(request)

    return middleware
'''
# North has visits whose keys name none of another clinic's.
MORE_IN_NORTH = """
INSERT INTO north.diary_visit (doctor_id, day, number, note)
    SELECT doctor_id, day, number + 3, '' FROM north.diary_visit;
"""
# Every clinic has a user of that number.
KNOWN_BY_NUMBER = """
def guarded(view):
    from django.contrib.auth.models import User

    def known(request, **named):
        somebody = User.objects.filter(pk=request.headers.get("Person")).exists()
        return view(request, **named) if somebody else HttpResponse(status=401)

    return known
"""
LIST, DETAIL = "visits/", "visits/<int:key>/"


@dataclass(frozen=True)
class Migrated:
    place: Clinics
    facts: Facts

    def visited(
        self,
        folder: Path,
        leak: str = "",
        middleware: str = BY_HOST,
        chosen: str = BY_SESSION,
        project: Path = PROJECT,
        **probe: Any,
    ) -> Visited:
        """What users of the clinics are shown by pages with this leak."""
        checkout = Path(shutil.copytree(project, folder / "checkout", ignore=shutil.ignore_patterns("__pycache__")))
        with (checkout / "settings.py").open("a") as settings:
            settings.write(SETTINGS.format(middleware=middleware))
        (checkout / "chosen.py").write_text(chosen)
        (checkout / "urls.py").write_text(PAGES.replace("\n\n\ndef visits", f"\n{leak}\n\n\ndef visits"))
        tenancy = profile(folder, probe).tenancy
        seen = visit(
            self.place.server,
            self.place.interpreter(folder / "private", checkout=checkout),
            self.facts,
            derive_ownership(self.facts, tenancy),
            tenancy,
            120,
        )
        assert seen is not None
        return seen


def profile(folder: Path, probe: dict[str, Any]) -> Profile:
    lines = "\n".join(f"{key} = {value}" for key, value in probe.items())
    (folder / "profile.toml").write_text(f"""{PLAIN}
        [tenancy]
        root = "customers_clinic"
        [tenancy.schemas]
        column = "schema_name"
        [tenancy.login]
        users = "{{schema}}.auth_user"
        active = "is_active"
        single_sign_on = "the test's own"
        members = {{ table = "{{schema}}.auth_user", user = "id" }}
        [tenancy.probe]
        privileged = ["is_superuser"]
        tables = {{ "visits/" = "{{schema}}.diary_visit", "visits/<int:key>/" = "{{schema}}.diary_visit" }}
        {lines}
    """)
    return said_of_each(read_profile(folder / "profile.toml").profile, ("north", "south", "west"))


@pytest.fixture(scope="module")
def migrated() -> Iterator[Migrated]:
    with clinics() as place, place.restored(MORE_IN_NORTH):
        marked_clone(place.server, "migrated")
        yield Migrated(place, read_facts(place.server, "migrated", 60))


def addresses(visited: Visited) -> dict[str, AskedAddress]:
    assert (visited.problem, visited.visitors) == ("", 3)
    return {each.pattern: each for each in visited.addresses}


def test_pages_of_ones_own_clinic_are_tried_and_show_nobody_anothers_rows(migrated: Migrated, tmp_path: Path) -> None:
    shown = addresses(migrated.visited(tmp_path))
    assert {pattern: (each.asked > 0, each.shown, each.why) for pattern, each in shown.items()} == {
        LIST: (True, 0, ""),
        DETAIL: (True, 0, ""),
    }


def test_a_page_that_looks_at_nobodys_login_shows_each_clinic_to_users_of_others(
    migrated: Migrated, tmp_path: Path
) -> None:
    shown = addresses(migrated.visited(tmp_path, "guarded = lambda view: view"))
    # Three of each clinic's, to a user of each of the two others; the last three of north's are named nowhere else.
    assert (shown[DETAIL].asked, shown[DETAIL].shown) == (24, 18)
    # North lists six.
    assert (shown[LIST].asked, shown[LIST].shown) == (12 + 24, 24)


@pytest.mark.further
def test_a_token_that_tells_the_users_number_alone_lets_its_bearer_into_other_clinics(
    migrated: Migrated, tmp_path: Path
) -> None:
    shown = addresses(migrated.visited(tmp_path, KNOWN_BY_NUMBER, headers='{ Person = "{user}" }'))
    assert (shown[DETAIL].shown, shown[LIST].shown) == (18, 24)


@pytest.mark.further
def test_a_page_that_goes_into_one_clinics_schema_shows_it_to_users_of_others(
    migrated: Migrated, tmp_path: Path
) -> None:
    shown = addresses(migrated.visited(tmp_path, 'place = lambda: schema_context("north")'))
    assert shown[DETAIL].shown == 6
    assert shown[LIST].shown == 6


@pytest.mark.further
def test_who_is_served_from_its_own_clinic_under_every_name_is_shown_nothing_of_others(
    migrated: Migrated, tmp_path: Path
) -> None:
    shown = addresses(migrated.visited(tmp_path, middleware="chosen.by_session", session='{ clinic = "{tenant}" }'))
    assert {pattern: (each.asked > 0, each.shown, each.why) for pattern, each in shown.items()} == {
        LIST: (True, 0, ""),
        DETAIL: (True, 0, ""),
    }


@pytest.mark.further
def test_what_the_sender_chooses_names_the_other_clinic(migrated: Migrated, tmp_path: Path) -> None:
    choosing = BY_SESSION.replace('store.get("clinic")', 'request.headers["Clinic"]')
    assert choosing != BY_SESSION
    leak = "guarded = lambda view: view"
    shown = addresses(
        migrated.visited(tmp_path, leak, "chosen.by_session", choosing, headers='{ Clinic = "{tenant}" }')
    )
    assert shown[DETAIL].shown == 18


@pytest.mark.further
def test_a_backend_that_goes_into_no_schema_is_a_problem(migrated: Migrated, tmp_path: Path) -> None:
    clinic = shutil.copytree(PROJECT, tmp_path / "project", ignore=shutil.ignore_patterns("__pycache__"))
    with (Path(clinic) / "customers" / "models.py").open("a") as models:
        models.write(
            "\n\nfrom django_tenants.postgresql_backend.base import DatabaseWrapper\n\ndel DatabaseWrapper.set_tenant\n"
        )
    problem = migrated.visited(tmp_path, project=Path(clinic)).problem
    assert problem.startswith("its database backend does not go into one tenant's schema")
