"""A whole drill of the sample and many tables in its tenants' schemas: `python -m bench.many_tables --tables 600,3000`."""

import argparse
import os
import secrets
import shutil
import tempfile
from pathlib import Path

import psycopg
from psycopg import sql

from bench.drills import MIB, drill
from fixtures.commands.backup import Source, take_backup
from fixtures.profile.reading import read_profile
from fixtures.record.project import ROOT
from fixtures.sandbox.guardian import Guardian
from fixtures.server import ServerRequest, serve
from sample.build import OWNER, Superuser, build

PROFILE = ROOT / "verify" / "profiles" / "igny8"
DECLARED = """
[tenancy.schemas]
column = "schema_name"
apart = { igny8_reports = { at_most = 1, reason = "what the office counts, of all tenants" } }
"""
TABLE = """
CREATE TABLE {name} (id bigserial PRIMARY KEY, title text NOT NULL, pages int CHECK (pages > 0));
INSERT INTO {name} (title, pages) VALUES ('one', 40), ('two', 50);
"""
AT_ONCE = 500
"""Tables that one transaction makes: it holds locks on each until it ends."""
EACH = 3
"""What a transaction may lock of each: the table, its key and its sequence."""


def profile_with_schemas(folder: Path) -> Path:
    """The sample's profile, which says here that each tenant has a schema. `folder` is made."""
    shutil.copytree(PROFILE, folder)
    written = folder / "profile.toml"
    written.write_text(written.read_text() + DECLARED)
    return folder


def add_tables(connection: psycopg.Connection, tables: int) -> None:
    """Gives each tenant a schema, and each schema the same tables: so many of them in all."""
    connection.execute("ALTER TABLE igny8_tenants ADD schema_name text")
    connection.execute("UPDATE igny8_tenants SET schema_name = 'tenant_' || id")
    tenants = [own for (own,) in connection.execute("SELECT schema_name FROM igny8_tenants ORDER BY id")]
    connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(OWNER)))
    for own in tenants:
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(own)))
        names = [sql.Identifier(own, f"books_{number}") for number in range(tables // len(tenants))]
        for first in range(0, len(names), AT_ONCE):
            made = [sql.SQL(TABLE).format(name=name) for name in names[first : first + AT_ONCE]]
            connection.execute(sql.SQL("").join(made))
    connection.execute("RESET ROLE")


def back_up(into: Path, tables: int, profile: Path) -> None:
    """Takes a backup set of the sample with so many tables more."""
    run_id = secrets.token_hex(4)
    with (
        Guardian(run_id) as guardian,
        guardian.folder("the sample's files") as work,
        serve(ServerRequest(run_id=run_id, choice="local", relations=EACH * tables), guardian) as server,
    ):
        superuser = Superuser(server.host, server.port, server.user, server.password)
        built = build(superuser, work)
        with superuser.connect(built.database) as connection:
            add_tables(connection, tables)
        source = {
            "host": server.host,
            "port": str(server.port),
            "user": server.user,
            "password": server.password,
            "dbname": built.database,
        }
        take_backup(
            Source(source),
            into,
            application="igny8",
            sites_data=built.sites_data,
            logs=built.logs,
            profile=read_profile(profile),
            pg_dump=server.clients.pg_dump,
            guardian=guardian,
            sample=True,
        )


def main() -> None:
    """Prints a line of figures for each number of tables."""
    parser = argparse.ArgumentParser(prog="python -m bench.many_tables", description=__doc__)
    parser.add_argument(
        "--tables", default="600", help="how many tables more than the sample's own, each drilled (600)"
    )
    parser.add_argument("--keep", type=Path, help="where sets and reports stay; one that is there is drilled as it is")
    parser.add_argument("more", nargs="*", help="options of the drill, after --")
    chosen = parser.parse_args()
    print("| tables | whole drill | processor time | checks | largest Python process | a check | evidence |")
    print("|---|---|---|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        for tables in map(int, chosen.tables.split(",")):
            work = (chosen.keep or Path(folder)) / f"tables-{tables}"
            if not work.exists():
                back_up(work / "backups", tables, profile_with_schemas(work / "igny8"))
            _print_drill(work, tables, tuple(chosen.more))


def _print_drill(work: Path, tables: int, more: tuple[str, ...]) -> None:
    drilled = drill(work / "backups", work / "out", ("--profile", str(work / "igny8"), *more))
    spent, peak, checks = drilled.spent, drilled.peak, len(drilled.evidence.results)
    written = (work / "out" / "latest" / "evidence.json").stat().st_size
    print(
        f"| {tables:,} | {spent.seconds:.0f} s | {spent.processor:.0f} s | {checks:,} | {peak / MIB:.0f} MiB | "
        f"{peak / checks / 1024:.1f} KiB | {written / MIB:.1f} MiB |",
        flush=True,
    )


if __name__ == "__main__":
    os.umask(0o077)
    main()
