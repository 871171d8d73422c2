"""The watch on an application's connections names who made them: its own line, or the package that it uses."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fixtures.application.surroundings import PROBES

MANAGE = """
import sys
{first}
from django.core.management import execute_from_command_line
execute_from_command_line(["manage.py", "check"])
"""
SETTINGS = """
SECRET_KEY = "x"
INSTALLED_APPS = ["tracker"]
{first}
"""
CALLS_HOME = """
import socket
def send():
    end = socket.socket()
    end.setblocking(False)
    try:
        end.connect(("192.0.2.7", 443))
    except OSError:
        pass
"""
READY = """
from django.apps import AppConfig
from transport import send
class Tracker(AppConfig):
    name = "tracker"
    def ready(self):
        {ready}
"""
HERE = "from transport import send; send()"
CASES = {
    "a package, once Django runs": ({"ready": "send()"}, "package tracker"),
    "a line of the settings": ({"settings": HERE}, "settings.py:4"),
    "a line of manage.py of its own": ({"manage": HERE}, "manage.py:3"),
}


@pytest.mark.parametrize("case", CASES)
def test_who_made_a_connection_is_named(tmp_path: Path, case: str) -> None:
    places, named = CASES[case]
    code, installed, log = tmp_path / "code", tmp_path / "site-packages", tmp_path / "log"
    (installed / "tracker").mkdir(parents=True)
    code.mkdir()
    (code / "manage.py").write_text(MANAGE.format(first=places.get("manage", "")))
    (code / "settings.py").write_text(SETTINGS.format(first=places.get("settings", "")))
    (installed / "transport.py").write_text(CALLS_HOME)
    (installed / "tracker" / "__init__.py").touch()
    (installed / "tracker" / "apps.py").write_text(READY.format(ready=places.get("ready", "pass")))
    environment = {
        "PYTHONPATH": os.pathsep.join(map(str, (PROBES / "site", code, installed))),
        "DJANGO_SETTINGS_MODULE": "settings",
        "RESTORE_DRILL_WATCH": str(log),
        "RESTORE_DRILL_CODE": str(code),
    }
    subprocess.run([sys.executable, "-B", str(code / "manage.py")], env=environment, check=True, capture_output=True)
    assert log.read_text() == f"watching\nconnect 192.0.2.7:443\t{named}\n"
