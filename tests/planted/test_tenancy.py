"""Each tenancy control goes red on its own faults in a real source, and no other does."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.drills import PROFILE, Drilling, Healthy
from tests.support.told_faults import Fault, Told, expect, expect_their_controls_alone

_TENANT = "NULLIF(current_setting('igny8.tenant_id', true), '')::bigint"
_UNDECIDED = Told("no foreign key leads to the tenant root, and it is not declared shared")
_NO_REFERENCE = Told("it is named as the references to public.igny8_tenants are, and is none itself")
# The first three of tenant 1 that are about a piece of content.
_TASKS = (
    "0064c1f3-0932-4279-ab4a-970eeff03d95",
    "00f3d652-e1f1-4dc0-bf10-cb40c95b3f46",
    "0768bcab-8121-46c1-ad1a-ad68f736dd85",
)

PLANTED = {
    # A table that leads nowhere, one that leads to a shared table only, and one that leads to two tenants at once. A
    # partition is judged with its parent, and what has no row waits.
    "TEN-01": Fault(
        """
        CREATE TABLE igny8_feature_flags (id bigint PRIMARY KEY, name text);
        INSERT INTO igny8_feature_flags VALUES (1, 'new menu');
        CREATE TABLE "igny8_Badges" (id bigint PRIMARY KEY, user_id bigint REFERENCES igny8_users);
        INSERT INTO "igny8_Badges" (id) VALUES (1);
        CREATE TABLE igny8_wishes (id bigint PRIMARY KEY, name text);
        CREATE TABLE igny8_events (id bigint, at date, tenant_id bigint NOT NULL REFERENCES igny8_tenants,
                                   PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
        CREATE TABLE igny8_events_2025 PARTITION OF igny8_events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
        INSERT INTO igny8_events VALUES (1, '2025-05-05', 1);
        CREATE TABLE igny8_messages (id bigint PRIMARY KEY, sender_id bigint REFERENCES igny8_tenants,
                                     receiver_id bigint REFERENCES igny8_tenants);
        INSERT INTO igny8_messages VALUES (1, 1, 1);
        """,
        {
            "public.igny8_feature_flags": _UNDECIDED,
            "public.igny8_Badges": _UNDECIDED,
            "public.igny8_messages": Told(
                "several of its columns point at the tenant root (receiver_id, sender_id), and nothing says which of them "
                "owns the row: name it in [tenancy.owner_via]"
            ),
        },
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
                "1 of … rows point at a row of public.igny8_content that belongs to another tenant",
                ("usage_no=1 tenant=1 other_tenant=2",),
            ),
            "public.igny8_content_tags(content_id)->public.igny8_content": Told(
                "1 of … rows point at a row of public.igny8_content that belongs to another tenant",
                ("id=1 tenant=2 other_tenant=1",),
            ),
            "public.igny8_content(parent_id)->public.igny8_content": Told(
                "1 of … rows point at a row of public.igny8_content that belongs to another tenant",
                ("id=5 tenant=1 other_tenant=2",),
            ),
        },
    ),
    # One row whose own reference is empty, and one that lost its way to the tenant three steps before it.
    "TEN-03": Fault(
        """
        ALTER TABLE igny8_notes ALTER tenant_id DROP NOT NULL;
        UPDATE igny8_notes SET tenant_id = NULL WHERE id = 4;
        ALTER TABLE igny8_content ALTER sector_id DROP NOT NULL;
        UPDATE igny8_content SET sector_id = NULL WHERE id = 6;
        """,
        {
            "public.igny8_notes": Told("1 of … rows belong to no tenant", ("id=4",)),
            "public.igny8_content": Told("1 of … rows belong to no tenant", ("id=6",)),
        },
        loosens=True,
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
                "3 of … rows point, through their content type, at another tenant's row, at no row, "
                "or at a model the profile lacks",
                ("id=2 tenant=1 other_tenant=2", "id=5 tenant=1 other_tenant=None", "id=6 tenant=1 other_tenant=None"),
                broken=3,
            )
        },
    ),
    # One row of a shared table that has come to point at a tenant, and a way to a tenant's site that no row takes yet.
    "TEN-08": Fault(
        """
        ALTER TABLE igny8_plans ADD "madeFor" bigint REFERENCES igny8_tenants;
        UPDATE igny8_plans SET "madeFor" = 3 WHERE id = 2;
        ALTER TABLE igny8_users ADD last_site_id bigint REFERENCES igny8_sites;
        """,
        {
            "public.igny8_plans(madeFor)->public.igny8_tenants": Told(
                "1 of … rows of a shared table point at a row of public.igny8_tenants that a tenant owns",
                ("id=2 other_tenant=3",),
            ),
            "public.igny8_users(last_site_id)->public.igny8_sites": Told(
                "a shared table may point at public.igny8_sites, which tenants own; no row does yet", looked=False
            ),
        },
    ),
    # Ids in JSON: another tenant's row, a row that is not there, and something that is no id.
    "TEN-09": Fault(
        f"""
        UPDATE igny8_tasks SET payload = jsonb_set(payload, '{{content_id}}', '700') WHERE task_key = '{_TASKS[0]}';
        UPDATE igny8_tasks SET payload = jsonb_set(payload, '{{content_id}}', '999999') WHERE task_key = '{_TASKS[1]}';
        UPDATE igny8_tasks SET payload = jsonb_set(payload, '{{content_id}}', '[28]') WHERE task_key = '{_TASKS[2]}';
        """,
        {
            "public.igny8_tasks(payload $.content_id)->public.igny8_content": Told(
                "3 of … ids refer to another tenant's row of public.igny8_content, or none that is there",
                (
                    f"task_key={_TASKS[0]} tenant=1 other_tenant=2",
                    f"task_key={_TASKS[1]} tenant=1 other_tenant=None",
                    f"task_key={_TASKS[2]} tenant=1 other_tenant=None",
                ),
                broken=3,
            )
        },
    ),
    # A reference that was lost on a table which has another way to its tenant, and a column of another hand's making.
    "TEN-10": Fault(
        """
        ALTER TABLE igny8_keywords DROP CONSTRAINT igny8_keywords_tenant_id_311904b7_fk_igny8_tenants_id;
        CREATE TABLE "igny8_Exports" (id bigint PRIMARY KEY, site_id bigint REFERENCES igny8_sites, "TenantId" int);
        """,
        {
            "public.igny8_keywords.tenant_id": _NO_REFERENCE,
            "public.igny8_Exports.TenantId": _NO_REFERENCE,
        },
        loosens=True,
    ),
    # Announcements to everybody: one is about a tenant's site, one answers a tenant's own.
    "TEN-11": Fault(
        """
        CREATE TABLE igny8_announcements (
            id bigint PRIMARY KEY, tenant_id bigint REFERENCES igny8_tenants, site_id bigint REFERENCES igny8_sites,
            answers bigint REFERENCES igny8_announcements);
        INSERT INTO igny8_announcements VALUES (1, 1, 1, NULL), (2, NULL, NULL, NULL), (3, NULL, 4, NULL),
                                               (4, NULL, NULL, 1), (5, NULL, NULL, 2), (6, 1, 1, 2);
        """,
        {
            "public.igny8_announcements": Told(
                "2 of … rows have no owner by their declared path, and one by another",
                ("id=3 other_tenants=1", "id=4 other_tenants=1"),
                broken=2,
            )
        },
        profile='[tenancy.ownerless]\nigny8_announcements = { at_most = 4, reason = "some are to everybody" }\n',
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
                "7 of … views as igny8_app show other rows than the tenant's own",
                (
                    "no tenant set: sees 1 rows",
                    *(f"tenant={tenant} sees 37 rows and owns 36" for tenant in (1, 3, 4, 5, 6)),
                    "no tenant set any more: sees 216 rows",
                ),
                broken=7,
            ),
            "public.igny8_credit_ledger": Told(
                "6 of … views as igny8_app show other rows than the tenant's own",
                tuple(
                    f"tenant={tenant} sees 324 rows and owns 324, and they are not the same rows"
                    for tenant in range(1, 7)
                ),
                broken=6,
            ),
        },
    ),
    # Forced row-level security holds the owner too, but an owner may take the force off.
    "TEN-07": Fault(
        "ALTER TABLE igny8_invoices OWNER TO igny8_app",
        {"public.igny8_invoices": Told("the role igny8_app owns the table")},
    ),
}


APART = ("TEN-03", "TEN-06", "TEN-07")
"""These change what the others count."""
TOGETHER = sorted(PLANTED.keys() - set(APART))


@pytest.mark.parametrize(
    ("drilling", "controls"),
    [
        pytest.param("short", APART, marks=pytest.mark.further, id="those that change what others count"),
        pytest.param("short", TOGETHER, id="those beside each other"),
        pytest.param("loaded", TOGETHER, marks=pytest.mark.further, id="those beside each other, loaded"),
    ],
    indirect=["drilling"],
)
def test_each_tenancy_control_and_no_other_sees_its_faults(
    controls: Sequence[str], healthy: Healthy, tmp_path: Path, drilling: Drilling
) -> None:
    expect_their_controls_alone({control: PLANTED[control] for control in controls}, healthy, tmp_path, drilling)


@pytest.mark.further
def test_a_fault_breaks_two_promises_and_what_cannot_be_read_or_asked_is_blocked_with_its_cause(
    healthy: Healthy, tmp_path: Path, drilling: Drilling
) -> None:
    profile = Path(shutil.copytree(PROFILE, tmp_path / "profile"))
    header = (profile / "rules" / "usage-matches-ledger.sql").read_text().partition("SELECT tenant_id")[0]
    (profile / "rules" / "lost.sql").write_text(
        header.replace("BIL-51", "BIL-52") + "SELECT id FROM public.igny8_wallets"
    )
    (profile / "rules" / "kept.sql").write_text(
        header.replace("BIL-51", "BIL-53")
        + "SELECT id, tenant_id, total AS difference FROM public.igny8_invoices WHERE total < 0 -- none may"
    )
    (profile / "rules" / "mute.sql").write_text(
        header.replace("BIL-51", "BIL-54") + "SELECT tenant_id FROM public.igny8_notes"
    )
    planted = """
        ALTER TABLE igny8_invoices DISABLE ROW LEVEL SECURITY;
        UPDATE igny8_payments SET tenant_id = 2 WHERE id = 10;
        REVOKE SELECT ON igny8_credit_ledger FROM igny8_app
    """
    healthy.backup(tmp_path / "backups", planted)
    outcome = drilling(tmp_path / "backups", tmp_path / "out", profile=profile, planted=planted)
    unread = ["public.igny8_credit_ledger"]
    expect(
        outcome,
        red={
            "BIL-05": ["payments"],
            "TEN-02": ["public.igny8_payments(invoice_id)->public.igny8_invoices"],
            "TEN-05": ["public.igny8_invoices"],
            "TEN-06": ["public.igny8_invoices"],
            "TEN-12": ["public.igny8_invoices"],
        },
        blocked={"BIL-52": ["whole"], "BIL-54": ["whole"], "TEN-06": unread, "TEN-12": unread},
    )
    assert outcome.result("TEN-05", "public.igny8_invoices").message == "row-level security is not enabled"
    assert outcome.result("TEN-06", "public.igny8_invoices").broken == 8
    assert outcome.result("BIL-52").message == (
        'the query does not fit the database migrated: relation "public.igny8_wallets" does not exist'
    )
    assert outcome.result("TEN-06", "public.igny8_credit_ledger").message == (
        "the application's role may not read public.igny8_credit_ledger: its grants were not restored"
    )
    assert outcome.result("BIL-53").outcome == "passed"
    assert outcome.result("BIL-54").message == (
        "profile/rules/mute.sql returns no column difference, which its header names"
    )
