"""Each control on what a tenant sees and may do goes red on its own faults, all planted in one source, and no other does."""

from pathlib import Path

import pytest

from tests.support.application_under_test import copy_of_the_sample, new_migration
from tests.support.drills import Healthy
from tests.support.short_drills import RELOADED, VISITED, Standing
from tests.support.spoiled_sets import replace_in
from tests.support.told_faults import Fault, Told, expect

PLANTED = {
    # A policy for one command, beside the one that holds for all.
    "TEN-12": Fault(
        "CREATE POLICY planted ON igny8_credit_ledger FOR INSERT WITH CHECK (amount <> 0);",
        {
            "public.igny8_credit_ledger": Told(
                "6 of … writes as igny8_app reached rows of other tenants",
                tuple(f"tenant={own} inserts a row for other_tenant={own % 6 + 1}" for own in range(1, 7)),
                broken=6,
            )
        },
    ),
    # Both belong to a superuser: the view lies behind another, which alone may be read.
    "TEN-13": Fault(
        """
        CREATE VIEW igny8_reports.all_invoices AS SELECT * FROM public.igny8_invoices;
        CREATE VIEW igny8_reports.overdue AS SELECT id, tenant_id FROM igny8_reports.all_invoices;
        GRANT SELECT ON igny8_reports.overdue TO igny8_app;
        CREATE FUNCTION public.igny8_owed(tenant bigint) RETURNS numeric LANGUAGE sql SECURITY DEFINER
            AS 'SELECT sum(total) FROM public.igny8_invoices WHERE tenant_id = tenant';
        """,
        {
            "igny8_app": Told(
                "2 of … roles, views, functions and tables bypass row-level security, or are tolerated and not there",
                (
                    "past row security function public.igny8_owed(tenant bigint)",
                    "past row security view igny8_reports.all_invoices",
                ),
                broken=2,
            )
        },
    ),
    # The migration below makes one more, which is not active.
    "TEN-14": Fault(
        "",
        {
            "public.igny8_tenants": Told(
                "1 of … tenants of public.igny8_tenants were lost or made",
                ("tenant=1000 is new after the migrations",),
            )
        },
    ),
    # One owner is switched off, one has a password that nobody can use; the third is not active any more.
    "TEN-15": Fault(
        """
        UPDATE igny8_users SET is_active = false WHERE id = 3;
        UPDATE igny8_users SET password = '!' || left(password, 20) WHERE id IN (4, 5);
        UPDATE igny8_tenants SET is_active = false WHERE id = 5;
        """,
        {
            "public.igny8_users": Told(
                "2 of … active tenants have no owner who can log in",
                ("tenant=3", "tenant=4"),
                broken=2,
            )
        },
    ),
    # Planted in the code below.
    "TEN-16": Fault(
        "",
        {
            "igny8": Told(
                "2 of … addresses show other tenants' rows",
                ("api/invoices/<int:pk>/: 12 of 12", "api/tasks/: 239 of 300"),
                broken=2,
            )
        },
    ),
}
# Neither asks who is logged in.
OPEN_VIEWS = """

class OpenDetail(RowDetail):
    def get_queryset(self):
        return self.model.objects.values("pk", *self.fields)


class OpenList(RowList):
    def get_queryset(self):
        return self.model.objects.filter(tenant__isnull=False).order_by("pk").values("pk", *self.fields)
"""
ONE_MORE_TENANT = """migrations.RunPython(
    lambda apps, editor: apps.get_model("igny8", "Tenant").objects.create(
        id=1000, name="One more", slug="one-more", plan_id=1, currency_id="USD", is_active=False,
        created_at="2026-01-01T00:00:00Z",
    )
)"""


# Loaded: what a short drill plants belongs to the superuser who plants it, and not to whom a restore gives it.
@pytest.mark.further
def test_the_controls_on_visibility_and_no_others_see_their_faults(
    healthy: Healthy, tmp_path: Path, standing: Standing
) -> None:
    planted = "".join(fault.sql for fault in PLANTED.values())
    healthy.backup(tmp_path / "backups", planted)
    checkout = copy_of_the_sample(tmp_path)
    new_migration(checkout, "9999_planted", ONE_MORE_TENANT)
    with (checkout / "igny8_core" / "igny8" / "api.py").open("a") as api:
        api.write(OPEN_VIEWS)
    leaks = {
        "api.RowDetail.as_view(**api.INVOICES)": "api.OpenDetail.as_view(**api.INVOICES)",
        "api.RowList.as_view(**api.TASKS)": "api.OpenList.as_view(**api.TASKS)",
    }
    replace_in(checkout / "igny8_core" / "urls.py", leaks)
    outcome = standing.drill(tmp_path / "backups", tmp_path / "out", app=checkout, really=RELOADED | VISITED)
    expect(outcome, red={control: sorted(fault.told) for control, fault in PLANTED.items()})
    for control, fault in PLANTED.items():
        for subject, finding in fault.told.items():
            result = outcome.result(control, subject)
            assert (result.out_of is None) == (control != "TEN-16")
            assert Told.of(result) == finding
