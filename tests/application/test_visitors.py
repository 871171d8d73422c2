"""As whom the application is asked: plain users of single tenants."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from fixtures.application.visitors import Visitor, choose_visitors
from fixtures.database.catalogue import take_facts
from fixtures.ownership import derive_ownership
from fixtures.profile.tenancy import Tenancy
from tests.support.kept_server import kept_server

SCHEMA = """
CREATE TABLE tenants (id int PRIMARY KEY);
CREATE TABLE users (id int PRIMARY KEY);
CREATE TABLE members (id int PRIMARY KEY, user_id int REFERENCES users, tenant_id int REFERENCES tenants);
INSERT INTO tenants VALUES (1), (2), (3);
INSERT INTO users VALUES (10), (20), (21), (30);
INSERT INTO members VALUES (1, 10, 1), (2, 20, 2), (3, 20, NULL), (4, 21, 2), (5, 30, NULL), (6, 30, 3);
"""
TENANCY = Tenancy.model_validate(
    {
        "root": "tenants",
        "shared": {"users": "people, who may belong to several"},
        "login": {
            "users": "users",
            "single_sign_on": "the company's own",
            "members": {"table": "members", "user": "user_id", "tenant": "tenant_id"},
        },
        "probe": {},
    }
)


@pytest.fixture(scope="module")
def database() -> Iterator[psycopg.Connection[Any]]:
    with kept_server() as server:
        server.create_database("restored")
        with server.connect("restored") as connection:
            connection.execute(SCHEMA)
            yield connection


def test_a_membership_without_a_tenant_makes_its_user_no_plain_one(database: psycopg.Connection[Any]) -> None:
    (login,) = TENANCY.login
    assert TENANCY.probe is not None
    ownership = derive_ownership(take_facts(database), TENANCY)
    with database.cursor(row_factory=dict_row) as cursor:
        chosen = choose_visitors(cursor, TENANCY.login, TENANCY.probe, ownership)
    assert chosen == (Visitor("10", ("1",), login), Visitor("21", ("2",), login))
