"""A small database of two tenants, in which single queries of the tenancy controls are tried."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fixtures.checks.access import Access
from fixtures.checks.databases import Database
from fixtures.checks.examination import Examination, Finding
from fixtures.checks.probe import Probe
from fixtures.database.catalogue import take_facts
from fixtures.ownership import Ownership, derive_ownership, unanswerable
from fixtures.profile.tenancy import Tenancy
from fixtures.record.facts import Table
from fixtures.record.names import TableName
from fixtures.server import Server
from tests.support.kept_server import kept_server

SCHEMA = """
CREATE TABLE tenants (id int PRIMARY KEY);
CREATE TABLE people (id int PRIMARY KEY, now_in int REFERENCES tenants);
CREATE TABLE cards (id int PRIMARY KEY, tenant_id int NOT NULL REFERENCES tenants);
CREATE TABLE spent ("cardNo" int REFERENCES cards, turn int, tenant_id int NOT NULL REFERENCES tenants, accepted bool,
                    ids int[], note jsonb, outside uuid, PRIMARY KEY ("cardNo", turn));
CREATE TABLE devices (id uuid PRIMARY KEY, tenant_id int REFERENCES tenants);
CREATE TABLE "Words" (id int PRIMARY KEY);
INSERT INTO tenants VALUES (1), (2);
INSERT INTO people VALUES (1, 1), (2, NULL);
INSERT INTO cards VALUES (1, 1), (2, 2), (3, 2);
INSERT INTO devices VALUES ('a0000000-0000-0000-0000-000000000001', 1), ('a0000000-0000-0000-0000-000000000002', 2),
                           ('a0000000-0000-0000-0000-000000000003', NULL);
INSERT INTO "Words" VALUES (7);
INSERT INTO spent ("cardNo", turn, tenant_id) VALUES (1, 1, 1), (2, 1, 2), (2, 2, 2), (3, 1, 2);
"""


@dataclass(frozen=True)
class Look:
    """One clone of the database as the controls see it, under what a profile says."""

    database: Database
    ownership: Ownership
    tenancy: Tenancy
    problems: tuple[str, ...]

    def table(self, name: str) -> Table:
        of_name = self.database.facts.table(TableName.parse(name))
        assert of_name is not None
        return of_name

    def said(self, probe: Probe) -> tuple[str, tuple[str, ...]]:
        """What a control says of the probe: its message and keys, or its note, empty where it passes without a word."""
        try:
            self.database.expect_none(probe)
        except Finding as finding:
            return finding.message, finding.samples
        return self.database.examination.note, ()


@dataclass(frozen=True)
class SmallTenancy:
    server: Server

    @contextmanager
    def look(self, planted: str = "", folder: Path | None = None, **said: object) -> Iterator[Look]:
        """A clone in which `planted` was executed, and what a profile in `folder` says of its tenants."""
        name = f"clone_{secrets.token_hex(4)}"
        tenancy = Tenancy.model_validate({"root": "tenants", **said}, context={"folder": folder})
        self.server.create_database(name, template="tenancy")
        try:
            with self.server.connect(name) as connection:
                if planted:
                    connection.execute(planted)  # type: ignore[call-overload]
                facts = take_facts(connection)
                ownership = derive_ownership(facts, tenancy)
                unplanned = unanswerable(connection, facts, ownership, tenancy, "profile.toml")
                problems = (*ownership.unworkable, *unplanned)
            server = self.server
            reader = server.logins.of(server, "reader")
            own = {"own_user": server.user, "own_password": server.password}
            access = Access(server.host, server.port, reader.user, reader.password, name, name, "", b"key", **own)
            with access.connect(name) as session:
                database = Database(facts, Examination(), access, name, session)
                yield Look(database, ownership, tenancy, problems)
        finally:
            self.server.drop_database(name)


@contextmanager
def small_tenancy() -> Iterator[SmallTenancy]:
    with kept_server() as server:
        server.create_database("tenancy")
        with server.connect("tenancy") as connection:
            connection.execute(SCHEMA)
        yield SmallTenancy(server)
