"""The sample application on a server: its restored database, and copies of its code that a test may spoil."""

import shutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import psycopg

from fixtures.application.checkout import find_checkout
from fixtures.application.closed import Closed
from fixtures.application.interpreter import Interpreter
from fixtures.application.login import Login
from fixtures.application.names import Names
from fixtures.profile import Application
from fixtures.sandbox.child import Stop
from fixtures.sandbox.guardian import Guardian
from fixtures.server import Server
from fixtures.server.catalogue_names import catalogue_names
from sample.build import PROJECT
from tests.support.drills import Healthy

APPLICATION = Application(
    name="igny8",
    health="/healthz",
    environment={
        "DB_HOST": "{host}",
        "DB_PORT": "{port}",
        "DB_NAME": "{database}",
        "DB_USER": "{user}",
        "DB_PASSWORD": "{password}",
        "CELERY_BROKER_URL": "memory://",
        "EMAIL_BACKEND": "django.core.mail.backends.filebased.EmailBackend",
        "EMAIL_FILE_PATH": "{outbox}",
        "STATIC_ROOT": "{static}",
    },
)


@dataclass(frozen=True)
class Bench:
    """A server with the sample's dump state in `dumped`; each test drills a clone of it under the drill's own names. What of
    the application stays to be asked again is kept by `keep`, until the test's database goes."""

    server: Server
    guardian: Guardian
    keep: ExitStack = field(default_factory=ExitStack)

    @contextmanager
    def restored(self) -> Iterator[psycopg.Connection]:
        """A fresh database `restored`; the connection is for planting faults in it and must be closed before cloning."""
        self.server.create_database("restored", template="dumped", owner="igny8_owner")
        connection = self.server.connect("restored")
        try:
            yield connection
        finally:
            connection.close()
            self.keep.close()
            for name in ("migrated", "restored"):
                with self.server.connect() as admin:
                    there = admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
                if there:
                    self.server.drop_database(name)

    def interpreter(
        self,
        checkout: Path,
        folder: Path,
        application: Application = APPLICATION,
        keep: ExitStack | None = None,
        stop: Stop | None = None,
    ) -> Interpreter:
        folder.mkdir(mode=0o700, exist_ok=True)
        code = find_checkout(checkout, application, Path(sys.executable))
        login = Login.of(self.server, "migrated")
        names = Names(checkout, code.python, partial(catalogue_names, self.server, "migrated"))
        return Interpreter(
            code, application, login, self.guardian, folder, Closed(self.server), names, keep or self.keep, stop
        )


@contextmanager
def bench(healthy: Healthy) -> Iterator[Bench]:
    """On the server of the healthy source, whose database `dumped` is."""
    healthy.server.create_database("dumped", template=healthy.built.database, owner="igny8_owner")
    yield Bench(healthy.server, healthy.guardian)
    healthy.server.drop_database("dumped")


def copy_of_the_sample(folder: Path) -> Path:
    """Code alone, without anything that running it elsewhere may have left."""
    left_out = shutil.ignore_patterns("__pycache__", "*.sqlite3", "backups", "data", "staticfiles", "backend")
    return Path(shutil.copytree(PROJECT, folder / "checkout", ignore=left_out))


def new_migration(checkout: Path, name: str, operations: str, after: str = "0009_content_title_index") -> None:
    """Adds a migration of the sample's app, with these operations written in Python."""
    (checkout / "igny8_core" / "igny8" / "migrations" / f"{name}.py").write_text(
        "import time\n"
        "from django.core.mail import send_mail\n"
        "from django.db import migrations, models\n\n\n"
        "class Migration(migrations.Migration):\n"
        f'    dependencies = [("igny8", "{after}")]\n'
        f"    operations = [{operations}]\n"
    )
