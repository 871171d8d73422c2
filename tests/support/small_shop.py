"""A small shop with awkward names, and all that can be said of its money: for what is compiled from a profile."""

import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import dict_row

from fixtures.checks.access import Access
from fixtures.checks.billing.books import Books
from fixtures.checks.databases import Database
from fixtures.checks.examination import Examination, Finding
from fixtures.checks.masking import masked_text
from fixtures.checks.probe import Probe
from fixtures.checks.sharing import sharing
from fixtures.database.catalogue import take_structure
from fixtures.database.reconcile import reconcile
from fixtures.ownership import derive_ownership
from fixtures.profile import Profile
from fixtures.record.facts import Facts
from tests.support.kept_server import kept_server

ACME, ZEN = masked_text("acme", b"key"), masked_text("zen", b"key")
"""How the shop's tenants are told."""

PROFILE = """
application = { name = "shop", environment = {} }
backup = { required = ["dump"], least_bytes = 1 }
targets = { rpo_hours = 24, rto_minutes = 60 }
currencies = { exponents = { EUR = 2, JPY = 0, KWD = 3 } }

[tenancy]
root = "Shop.Tenants"

[[ledger]]
name = "points"
table = "Shop.Entries"
account = "tenantCode"
order = ["at", "no"]
amount = "amount"
balance = "balance"
opening = { table = "Shop.Openings", key = "tenantCode", column = "points" }
balance_of = { table = "Shop.Tenants", key = "code", column = "points", live = { column = "closedAt" } }
kinds = { column = "kind", credits = ["buy"], debits = ["spend", "expire"], either = ["correct"] }
live = { column = "void", values = [false] }

[[ledger]]
name = "litres"
table = "Shop.Litres"
account = "tenantCode"
order = ["no"]
amount = "litres"
balance = "tank"
inexact = { tolerance = 0.01, reason = "a meter writes them, in floating point" }

[[usage]]
name = "spent"
charges = "points"
table = "Shop.Spent"
amount = "points"
by = { tenant = "tenantCode" }
kinds = ["spend"]

[[invoice]]
name = "bills"
table = "Shop.Bills"
tenant = "tenantCode"
currency = "currency"
status = "state"
paid = ["paid"]
unpaid = ["void"]
subtotal = "net"
tax = "vat"
tax_rule = { of = "net", rate = "vatPercent", percent = true, rounding = "half even" }
plus = ["shipping"]
discount = "discount"
total = "gross"
credits = { table = "Shop.Notes", invoice = "bill", amount = "amount", status = "state", counts = ["sent"] }
lines = { table = "Shop.Lines", invoice = "bill", amount = "net", live = { column = "removedAt" } }
numbering = { column = "number", scope = ["tenantCode"], gapless = true, year_of = "issued", series = "^[A-Z]+" }
live = { column = "deletedAt" }

[[payment]]
name = "charges"
settles = "bills"
table = "Shop.Charges"
invoice = "bill"
amount = "amount"
status = "state"
succeeded = ["ok"]
processor_id = ["processor", "charge"]
refunds = { table = "Shop.Refunds", payment = "charge", amount = "amount", status = "state", succeeded = ["ok"] }
excess = { table = "Shop.Excess", invoice = "bill", amount = "amount" }

[[invoice]]
name = "orders"
table = "Shop.Orders"
tenant = "tenantCode"
currency = "currency"
status = "state"
paid = ["complete"]
total = "total"
plus = ["shipping"]
lines = { table = "Shop.Items", invoice = "order", amount = "price" }
credits = { table = "Shop.Sources", invoice = "order", amount = "refunded" }

[[payment]]
name = "sources"
settles = "orders"
table = "Shop.Sources"
invoice = "order"
currency = "currency"
amount = "debited"
refunded = "refunded"

[[period]]
name = "plans"
table = "Shop.Plans"
owner = ["tenantCode", "product"]
start = "begins"
end = "ends"
gapless = true
active.status = "state"
active.means = ["runs"]

[[domain]]
table = "Shop.Bills"
one_of = { state = ["draft", "paid", "open", "void"], currency = ["EUR", "JPY", "KWD"] }
not_negative = ["net", "gross"]
in_order = [["issued", "due"], ["issued", "settled"]]
live = { column = "deletedAt" }

[[follows]]
name = "notes after their bill"
table = "Shop.Notes"
moment = "sentAt"
of = "Shop.Bills"
by = { bill = "id" }
not_before = "issued"
"""
TABLES = """
CREATE SCHEMA "Shop";
SET search_path TO "Shop";
CREATE TABLE "Tenants" (code text PRIMARY KEY, points numeric, "closedAt" date);
CREATE TABLE "Openings" ("tenantCode" text REFERENCES "Tenants", points int);
CREATE TABLE "Entries" ("tenantCode" text REFERENCES "Tenants", no int, at date, kind text, amount numeric,
                        balance numeric, void boolean, PRIMARY KEY ("tenantCode", no));
CREATE TABLE "Litres" ("tenantCode" text REFERENCES "Tenants", no int, litres double precision, tank double precision);
CREATE TABLE "Spent" (tenant text REFERENCES "Tenants", points numeric);
CREATE TABLE "Bills" (id int PRIMARY KEY, "tenantCode" text REFERENCES "Tenants", currency text, state text, number text,
                      issued date, due date, settled date, net numeric, "vatPercent" numeric, vat numeric, shipping numeric,
                      discount numeric, gross numeric, "deletedAt" date);
CREATE TABLE "Lines" (bill int REFERENCES "Bills", net numeric, "removedAt" date);
CREATE TABLE "Notes" (id int PRIMARY KEY, bill int REFERENCES "Bills", amount numeric, state text,
                      "sentAt" timestamptz DEFAULT '2026-01-08');
CREATE TABLE "Charges" (id int PRIMARY KEY, bill int REFERENCES "Bills", amount numeric, state text, processor text,
                        charge text);
CREATE TABLE "Refunds" (id int PRIMARY KEY, charge int, amount numeric, state text);
CREATE TABLE "Excess" (bill int REFERENCES "Bills", amount numeric);
CREATE TABLE "Orders" (id int PRIMARY KEY, "tenantCode" text REFERENCES "Tenants", currency text, state text,
                       total numeric, shipping numeric);
CREATE TABLE "Items" ("order" int REFERENCES "Orders", price numeric);
CREATE TABLE "Sources" (id int PRIMARY KEY, "order" int REFERENCES "Orders", currency text, debited numeric,
                        refunded numeric);
CREATE TABLE "Setting" ("defaultCurrency" text);
CREATE TABLE "Rates" (id int PRIMARY KEY, percent numeric);
CREATE TABLE "Parcels" (id int PRIMARY KEY, "order" int REFERENCES "Orders", rate int REFERENCES "Rates", vat numeric,
                        gross numeric);
CREATE TABLE "Boxes" (no int PRIMARY KEY, parcel int REFERENCES "Parcels");
CREATE TABLE "Packed" (id int PRIMARY KEY, box int REFERENCES "Boxes", price numeric);
CREATE TABLE "Receipts" (id int PRIMARY KEY, box int REFERENCES "Boxes", taken numeric);
CREATE TABLE "Returns" (receipt int REFERENCES "Receipts", amount numeric);
CREATE TABLE "Plans" (id int PRIMARY KEY, "tenantCode" text REFERENCES "Tenants", product text, begins date,
                      ends timestamptz, state text);

INSERT INTO "Tenants" VALUES ('acme', 115, NULL), ('zen', 0, NULL), ('gone', 7, '2025-01-01');
INSERT INTO "Openings" VALUES ('acme', 100);
INSERT INTO "Entries" VALUES
  ('acme', 1, '2026-01-01', 'buy', 50, 150, false), ('acme', 2, '2026-01-02', 'spend', -30, 120, false),
  ('acme', 3, '2026-01-02', 'buy', 999, 999, true), ('acme', 4, '2026-01-03', 'expire', -5, 115, false),
  ('zen', 1, '2026-01-01', 'correct', 4, 4, false), ('zen', 2, '2026-01-02', 'spend', -4, 0, false);
INSERT INTO "Litres" VALUES ('acme', 1, 0.1, 0.1), ('acme', 2, 0.2, 0.30000000000000004), ('acme', 3, 0.3, 0.605);
INSERT INTO "Spent" VALUES ('acme', 10), ('acme', 20), ('zen', 4), ('gone', 0);
INSERT INTO "Bills" VALUES
  (1, 'acme', 'EUR', 'paid', 'R-001', '2025-12-30', '2026-01-30', '2026-01-02', 12.50, 5, 0.62, 4.00, 1.00, 16.12, NULL),
  (2, 'acme', 'EUR', 'open', 'R-001', '2026-01-05', '2026-02-05', NULL, 13.50, 5, 0.68, 0, NULL, 14.18, NULL),
  (3, 'acme', 'JPY', 'void', 'R-002', '2026-01-06', '2026-02-06', NULL, 105, 10, 10, 0, 0, 115, NULL),
  (4, 'zen', 'KWD', 'paid', 'R-007', '2026-01-06', '2026-02-06', '2026-01-06', 1.005, 0, 0, 0, 0, 1.005, NULL),
  (5, 'zen', 'KWD', 'draft', NULL, NULL, NULL, NULL, 2, 0, 0, 0, 0, 2, NULL),
  (6, 'zen', 'XTS', 'lost', 'R-001', '2026-01-06', '2026-01-01', NULL, -1, 9, 9, 9, 9, 9, '2026-01-07');
INSERT INTO "Lines" VALUES
  (1, 10, NULL), (1, 2.50, NULL), (1, 99, '2025-12-30'), (2, 13.50, NULL), (3, 105, NULL), (4, 1.005, NULL), (5, 2, NULL);
INSERT INTO "Notes" VALUES (1, 1, 2.00, 'sent'), (2, 1, 500, 'draft');
INSERT INTO "Charges" VALUES
  (1, 1, 10.12, 'ok', 'stripe', 'ch_1'), (2, 1, 6.00, 'ok', 'paypal', 'ch_1'), (3, 3, 115, 'ok', 'stripe', 'ch_3'),
  (4, 3, 115, 'failed', 'stripe', 'ch_3'), (5, 4, 1.005, 'ok', 'cash', NULL), (6, 4, 0.5, 'ok', 'cash', NULL);
INSERT INTO "Refunds" VALUES (1, 1, 2.00, 'ok'), (2, 3, 115, 'ok'), (3, 5, 900, 'failed');
INSERT INTO "Excess" VALUES (4, 0.5);
INSERT INTO "Orders" VALUES (1, 'acme', 'EUR', 'complete', 24.80, 4.80), (2, 'zen', 'EUR', 'pending', 9, NULL);
INSERT INTO "Items" VALUES (1, 15), (1, 5), (2, 9);
INSERT INTO "Sources" VALUES (1, 1, 'EUR', 24.80, 1.50);
INSERT INTO "Setting" VALUES ('EUR');
INSERT INTO "Rates" VALUES (1, 5), (2, 20);
INSERT INTO "Parcels" VALUES (1, 1, 1, 1.00, 21.00), (2, 1, 2, 2.00, 12.00), (3, 2, 1, 0.45, 9.45);
INSERT INTO "Boxes" VALUES (11, 1), (12, 1), (21, 2), (31, 3);
INSERT INTO "Packed" VALUES (1, 11, 5), (2, 12, 15), (3, 21, 10), (4, 31, 9);
INSERT INTO "Receipts" VALUES (1, 11, 6), (2, 12, 15), (3, 21, 12);
INSERT INTO "Returns" VALUES (1, 1.50);
INSERT INTO "Plans" VALUES
  (1, 'acme', 'mail', '2025-01-01', '2026-01-01', 'over'), (2, 'acme', 'mail', '2026-01-01', NULL, 'runs'),
  (3, 'acme', 'site', '2025-06-01', '2025-07-01', 'over'), (4, 'zen', 'mail', '2026-01-01', '2027-01-01', 'runs');
"""


