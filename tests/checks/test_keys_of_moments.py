"""Tenants whose key is a moment that Python has no value for are tried as all others."""

from datetime import date

from psycopg.rows import dict_row

from fixtures.checks.access import Access
from fixtures.checks.databases import Database
from fixtures.checks.examination import Examination
from fixtures.checks.tenancy.tenants import all_tenants
from fixtures.checks.tenancy.whole_tenants import lost_or_made
from fixtures.database.catalogue import take_structure
from fixtures.ownership import derive_ownership
from fixtures.profile.tenancy import Tenancy
from tests.support.kept_server import kept_server

TENANTS = """
CREATE TABLE tenants (since date PRIMARY KEY);
INSERT INTO tenants VALUES ('infinity'), ('2026-01-01'), ('0044-03-15 BC'), ('-infinity');
"""


def test_tenants_are_listed_and_compared_whatever_moment_names_them() -> None:
    with kept_server() as server:
        server.create_database("moments")
        with server.connect("moments") as session:
            session.execute(TENANTS)
        with server.reading("moments") as session:
            facts = take_structure(session.cursor(row_factory=dict_row))
            database = Database(facts, Examination(), Access("", 0, "", "", "", "", "", b"key"), "moments", session)
            tenants = all_tenants(database, derive_ownership(facts, Tenancy(root="tenants")).root)
    assert sorted(map(str, tenants)) == ["-infinity", "0044-03-15 BC", "2026-01-01", "infinity"]
    assert date(2026, 1, 1) in tenants
    assert lost_or_made(tenants, tenants[1:], b"key")[0].endswith("is gone after the migrations")
