"""Each tenancy control goes red on its own faults in a real source, and no other does."""

import shutil
from pathlib import Path

import pytest

from tests.drills import PROFILE, Healthy, drill
from tests.told_faults import Fault, Told, expect, expect_its_control_alone

_TENANT = "NULLIF(current_setting('igny8.tenant_id', true), '')::bigint"
_UNDECIDED = Told("no foreign key leads to the tenant root, and it is not declared shared")

PLANTED = {
    # A table that leads nowhere, and one that leads to a shared table only. A partition is judged with its parent.
    "TEN-01": Fault(
        """
        CREATE TABLE igny8_feature_flags (id bigint PRIMARY KEY, name text);
        CREATE TABLE "igny8_Badges" (id bigint PRIMARY KEY, user_id bigint REFERENCES igny8_users);
        CREATE TABLE igny8_events (id bigint, at date, tenant_id bigint NOT NULL REFERENCES igny8_tenants,
                                   PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
        CREATE TABLE igny8_events_2025 PARTITION OF igny8_events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
        INSERT INTO igny8_events VALUES (1, '2025-05-05', 1);
        """,
        {"public.igny8_feature_flags": _UNDECIDED, "public.igny8_Badges": _UNDECIDED},
    ),
    # One row each: a nullable reference, to a table three steps from its tenant; a many-to-many; a self reference.
    "TEN-02": Fault(
        """
        UPDATE igny8_usage_logs SET content_id = 700 WHERE usage_no = 1;
        UPDATE igny8_content_tags SET tag_id = 25 WHERE id = 1;
        UPDATE igny8_content SET parent_id = 700 WHERE id = 5;
        """,
        {
            "public.igny8_usage_logs(content_id)->public.igny8_content": Told(
                "1 of 1353 rows point at a row of public.igny8_content that belongs to another tenant",
                ("usage_no=1 tenant=1 other_tenant=2",),
                examined=1353,
            ),
            "public.igny8_content_tags(content_id)->public.igny8_content": Told(
                "1 of 4437 rows point at a row of public.igny8_content that belongs to another tenant",
                ("id=1 tenant=2 other_tenant=1",),
                examined=4437,
            ),
            "public.igny8_content(parent_id)->public.igny8_content": Told(
                "1 of 887 rows point at a row of public.igny8_content that belongs to another tenant",
                ("id=5 tenant=1 other_tenant=2",),
                examined=887,
            ),
        },
    ),
    # One row whose own reference is empty, and one that lost its way to the tenant three steps before it.
    "TEN-03": Fault(
        """
        ALTER TABLE igny8_notes ALTER tenant_id DROP NOT NULL;
        UPDATE igny8_notes SET tenant_id = NULL WHERE id = 4;
        ALTER TABLE igny8_images ALTER content_id DROP NOT NULL;
        UPDATE igny8_images SET content_id = NULL WHERE id = 2;
        """,
        {
            "public.igny8_notes": Told("1 of 300 rows belong to no tenant", ("id=4",), examined=300),
            "public.igny8_images": Told("1 of 210 rows belong to no tenant", ("id=2",), examined=210),
        },
    ),
    # A note on another tenant's row, one on a row that is not there, one on a model that the profile does not map.
    "TEN-04": Fault(
        """
        UPDATE igny8_notes SET object_id = 700 WHERE id = 2;
        UPDATE igny8_notes SET object_id = 999999 WHERE id = 5;
        UPDATE igny8_notes SET content_type_id = (SELECT id FROM django_content_type WHERE model = 'tag') WHERE id = 6;
        """,
        {
            "public.igny8_notes": Told(
                "3 of 300 rows point, through their content type, at another tenant's row, at no row, "
                "or at a model the profile lacks",
                ("id=2 tenant=1 other_tenant=2", "id=5 tenant=1 other_tenant=None", "id=6 tenant=1 other_tenant=None"),
                broken=3,
                examined=300,
            )
        },
    ),
    "TEN-05": Fault(
        "ALTER TABLE igny8_invoices NO FORCE ROW LEVEL SECURITY",
        {"public.igny8_invoices": Told("row-level security is not forced")},
    ),
    # One row that everybody sees, and all of them once a setting was made and ended; a policy that swaps tenants, so that
    # each sees as many rows as it owns.
    "TEN-06": Fault(
        f"""
        CREATE POLICY planted ON igny8_invoices FOR SELECT
              USING (id = 40 OR current_setting('igny8.tenant_id', true) = '');
        DROP POLICY igny8_one_tenant ON igny8_credit_ledger;
        CREATE POLICY swapped ON igny8_credit_ledger FOR SELECT USING (tenant_id = 7 - {_TENANT});
        CREATE POLICY added ON igny8_credit_ledger FOR INSERT WITH CHECK (tenant_id = {_TENANT});
        """,
        {
            "public.igny8_invoices": Told(
                "7 of 8 views as igny8_app show other rows than the tenant's own",
                (
                    "no tenant set: sees 1 rows",
                    *(f"tenant={tenant} sees 37 rows and owns 36" for tenant in (1, 3, 4, 5, 6)),
                    "no tenant set any more: sees 216 rows",
                ),
                broken=7,
                examined=6,
            ),
            "public.igny8_credit_ledger": Told(
                "6 of 8 views as igny8_app show other rows than the tenant's own",
                tuple(
                    f"tenant={tenant} sees 324 rows and owns 324, and they are not the same rows"
                    for tenant in range(1, 7)
                ),
                broken=6,
                examined=6,
            ),
        },
    ),
    # Forced row-level security holds the owner too, but an owner may take the force off.
    "TEN-07": Fault(
        "ALTER TABLE igny8_invoices OWNER TO igny8_app",
        {"public.igny8_invoices": Told("the role igny8_app owns the table")},
    ),
}


