"""A key is found in whichever row it stands, among whatever other texts; a text that is one in part alone is not."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from psycopg import sql
from psycopg.types.json import Jsonb

from fixtures.checks.access import Access
from fixtures.checks.databases import Database
from fixtures.checks.examination import Examination
from fixtures.checks.exposure.credentials import LOOKED_AT, in_clear
from fixtures.database.catalogue import take_facts
from fixtures.server import Server
from tests.support.kept_server import kept_server

LIVE, LONG = "sk_live_" + "a" * 24, "word " * 400
# By what stands in the column: whether that is a credential. A mark of the query's own in a text makes none.
TEXTS = {
    LIVE: True,
    f"\n\t {LIVE} \n": True,
    "AKIA" + "A" * 16: True,
    "postgres://clerk:swordfish@db.example/shop": True,
    "-----BEGIN RSA PRIVATE KEY-----\n" + LONG: True,
    f"{' ' * 2000}{LIVE}": True,
    f"see {LIVE}": False,
    f"{LIVE} and more": False,
    f"\x01{LIVE}": False,
    f"{LIVE}\x01": False,
    LONG + LIVE: False,
    "https://example.org/": False,
    "": False,
}
DETAILS: list[tuple[Any, bool]] = [
    ({"note": LIVE}, True),
    ({"note": LIVE, "text": LONG}, True),
    ({"smtp_password": "swordfish"}, True),
    ({"text": LONG, "password": "swordfish"}, True),
    ({"password": "pbkdf2_sha256$600000$a$b"}, False),
    ({"password": "******"}, False),
    ({"passwords": 3}, False),
    ({"note": f"see {LIVE}"}, False),
    ({"text": LONG}, False),
    ([], False),
]
# What each row holds beside the one that is tried.
PLAIN_TEXTS, PLAIN_DETAILS = ["draft", "", "a word", LONG, None], [{"a": 1}, [], {"text": LONG}, None]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with kept_server() as server:
        server.create_database("looked_at")
        with server.connect("looked_at") as connection:
            connection.execute("CREATE TABLE public.notes (id int, body text, details jsonb)")
        yield server


def found(server: Server, bodies: list[str | None], details: list[Any]) -> list[tuple[str, int]]:
    """The columns in which credentials are found, and in how many rows."""
    with server.connect("looked_at") as connection:
        connection.execute("TRUNCATE public.notes")
        for text in bodies:
            connection.execute("INSERT INTO public.notes (body) VALUES (%s)", [text])
        for detail in details:
            connection.execute("INSERT INTO public.notes (details) VALUES (%s)", [Jsonb(detail)])
        connection.commit()
    return found_of(server)


def found_of(server: Server) -> list[tuple[str, int]]:
    name = server.database("looked_at")
    access = Access(server.host, server.port, server.user, server.password, name, name, "", b"key", server.major)
    with closing(access.connect(name)) as session:
        database = Database(take_facts(session), Examination(), access, name, session)
        return [(each.column, each.rows) for each in in_clear(database)]


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: repr(text[:24]))
def test_a_key_is_found_among_other_texts(text: str, server: Server) -> None:
    expected = [("body", 1)] if TEXTS[text] else []
    assert found(server, [*PLAIN_TEXTS, text, *PLAIN_TEXTS], PLAIN_DETAILS) == expected
    assert found(server, [text], []) == expected


@pytest.mark.parametrize(("detail", "is_one"), DETAILS, ids=lambda value: repr(value)[:24])
def test_a_key_is_found_among_other_json(detail: Any, is_one: bool, server: Server) -> None:
    expected = [("details", 1)] if is_one else []
    assert found(server, PLAIN_TEXTS, [*PLAIN_DETAILS, detail, *PLAIN_DETAILS]) == expected


def test_each_row_with_a_key_counts_once(server: Server) -> None:
    detail = {"note": LIVE, "password": "swordfish"}
    assert found(server, [LIVE, "draft", LIVE + "b"], [detail, detail]) == [("body", 2), ("details", 2)]


def test_so_many_rows_are_looked_at(server: Server) -> None:
    with server.connect("looked_at") as connection:
        filled = sql.SQL("INSERT INTO public.notes (body) SELECT {} FROM generate_series(1, {})")
        connection.execute("TRUNCATE public.notes")
        connection.execute(filled.format(LIVE, LOOKED_AT + 10))
        connection.commit()
    assert found_of(server) == [("body", LOOKED_AT)]
