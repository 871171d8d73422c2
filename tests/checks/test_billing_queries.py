"""Documents, lines and payments found by a query of the profile's own are tried first, then judged as those of tables."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

import psycopg
import pytest

from fixtures.checks.billing.conserved_books import sums_of_document, sums_of_ledger, sums_of_payment
from fixtures.checks.billing.document import used_twice, wrong_totals, wrongly_credited
from fixtures.checks.billing.ledger import below_zero, broken_account_balance, broken_running_balance, wrong_signs
from fixtures.checks.billing.period import not_running, overlapping_periods, with_a_hole_before
from fixtures.checks.billing.settlement import (
    Processed,
    overpaid_invoices,
    paid_though_unpaid,
    processed_twice,
    refunded_beyond,
    uncovered_invoices,
    without_invoice,
)
from fixtures.checks.billing.tax import wrong_tax
from fixtures.checks.billing.usage import not_charged_alike
from fixtures.checks.blocked import Blocked
from fixtures.checks.masking import masked_text
from fixtures.checks.probe import Probe
from fixtures.database.book_queries import unanswerable_books
from fixtures.profile import Profile
from fixtures.profile.money import Invoice, Ledger, Payment, Period
from fixtures.profile.words import SqlFile
from tests.support.small_shop import Shop, small_shop

ACME, ZEN = masked_text("acme", b"key"), masked_text("zen", b"key")
# The status stands in what was paid; the currency is one; an order's lines stand in two tables.
ORDERS = """
SELECT o.id, o."tenantCode" AS tenant, 'EUR' AS currency, o.total, 'R-' || o.id AS number, 0 AS tax, 0 AS rate,
       CASE WHEN s.id IS NULL THEN 'open' ELSE 'paid' END AS status
  FROM "Shop"."Orders" o LEFT JOIN "Shop"."Sources" s ON s."order" = o.id;
"""
LINES = """
SELECT "order" AS document, price AS amount FROM "Shop"."Items"
 UNION ALL
SELECT id, shipping FROM "Shop"."Orders" -- what is sent
"""
PAYMENTS = """
SELECT s.id, s."order" AS document, o."tenantCode" AS tenant, s.currency, s.debited AS amount, 'c' || s.id AS charge
  FROM "Shop"."Sources" s JOIN "Shop"."Orders" o ON o.id = s."order"
"""
REFUNDS = """SELECT id AS payment, refunded AS amount FROM "Shop"."Sources" WHERE refunded <> 0"""
CREDITS = """SELECT "order" AS document, refunded AS amount FROM "Shop"."Sources" WHERE refunded <> 0"""
ENTRIES = """
SELECT "tenantCode" || no AS id, "tenantCode" AS tenant, "tenantCode" AS account, at, no, amount, balance, kind
  FROM "Shop"."Entries" WHERE NOT void
"""
ACCOUNTS = """
SELECT code AS account, code AS tenant, points - CASE code WHEN 'acme' THEN 100 ELSE 0 END AS balance
  FROM "Shop"."Tenants" WHERE "closedAt" IS NULL
"""
OPENINGS = """SELECT "tenantCode" AS account, "tenantCode" AS tenant, points AS opening FROM "Shop"."Openings" """
PLANS = """
SELECT id, "tenantCode" AS tenant, "tenantCode" || product AS owner, begins AS starts, ends, state FROM "Shop"."Plans"
"""
CANCELS = """
    CREATE FUNCTION "Shop".cancels() RETURNS boolean LANGUAGE plpgsql AS
    $$BEGIN RAISE EXCEPTION USING ERRCODE = '57014', MESSAGE = 'canceling statement due to statement timeout'; END$$