@pytest.mark.parametrize("control", sorted(PLANTED))
def test_a_tenancy_control_and_no_other_sees_its_faults(control: str, healthy: Healthy, tmp_path: Path) -> None:
    expect_its_control_alone(control, PLANTED[control], healthy, tmp_path)


def test_a_fault_that_breaks_two_promises_is_told_by_both(healthy: Healthy, tmp_path: Path) -> None:
    healthy.backup(
        tmp_path / "backups",
        "ALTER TABLE igny8_invoices DISABLE ROW LEVEL SECURITY; UPDATE igny8_payments SET tenant_id = 2 WHERE id = 10",
    )
    outcome = drill(tmp_path / "backups", tmp_path / "out")
    expect(
        outcome,
        red={
            "BIL-05": ["payments"],
            "TEN-02": ["public.igny8_payments(invoice_id)->public.igny8_invoices"],
            "TEN-05": ["public.igny8_invoices"],
            "TEN-06": ["public.igny8_invoices"],
            "TEN-12": ["public.igny8_invoices"],
        },
    )
    assert outcome.result("TEN-05", "public.igny8_invoices").message == "row-level security is not enabled"
    assert outcome.result("TEN-06", "public.igny8_invoices").broken == 8


def test_what_the_role_may_not_read_and_what_a_rule_cannot_ask_is_blocked_with_its_cause(
    healthy: Healthy, tmp_path: Path
) -> None:
    profile = Path(shutil.copytree(PROFILE, tmp_path / "profile"))
    header = (profile / "rules" / "usage-matches-ledger.sql").read_text().partition("SELECT tenant_id")[0]
    (profile / "rules" / "lost.sql").write_text(header.replace("BIL-51", "BIL-52") + "SELECT id FROM igny8_wallets")
    (profile / "rules" / "kept.sql").write_text(
        header.replace("BIL-51", "BIL-53") + "SELECT id FROM igny8_invoices WHERE total < 0 -- none may"
    )
    healthy.backup(tmp_path / "backups", "REVOKE SELECT ON igny8_invoices FROM igny8_app")
    outcome = drill(tmp_path / "backups", tmp_path / "out", profile=profile)
    unread = ["public.igny8_invoices"]
    expect(outcome, blocked={"BIL-52": ["whole"], "TEN-06": unread, "TEN-12": unread})
    assert outcome.result("BIL-52").message == (
        'the query does not fit the database migrated: relation "igny8_wallets" does not exist'
    )
    assert outcome.result("TEN-06", "public.igny8_invoices").message == (
        "the application's role may not read public.igny8_invoices: its grants did not come back"
    )
    assert outcome.result("BIL-53").outcome == "passed"
