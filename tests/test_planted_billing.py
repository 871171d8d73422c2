"""Each billing control goes red on its own fault, planted in a real database, and no other does."""

from pathlib import Path

import pytest

from tests.drills import Healthy, drill

PLANTED = {
    "BIL-02": "UPDATE igny8_tenants SET credits_balance = credits_balance + 0.001 WHERE id = 2",
    "BIL-06": """
        INSERT INTO igny8_subscriptions (tenant_id, plan_id, status, period_start, period_end)
        SELECT tenant_id, plan_id, status, period_end - 1, period_end + 1
          FROM igny8_subscriptions ORDER BY period_end DESC LIMIT 1
    """,
}


@pytest.mark.parametrize("control", sorted(PLANTED))
def test_the_control_and_no_other_sees_its_fault(control: str, healthy: Healthy, tmp_path: Path) -> None:
    healthy.backup(tmp_path / "backups", PLANTED[control])
    outcome = drill(tmp_path / "backups", tmp_path / "out")
    assert outcome.exit_code == 1, outcome.output
    assert set(outcome.red) == {control}
    assert not outcome.blocked
