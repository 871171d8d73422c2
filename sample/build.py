"""Making the sample whole on a server: its roles, its database in the dump's state, its files and logs."""

import os
import secrets
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import psycopg
from psycopg import sql

from .history import DUMPED_AT

PROJECT = Path(__file__).resolve().parent
OWNER, APPLICATION = "igny8_owner", "igny8_app"


class BuildFailed(Exception):
    """manage.py refused; the message holds what it wrote to stderr (data of the sample's own at most)."""


@dataclass(frozen=True)
class Superuser:
    """How to reach a server as a role that may create roles and databases; host may be a socket's folder."""

    host: str
    port: int
    user: str = "postgres"
    password: str = field(default="", repr=False)

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        return psycopg.connect(
            host=self.host,
            port=self.port,
            user=self.user,
            password=self.password or None,
            dbname=database,
            autocommit=True,
        )


@dataclass(frozen=True)
class Built:
    """A sample that is there: the database, its two roles' passwords, and the folders beside it."""

    database: str
    owner_password: str = field(repr=False)
    application_password: str = field(repr=False)
    sites_data: Path
    logs: Path


def build(
    server: Superuser,
    work: Path,
    *,
    database: str = "igny8",
    scale: int = 1,
    seed: int = 7,
    until: datetime | None = None,
    owner_password: str | None = None,
    application_password: str | None = None,
) -> Built:
    """Roles, database, migrations up to DUMPED_AT, rows, work/sites-data and work/logs; raises BuildFailed.

    `until` is when the data ends (2026-01-01 unless told): same seed, scale and until, same data. Roles belong to
    the cluster: a second sample on the same server changes their passwords, unless it is given the first one's.
    """
    built = Built(
        database=database,
        owner_password=owner_password or secrets.token_urlsafe(24),
        application_password=application_password or secrets.token_urlsafe(24),
        sites_data=work / "sites-data",
        logs=work / "logs",
    )
    _make_roles_and_database(server, built)
    options = [f"--seed={seed}", f"--scale={scale}", f"--sites-data={built.sites_data}", f"--logs={built.logs}"]
    if until is not None:
        options.append(f"--until={until.isoformat()}")
    environment = manage_environment(server.host, server.port, database, OWNER, built.owner_password)
    _manage("fill_sample", f"--migrate-to={DUMPED_AT}", *options, environment=environment)
    return built


def manage_environment(host: str, port: int, database: str, user: str, password: str) -> dict[str, str]:
    """What the sample's settings read, and of everything else only what an interpreter needs."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return kept | {
        "LANG": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        "DB_HOST": host,
        "DB_PORT": str(port),
        "DB_NAME": database,
        "DB_USER": user,
        "DB_PASSWORD": password,
        "CELERY_BROKER_URL": "memory://",
        "EMAIL_BACKEND": "django.core.mail.backends.dummy.EmailBackend",
    }


def _make_roles_and_database(server: Superuser, built: Built) -> None:
    with server.connect() as connection:
        connection.execute((PROJECT / "roles.sql").read_bytes())
        for role, password in ((OWNER, built.owner_password), (APPLICATION, built.application_password)):
            # Hashed here, as psql's \password does: the server's log may hold statements.
            hashed = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
            connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), hashed))
        connection.execute(
            sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE template0 ENCODING 'UTF8'").format(
                sql.Identifier(built.database), sql.Identifier(OWNER)
            )
        )
    with server.connect(built.database) as connection:
        # Dumped with the schema, so the owner can still migrate where a restored database belongs to someone else.
        connection.execute(sql.SQL("GRANT ALL ON SCHEMA public TO {}").format(sql.Identifier(OWNER)))


def _manage(*arguments: str, environment: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, str(PROJECT / "manage.py"), *arguments],
        env=environment,
        cwd=PROJECT,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise BuildFailed(f"manage.py {arguments[0]} exited with {done.returncode}:\n{done.stderr[-4000:]}")
