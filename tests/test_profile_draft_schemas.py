"""Drafts for schemas that have little, nothing, or something that only looks like what a profile names."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from psycopg import sql

from fixtures.drafting.asked import Asked
from fixtures.drafting.draft import draft
from fixtures.drill.catalogue import take_facts
from fixtures.drill.profile import Profile
from fixtures.drill.server import Server
from tests import evidence_examples as examples
from tests.small_source import ServerRequest, another_server

TENANTS = (
    "CREATE TABLE organizations (id int PRIMARY KEY, name text); INSERT INTO organizations VALUES (1, 'a'), (2, 'b');"
)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with another_server(ServerRequest("d4af7e57")) as (running, _):
        yield running


@pytest.fixture
def database(server: Server) -> Iterator[psycopg.Connection[Any]]:
    server.create_database("restored")
    with server.connect("restored") as connection:
        yield connection
    server.drop_database("restored")


@dataclass(frozen=True)
class Draft:
    """`prose` is the text with each comment on one line: where it breaks its lines is not what is tried."""

    text: str

    @property
    def prose(self) -> str:
        return re.sub(r"(?m)(?<=^# )(.*)$(\n# .*)+", lambda found: found[0].replace("\n# ", " "), self.text)

    @property
    def profile(self) -> Profile:
        return Profile.model_validate(tomllib.loads(self.text))


def drafted(database: psycopg.Connection[Any], schema: str) -> Draft:
    database.execute(schema)  # type: ignore[call-overload]
    return Draft(draft(examples.record(facts=take_facts(database)), database, "shop", None))


def test_without_a_foreign_key_no_root_is_guessed(database: psycopg.Connection[Any]) -> None:
    found = drafted(database, "CREATE TABLE notes (id int PRIMARY KEY, body text)")
    assert "No table points at another by a foreign key, so nothing shows where tenants stand" in found.prose
    assert '#root = "the table of your tenants"' in found.prose
    assert "tenancy.root" not in tomllib.loads(found.text)["unconfirmed"]


def test_a_root_without_a_telling_name_is_said_to_go_by_its_figures(database: psycopg.Connection[Any]) -> None:
    found = drafted(
        database,
        "CREATE TABLE planets (id int PRIMARY KEY); CREATE TABLE moons (id int PRIMARY KEY, planet int REFERENCES planets)",
    )
    assert found.profile.tenancy.root.name == "planets"
    assert "No table is named like tenants are: this goes by the figures alone" in found.prose


def test_a_ledger_that_does_not_run_on_is_not_one(database: psycopg.Connection[Any]) -> None:
    found = drafted(
        database,
        TENANTS + "CREATE TABLE stock (id int PRIMARY KEY, org int NOT NULL REFERENCES organizations, amount int, "
        "balance int); INSERT INTO stock SELECT g, 1, g, 5 FROM generate_series(1, 100) g",
    )
    assert not found.profile.ledger
    assert "[[ledger]]" not in found.prose


def test_a_ledger_with_one_wrong_row_of_a_hundred_is_kept_and_says_so(database: psycopg.Connection[Any]) -> None:
    found = drafted(
        database,
        TENANTS + "CREATE TABLE entries (id int PRIMARY KEY, org int NOT NULL REFERENCES organizations, amount int, "
        "running_balance int); INSERT INTO entries SELECT g, 1, 2, 2 * g FROM generate_series(1, 100) g; "
        "UPDATE entries SET amount = 3 WHERE id = 50",
    )
    (ledger,) = found.profile.ledger
    assert (ledger.account, ledger.order, ledger.amount, ledger.balance) == (
        "org",
        ("id",),
        "amount",
        "running_balance",
    )
    assert "holds for 99 of 100" in found.prose
    assert "The few that break it are a fault of this backup, or of the order that was guessed." in found.prose


def test_an_empty_ledger_is_offered_and_not_taken(database: psycopg.Connection[Any]) -> None:
    found = drafted(
        database,
        TENANTS + "CREATE TABLE entries (id int PRIMARY KEY, org int NOT NULL REFERENCES organizations, amount int, "
        "running_balance int)",
    )
    assert not found.profile.ledger
    assert "not a row to try it on.\n#[[ledger]]" in found.prose


def test_sender_and_receiver_are_told_with_how_often_they_differ(database: psycopg.Connection[Any]) -> None:
    found = drafted(
        database,
        TENANTS + "CREATE TABLE transfers (id int PRIMARY KEY, sender int NOT NULL REFERENCES organizations, "
        "receiver int REFERENCES organizations); INSERT INTO transfers VALUES (1, 1, 2), (2, 1, 1), (3, 2, NULL)",
    )
    assert {str(name): column for name, column in found.profile.tenancy.owner_via.items()} == {
        "public.transfers": "sender"
    }
    assert "sender is never empty; receiver names another tenant in 1 rows" in found.prose
    assert "tenancy.owner_via" in found.profile.unconfirmed


def test_rows_without_an_owner_are_offered_since_a_wrong_guess_would_hide_orphans(
    database: psycopg.Connection[Any],
) -> None:
    found = drafted(
        database,
        TENANTS + "CREATE TABLE pages (id int PRIMARY KEY, org int REFERENCES organizations); "
        "INSERT INTO pages VALUES (1, 1), (2, NULL)",
    )
    assert "1 of 2 rows of pages have none (pages -> organizations)." in found.prose
    assert not found.profile.tenancy.ownerless
    assert "tenancy.ownerless" not in found.profile.unconfirmed


def test_a_table_that_nothing_speaks_for_is_left_for_a_person(database: psycopg.Connection[Any]) -> None:
    found = drafted(
        database,
        TENANTS + "CREATE TABLE pages (id int PRIMARY KEY, org int REFERENCES organizations); "
        "CREATE TABLE exports (id int PRIMARY KEY, organization_id int); INSERT INTO exports VALUES (1, 1), (2, 7)",
    )
    assert not found.profile.tenancy.shared
    assert (
        "organization_id is called like a tenant's, and no foreign key holds it; 1 of its rows name a tenant"
        in found.prose
    )
    assert '#exports = "why it belongs to no tenant"' in found.prose


def test_hostile_names_are_quoted_and_end_no_comment(database: psycopg.Connection[Any]) -> None:
    found = drafted(
        database,
        'CREATE SCHEMA "a.b"; CREATE TABLE "a.b"."Ten""ant\n[x]" (id int PRIMARY KEY); '
        'CREATE TABLE "a.b"."my pages" (id int PRIMARY KEY, "the ""tenant""" int REFERENCES "a.b"."Ten""ant\n[x]", '
        '"net ""price""\n" numeric); INSERT INTO "a.b"."Ten""ant\n[x]" VALUES (1)',
    )
    profile = found.profile
    assert profile.tenancy.root.schema == "a.b"
    assert profile.tenancy.root.name == 'Ten"ant\n[x]'
    assert profile.money[0].columns == ('net "price"\n',)


def test_a_question_that_takes_too_long_stays_unanswered(database: psycopg.Connection[Any]) -> None:
    asked = Asked(database, seconds=0.05)
    assert asked.counts(sql.SQL("SELECT {}").format(sql.SQL("pg_sleep(5)::text = '' AS slept"))) is None
    assert asked.counts(sql.SQL("SELECT {} AS one").format(sql.Literal(1))) == {"one": 1}


def test_nothing_is_written_to_the_database(database: psycopg.Connection[Any]) -> None:
    database.execute("CREATE TABLE notes (id int)")
    asked = Asked(database)
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        asked.counts(sql.SQL("INSERT INTO {} VALUES (1) RETURNING 1 AS one").format(sql.Identifier("notes")))
