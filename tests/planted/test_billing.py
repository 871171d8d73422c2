"""Each billing control, and the profile's own rule, goes red on its own faults in a real source, and no other does."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.drills import Drilling, Healthy
from tests.support.told_faults import Fault, Told, expect_their_controls_alone

PLANTED = {
    # One balance is off by a thousandth; one account starts from 1, not from nought; two amounts are off and cancel out.
    "BIL-01": Fault(
        """
        UPDATE igny8_credit_ledger SET balance_after = balance_after + 0.001 WHERE tenant_id = 2 AND entry_no = 10;
        UPDATE igny8_credit_ledger SET balance_after = balance_after + 1 WHERE tenant_id = 3;
        UPDATE igny8_credit_ledger SET amount = amount + 0.001 WHERE tenant_id = 4 AND entry_no = 31;
        UPDATE igny8_credit_ledger SET amount = amount - 0.001 WHERE tenant_id = 4 AND entry_no = 306;
        """,
        {
            "credits": Told(
                "5 of … ledger entries carry a balance that is not the one before plus their amount; "
                "tenant=2 rows=2 difference=0.000; tenant=4 rows=2 difference=0.000; tenant=3 rows=1 "
                "difference=1.000",
                (
                    "id=334 difference=0.001",
                    "id=335 difference=-0.001",
                    "id=649 difference=1.000",
                    "id=1003 difference=-0.001",
                    "id=1278 difference=0.001",
                ),
                broken=5,
            ),
        },
    ),
    # One balance is off by a thousandth; one account has a balance and no ledger at all.
    "BIL-02": Fault(
        """
        UPDATE igny8_tenants SET credits_balance = credits_balance + 0.001 WHERE id = 2;
        INSERT INTO igny8_tenants (name, slug, plan_id, currency_id, credits_balance, is_active, created_at)
        SELECT 'New', 'new', plan_id, currency_id, 5, false, created_at FROM igny8_tenants WHERE id = 1;
        """,
        {
            "credits": Told(
                "2 of … accounts hold a balance that is not the sum of their ledger; tenant=2 rows=1 "
                "difference=0.001; tenant=7 rows=1 difference=5.000",
                ("id=2 difference=0.001", "id=7 difference=5.000"),
                broken=2,
            ),
        },
    ),
    # A cent of a total; a cent of a subtotal, with no more tax for it; a printed line's amount that is no number; a cent
    # in a printed line; a line's price; no printed lines.
    "BIL-03": Fault(
        """
        UPDATE igny8_invoices SET total = total + 0.01 WHERE id = 36;
        UPDATE igny8_invoices SET subtotal = subtotal + 0.01 WHERE id = 72;
        UPDATE igny8_invoices SET lines = jsonb_set(lines, '{0,amount}', '"ninety-nine"') WHERE id = 1;
        UPDATE igny8_invoices SET lines = jsonb_set(lines, '{1,amount}', '"37.76"') WHERE id = 7;
        UPDATE igny8_invoice_lines SET unit_price = unit_price - 1 WHERE invoice_id = 80 AND position = 1;
        UPDATE igny8_invoices SET lines = 'null' WHERE id = 81;
        """,
        {
            "invoices": Told(
                "6 of … invoices have a total that is not the sum of their lines plus tax; tenant=1 "
                "currency=USD rows=3 by_lines=0.010 by_json_lines=99.000 by_subtotal=0.010; tenant=3 "
                "currency=JPY rows=2 by_lines=1.000 by_json_lines=37599.000 by_subtotal=0.000; tenant=2 "
                "currency=EUR rows=1 by_lines=0.000 by_json_lines=0.000 by_subtotal=-0.010",
                (
                    "id=1 by_lines=0.000 by_json_lines=99.000 by_subtotal=0.000",
                    "id=7 by_lines=0.000 by_json_lines=-0.010 by_subtotal=0.000",
                    "id=36 by_lines=0.010 by_json_lines=0.010 by_subtotal=0.010",
                    "id=72 by_lines=0.000 by_json_lines=0.000 by_subtotal=-0.010",
                    "id=80 by_lines=1.000 by_json_lines=0.000 by_subtotal=0.000",
                    "id=81 by_lines=0.000 by_json_lines=37599.000 by_subtotal=0.000",
                ),
                broken=6,
            ),
        },
    ),
    # A cent short; a payment that never arrived; a cent given back and not credited; a payment that is gone.
    "BIL-04": Fault(
        """
        UPDATE igny8_payments SET amount = amount - 0.01 WHERE id = 1;
        UPDATE igny8_payments SET status = 'pending' WHERE id = 2;
        INSERT INTO igny8_refunds (payment_id, amount, status, reason, created_at)
        SELECT id, 0.01, 'succeeded', 'goodwill', created_at FROM igny8_payments WHERE id = 5;
        DELETE FROM igny8_payments WHERE id = 8;
        """,
        {
            "payments": Told(
                "4 of … paid invoices are marked paid and not covered by succeeded payments of the same "
                "tenant and currency; tenant=1 currency=USD rows=4 difference=-221.570",
                (
                    "id=1 difference=-0.010",
                    "id=2 difference=-77.960",
                    "id=4 difference=-0.010",
                    "id=7 difference=-143.590",
                ),
                broken=4,
            ),
        },
    ),
    # A payment in another currency than its invoice's; a payment for nothing. Neither succeeded, so no invoice lacks it.
    "BIL-05": Fault(
        """
        ALTER TABLE igny8_payments ALTER invoice_id DROP NOT NULL;
        UPDATE igny8_payments SET currency_id = 'USD' WHERE id = 53;
        UPDATE igny8_payments SET invoice_id = NULL WHERE id = 10;
        """,
        {
            "payments": Told(
                "2 of … payments settle no invoice of their own tenant and currency; tenant=1 rows=1; tenant=2 rows=1",
                ("id=10", "id=53"),
                broken=2,
            ),
        },
        loosens=True,
    ),
    # One day in two subscriptions; one within another; one that never ends although the next has begun.
    "BIL-06": Fault(
        """
        ALTER TABLE igny8_subscriptions ALTER period_end DROP NOT NULL;
        INSERT INTO igny8_subscriptions (tenant_id, plan_id, status, period_start, period_end)
        VALUES (1, 1, 'active', '2025-12-31', '2026-01-31'), (2, 1, 'ended', '2023-02-01', '2023-03-01');
        UPDATE igny8_subscriptions SET period_end = NULL WHERE id = 17;
        """,
        {
            "subscriptions": Told(
                "3 of … periods overlap an earlier one of the same owner, or end before they begin; "
                "tenant=1 rows=1; tenant=2 rows=1; tenant=3 rows=1",
                ("id=18", "id=37", "id=38"),
                broken=3,
            ),
        },
        loosens=True,
    ),
    # A price that rounds. Credits in a domain over numeric are exact all the same.
    "BIL-07": Fault(
        """
        ALTER TABLE igny8_plans ALTER price TYPE double precision;
        CREATE DOMAIN exact_amount AS numeric(14,3);
        CREATE DOMAIN credits AS exact_amount;
        ALTER TABLE igny8_usage_logs ALTER credits TYPE credits;
        """,
        {
            "whole": Told(
                "1 of … money columns can round",
                ("public.igny8_plans.price is double precision",),
            ),
        },
        loosens=True,
    ),
    # An operation logged on a grant, for nothing; one charge with two logs, which come to what it took.
    "BIL-51": Fault(
        """
        ALTER TABLE igny8_usage_logs DROP CONSTRAINT igny8_usage_once;
        INSERT INTO igny8_usage_logs (tenant_id, entry_no, operation, credits, created_at)
        SELECT tenant_id, entry_no, 'make_image', 0, created_at FROM igny8_credit_ledger
         WHERE tenant_id = 1 AND entry_no = 1;
        UPDATE igny8_usage_logs SET credits = credits - 1 WHERE usage_no = 1;
        INSERT INTO igny8_usage_logs (tenant_id, entry_no, operation, credits, created_at)
        SELECT tenant_id, entry_no, operation, 1, created_at FROM igny8_usage_logs WHERE usage_no = 1;
        """,
        {
            "whole": Told(
                "2 of … rows break the rule; tenant=1 rows=2 difference=0.000",
                ("tenant_id=1 entry_no=1 difference=0.000", "tenant_id=1 entry_no=2 difference=0.000"),
                broken=2,
            ),
        },
        loosens=True,
    ),
}


APART = ("BIL-04",)
"""These change what the others count."""


@pytest.mark.parametrize(
    "controls",
    [pytest.param(APART, marks=pytest.mark.further), sorted(PLANTED.keys() - set(APART))],
    ids="+".join,
)
def test_each_billing_control_and_no_other_sees_its_faults(
    controls: Sequence[str], healthy: Healthy, tmp_path: Path, drilling: Drilling
) -> None:
    expect_their_controls_alone({control: PLANTED[control] for control in controls}, healthy, tmp_path, drilling)
