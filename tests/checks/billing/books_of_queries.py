"""The shop with books that queries of its profile find: documents, lines, payments, refunds, entries and accounts."""

from dataclasses import replace

from fixtures.database.book_queries import unanswerable_books
from fixtures.profile.money import Invoice, Ledger, Payment, Period
from fixtures.profile.words import SqlFile
from tests.support.small_shop import Shop

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
