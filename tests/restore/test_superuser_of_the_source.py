"""The superuser of the source's cluster, whatever it is called, comes back as a role, and is no way past row security."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from fixtures.checks.access import Access
from fixtures.checks.databases import Database
from fixtures.checks.examination import Examination
from fixtures.checks.tenancy.rls_bypass import left_open, roles_past_policies
from fixtures.database.catalogue import take_facts
from fixtures.sandbox.guardian import Guardian
from tests.support.kept_server import kept_server
from tests.support.restore_target import Target
from tests.support.trusting_cluster import trusting_cluster

# As a cluster is set up by hand: its superuser makes everything, and may act as the roles that it made.
MADE = """
CREATE ROLE shop_owner; CREATE ROLE shop_app LOGIN; CREATE ROLE night_job LOGIN BYPASSRLS;
GRANT shop_owner, shop_app TO CURRENT_USER;
CREATE TABLE tenants (id int PRIMARY KEY);
CREATE TABLE orders (id int PRIMARY KEY, tenant_id int NOT NULL REFERENCES tenants);
INSERT INTO tenants VALUES (1), (2); INSERT INTO orders VALUES (1, 1), (2, 2);
ALTER TABLE orders ENABLE ROW LEVEL SECURITY; ALTER TABLE orders FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON orders USING (tenant_id = current_setting('shop.tenant')::int);
GRANT SELECT, INSERT, UPDATE, DELETE ON orders, tenants TO shop_app;
ALTER TABLE tenants OWNER TO shop_owner;
"""


@dataclass(frozen=True)
class Past:
    """A set of such a cluster as a drill restored it."""

    superuser: str
    database: Database
    came: tuple[str, ...]

    def roles(self, application: str) -> tuple[int, list[str]]:
        return roles_past_policies(application, self.database.facts.roles, self.came)


@pytest.fixture(scope="module", params=["postgres", pytest.param("Ops admin", marks=pytest.mark.further)])
def past(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Past]:
    backups: Path = tmp_path_factory.mktemp("shop")
    with Guardian("5a7ed003") as guardian, kept_server() as server:
        with trusting_cluster(superuser=request.param) as (folder, port):
            where = ("-h", str(folder), "-p", str(port), "-U", request.param)
            with psycopg.connect(
                host=str(folder), port=port, user=request.param, dbname="postgres", autocommit=True
            ) as session:
                session.execute(MADE)  # type: ignore[call-overload]
            pg_dump, name = server.clients.pg_dump, "shop_20261127_031500"
            dumped = (str(pg_dump), *where, "-Fc", f"--file={backups / name}.dump", "postgres")
            of_roles = (str(pg_dump.with_name("pg_dumpall")), *where, "--roles-only", "--no-role-passwords")
            subprocess.run(dumped, check=True, capture_output=True)
            roles = subprocess.run(of_roles, check=True, capture_output=True, text=True).stdout
        assert roles.count(" WITH SUPERUSER ") == 1
        (backups / f"{name}.roles.sql").write_text(roles)
        target = Target(server, guardian)
        restored = target.load(backups)
        assert restored.lines == ()
        with server.reading(target.database) as session:
            access = Access("", 0, "", "", "", "", "", b"key")
            database = Database(take_facts(session), Examination(), access, target.database, session)
            yield Past(request.param, database, (*restored.roles_loaded, *restored.roles_made))


def test_the_superuser_came_back_and_is_none_of_the_application(past: Past) -> None:
    assert past.superuser in past.came
    assert past.roles("shop_app") == (1, [])
    looked, open_ways = left_open(past.database, "shop_app")
    assert looked > 0
    assert open_ways == []


def test_an_application_that_logs_in_as_a_role_that_no_policy_binds_is_told(past: Past) -> None:
    assert past.roles(past.superuser)[1] == [f"past row security role {past.superuser}"]
    assert past.roles("night_job") == (1, ["past row security role night_job"])
