"""Static files are collected once where each is a copy of what another start found; all others are made by two starts."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.application.clones import ask_of_history, mark, marked_clone
from fixtures.application.run_application import stand_up
from fixtures.record.application_run import ApplicationRun
from tests.support.application_under_test import Bench, copy_of_the_sample

DJANGOS = "django.contrib.staticfiles.storage."
# What each start finds anew to collect.
MADE_AT_START = """
import tempfile
import uuid

STATICFILES_DIRS = [tempfile.mkdtemp()]
Path(STATICFILES_DIRS[0], "build.txt").write_text({words})
"""
STAMPED = """
import uuid

from django.contrib.staticfiles.storage import StaticFilesStorage
from django.core.files.base import ContentFile


class Storage(StaticFilesStorage):
    def post_process(self, paths, **options):
        self.save("build.txt", ContentFile(uuid.uuid4().hex))
        return iter(())
"""


@pytest.fixture(scope="module")
def token(place: Bench) -> Iterator[str]:
    with place.restored() as connection:
        connection.close()
        yield marked_clone(place.server, "migrated")


@pytest.fixture
def checkout(token: str, tmp_path: Path) -> Path:
    return copy_of_the_sample(tmp_path)


def with_settings(checkout: Path, statements: str) -> None:
    with (checkout / "igny8_core" / "settings.py").open("a") as settings:
        settings.write(statements)


def with_storage(checkout: Path, storage: str) -> None:
    files = '{"BACKEND": "django.core.files.storage.FileSystemStorage"}'
    with_settings(checkout, f'\nSTORAGES = {{"default": {files}, "staticfiles": {{"BACKEND": "{storage}"}}}}\n')


def stood(place: Bench, checkout: Path) -> tuple[ApplicationRun, bool]:
    """The run after a start that listed what it would collect, and whether it was collected a second time."""
    private = checkout.parent / "private"
    interpreter = place.interpreter(checkout, private)
    token = mark(place.server, "migrated")
    reply = ask_of_history(interpreter, token, 60, {"RESTORE_DRILL_STATIC_FILES": "1"})
    run = stand_up(interpreter, private, 120, to_collect=reply["to_collect"])
    return run, (private / "static-second").exists()


def test_a_file_that_each_start_makes_anew_is_not_repeatable(place: Bench, checkout: Path) -> None:
    with_settings(checkout, MADE_AT_START.format(words="uuid.uuid4().hex"))
    run, _ = stood(place, checkout)
    assert (run.static_repeatable, run.static_error) == (False, "")


@pytest.mark.further
def test_a_file_that_each_start_makes_alike_is_collected_once(place: Bench, checkout: Path) -> None:
    with_settings(checkout, MADE_AT_START.format(words="'release 7'"))
    run, again = stood(place, checkout)
    assert (run.static_repeatable, run.static_error, again) == (True, "", False)


@pytest.mark.further
def test_a_file_that_the_storage_makes_anew_is_not_repeatable(place: Bench, checkout: Path) -> None:
    (checkout / "igny8_core" / "storage.py").write_text(STAMPED)
    with_storage(checkout, "igny8_core.storage.Storage")
    run, _ = stood(place, checkout)
    assert (run.static_repeatable, run.static_error) == (False, "")


@pytest.mark.further
def test_names_that_hold_a_digest_are_made_by_two_starts(place: Bench, checkout: Path) -> None:
    with_storage(checkout, DJANGOS + "ManifestStaticFilesStorage")
    run, again = stood(place, checkout)
    assert (run.static_repeatable, run.static_error, again) == (True, "", True)


@pytest.mark.further
def test_what_a_start_cannot_list_is_made_by_two_starts(place: Bench, checkout: Path) -> None:
    (checkout / "igny8_core" / "finder.py").write_text(
        "from django.contrib.staticfiles.finders import AppDirectoriesFinder\n\n\n"
        "class Finder(AppDirectoriesFinder):\n"
        "    def list(self, ignore_patterns):\n"
        "        import os\n"
        '        if "RESTORE_DRILL_STATIC_FILES" in os.environ:\n'
        '            raise LookupError("no theme is there yet")\n'
        "        return super().list(ignore_patterns)\n"
    )
    with_settings(checkout, '\nSTATICFILES_FINDERS = ["igny8_core.finder.Finder"]\n')
    run, again = stood(place, checkout)
    assert (run.static_repeatable, run.static_error, again) == (True, "", True)


@pytest.mark.further
def test_a_check_that_keeps_manage_py_from_collecting_is_told(place: Bench, checkout: Path) -> None:
    with_settings(checkout, '\nSTATICFILES_DIRS = "no list of folders"\n')
    run, _ = stood(place, checkout)
    assert "staticfiles.E001" in run.check_problems
    assert run.static_error
