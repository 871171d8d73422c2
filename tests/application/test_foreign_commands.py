"""An application's own commands and its manage.py are taken as they are: whatever they replace, print or demand."""

from pathlib import Path

import psycopg
import pytest

from fixtures.application.migrate import migrate
from fixtures.application.own_words import own_words
from fixtures.application.run_application import stand_up
from fixtures.record.application_run import ApplicationRun
from fixtures.record.migrated import Migrated
from fixtures.record.stage import StageFailed
from sample.history import STILL_TO_COME
from tests.support.application_under_test import Bench

# A migrate of the old spelling alone, as schemas per tenant have one, and a shell that nobody may call.
MIGRATE = """
from django.core.management.commands import migrate


class Command(migrate.Command):
    def add_arguments(self, parser):
        parser.add_argument = renamed(parser.add_argument)
        super().add_arguments(parser)


def renamed(add):
    def adding(*names, **options):
        return add(*(name for name in names if name != "--no-input") or names, **options)

    return adding
"""
SHELL = """
import sys
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    def add_arguments(self, parser):
        parser.add_argument("--unlock", required=True)

    def handle(self, **options):
        print("welcome")
"""
# What pages import changes a model: the checks of manage.py have it loaded, and so has every command that it runs.
ADDS_A_CHOICE = """
from igny8_core.igny8.models import Tenant

Tenant._meta.get_field("name").help_text = "as the pages have it"
"""
HEALTH_WITH_STATIC = """
from django.http import HttpResponse
from django.templatetags.static import static


def healthz(request):
    return HttpResponse(static("admin/css/base.css"))
"""
MANIFEST = "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"


def migrated(place: Bench, checkout: Path, restored: psycopg.Connection) -> Migrated:
    restored.close()
    return migrate(place.server, place.interpreter(checkout, checkout.parent / "private"), 120).migrated


def command(checkout: Path, name: str, code: str) -> None:
    folder = checkout / "igny8_core" / "igny8" / "management" / "commands"
    folder.mkdir(parents=True, exist_ok=True)
    for each in (folder.parent, folder):
        (each / "__init__.py").touch()
    (folder / f"{name}.py").write_text(code)


def test_commands_of_the_applications_own_are_met_as_they_are(
    place: Bench, checkout: Path, restored: psycopg.Connection
) -> None:
    command(checkout, "migrate", MIGRATE)
    command(checkout, "shell", SHELL)
    assert tuple(migration.name for migration in migrated(place, checkout, restored).applied) == STILL_TO_COME


@pytest.mark.further
def test_a_command_that_knows_the_new_spelling_alone_is_met_too(
    place: Bench, checkout: Path, restored: psycopg.Connection
) -> None:
    command(checkout, "migrate", MIGRATE.replace('!= "--no-input"', '!= "--noinput"'))
    assert tuple(migration.name for migration in migrated(place, checkout, restored).applied) == STILL_TO_COME


def test_a_program_that_ends_without_an_exception_is_told_by_its_own_words(
    place: Bench, checkout: Path, restored: psycopg.Connection
) -> None:
    manage = checkout / "manage.py"
    manage.write_text(
        'import os, sys\nprint(f"The vault of {os.getpid()} is closed: set VAULT_ADDRESS")\nsys.exit(255)\n'
        + manage.read_text()
    )
    with pytest.raises(StageFailed, match="does not start: The vault of … is closed: set VAULT_ADDRESS"):
        migrated(place, checkout, restored)


def test_words_that_the_code_does_not_spell_stay_unsaid(tmp_path: Path) -> None:
    (tmp_path / "code.py").write_text(
        'raise SystemExit("no such tenant: %s, ask support" % name)\nprint("{} has gone away".format(name))\nx = f"{name}"\n'
    )
    assert own_words(["no such tenant: Zephyrine, ask support"], tmp_path) == "no such tenant: …, ask support"
    assert own_words(["Zephyrine has gone away", "", "ok"], tmp_path) == "… has gone away"
    assert own_words(["Zephyrine Quillfeather", "zephyrine@canary.example is late"], tmp_path) == ""
    assert own_words([], tmp_path) == ""


@pytest.mark.further
def test_models_are_compared_as_they_are_once_the_pages_are_imported(
    place: Bench, checkout: Path, restored: psycopg.Connection
) -> None:
    (checkout / "igny8_core" / "pages.py").write_text(ADDS_A_CHOICE)
    urls = checkout / "igny8_core" / "urls.py"
    urls.write_text("import igny8_core.pages\n" + urls.read_text())
    assert migrated(place, checkout, restored).unmade_detail != ()


@pytest.mark.further
def test_health_is_asked_once_static_files_are_there(
    place: Bench, checkout: Path, restored: psycopg.Connection
) -> None:
    (checkout / "igny8_core" / "health.py").write_text(HEALTH_WITH_STATIC)
    settings = next(file for file in (checkout / "igny8_core").rglob("settings.py"))
    settings.write_text(
        settings.read_text()
        + f'\nSTORAGES = {{**globals().get("STORAGES", {{}}), "staticfiles": {{"BACKEND": "{MANIFEST}"}}}}\n'
    )
    run = stood(place, checkout, restored)
    assert (run.health_status, run.health_error, run.static_error) == (200, "", "")


def stood(place: Bench, checkout: Path, restored: psycopg.Connection) -> ApplicationRun:
    restored.close()
    private = checkout.parent / "private"
    interpreter = place.interpreter(checkout, private)
    migrate(place.server, interpreter, 120)
    folder = checkout.parent / "static"
    folder.mkdir(mode=0o700)
    return stand_up(interpreter, folder, 120)
