"""Each control of amounts, of what runs and of what migrations make of money sees its own faults and no others."""

from pathlib import Path

import pytest

from tests.support.application_under_test import copy_of_the_sample, new_migration
from tests.support.drills import Drilling, Healthy
from tests.support.profiles import profile_and
from tests.support.short_drills import MIGRATED
from tests.support.told_faults import Fault, Told, expect, told_to_the_letter

# A cent moved from one tenant to another: what all have together is what it was. A price in cents, in no tenant's table.
MIGRATION = """
    UPDATE igny8_payments SET amount = amount + CASE id WHEN 200 THEN 0.01 ELSE -0.01 END WHERE id IN (53, 200);
    UPDATE igny8_plans SET price = price * 100 WHERE id = 3;
"""
PROFILE = """
[[money_changed]]
table = "igny8_refunds"
column = "amount"
at_most = 0.01
reason = "refunds are rounded, says the profile, and no migration does it"
"""

PLANTED = {
    # A tenth of a yen in a payment that failed; a tenth of a cent in the price list.
    "BIL-09": Fault(
        """
        UPDATE igny8_payments SET amount = amount + 0.1 WHERE id = 103;
        UPDATE igny8_plans SET price = price + 0.001 WHERE id = 2;
        """,
        {
            "public.igny8_payments": Told(
                "1 of … rows hold an amount with more decimals than its currency has, or one in a currency "
                "that is not listed; tenant=3 rows=1",
                ("id=103",),
            ),
            "public.igny8_plans": Told(
                "1 of … rows hold an amount with more decimals than its currency has, or one in a currency "
                "that is not listed",
                ("id=2",),
            ),
        },
    ),
    # A status, a method and a status that nobody declared, one by its capital letter alone.
    "BIL-20": Fault(
        """
        UPDATE igny8_payments SET status = 'reversed' WHERE id = 200;
        UPDATE igny8_payments SET method = 'Card' WHERE id = 3;
        UPDATE igny8_subscriptions SET status = 'paused' WHERE id = 1;
        """,
        {
            "public.igny8_payments": Told(
                "2 of … rows hold a value that is not in its declared list; tenant=1 rows=1; tenant=6 rows=1",
                (
                    "id=3 status_is_listed=True method_is_listed=False",
                    "id=200 status_is_listed=False method_is_listed=True",
                ),
                broken=2,
            ),
            "public.igny8_subscriptions": Told(
                "1 of … rows hold a value that is not in its declared list; tenant=1 rows=1",
                ("id=1 status_is_listed=False",),
            ),
        },
    ),
    # A payment that failed and a plan's credits turned negative.
    "BIL-21": Fault(
        """
        UPDATE igny8_payments SET amount = -amount WHERE id = 10;
        UPDATE igny8_plans SET monthly_credits = -0.001 WHERE id = 3;
        """,
        {
            "public.igny8_payments": Told(
                "1 of … rows hold a negative amount; tenant=1 rows=1",
                ("id=10 amount_is_not_negative=False",),
            ),
            "public.igny8_plans": Told(
                "1 of … rows hold a negative amount",
                ("id=3 price_is_not_negative=True monthly_credits_is_not_negative=False",),
            ),
        },
    ),
    # A payment that failed, of no number at all.
    "BIL-22": Fault(
        """
        UPDATE igny8_payments SET amount = 'NaN' WHERE id = 26;
        """,
        {
            "public.igny8_payments": Told(
                "1 of … rows hold NaN or an infinity in a column of money; tenant=1 rows=1",
                ("id=26",),
            ),
        },
    ),
    # Paid a second before the day of its issue began; a refund a microsecond before its payment, and a payment an hour
    # before its invoice.
    "BIL-23": Fault(
        """
        UPDATE igny8_invoices SET paid_at = issued_on - interval '1 second' WHERE id = 1;
        UPDATE igny8_refunds r SET created_at = p.created_at - interval '1 microsecond'
          FROM igny8_payments p WHERE p.id = r.payment_id AND r.id = 3;
        UPDATE igny8_payments p SET created_at = i.issued_on::timestamp AT TIME ZONE 'UTC' - interval '1 hour'
          FROM igny8_invoices i WHERE i.id = p.invoice_id AND p.id = 103;
        """,
        {
            "public.igny8_invoices": Told(
                "1 of … rows hold moments that do not follow each other as declared; tenant=1 rows=1",
                ("id=1 issued_on_to_paid_at=False",),
            ),
            "payments after their invoice": Told(
                "1 of … rows have a created_at before the issued_on of what they belong to in public.igny8_invoices; "
                "tenant=3 rows=1",
                ("id=103 seconds_too_early=3600.000000",),
            ),
            "refunds after their payment": Told(
                "1 of … rows have a created_at before the created_at of what they belong to in public.igny8_payments; "
                "tenant=1 rows=1",
                ("id=3 seconds_too_early=0.000001",),
            ),
        },
    ),
    # One that is active by its status runs still; the others ended, all on the same day.
    "BIL-18": Fault(
        "UPDATE igny8_subscriptions SET period_end = '2999-01-01' WHERE id = 6;",
        {
            "subscriptions": Told(
                "5 of … active periods are active by their status and did not run when the backup was taken; "
                "tenant=2 rows=1; tenant=3 rows=1; tenant=4 rows=1; tenant=5 rows=1; tenant=6 rows=1",
                ("id=12", "id=18", "id=24", "id=30", "id=36"),
                broken=5,
            ),
            "subscriptions served": Told(
                "5 of … owners of periods had no active period that ran when the backup was taken; "
                "tenant=2 rows=1; tenant=3 rows=1; tenant=4 rows=1; tenant=5 rows=1; tenant=6 rows=1",
                ("id=2", "id=3", "id=4", "id=5", "id=6"),
                broken=5,
            ),
        },
    ),
    "BIL-24": Fault(
        "",
        {
            "public.igny8_payments": Told(
                "2 of … sums of money differ from before the migrations",
                (
                    "amount tenant=2 currency=EUR difference=-0.010",
                    "amount tenant=6 currency=USD difference=0.010",
                ),
                broken=2,
            ),
            "public.igny8_plans": Told(
                "1 of … sums of money differ from before the migrations",
                ("price tenant=None currency=USD difference=24651.000",),
            ),
            "public.igny8_refunds": Told(
                "1 of … sums of money differ from before the migrations",
                ("amount is declared to change, and adds up to what it did: remove its [[money_changed]]",),
            ),
        },
    ),
}


