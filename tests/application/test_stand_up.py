"""The application stage tells how the application stands on the migrated database, and what it tried outside."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from fixtures.application.interpreter import Interpreter
from fixtures.application.migrate import migrate
from fixtures.application.run_application import count_mails, stand_up
from fixtures.application.surroundings import PROBES
from fixtures.record.application_run import ApplicationRun
from fixtures.record.stage import StageBlocked, StageFailed
from fixtures.sandbox.footprint import Footprint, footprint
from tests.support.application_under_test import APPLICATION, Bench, copy_of_the_sample, new_migration

SECOND = "static-second"
LOOKS_ITS_NAME_UP = "    __import__('socket').getaddrinfo(request.get_host(), None)\n"


@dataclass(frozen=True)
class Drilled:
    """Migrated by code whose last migration sends two mails, then stood up: what it left."""

    run: ApplicationRun
    before: Footprint
    after: Footprint
    told: list[tuple[int, int | None, str]]
    collected_again: bool


@pytest.fixture(scope="module")
def drilled(place: Bench, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drilled]:
    folder = tmp_path_factory.mktemp("stood")
    checkout = copy_of_the_sample(folder)
    mail = "send_mail('Invoice', 'Pay.', None, ['someone@customer.example'])"
    new_migration(checkout, "0010_mails", f"migrations.RunPython(lambda apps, schema: ({mail}, {mail}))")
    # The name that a drill's own request gives is looked up, as middleware that checks it does.
    (health := checkout / "igny8_core" / "health.py").write_text(
        health.read_text().replace("    found =", LOOKS_ITS_NAME_UP + "    found =")
    )
    before, reports = footprint(checkout), list[tuple[int, int | None, str]]()
    with place.restored() as connection:
        connection.close()
        interpreter = place.interpreter(checkout, folder / "private")
        to_collect = migrate(place.server, interpreter, 120).to_collect
        run = stand_up(
            interpreter,
            folder / "private",
            120,
            lambda done, total, unit: reports.append((done, total, unit)),
            to_collect,
        )
        collected_again = (folder / "private" / SECOND).exists()
        yield Drilled(run, before, footprint(checkout), reports, collected_again)


@pytest.fixture
def checkout(drilled: Drilled, tmp_path: Path) -> Path:
    """Code to spoil; the database `migrated` is there meanwhile."""
    return copy_of_the_sample(tmp_path)


def stood(place: Bench, checkout: Path, **change: object) -> ApplicationRun:
    private = checkout.parent / "private"
    return stand_up(place.interpreter(checkout, private, APPLICATION.model_copy(update=change)), private, 120)


def test_the_sample_stands_up_on_its_migrated_database(drilled: Drilled) -> None:
    run = drilled.run
    assert (run.check_exit, run.check_problems) == (0, ())
    assert (run.static_repeatable, run.static_error) == (True, "")
    assert run.static_files > 100
    assert not drilled.collected_again
    assert (run.health_status, run.health_error) == (200, "")
    assert run.connections_tried == ()
    assert run.mail_backend == "django.core.mail.backends.filebased.EmailBackend"
    assert drilled.told == [(done, 2, "steps") for done in range(3)]


def test_nothing_is_written_into_the_checkout(drilled: Drilled) -> None:
    assert drilled.run.written == ()
    assert drilled.before == drilled.after


def test_mails_that_a_migration_sent_are_counted_and_went_nowhere(drilled: Drilled) -> None:
    assert drilled.run.mails == 2


def test_mails_are_counted_one_by_one_in_a_file_that_holds_several(tmp_path: Path) -> None:
    end = b"\n" + b"-" * 79 + b"\n"
    (tmp_path / "one.log").write_bytes(b"Subject: a" + end + b"Subject: b" + end)
    (tmp_path / "two.log").write_bytes(b"Subject: c" + end)
    assert count_mails(tmp_path) == 3


def test_a_connection_tried_and_its_failure_swallowed_is_told(place: Bench, checkout: Path) -> None:
    apps = checkout / "igny8_core" / "igny8" / "apps.py"
    apps.write_text(
        apps.read_text() + "\n    def ready(self):\n"
        "        import socket\n"
        "        try:\n"
        '            socket.create_connection(("192.0.2.7", 443), timeout=2)\n'
        "        except OSError:\n"
        "            pass\n"
        "        try:\n"
        '            socket.getaddrinfo("hooks.customer.example", 80)\n'
        "        except OSError:\n"
        "            pass\n"
        '        socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect_ex(("192.0.2.8", 53))\n'
    )
    run = stood(place, checkout)
    assert run.connections_tried == (
        "connect 192.0.2.7:443",
        "connect 192.0.2.8:53",
        "lookup 192.0.2.7:443",
        "lookup hooks.customer.example:80",
    )


@pytest.mark.further
def test_a_check_that_fails_is_told_by_its_id(place: Bench, checkout: Path) -> None:
    models = checkout / "igny8_core" / "igny8" / "models" / "__init__.py"
    models.write_text(
        models.read_text() + "\nfrom django.db import models\n"
        "Tenant.add_to_class('mood', models.DecimalField())  # noqa\n"
    )
    run = stood(place, checkout)
    assert run.check_exit == 1
    assert run.check_problems == ("fields.E130", "fields.E132")


@pytest.mark.further
def test_a_health_address_that_breaks_is_told_by_the_exceptions_type(place: Bench, checkout: Path) -> None:
    health = checkout / "igny8_core" / "health.py"
    health.write_text(health.read_text().replace("    found =", "    raise LookupError('Ada Lovelace')\n    found ="))
    run = stood(place, checkout)
    assert (run.health_status, run.health_error) == (None, "LookupError")
    assert "Lovelace" not in run.model_dump_json()


@pytest.mark.further
def test_a_broker_that_is_away_shows_in_the_health_and_in_the_connections(place: Bench, checkout: Path) -> None:
    environment = {**APPLICATION.environment, "CELERY_BROKER_URL": "amqp://192.0.2.9:5672//"}
    run = stood(place, checkout, environment=environment)
    assert run.health_status == 503
    assert "lookup 192.0.2.9:5672" in run.connections_tried


def test_a_static_root_that_ignores_the_environment_is_left_alone(place: Bench, checkout: Path) -> None:
    settings = checkout / "igny8_core" / "settings.py"
    settings.write_text(settings.read_text() + '\nSTATIC_ROOT = BASE_DIR / "staticfiles"\n')
    run = stood(place, checkout)
    assert run.static_error == "STATIC_ROOT does not follow the profile's {static}, so nothing was collected"
    assert not (checkout / "staticfiles").exists()


@pytest.mark.further
def test_an_application_that_writes_into_its_checkout_is_found_out(place: Bench, checkout: Path) -> None:
    settings = checkout / "igny8_core" / "settings.py"
    settings.write_text(settings.read_text() + '\n(BASE_DIR / "debug.log").open("a").write("started\\n")\n')
    assert stood(place, checkout).written == ("debug.log",)


def test_an_application_that_does_not_start_fails_the_stage(place: Bench, checkout: Path) -> None:
    (checkout / "igny8_core" / "settings.py").write_text("SECRET_KEY = 'x' * None\n")
    with pytest.raises(StageFailed, match=r"^the application does not start: TypeError$"):
        stood(place, checkout)


def test_a_time_limit_ends_the_stage(place: Bench, checkout: Path) -> None:
    settings = checkout / "igny8_core" / "settings.py"
    settings.write_text(settings.read_text() + "\nimport time; time.sleep(600)\n")
    private = checkout.parent / "private"
    with pytest.raises(StageFailed, match="time limit"):
        stand_up(place.interpreter(checkout, private), private, 1)


def test_an_interpreter_that_ignores_the_watch_blocks(place: Bench, checkout: Path) -> None:
    unwatched = place.interpreter(checkout, checkout.parent / "private")
    with pytest.raises(StageBlocked, match="did not load the watch"):
        unwatched.connections_tried()


def test_the_watch_stands_in_front_of_a_sitecustomize_and_lets_it_run(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("print('the machine has its own')\n")
    log = tmp_path / "log"
    environment = {"PYTHONPATH": f"{PROBES / 'site'}:{tmp_path}", "RESTORE_DRILL_WATCH": str(log)}
    done = subprocess.run(
        [sys.executable, "-B", "-c", "import sitecustomize"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "the machine has its own\n"
    assert log.read_text() == "watching\n"


def test_the_servers_own_address_is_no_connection_outside(place: Bench, checkout: Path) -> None:
    interpreter: Interpreter = place.interpreter(checkout, checkout.parent / "private")
    own = f"{interpreter.login.host}:{interpreter.login.port}"
    (checkout.parent / "private" / "connections").write_text(f"watching\nlookup {own}\nconnect 192.0.2.1:25\n")
    assert interpreter.connections_tried() == ("connect 192.0.2.1:25",)