"""
DOCUMENT = {
    "name": "orders",
    "paid": ("paid",),
    "unpaid": ("open",),
    "tax": "tax",
    "tax_rule": {"of": "total", "rate": "rate", "rounding": "half up"},
    "numbering": {"column": "number", "gapless": True},
}


def file(text: str, name: str) -> SqlFile:
    return SqlFile(file=f"books/{name}.sql", text=text)


def with_queries(shop: Shop, **other: str) -> Shop:
    """The shop, with these texts instead of the right ones."""
    texts = {"orders": ORDERS, "lines": LINES, "payments": PAYMENTS, "refunds": REFUNDS, "credits": CREDITS}
    texts |= {"entries": ENTRIES, "accounts": ACCOUNTS, "openings": OPENINGS, "plans": PLANS} | other
    files = {name: file(text, name) for name, text in texts.items()}
    invoice = Invoice.model_validate(
        {
            **DOCUMENT,
            "query": files["orders"],
            "lines": {"query": files["lines"]},
            "credits": {"query": files["credits"]},
        }
    )
    payment = Payment.model_validate(
        {
            "name": "sources",
            "settles": "orders",
            "query": files["payments"],
            "tenant": "tenant",
            "currency": "currency",
            "processor_id": ("charge",),
            "refunds": {"query": files["refunds"]},
        }
    )
    written = shop.profile.ledger[0]
    ledger = Ledger.model_validate(
        {
            "name": "points",
            "query": files["entries"],
            "order": ("at", "no"),
            "kinds": written.kinds,
            "balance": "balance",
            "opening": {"query": files["openings"]},
            "balance_of": {"query": files["accounts"]},
        }
    )
    unopened = ledger.model_copy(update={"name": "sums", "opening": None, "not_negative": True})
    usage = shop.profile.usage[0].model_copy(update={"by": {"tenant": "account"}})
    period = Period.model_validate(
        {"name": "plans", "query": files["plans"], "gapless": True, "active": shop.profile.period[0].active}
    )
    limits = shop.profile.limits.model_copy(update={"facts": 0.001 if "generate_series" in texts["lines"] else 60})
    parts = {"invoice": (invoice,), "payment": (payment,), "limits": limits}
    parts |= {"ledger": (ledger, unopened), "usage": (usage,), "period": (period,)}
    return replace(shop, profile=shop.profile.model_copy(update=parts))


def problems(shop: Shop) -> tuple[str, ...]:
    return unanswerable_books(shop.session, shop.facts, shop.profile, "profile.toml")


@pytest.fixture(scope="module")
def opened() -> Iterator[Callable[[], Shop]]:
    with small_shop() as opens:
        yield opens


@pytest.fixture
def shop(opened: Callable[[], Shop]) -> Shop:
    return with_queries(opened())


def of_document(probe: Callable[..., Probe]) -> Callable[[Shop], Probe]:
    return lambda shop: probe(shop.profile.invoice[0], shop.books)


def of_both(probe: Callable[..., Probe]) -> Callable[[Shop], Probe]:
    return lambda shop: probe(shop.profile.payment[0], shop.profile.invoice[0], shop.books)


def numbers(shop: Shop) -> Probe:
    invoice = shop.profile.invoice[0]
    assert invoice.numbering is not None
    return used_twice(invoice, invoice.numbering, shop.books)


def tax(shop: Shop) -> Probe:
    invoice, currencies = shop.profile.invoice[0], shop.profile.currencies
    assert invoice.tax_rule is not None
    assert currencies is not None
    return wrong_tax(invoice, invoice.tax_rule, currencies, shop.books)


def refunds(shop: Shop) -> Probe:
    payment = shop.profile.payment[0]
    return refunded_beyond(payment, shop.profile.invoice_named(payment.settles), shop.books)


def processed(shop: Shop) -> Probe:
    return processed_twice(Processed(shop.profile.payment[0]), shop.books)


def entries(shop: Shop) -> Probe:
    return broken_running_balance(shop.profile.ledger[0], "balance", shop.books)


def accounts(shop: Shop) -> Probe:
    ledger = shop.profile.ledger[1]
    assert ledger.balance_of is not None
    return broken_account_balance(ledger, ledger.balance_of, shop.books)


def kinds(shop: Shop) -> Probe:
    ledger = shop.profile.ledger[0]
    assert ledger.kinds is not None
    return wrong_signs(ledger, ledger.kinds, shop.books)


def wallets(shop: Shop) -> Probe:
    return below_zero(shop.profile.ledger[0], shop.books)


def used(shop: Shop) -> Probe:
    return not_charged_alike(shop.profile.usage[0], shop.profile.ledger[0], shop.books)


def overlaps(shop: Shop) -> Probe:
    return overlapping_periods(shop.profile.period[0], shop.books)


def holes(shop: Shop) -> Probe:
    return with_a_hole_before(shop.profile.period[0], shop.books)


def runs(shop: Shop) -> Probe:
    period = shop.profile.period[0]
    assert period.active is not None
    return not_running(period, period.active, datetime(2026, 1, 10, tzinfo=UTC), shop.books)


totals, credited = of_document(wrong_totals), of_document(wrongly_credited)
covered, unpaid = of_both(uncovered_invoices), of_both(paid_though_unpaid)
excess, settles = of_both(overpaid_invoices), of_both(without_invoice)
ALL = (totals, credited, covered, unpaid, excess, settles, numbers, tax, refunds, processed)
ALL += (entries, accounts, kinds, wallets, used, overlaps, holes, runs)

WRONG: dict[str, tuple[Callable[[Shop], Probe], str, str, tuple[str, ...]]] = {
    "a line lost": (
        totals,
        """DELETE FROM "Items" WHERE price = 5""",
        f"have a total that is not the sum of their lines plus tax; tenant={ACME} currency=EUR rows=1 by_lines=5.00",
        ("id=1 by_lines=5.00",),
    ),
    "more credited than the order came to": (
        credited,
        """UPDATE "Sources" SET refunded = 24.81""",
        "are credited for more than their total, or for another sum than their credits add up to; "
        f"tenant={ACME} currency=EUR rows=1 beyond=0.01 difference=0.00",
        ("id=1 beyond=0.01 difference=0.00",),
    ),
    "a cent short": (
        covered,
        """UPDATE "Sources" SET debited = 24.79""",
        "are marked paid and not covered by succeeded payments of the same tenant and currency; "
        f"tenant={ACME} currency=EUR rows=1 difference=-0.01",
        ("id=1 difference=-0.01",),
    ),
    "a cent too much": (
        excess,
        """UPDATE "Sources" SET debited = 24.81""",
        "are paid beyond their total, and no credit was given for the rest; "
        f"tenant={ACME} currency=EUR rows=1 difference=0.01",
        ("id=1 difference=0.01",),
    ),
    "paid in another currency": (
        settles,
        """UPDATE "Sources" SET currency = 'JPY'""",
        f"settle no invoice of their own tenant and currency; tenant={ACME} rows=1",
        ("id=1",),
    ),
    "a number left out": (
        numbers,
        """INSERT INTO "Orders" VALUES (4, 'zen', 'EUR', 'pending', 9, 1)""",
        f"have a number that another has, or that leaves a gap before it; tenant={ZEN} rows=1 missing=1",
        ("id=4 again=False missing=1",),
    ),
    "an entry whose balance does not follow": (
        entries,
        """UPDATE "Entries" SET balance = 114 WHERE no = 4""",
        f"carry a balance that is not the one before plus their amount; tenant={ACME} rows=1 difference=-1",
        (f"id={masked_text('acme4', b'key')} difference=-1",),
    ),
    "an account that began with something else": (
        entries,
        """UPDATE "Openings" SET points = 99""",
        f"carry a balance that is not the one before plus their amount; tenant={ACME} rows=1 difference=1",
        (f"id={masked_text('acme1', b'key')} difference=1",),
    ),
    "an account that holds more than its entries": (
        accounts,
        """UPDATE "Tenants" SET points = 1 WHERE code = 'zen'""",
        f"hold a balance that is not the sum of their ledger; tenant={ZEN} rows=1 difference=1",
        (f"account={ZEN} difference=1",),
    ),
    "usage that no entry was charged for": (
        used,
        """INSERT INTO "Spent" VALUES ('zen', 3)""",
        f"have a charge that differs from their usage (account); tenant={ZEN} rows=1 difference=3",
        (f"account={ZEN} difference=3",),
    ),
    "a day in two periods": (
        overlaps,
        """UPDATE "Plans" SET ends = '2026-01-02' WHERE id = 1""",
        f"overlap an earlier one of the same owner, or end before they begin; tenant={ACME} rows=1",
        ("id=2",),
    ),
    "more given back than was received": (
        refunds,
        """UPDATE "Sources" SET refunded = 24.81""",
        f"were refunded for more than was received; tenant={ACME} currency=EUR rows=1 difference=0.01",
        ("id=1 difference=0.01",),
    ),
}


def test_a_sound_shop_whose_books_are_queries_has_nothing_to_be_told(shop: Shop) -> None:
    assert problems(shop) == ()
    assert [shop.told(probe(shop)) for probe in ALL] == [None] * len(ALL)


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_in_rows_of_a_query_is_told_by_key_difference_and_tenant(shop: Shop, what: str) -> None:
    probe, fault, message, samples = WRONG[what]
    shop.done(fault)
    told = shop.told(probe(shop))
    assert told is not None
    assert told.message.endswith(message)
    assert told.samples == samples


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
