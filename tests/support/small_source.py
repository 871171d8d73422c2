"""A small database with awkward names, roles, policies and a large object: made in a moment, backed up in another."""

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fixtures.commands.backup import Source, take_backup
from fixtures.commands.backup.seal import Seal
from fixtures.dump.format import Inspected, Inspection
from fixtures.dump.formats import format_named
from fixtures.profile import Application, Profile
from fixtures.profile.backups import Backup, Targets
from fixtures.profile.tenancy import Tenancy
from fixtures.record.dump_list import DumpHeader, TocEntry
from fixtures.sandbox.account import make_private_folder, unprivileged_account
from fixtures.sandbox.guardian import Guardian
from fixtures.server import Server, ServerRequest, serve
from fixtures.shelf.locate import LocatedSet, locate, require_drillable
from fixtures.shelf.staging import staged_dump
from tests.support.kept_server import kept_server

CANARY = "Zephyrine Quillfeather zephyrine@canary.example 4929000011112222"

ROLES = """
CREATE ROLE small_owner;
CREATE ROLE "small app" LOGIN PASSWORD 'never-in-a-backup' CONNECTION LIMIT 7 VALID UNTIL '2099-01-01';
CREATE ROLE small_readers NOINHERIT;
CREATE ROLE small_auditor;
GRANT small_readers TO "small app" WITH ADMIN OPTION;
ALTER ROLE "small app" SET search_path TO "$user", "my schema", public;
ALTER ROLE "small app" SET statement_timeout TO '30s';
"""
SCHEMA = f"""
CREATE EXTENSION pg_trgm;
CREATE SCHEMA "my schema" AUTHORIZATION small_owner;
CREATE TABLE "my schema"."order items" (id int PRIMARY KEY, text text UNIQUE);
INSERT INTO "my schema"."order items" SELECT g, 'v' || g FROM generate_series(1, 3000) g;
CREATE TABLE people (id int PRIMARY KEY, name text, item int REFERENCES "my schema"."order items");
INSERT INTO people SELECT g, '{CANARY} ' || g, g FROM generate_series(1, 2000) g;
CREATE TABLE parts (id int, at date) PARTITION BY RANGE (at);
CREATE TABLE parts_2026 PARTITION OF parts FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
INSERT INTO parts SELECT g, '2026-02-03' FROM generate_series(1, 50) g;
ALTER TABLE "my schema"."order items" OWNER TO small_owner;
ALTER TABLE people OWNER TO small_owner;
ALTER TABLE people ENABLE ROW LEVEL SECURITY;
ALTER TABLE people FORCE ROW LEVEL SECURITY;
CREATE POLICY mine ON people TO "small app", small_readers USING (name LIKE '% TO nobody%');
GRANT SELECT ON people TO "small app", small_auditor;
ALTER DEFAULT PRIVILEGES FOR ROLE small_owner IN SCHEMA public GRANT SELECT ON TABLES TO small_readers;
SELECT lo_create(0);
"""
PROFILE = Profile(
    application=Application(name="small", environment={}),
    backup=Backup(required=("dump", "manifest"), least_bytes=1),
    targets=Targets(rpo_hours=24, rto_minutes=5),
    tenancy=Tenancy.model_validate({"root": "public.people"}),
)


@dataclass(frozen=True)
class Small:
    """A server, and on it the database `source`."""

    server: Server
    guardian: Guardian
    folder: Path

    @property
    def sites(self) -> Path:
        return self.folder / "sites-data"

    def source(self, database: str = "source") -> Source:
        return Source.from_environment(self.server.environment(database))

    def run(self, statements: str, database: str = "source") -> None:
        with self.server.connect(database) as connection:
            connection.execute(statements)  # type: ignore[call-overload]

    def count(self, table: str, database: str) -> int:
        with self.server.connect(database) as connection:
            row = connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # type: ignore[arg-type]
        assert row is not None
        return row[0]

    def clone(self, name: str) -> None:
        """A copy of `source` that a test may spoil."""
        self.server.create_database(name, template="source")

    def back_up(
        self, into: Path, database: str = "source", pg_dump: Path | None = None, seal: Seal | None = None
    ) -> Path:
        return take_backup(
            self.source(database),
            into,
            application="small",
            sites_data=self.sites,
            seal=seal,
            pg_dump=pg_dump or self.server.clients.pg_dump,
            guardian=self.guardian,
        )


@contextmanager
def small_source(folder: Path) -> Iterator[Small]:
    sites = folder / "sites-data" / "clients" / "1" / "v1"
    sites.mkdir(parents=True)
    (sites / "index.html").write_text("<p>one</p>")
    (sites.parent / "current").symlink_to("v1")
    with Guardian("5ma11001") as guardian, kept_server() as server:
        small = Small(server, guardian, folder)
        small.run(ROLES, "postgres")
        server.create_database("source", owner="small_owner")
        small.run(SCHEMA)
        yield small


@contextmanager
def another_server(request: ServerRequest) -> Iterator[tuple[Server, Guardian]]:
    """A server with none of the roles, to restore into."""
    with Guardian(request.run_id) as guardian, serve(request, guardian) as server:
        yield server, guardian


@dataclass(frozen=True)
class Staged:
    """A dump as a drill has it before it restores."""

    located: LocatedSet
    dump: Path
    inspected: Inspected

    @property
    def header(self) -> DumpHeader:
        return self.inspected.header

    @property
    def toc(self) -> tuple[TocEntry, ...]:
        return self.inspected.toc


def made_ready(backups: Path, server: Server, guardian: Guardian) -> Staged:
    """As a drill does before it restores a dump of any format."""
    located = locate(backups, PROFILE)
    require_drillable(located)
    folder = server.scratch / secrets.token_hex(4)
    make_private_folder(folder, server.account)
    dump = staged_dump(located, folder, server.account)
    inspection = Inspection(located.backup_set.name, guardian, unprivileged_account())
    return Staged(located, dump, format_named(located.backup_set.kind).inspect(dump, inspection))


def script(path: Path, text: str) -> Path:
    """A program that stands in front of the real one."""
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    return path


def running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def visible(folder: Path) -> list[str]:
    """What a backup shows of itself there."""
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
