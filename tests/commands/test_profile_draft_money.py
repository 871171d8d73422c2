"""A draft takes documents, tax, refunds and currencies for what their rows prove, and offers what they only suggest."""

from typing import Any

import psycopg
import pytest

from tests.support.drafts import TENANTS, drafted


def test_statuses_that_no_usual_word_names_are_no_list(database: psycopg.Connection[Any]) -> None:
    bills = (
        "CREATE TABLE bills (id int PRIMARY KEY, org int REFERENCES organizations, status text, amount numeric, "
        "created_at date, paid_at date); INSERT INTO bills SELECT g, 1, 'Paid', 5, '2026-01-01', '2026-01-01'::date + g "
        "FROM generate_series(1, 60) g; "
    )
    (domain,) = drafted(database, TENANTS + bills).profile.domain
    assert (domain.one_of, domain.not_negative) == ({"status": ("Paid",)}, ("amount",))
    assert domain.in_order == (("created_at", "paid_at"),)


def test_a_rate_on_each_line_tells_that_tax_is_rounded_line_by_line(database: psycopg.Connection[Any]) -> None:
    draft = drafted(
        database,
        TENANTS
        + "CREATE TABLE currencies (code text PRIMARY KEY, decimals int); INSERT INTO currencies VALUES ('EUR', 2); "
        "CREATE TABLE bills (id int PRIMARY KEY, org int NOT NULL REFERENCES organizations, status text, currency text "
        "REFERENCES currencies, tax numeric, total numeric); "
        "CREATE TABLE bill_lines (id serial PRIMARY KEY, bill int REFERENCES bills, amount numeric, vat_percent numeric); "
        "INSERT INTO bills SELECT g, 1 + g % 2, 'paid', 'EUR', 0, 0 FROM generate_series(1, 60) g; "
        "INSERT INTO bill_lines (bill, amount, vat_percent) SELECT b, b * 0.37 + l * 1.05, 10 FROM generate_series(1, 60) b, "
        "generate_series(1, 3) l; UPDATE bills b SET (tax, total) = (SELECT sum(round(amount / 10, 2)), "
        "sum(amount + round(amount / 10, 2)) FROM bill_lines l WHERE l.bill = b.id)",
    )
    (invoice,) = draft.profile.invoice
    assert invoice.tax_rule is not None
    said = {"of": "amount", "line_rate": "vat_percent", "rounding": "half up", "percent": True, "per_line": True}
    assert invoice.tax_rule.model_dump(exclude_unset=True) == said
    assert "rounded half up line by line: holds for 60 of 60" in draft.prose


def test_documents_with_keys_of_several_columns_are_found_with_what_names_them(
    database: psycopg.Connection[Any],
) -> None:
    """Lines by a constraint, payments without one, and each tenant counts from one."""
    draft = drafted(
        database,
        TENANTS
        + "CREATE TABLE invoices (org int NOT NULL REFERENCES organizations, id int, currency text, status text, "
        "tax numeric, total numeric, PRIMARY KEY (org, id)); "
        "CREATE TABLE invoice_lines (org int, id int, invoice int, amount numeric, PRIMARY KEY (org, id), "
        "FOREIGN KEY (org, invoice) REFERENCES invoices (org, id)); "
        "CREATE TABLE payments (org int NOT NULL REFERENCES organizations, id int, invoice_id int, currency text, "
        "status text, amount numeric, PRIMARY KEY (org, id)); "
        "INSERT INTO invoices SELECT o, n, 'EUR', 'paid', 0, 10 * o + n FROM generate_series(1, 2) o, "
        "generate_series(1, 40) n; "
        "INSERT INTO invoice_lines SELECT org, id, id, total FROM invoices; "
        "INSERT INTO payments SELECT org, id, id, 'EUR', 'paid', total FROM invoices",
    )
    (invoice,) = draft.profile.invoice
    assert [(str(each.table), each.invoice) for each in invoice.lines] == [("public.invoice_lines", "invoice")]
    (payment,) = draft.profile.payment
    assert (str(payment.table), payment.invoice) == ("public.payments", "invoice_id")


