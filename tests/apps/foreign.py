"""An application that nobody here wrote, on a passing server: filled at its older release, drilled at its newer one."""

import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from psycopg import sql

from fixtures.sandbox.guardian import Guardian
from fixtures.server import Server, ServerRequest, serve
from tests.support.drills import ROOT, Drill, drill

HERE = Path(__file__).resolve().parent
RELEASES = ROOT / ".venv-apps"


@dataclass(frozen=True)
class Foreign:
    """A filled database `name` that a role of the same name owns, and `media`, the files that its rows name."""

    name: str
    server: Server
    media: Path
    password: str = field(repr=False)

    @property
    def folder(self) -> Path:
        return HERE / self.name

    @property
    def profile(self) -> Path:
        return self.folder / "profile"

    def drill(
        self, work: Path, planted: str = "", lost: str = "", *, gate: bool = False, proving: bool = False
    ) -> Drill:
        """Backs up a clone in which `planted` has been executed, without the first of the media files that match
        `lost`, and drills that set at the newer release, or lets a `gate` judge it with the older one as the release
        before, as users do: by command lines."""
        clone = f"{self.name}_planted" if planted else self.name
        if planted:
            self.server.create_database(clone, template=self.name, owner=self.name)
            with self.server.connect(clone) as connection:
                connection.execute(sql.SQL(planted))
        missing = sorted(self.media.glob(lost))[0] if lost else None
        aside = work / "aside"
        if missing is not None:
            missing.rename(aside)
        try:
            self.back_up(clone, work / "backups")
        finally:
            if missing is not None:
                aside.rename(missing)
            if planted:
                self.server.drop_database(clone)
        return drill(
            work / "backups",
            work / "out",
            app=self.folder / "project",
            python=interpreter(self.name, "newer"),
            profile=self.profile,
            arguments=(
                *(("--gate", "--previous", str(self.before(work))) if gate else ()),
                *(("--prove", "all") if proving else ()),
            ),
        )

    def before(self, work: Path) -> Path:
        """A checkout that the older release's interpreter runs."""
        checkout = Path(shutil.copytree(self.folder / "project", work / "before"))
        (checkout / ".venv").symlink_to(interpreter(self.name, "older").parents[1])
        return checkout

    def back_up(self, database: str, into: Path) -> None:
        """Takes a set of a database and of the files that its rows name."""
        server = self.server
        subprocess.run(
            [
                *(sys.executable, "-m", "fixtures.commands.backup", "--into", str(into), "--application", self.name),
                *("--profile", str(self.profile)),
                *(("--sites-data", str(self.media)) if any(self.media.iterdir()) else ()),
                *("--pg-dump", str(server.clients.pg_dump)),
            ],
            cwd=ROOT,
            env={
                **os.environ,
                "PGHOST": server.host,
                "PGPORT": str(server.port),
                "PGUSER": server.user,
                "PGPASSWORD": server.password,
                "PGDATABASE": database,
            },
            check=True,
        )

    def fill(self) -> None:
        """Runs its `fill.py` in the older release: migrations first, then rows and files through its own code."""
        server = self.server
        with server.connect() as connection:
            role, password = sql.Identifier(self.name), sql.Literal(self.password)
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(role, password))
        server.create_database(self.name, owner=self.name)
        subprocess.run(
            [str(interpreter(self.name, "older")), str(self.folder / "fill.py")],
            cwd=self.media,
            env={
                "PATH": os.environ["PATH"],
                "LANG": "C.UTF-8",
                "PYTHONPATH": str(self.folder / "project"),
                "PYTHONDONTWRITEBYTECODE": "1",
                "DJANGO_SETTINGS_MODULE": "settings",
                "SECRET_KEY": "of the test alone",
                "DB_HOST": server.host,
                "DB_PORT": str(server.port),
                "DB_NAME": self.name,
                "DB_USER": self.name,
                "DB_PASSWORD": self.password,
                "MEDIA_ROOT": str(self.media),
                # Where an application writes mail that it would have sent: without it, into a folder of the machine's root.
                "EMAIL_FILE_PATH": str(self.media.parent / "mail"),
            },
            check=True,
        )


@contextmanager
def filled(name: str, work: Path) -> Iterator[Foreign]:
    """The application on a server that ends with it; takes 10 to 20 seconds, most of them its migrations."""
    media = work / "media"
    media.mkdir()
    run_id = secrets.token_hex(4)
    with Guardian(run_id) as guardian, serve(ServerRequest(run_id, choice="local"), guardian) as server:
        application = Foreign(name, server, media, secrets.token_urlsafe(16))
        application.fill()
        yield application


def interpreter(name: str, release: str) -> Path:
    program = RELEASES / f"{name}-{release}" / "bin" / "python"
    if not program.is_file():
        pytest.fail(f"{name}'s {release} release is not installed at {program}: run make test-apps, which installs it")
    return program