@pytest.mark.further
def test_every_control_of_amounts_sees_its_own_faults_and_no_other(
    healthy: Healthy, tmp_path: Path, drilling: Drilling
) -> None:
    planted = "\n".join(fault.sql for fault in PLANTED.values())
    healthy.backup(tmp_path / "backups", planted)
    app = copy_of_the_sample(tmp_path)
    new_migration(app, "0010_planted", f"migrations.RunSQL({MIGRATION!r})")
    outcome = drilling(
        *(tmp_path / "backups", tmp_path / "out"),
        app=app,
        profile=says_what_runs(tmp_path),
        planted=planted,
        really=MIGRATED,
    )
    expect(outcome, red={control: sorted(fault.told) for control, fault in PLANTED.items()})
    told_to_the_letter(outcome, PLANTED)


def says_what_runs(folder: Path) -> Path:
    """The sample's profile, in which an active subscription is one that runs."""
    copy = profile_and(folder, PROFILE)
    file = copy / "profile.toml"
    text = file.read_text()
    begins = 'end = "period_end"\n'
    assert text.count(begins) == 1
    served = 'served = { table = "igny8_tenants", key = "id" }'
    said = f'{begins}active = {{ status = "status", means = ["active"], {served} }}\n'
    lines = [line for line in text.replace(begins, said).splitlines() if not line.startswith("BIL-18 = ")]
    file.write_text("\n".join(lines) + "\n")
    return copy
