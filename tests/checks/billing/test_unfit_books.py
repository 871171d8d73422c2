"""A query of the books that does not fit is told by its entry, and what queries find is added up around the migrations."""

from collections.abc import Callable
from dataclasses import replace

import psycopg
import pytest

from fixtures.checks.billing.conserved_books import sums_of_document, sums_of_ledger, sums_of_payment
from fixtures.checks.blocked import Blocked
from fixtures.profile import Profile
from fixtures.profile.money import Invoice, Period
from tests.checks.billing.books_of_queries import (
    ACCOUNTS,
    CANCELS,
    ENTRIES,
    OPENINGS,
    ORDERS,
    PAYMENTS,
    PLANS,
    REFUNDS,
    file,
    problems,
    with_queries,
)
from tests.support.small_shop import ACME, ZEN, Shop


@pytest.fixture
def shop(opened: Callable[[], Shop]) -> Shop:
    return with_queries(opened())


UNFIT = {
    "a table without its schema": (
        {"lines": """SELECT "order" AS document, price AS amount FROM "Items" """},
        ("invoice 'orders'.lines", 'relation "Items" does not exist; it names every table with its schema'),
    ),
    "a column called otherwise": (
        {"payments": PAYMENTS.replace("AS amount", "AS amounts")},
        ("payment 'sources'", "it returns no amount; did you mean amounts?"),
    ),
    "a column that no key names": (
        {"payments": PAYMENTS.replace("'c' ||", "o.total AS fee, 'c' ||")},
        ("payment 'sources'", 'it returns fee, which nothing reads; name it by its key (fee = "fee"), or leave it out'),
    ),
    "an amount that is text": (
        {"refunds": REFUNDS.replace("refunded AS", "refunded::text AS")},
        ("payment 'sources'.refunds", "amount must be numbers"),
    ),
    "an amount that rounds": (
        {"lines": """SELECT "order" AS document, price::float8 AS amount FROM "Shop"."Items" """},
        ("invoice 'orders'.lines", "amount stands in a type that rounds; cast it to numeric, or say inexact"),
    ),
    "a key that is none": (
        {"orders": ORDERS.replace("o.id,", "1 AS id,")},
        ("invoice 'orders'", "its id is no key: 1 of 2 rows have none, or that of another row"),
    ),
    "two openings of one account": (
        {"openings": f"{OPENINGS} UNION ALL {OPENINGS}"},
        ("ledger 'points'.opening", "its account is no key: 1 of 2 rows have none, or that of another row"),
    ),
    "a query that finds nothing": (
        {"lines": """SELECT "order" AS document, price AS amount FROM "Shop"."Items" WHERE price > 99"""},
        ("invoice 'orders'.lines", "it returns no row, so that there is nothing to examine"),
    ),
    "lines of other documents": (
        {"lines": """SELECT "order" + 7 AS document, price AS amount FROM "Shop"."Items" """},
        ("invoice 'orders'.lines", "no document of its rows equals the id of a row of books/orders.sql"),
    ),
    "lines that name documents by text": (
        {"lines": """SELECT "order"::text AS document, price AS amount FROM "Shop"."Items" """},
        ("invoice 'orders'.lines", "operator does not exist: integer = text"),
    ),
    "a query that takes too long": (
        {"lines": """SELECT 1 AS document, sum(a) AS amount FROM generate_series(1, 100000000) a"""},
        ("invoice 'orders'.lines", "it was not answered within 60 ms ([limits] facts)"),
    ),
    "a query that a function of the database cancels": (
        {"lines": """SELECT "order" AS document, price AS amount FROM "Shop"."Items" WHERE "Shop".cancels()"""},
        ("invoice 'orders'.lines", "was ended by what it calls of the database: QueryCanceled"),
    ),
    "accounts that are named by no entry": (
        {"accounts": ACCOUNTS.replace("code AS account", "code || 1 AS account")},
        ("ledger 'points'.balance_of", "no account of its rows equals the account of a row of books/entries.sql"),
    ),
    "two balances of one account": (
        {"accounts": ACCOUNTS.replace("code AS account", "'acme' AS account")},
        ("ledger 'points'.balance_of", "its account is no key: 1 of 2 rows have none, or that of another row"),
    ),
    "entries that lack what usage is told by": (
        {"entries": ENTRIES.replace("AS account", "AS accounts")},
        ("ledger 'points'", "it returns no account; did you mean accounts?"),
    ),
    "a moment that is none": (
        {"plans": PLANS.replace("begins AS", "id AS")},
        ("period 'plans'", "starts, ends must be moments"),
    ),
    "what is no query": (
        {"lines": """DELETE FROM "Shop"."Items" """},
        ("invoice 'orders'.lines", 'syntax error at or near "FROM"'),
    ),
}


