"""The application's interpreter is found and can run, and its environment holds what the profile says alone."""

import shutil
from pathlib import Path

import psycopg
import pytest

from fixtures.application.checkout import find_checkout
from fixtures.application.interpreter import Interpreter
from fixtures.application.login import Login
from fixtures.application.migrate import migrate
from fixtures.record.stage import StageBlocked
from tests.support.application_under_test import APPLICATION, Bench


def test_without_an_interpreter_the_stage_is_blocked(place: Bench, checkout: Path) -> None:
    with pytest.raises(StageBlocked, match="no interpreter for the application") as blocked:
        find_checkout(checkout, APPLICATION)
    assert "virtual environment" in blocked.value.fix
    with pytest.raises(StageBlocked, match=r"has no manage\.py"):
        find_checkout(checkout.parent, APPLICATION)


def test_an_interpreter_that_cannot_run_blocks(place: Bench, restored: psycopg.Connection, checkout: Path) -> None:
    restored.close()
    broken = checkout / ".venv" / "bin" / "python"
    broken.parent.mkdir(parents=True)
    shutil.copy(checkout / "manage.py", broken)
    broken.chmod(0o600)
    code = find_checkout(checkout, APPLICATION)
    private = checkout.parent / "private"
    private.mkdir()
    login = Login.of(place.server, "migrated")
    with pytest.raises(StageBlocked, match="could not be run"):
        migrate(place.server, Interpreter(code, APPLICATION, login, place.guardian, private), 60)


def test_an_environment_that_cannot_be_built_blocks_and_names_the_key(place: Bench, checkout: Path) -> None:
    lacking = APPLICATION.model_copy(update={"inherit": ("NEVER_SET_ANYWHERE",)})
    interpreter = place.interpreter(checkout, checkout.parent / "private", lacking)
    with pytest.raises(StageBlocked, match="inherit names NEVER_SET_ANYWHERE"):
        interpreter.environment()


def test_the_applications_environment_holds_nothing_of_ours(
    place: Bench, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "ours")
    monkeypatch.setenv("FIELD_KEY", "handed on")
    application = APPLICATION.model_copy(
        update={
            "environment": {"DATABASE_URL": "{url}", "JSON": '{"a": {}}', "MEDIA": "{scratch}/media"},
            "inherit": ("FIELD_KEY",),
        }
    )
    environment = place.interpreter(checkout, checkout.parent / "private", application).environment()
    assert "AWS_SECRET_ACCESS_KEY" not in environment
    assert environment["FIELD_KEY"] == "handed on"
    assert environment["JSON"] == '{"a": {}}'
    # What the application writes of its own lies in the private folder, which is removed with the drill.
    assert environment["MEDIA"] == str(checkout.parent / "private" / "scratch" / "media")
    assert (checkout.parent / "private" / "scratch").is_dir()
    role = place.server.logins.of(place.server, "application").user
    assert role != place.server.user
    assert environment["DATABASE_URL"].startswith(f"postgres://{role}:")
    assert "@%2F" in environment["DATABASE_URL"]