ORDERS = (
    "CREATE TABLE customers (id int PRIMARY KEY, org int NOT NULL REFERENCES organizations, currency text); "
    "INSERT INTO customers VALUES (1, 1, 'EUR'), (2, 2, 'EUR'); "
    "CREATE TABLE orders (id int PRIMARY KEY, customer int NOT NULL REFERENCES customers, status text, "
    "total_incl_tax numeric, shipping_excl_tax numeric, shipping_incl_tax numeric); "
    "CREATE TABLE order_lines (id serial PRIMARY KEY, order_id int NOT NULL REFERENCES orders, "
    "line_price_incl_tax numeric); "
    "CREATE TABLE discounts (id serial PRIMARY KEY, order_id int NOT NULL REFERENCES orders, amount numeric); "
    "CREATE TABLE sources (id serial PRIMARY KEY, order_id int NOT NULL REFERENCES orders, amount_debited numeric); "
    "INSERT INTO orders SELECT n, 1 + n % 2, CASE n % 6 WHEN 0 THEN 'draft' WHEN 3 THEN 'void' ELSE 'paid' END, "
    "3 * n + 6, 5, 6 FROM generate_series(1, 60) n; "
    "INSERT INTO order_lines (order_id, line_price_incl_tax) SELECT id, k * id FROM orders, generate_series(1, 2) k; "
    "INSERT INTO discounts (order_id, amount) SELECT id, 10 * total_incl_tax FROM orders; "
    "INSERT INTO sources (order_id, amount_debited) SELECT id, total_incl_tax FROM orders WHERE status = 'paid' OR id = 3; "
)


def test_a_document_may_tell_its_tenant_and_currency_by_another_row_and_have_no_tax(
    database: psycopg.Connection[Any],
) -> None:
    """What covers every total and more is no payment: rows without a status may be of anything."""
    profile = drafted(database, TENANTS + ORDERS).profile
    (order,) = profile.invoice
    assert (order.tenant, order.currency) == ("customer.org", "customer.currency")
    assert (order.total, order.tax, order.plus) == ("total_incl_tax", None, ("shipping_incl_tax",))
    assert [str(each.table) for each in order.lines] == ["public.order_lines"]
    assert (order.paid, order.unpaid) == (("paid",), ("draft",)), "money was kept for one that is void"
    (payment,) = profile.payment
    assert (str(payment.table), payment.amount, payment.status) == ("public.sources", "amount_debited", None)


def test_documents_whose_totals_are_all_nothing_are_offered_and_not_taken(database: psycopg.Connection[Any]) -> None:
    """Without a line each of them adds up."""
    draft = drafted(
        database, TENANTS + ORDERS + "TRUNCATE order_lines; UPDATE orders SET total_incl_tax = 0, shipping_incl_tax = 0"
    )
    assert not draft.profile.invoice
    assert "#[[invoice]]" in draft.text


# One of them takes back a part of another; what was made anew of a third names it too, and takes nothing back.
TAKEN_BACK = (
    "ALTER TABLE orders ADD cancels int REFERENCES orders, ADD copy_of int REFERENCES orders; "
    "INSERT INTO orders SELECT 100 + n, 1 + n % 2, 'open', -12, 0, 0, n, NULL FROM generate_series(10, 20) n; "
    "INSERT INTO order_lines (order_id, line_price_incl_tax) SELECT id, total_incl_tax FROM orders WHERE cancels > 0; "
    "UPDATE orders SET copy_of = id - 1 WHERE id BETWEEN 30 AND 40; "
)


def test_a_total_that_json_tells_as_well_and_documents_that_take_another_back_are_found(
    database: psycopg.Connection[Any],
) -> None:
    """Another number in JSON is none, and a document that names another need not take it back."""
    draft = drafted(
        database,
        TENANTS + ORDERS + TAKEN_BACK + "ALTER TABLE orders ADD payload jsonb; "
        "UPDATE orders SET payload = jsonb_build_object('total', 7, 'grand_total', total_incl_tax::text)",
    )
    again = draft.profile.invoice[0].total_again
    assert again is not None
    assert (again.column, again.json_path) == ("payload", "$.grand_total")
    assert "The total stands in payload $.grand_total as well: holds for 71 of 71." in draft.prose
    taken_back = draft.profile.invoice[0].credits
    assert taken_back is not None
    assert (taken_back.invoice, taken_back.amount, taken_back.negative) == ("cancels", "total_incl_tax", True)
    assert (taken_back.tenant, taken_back.currency) == ("customer.org", "customer.currency")
    assert "11 of them name another by cancels, each with a total below nothing: holds for 71 of 71." in draft.prose