@dataclass(frozen=True)
class Told:
    message: str
    samples: tuple[str, ...]


@dataclass(frozen=True)
class Shop:
    """The shop in a transaction that is never committed: what is done to it is undone by the next test."""

    session: psycopg.Connection[Any]
    facts: Facts
    profile: Profile

    @property
    def books(self) -> Books:
        return Books(self.facts, derive_ownership(self.facts, self.profile.tenancy), self.profile.currencies)

    def database(self) -> Database:
        access = Access("", 0, "", "", "shop", "shop", "", b"key")
        return Database(self.facts, Examination(), access, "shop", self.session)

    def done(self, statements: str) -> None:
        # What a control has pinned for the transaction is no more than that: a test changes the shop as its owner would.
        self.session.execute('SET LOCAL search_path TO "Shop"')
        self.session.execute(statements)  # type: ignore[call-overload]

    def told(self, probe: Probe) -> Told | None:
        """What is said of the rows that break it; None when there are none. A pass that counts them says the same."""
        (alone, examined), in_a_pass = self._said(probe), self._said(sharing({"": probe})[""])
        assert in_a_pass == (alone, examined)
        assert examined or alone
        return alone

    def _said(self, probe: Probe) -> tuple[Told | None, int | None]:
        database = self.database()
        try:
            database.expect_none(probe)
        except Finding as finding:
            return Told(finding.message, finding.samples), database.examination.examined
        return None, database.examination.examined


@contextmanager
def small_shop() -> Iterator[Callable[[], Shop]]:
    """Makes the shop once; each call opens it anew, as it was."""
    profile = Profile.model_validate(tomllib.loads(PROFILE))
    with kept_server() as server:
        server.create_database("shop")
        with server.connect("shop") as connection:
            connection.execute(TABLES)  # type: ignore[call-overload]
            facts = take_structure(connection.cursor(row_factory=dict_row))
        assert reconcile(profile, facts, "profile.toml").problems == ()
        session = server.connect("shop")
        session.autocommit = False
        session.execute('SET search_path TO "Shop"')
        session.commit()

        def opened() -> Shop:
            session.rollback()
            return Shop(session, facts, profile)

        try:
            yield opened
        finally:
            session.close()
