"""Each control on what a tenant sees and may do goes red on its own faults, all planted in one source, and no other does."""

from pathlib import Path

from tests.drills import Healthy, drill
from tests.told_faults import Fault, Told, expect

PLANTED = {
    # A policy for one command, beside the one that holds for all.
    "TEN-12": Fault(
        "CREATE POLICY planted ON igny8_credit_ledger FOR INSERT WITH CHECK (amount <> 0);",
        {
            "public.igny8_credit_ledger": Told(
                "6 of 26 writes as igny8_app reached rows of other tenants",
                tuple(f"tenant={own} inserts a row for other_tenant={own % 6 + 1}" for own in range(1, 7)),
                broken=6,
                examined=26,
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
                "2 of 8 roles, views, functions and tables reach past row-level security, "
                "or are tolerated and not there",
                (
                    "past row security function public.igny8_owed(tenant bigint)",
                    "past row security view igny8_reports.all_invoices",
                ),
                broken=2,
                examined=8,
            )
        },
    ),
}


def test_the_controls_on_visibility_and_no_others_see_their_faults(healthy: Healthy, tmp_path: Path) -> None:
    healthy.backup(tmp_path / "backups", "".join(fault.sql for fault in PLANTED.values()))
    outcome = drill(tmp_path / "backups", tmp_path / "out")
    expect(outcome, red={control: sorted(fault.told) for control, fault in PLANTED.items()})
    for control, fault in PLANTED.items():
        for subject, told in fault.told.items():
            result = outcome.result(control, subject)
            assert Told(result.message, result.samples, result.broken, result.examined or 0) == told
