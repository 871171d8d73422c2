"""A draft promises nothing of tomorrow that the rows of today keep by chance: it offers that, or leaves it out."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from fixtures.sites.inventory import SCHEMA
from tests.support import record_examples
from tests.support.drafts import TENANTS, Draft, drafted

NUMBERED = (
    TENANTS + "CREATE TABLE bills (id int PRIMARY KEY, org int NOT NULL REFERENCES organizations, currency text, "
    "status text, total numeric, number text); "
    "CREATE TABLE bill_lines (id serial PRIMARY KEY, bill_id int NOT NULL REFERENCES bills, amount numeric); "
    "INSERT INTO bills SELECT n, 1 + n / 21, 'EUR', 'paid', n, {} FROM generate_series(1, 40) n; "
    "INSERT INTO bill_lines (bill_id, amount) SELECT id, total FROM bills"
)


@pytest.mark.parametrize(
    ("number", "scope", "gapless", "first"),
    [
        ("200 + n + n / 21", (), False, None),
        ("200 + n", (), True, None),
        ("'N' || 1 + n % 21", ("org",), True, None),
        ("n - 20 * (n / 21)", ("org",), True, 1),
    ],
    ids=["one series with a gap between two tenants", "one series", "each from where it likes", "each from one"],
)
def test_tenants_count_for_themselves_only_where_two_have_the_same_place(
    number: str, scope: tuple[str, ...], gapless: bool, first: int | None, database: psycopg.Connection[Any]
) -> None:
    (bill,) = drafted(database, NUMBERED.format(number)).profile.invoice
    assert bill.numbering is not None
    assert (bill.numbering.scope, bill.numbering.gapless, bill.numbering.first) == (scope, gapless, first)


DIGEST = "ab" * 32


def with_files(database: psycopg.Connection[Any], folder: Path, *more: str, digest: str = "") -> Draft:
    with closing(sqlite3.connect(folder / "inventory")) as inventory, inventory:
        inventory.executescript(SCHEMA)
        files = [(f"media/notes/{number}.pdf", number) for number in (1, 2, 3)]
        inventory.executemany(
            "INSERT INTO entry (path, kind, size) VALUES (?, 'file', ?)", [*files, *((each, 0) for each in more)]
        )
        inventory.execute("UPDATE entry SET sha256 = ?", [DIGEST])
    archive = record_examples.record().sites
    assert archive is not None
    return drafted(
        database,
        TENANTS
        + "CREATE TABLE notes (id int PRIMARY KEY, org int REFERENCES organizations, file text, _file_size int, "
        f"sha256 text); INSERT INTO notes SELECT n, 1 + n % 2, 'notes/' || n || '.pdf', n, nullif('{digest}', '') "
        "FROM generate_series(1, 3) n",
        sites=archive.model_copy(update={"inventory": str(folder / "inventory")}),
    )


@pytest.mark.parametrize(
    ("more", "beside"),
    [((), "all that lie below it"), (("media/notes/old.pdf", "media/other.pdf"), "all but 1 that lie below it")],
)
def test_that_every_file_is_named_is_offered_with_those_that_are_not(
    more: tuple[str, ...], beside: str, database: psycopg.Connection[Any], tmp_path: Path
) -> None:
    draft = with_files(database, tmp_path, *more)
    (files,) = draft.profile.files
    assert (files.claims, files.size) == ("", "_file_size")
    assert f"Every path begins so, and {beside} are named by a row." in draft.prose
    assert '#claims = "notes"' in draft.text


@pytest.mark.parametrize(
    ("more", "digest", "claims"),
    [((), DIGEST, "notes"), (("media/notes/old.pdf",), DIGEST, ""), ((), "cd" * 32, "")],
    ids=["a register", "a file that no row names", "other digests"],
)
def test_a_table_with_the_digest_of_every_file_claims_them(
    more: tuple[str, ...], digest: str, claims: str, database: psycopg.Connection[Any], tmp_path: Path
) -> None:
    (files,) = with_files(database, tmp_path, *more, digest=digest).profile.files
    assert files.claims == claims


# Each order's lines have a state of their own, and one event and one source a document tell its total once more.
TOLD_AGAIN = (
    TENANTS + "CREATE TABLE orders (id int PRIMARY KEY, org int NOT NULL REFERENCES organizations, currency text, "
    "status text, total numeric); "
    "INSERT INTO orders SELECT n, 1 + n % 2, 'EUR', 'paid', 3 * n FROM generate_series(1, 40) n; "
    "CREATE TABLE events (id serial PRIMARY KEY, order_id int NOT NULL REFERENCES orders, amount numeric); "
    "INSERT INTO events (order_id, amount) SELECT id, total FROM orders; "
    "CREATE TABLE sources (id serial PRIMARY KEY, order_id int NOT NULL REFERENCES orders, currency text, "
    "amount_debited numeric, reference text); "
    "INSERT INTO sources (order_id, currency, amount_debited, reference) SELECT id, 'EUR', total, 'ch_' || id FROM orders; "
    "CREATE TABLE the_lines (id serial PRIMARY KEY, order_id int NOT NULL REFERENCES orders, status text, {} numeric); "
    "INSERT INTO the_lines (order_id, status, {}) SELECT id, 'sent', k * id FROM orders, generate_series(1, 2) k"
)


def test_what_tells_a_total_once_more_is_neither_its_lines_nor_a_second_payment(
    database: psycopg.Connection[Any],
) -> None:
    profile = drafted(database, TOLD_AGAIN.format(*["line_price_incl_tax"] * 2)).profile
    (order,) = profile.invoice
    assert [(each.stored.name, each.amount) for each in order.lines] == [("the_lines", "line_price_incl_tax")]
    assert [payment.stored.name for payment in profile.payment] == ["sources"]


def test_rows_with_a_status_are_lines_only_where_their_amount_says_so(database: psycopg.Connection[Any]) -> None:
    (order,) = drafted(database, TOLD_AGAIN.format("amount", "amount")).profile.invoice
    assert [each.stored.name for each in order.lines] == ["events"]