@pytest.mark.parametrize("what", UNFIT)
def test_a_query_that_does_not_fit_is_told_by_its_entry_its_file_and_its_fault(
    opened: Callable[[], Shop], what: str
) -> None:
    texts, (entry, fault) = UNFIT[what]
    shop = opened()
    shop.done(CANCELS)
    found = problems(with_queries(shop, **texts))
    name = next(iter(texts))
    assert any(each.startswith(f"profile.toml: {entry}.query: books/{name}.sql: ") and fault in each for each in found)
    assert all(f".query: books/{name}.sql: " in each or "books/orders.sql" in each for each in found), found


def conserved(shop: Shop, migration: str) -> dict[str, tuple[int, list[str]]]:
    """What such a migration makes of each sum, beside the shop as it was."""
    invoice, payment, info = shop.profile.invoice[0], shop.profile.payment[0], shop.session.info
    sums = (*sums_of_document(invoice, shop.books), *sums_of_payment(payment, invoice, shop.books))
    sums += tuple(sums_of_ledger(shop.profile.ledger[0], shop.books))
    with psycopg.connect(**info.get_parameters(), password=info.password, autocommit=True) as before:
        restored = replace(shop, session=before).database()
        shop.done(migration)
        return {name: each.compare(restored, shop.database()) for name, each in sums}


def test_what_queries_find_is_added_up_before_and_after_the_migrations(shop: Shop) -> None:
    names = ("orders (books/orders.sql)", "orders (books/lines.sql)", "orders (books/credits.sql)")
    names += ("sources (books/payments.sql)", "sources (books/refunds.sql)")
    names += ("points (books/entries.sql)", "points (books/accounts.sql)", "points (books/openings.sql)")
    sums = (2, 2, 1, 1, 1, 2, 2, 1)
    assert conserved(shop, "SELECT 1") == {name: (count, []) for name, count in zip(names, sums, strict=True)}
    migration = """
        UPDATE "Orders" SET total = total + 0.01 WHERE id = 2; UPDATE "Items" SET price = 4 WHERE price = 5;
        UPDATE "Sources" SET currency = 'JPY', refunded = 2; UPDATE "Entries" SET amount = 51 WHERE amount = 50;
        UPDATE "Tenants" SET points = points - 2 WHERE code = 'zen'; UPDATE "Openings" SET points = 99"""
    assert conserved(shop, migration) == {
        names[0]: (2, [f"documents tenant={ZEN} currency=EUR difference=0.01"]),
        names[1]: (2, [f"lines tenant={ACME} currency=EUR difference=-1.00"]),
        names[2]: (1, [f"credits tenant={ACME} currency=EUR difference=0.50"]),
        names[3]: (
            2,
            [
                f"payments tenant={ACME} currency=EUR difference=-24.80",
                f"payments tenant={ACME} currency=JPY difference=24.80",
            ],
        ),
        names[4]: (
            2,
            [
                f"refunds tenant={ACME} currency=EUR difference=-1.50",
                f"refunds tenant={ACME} currency=JPY difference=2",
            ],
        ),
        names[5]: (2, [f"entries tenant={ACME} currency=none difference=1"]),
        names[6]: (2, [f"accounts tenant={ZEN} currency=none difference=-2"]),
        names[7]: (1, [f"openings tenant={ACME} currency=none difference=-1"]),
    }


def test_what_the_release_leaves_no_query_to_find_is_blocked(shop: Shop) -> None:
    lines = dict(sums_of_document(shop.profile.invoice[0], shop.books))["orders (books/lines.sql)"]
    shop.done("""DROP TABLE "Items" """)
    with pytest.raises(Blocked, match=r'relation "Shop\.Items" does not exist'):
        lines.compare(shop.database(), shop.database())


def test_a_query_names_its_columns_itself_and_stands_instead_of_a_table(shop: Shop) -> None:
    query = file(ORDERS, "orders")
    wrong = {
        "leave out tenant": {"query": query, "tenant": "tenantCode"},
        "and not both": {"query": query, "table": "Shop.Orders"},
        "say where the rows stand": {"tenant": "t", "currency": "c", "status": "s", "total": "t"},
    }
    for said, keys in wrong.items():
        with pytest.raises(ValueError, match=said):
            Invoice.model_validate({"name": "orders", "paid": ("paid",), "subtotal": "total"} | keys)
    with pytest.raises(ValueError, match="tenant is a column of what query returns"):
        Period.model_validate(
            {"name": "p", "table": "Shop.Plans", "tenant": "t", "owner": "o", "start": "begins", "end": "ends"}
        )
    again = Profile.model_validate(shop.profile.model_dump())
    assert again == shop.profile
