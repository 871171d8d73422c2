"""Each control of a billing rule sees its own faults, planted side by side in a real source, and nothing of the others'."""

from pathlib import Path

import pytest

from tests.support.drills import Drilling, Healthy
from tests.support.told_faults import Fault, Told, expect, told_to_the_letter

PLANTED = {
    # A grant that takes a thousandth and is made up for; a charge of nothing, logged; a kind that nobody knows.
    "BIL-08": Fault(
        """
        INSERT INTO igny8_credit_ledger (tenant_id, entry_no, kind, amount, balance_after, created_at)
        SELECT e.tenant_id, e.entry_no + m.no, m.kind, m.amount, e.balance_after + m.after, e.created_at
          FROM (SELECT DISTINCT ON (tenant_id) * FROM igny8_credit_ledger ORDER BY tenant_id, entry_no DESC) e
          JOIN (VALUES (1, 1, 'grant', -0.001, -0.001), (1, 2, 'adjustment', 0.001, 0), (2, 1, 'usage', 0, 0))
            m (tenant, no, kind, amount, after) ON m.tenant = e.tenant_id;
        INSERT INTO igny8_usage_logs (tenant_id, entry_no, operation, credits, created_at)
        SELECT tenant_id, entry_no, 'make_image', 0, created_at FROM igny8_credit_ledger
         WHERE kind = 'usage' AND amount = 0;
        UPDATE igny8_credit_ledger SET kind = 'gift' WHERE id = 1003;
        """,
        {
            "credits": Told(
                "3 of … ledger entries are of a kind that is not declared, or have an amount of the wrong "
                "sign for their kind; tenant=1 rows=1 wrong_amount=-0.001; tenant=2 rows=1 "
                "wrong_amount=0.000; tenant=4 rows=1 wrong_amount=None",
                (
                    "id=1003 wrong_amount=None unknown_kind=True",
                    "id=1945 wrong_amount=-0.001 unknown_kind=False",
                    "id=1947 wrong_amount=0.000 unknown_kind=False",
                ),
                broken=3,
            ),
        },
    ),
    # A cent, and a yen, in the tax and in the total; a rate that tax was never taken by.
    "BIL-10": Fault(
        """
        UPDATE igny8_invoices SET tax = tax + 0.01, total = total + 0.01 WHERE id = 36;
        UPDATE igny8_invoices SET tax = tax - 1, total = total - 1 WHERE id = 108;
        UPDATE igny8_invoices SET tax_rate = 0.0001 WHERE id = 144;
        """,
        {
            "invoices": Told(
                "3 of … invoices carry a tax that is not their rate of what is taxed, rounded as declared; "
                "tenant=1 currency=USD rows=1 difference=0.010; tenant=3 currency=JPY rows=1 "
                "difference=-1.000; tenant=4 currency=KWD rows=1 difference=-0.008",
                ("id=36 difference=0.010", "id=108 difference=-1.000", "id=144 difference=-0.008"),
                broken=3,
            ),
        },
    ),
    # A number used again, in another year's name too; one left out at the end.
    "BIL-11": Fault(
        """
        ALTER TABLE igny8_invoices DROP CONSTRAINT igny8_invoice_number_once;
        UPDATE igny8_invoices SET number = '2023-0001' WHERE id = 2;
        UPDATE igny8_invoices SET number = '2025-0024' WHERE id = 95;
        UPDATE igny8_invoices SET number = '2025-0037' WHERE id = 216;
        """,
        {
            "invoices": Told(
                "5 of … numbered documents have a number that another has, or that leaves a gap before it; "
                "tenant=1 rows=2 missing=1; tenant=3 rows=2 missing=1; tenant=6 rows=1 missing=1",
                (
                    "id=2 again=True missing=0",
                    "id=3 again=False missing=1",
                    "id=95 again=False missing=1",
                    "id=96 again=True missing=0",
                    "id=216 again=False missing=1",
                ),
                broken=5,
            ),
        },
    ),
    # A cent, and a fils, more credited than the invoice came to.
    "BIL-12": Fault(
        """
        UPDATE igny8_invoices SET credited = total + 0.01 WHERE id = 72;
        UPDATE igny8_invoices SET credited = total + 0.001 WHERE id = 144;
        """,
        {
            "invoices": Told(
                "2 of … invoices are credited for more than their total, or for another sum than their credits "
                "add up to; tenant=2 currency=EUR rows=1 beyond=0.010 difference=0.000; tenant=4 currency=KWD rows=1 "
                "beyond=0.001 difference=0.000",
                ("id=72 beyond=0.010 difference=0.000", "id=144 beyond=0.001 difference=0.000"),
                broken=2,
            ),
        },
    ),
    # Money received for two void invoices: all of it kept, and all but a fils given back.
    "BIL-13": Fault(
        """
        UPDATE igny8_payments SET status = 'succeeded' WHERE id IN (90, 123);
        INSERT INTO igny8_refunds (payment_id, amount, status, reason, created_at)
        SELECT id, amount - 0.001, 'succeeded', 'void', created_at FROM igny8_payments WHERE id = 123;
        """,
        {
            "payments": Told(
                "2 of … unpaid invoices are of a status that means unpaid, and money was kept for them; "
                "tenant=3 currency=JPY rows=1 difference=68330.000; tenant=4 currency=KWD rows=1 "
                "difference=0.001",
                ("id=79 difference=68330.000", "id=111 difference=0.001"),
                broken=2,
            ),
        },
    ),
    # A second payment, given back but for a cent; one more for an invoice that was paid.
    "BIL-14": Fault(
        """
        UPDATE igny8_refunds SET amount = amount - 0.01 WHERE id = 3;
        INSERT INTO igny8_payments (tenant_id, invoice_id, currency_id, amount, status, method, reference, created_at)
        SELECT tenant_id, invoice_id, currency_id, 1, 'succeeded', method, 'once more', created_at
          FROM igny8_payments WHERE invoice_id = 76;
        """,
        {
            "payments": Told(
                "2 of … invoices are paid beyond their total, and no credit was given for the "
                "rest; tenant=1 currency=USD rows=1 difference=0.010; tenant=3 currency=JPY rows=1 "
                "difference=1.000",
                ("id=32 difference=0.010", "id=76 difference=1.000"),
                broken=2,
            ),
        },
    ),
    # One id for three payments, of another tenant too. That one failed under it and the next succeeded is as it
    # should be.
    "BIL-15": Fault(
        """
        UPDATE igny8_payments SET reference = (SELECT reference FROM igny8_payments WHERE id = 5) WHERE id IN (6, 100);
        UPDATE igny8_payments SET reference = (SELECT reference FROM igny8_payments WHERE id = 11) WHERE id = 10;
        """,
        {
            "payments": Told(
                "2 of … rows succeeded under an id of the payment processor that an earlier one has; "
                "tenant=1 rows=1; tenant=3 rows=1",
                ("id=6", "id=100"),
                broken=2,
            ),
        },
    ),
    # A yen, and a cent, too much given back in two parts, on payments that failed: no invoice lacks it.
    "BIL-16": Fault(
        """
        INSERT INTO igny8_refunds (payment_id, amount, status, reason, created_at)
        SELECT id, unnest(ARRAY[amount, CASE currency_id WHEN 'JPY' THEN 1 ELSE 0.01 END]), 'succeeded', 'twice', created_at
          FROM igny8_payments WHERE id IN (120, 237);
        """,
        {
            "payments": Told(
                "2 of … refunded payments were refunded for more than was received; tenant=3 currency=JPY "
                "rows=1 difference=1.000; tenant=6 currency=USD rows=1 difference=0.010",
                ("id=120 difference=1.000", "id=237 difference=0.010"),
                broken=2,
            ),
        },
    ),
    # One day between two subscriptions: the later begins late, the earlier ends early.
    "BIL-17": Fault(
        """
        UPDATE igny8_subscriptions SET period_start = period_start + 1 WHERE id = 8;
        UPDATE igny8_subscriptions SET period_end = period_end - 1 WHERE id = 15;
        """,
        {
            "subscriptions": Told(
                "2 of … periods begin later than the one before of the same owner ends; tenant=2 rows=1; "
                "tenant=3 rows=1",
                ("id=8", "id=16"),
                broken=2,
            ),
        },
    ),
    # A log of a thousandth more than was taken, and one that is gone. The profile's own rule sees them too.
    "BIL-19": Fault(
        """
        UPDATE igny8_usage_logs SET credits = credits + 0.001 WHERE usage_no = 2;
        DELETE FROM igny8_usage_logs WHERE usage_no = 1000;
        """,
        {
            "usage logs": Told(
                "2 of … charges have a charge that differs from their usage (tenant_id, entry_no); "
                "tenant=1 rows=1 difference=0.001; tenant=4 rows=1 difference=-1003.351",
                ("tenant_id=1 entry_no=3 difference=0.001", "tenant_id=4 entry_no=187 difference=-1003.351"),
                broken=2,
            ),
        },
    ),
}


@pytest.mark.further
def test_every_billing_rule_sees_its_own_faults_and_no_other(
    healthy: Healthy, tmp_path: Path, drilling: Drilling
) -> None:
    planted = "\n".join(fault.sql for fault in PLANTED.values())
    healthy.backup(tmp_path / "backups", planted)
    outcome = drilling(tmp_path / "backups", tmp_path / "out", planted=planted)
    expect(
        outcome,
        red={
            **{control: sorted(fault.told) for control, fault in PLANTED.items()},
            "BIL-51": ["whole"],
            "MIG-07": ["whole"],
        },
    )
    told_to_the_letter(outcome, PLANTED)
