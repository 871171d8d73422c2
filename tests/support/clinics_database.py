"""A django-tenants project, filled and migrated on the worker's server: each clinic has a schema of its own."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from psycopg import sql

from fixtures.application.checkout import find_checkout
from fixtures.application.closed import Closed
from fixtures.application.interpreter import Interpreter
from fixtures.application.login import Login
from fixtures.application.names import Names
from fixtures.profile import Application
from fixtures.sandbox.guardian import Guardian
from fixtures.server import Server
from fixtures.server.catalogue_names import catalogue_names
from tests.support.kept_server import kept_server

PROJECT = Path(__file__).resolve().parent / "clinics"
APPLICATION = Application(
    name="clinics",
    environment={
        "SECRET_KEY": "of the test alone",
        "DB_HOST": "{host}",
        "DB_PORT": "{port}",
        "DB_NAME": "{database}",
        "DB_USER": "{user}",
        "DB_PASSWORD": "{password}",
    },
)


@dataclass(frozen=True)
class Clinics:
    """A server with the filled database `clinics`; each test drills a clone of it under the drill's own names."""

    server: Server
    guardian: Guardian

    @contextmanager
    def restored(self, planted: str = "") -> Iterator[None]:
        self.server.create_database("restored", template="clinics")
        try:
            with self.server.connect("restored") as connection:
                connection.execute(sql.SQL(planted))
            yield
        finally:
            for name in ("migrated", "restored"):
                with self.server.connect() as admin:
                    there = admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
                if there:
                    self.server.drop_database(name)

    def interpreter(self, folder: Path, database: str = "migrated", checkout: Path = PROJECT) -> Interpreter:
        folder.mkdir(mode=0o700, exist_ok=True)
        code = find_checkout(checkout, APPLICATION, Path(sys.executable))
        names = Names(checkout, code.python, partial(catalogue_names, self.server, database))
        login = Login.of(self.server, database)
        return Interpreter(code, APPLICATION, login, self.guardian, folder, Closed(self.server), names)


@contextmanager
def clinics() -> Iterator[Clinics]:
    with Guardian("c11n1c50") as guardian, kept_server() as server:
        server.create_database("clinics")
        subprocess.run(
            [sys.executable, "-W", "ignore", "fill.py"],
            cwd=PROJECT,
            env={
                "PATH": os.environ["PATH"],
                "PYTHONDONTWRITEBYTECODE": "1",
                "DJANGO_SETTINGS_MODULE": "settings",
                "SECRET_KEY": "of the test alone",
                "DB_HOST": server.host,
                "DB_PORT": str(server.port),
                "DB_NAME": "clinics",
                "DB_USER": server.user,
                "DB_PASSWORD": server.password,
            },
            check=True,
            capture_output=True,
        )
        yield Clinics(server, guardian)