ORDERED = """
CREATE TABLE orders (
    id int PRIMARY KEY, org int NOT NULL REFERENCES organizations, currency text, status text, total numeric
);
CREATE TABLE order_lines (id serial PRIMARY KEY, order_id int NOT NULL REFERENCES orders, amount numeric);
CREATE TABLE sources (
    id int PRIMARY KEY, org int NOT NULL REFERENCES organizations, order_id int NOT NULL REFERENCES orders, amount numeric
);
CREATE TABLE moves (
    id serial PRIMARY KEY, source_id int NOT NULL REFERENCES sources, kind text, status text, amount numeric
);
INSERT INTO orders SELECT n, 1, 'EUR', 'Complete', 3 * n FROM generate_series(1, 60) n;
INSERT INTO order_lines (order_id, amount) SELECT id, k * id FROM orders, generate_series(1, 2) k;
INSERT INTO sources SELECT id, org, id, total FROM orders;
INSERT INTO moves (source_id, kind, status, amount) SELECT id, 'Debit', '', amount FROM sources;
INSERT INTO moves (source_id, kind, status, amount) SELECT id, 'Refund', '', 1 FROM sources WHERE id % 3 = 0;
"""


def test_what_was_given_back_is_told_by_its_values_and_credited_where_totals_stay(
    database: psycopg.Connection[Any],
) -> None:
    draft = drafted(database, TENANTS + ORDERED)
    (order,), (payment,) = draft.profile.invoice, draft.profile.payment
    assert payment.refunds is not None
    assert (payment.refunds.status, payment.refunds.succeeded) == ("kind", ("Refund",))
    assert order.credits is not None
    assert (order.credits.invoice, order.credits.status, order.credits.counts) == (
        "source_id.order_id",
        "kind",
        ("Refund",),
    )
    assert "so payments cover them, which holds for 60 of 60." in draft.prose


def test_totals_that_fell_with_what_was_given_back_have_no_credits(database: psycopg.Connection[Any]) -> None:
    fallen = """
        UPDATE orders SET total = total - 1 WHERE id % 3 = 0;
        UPDATE order_lines SET amount = amount - 1 WHERE id IN (SELECT min(id) FROM order_lines WHERE order_id % 3 = 0
            GROUP BY order_id);
    """
    draft = drafted(database, TENANTS + ORDERED + fallen)
    (order,), (payment,) = draft.profile.invoice, draft.profile.payment
    assert payment.refunds is not None
    assert payment.refunds.status == "kind"
    assert order.credits is None


def test_a_status_without_a_usual_word_tells_of_no_refund(database: psycopg.Connection[Any]) -> None:
    draft = drafted(database, TENANTS + ORDERED + "DELETE FROM moves WHERE kind = 'Refund'")
    (payment,) = draft.profile.payment
    assert payment.refunds is None
    assert "[payment.refunds]" not in draft.text


@pytest.mark.parametrize(
    ("planted", "exponents"),
    [
        ("UPDATE orders SET currency = 'JPY' WHERE id < 4", {"EUR": 2, "JPY": 0}),
        ("UPDATE orders SET currency = 'Quillcoin' WHERE id < 4", None),
        ("UPDATE orders SET total = total + 0.001 WHERE id = 4", None),
    ],
)
def test_currencies_that_amounts_are_in_have_their_decimals(
    database: psycopg.Connection[Any], planted: str, exponents: dict[str, int] | None
) -> None:
    draft = drafted(database, TENANTS + ORDERED + planted)
    said = draft.profile.currencies
    assert (said.exponents if said is not None else None) == exponents
    assert ("#[currencies]\n" in draft.text) == ("0.001" in planted)
    assert ("BIL-09" in draft.profile.exempt) == (exponents is None)
    assert "Quillcoin" not in draft.text
