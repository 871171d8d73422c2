"""A whole application comes back by one command and one yes, as a person sees it over HTTP; and goes back by another."""

import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from fixtures.archives.file_digest import sha256_of_file
from fixtures.database.catalogue import take_facts
from fixtures.record.record import DrillRecord
from fixtures.record.stage_failed import StageBlocked
from fixtures.recovery.tenant import Tenant
from fixtures.sandbox.isolation import network_isolation
from fixtures.sandbox.redis import Redis, redis_for
from tests.recovery.test_recover import delete_tenant, drilled
from tests.support import record_examples
from tests.support.drills import SAMPLE, Healthy
from tests.support.production_like import DATABASE, production_like
from tests.support.programs import missing

STEPS = ("stop", "look", "drill", "load", "compare", "files", "migrate", "control", "show", "start", "answer")


@pytest.fixture(scope="module")
def redis() -> Redis:
    try:
        return redis_for(network_isolation())
    except StageBlocked as none:
        missing(f"left out: {none.cause}")


def journal(said: str) -> tuple[Path, list[dict[str, Any]]]:
    found = re.search(r"^Journal: (.*)$", said, re.MULTILINE)
    assert found is not None, said
    path = Path(found[1])
    return path, [json.loads(line) for line in path.read_text().splitlines()]


def of_set(folder: Path) -> DrillRecord:
    """What the ledger is told of an earlier drill of that set."""
    record = record_examples.record(profile_name="igny8")
    assert record.backup_set is not None
    (dump,) = folder.glob("*.dump")
    digest, _ = sha256_of_file(dump)
    artefacts = tuple(
        each.model_copy(update={"sha256": digest}) if each.role == "dump" else each
        for each in record.backup_set.artefacts
    )
    return record.model_copy(update={"backup_set": record.backup_set.model_copy(update={"artefacts": artefacts})})


@pytest.mark.whole
def test_a_site_that_was_deleted_is_seen_again_after_one_command_and_one_yes(
    healthy: Healthy, whole_set: Path, redis: Redis, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    drilled(out, of_set(whole_set), "VERIFIED", "run-1")
    with production_like(healthy, redis, tmp_path) as shop:
        with healthy.server.connect(DATABASE, options="-c session_replication_role=replica") as live:
            facts = take_facts(live)
            row = live.execute(
                "SELECT s.tenant_id, s.id, u.email FROM igny8_sites s JOIN igny8_memberships m USING (tenant_id) "
                "JOIN igny8_users u ON u.id = m.user_id WHERE s.status = 'active' AND u.is_active ORDER BY s.id LIMIT 1"
            ).fetchone()
            assert row is not None
            tenant, site, email = row
            assert shop.page(email, f"/sites/{site}/")[0] == 200
            assert shop.served(f"clients/{site}/current/index.html") == 200
            live.execute("ALTER DATABASE shop SET statement_timeout TO '77s'")
            delete_tenant(live, facts, Tenant(str(tenant), "bigint"))
        shutil.rmtree(shop.sites / "clients" / str(site))
        assert shop.page(email, f"/sites/{site}/")[0] == 404
        assert shop.served(f"clients/{site}/current/index.html") == 404

        done = shop.recover(
            *("--backups", str(whole_set.parent), "--app", str(SAMPLE), "--app-python", sys.executable),
            *(
                "--profile",
                str(shop.profile),
                "--sites-data",
                str(shop.sites),
                "--out",
                str(out),
            ),
            "--empty-queues",
            said="yes\n",
        )
        assert done.returncode == 0, done.stdout + done.stderr
        path, lines = journal(done.stdout)
        assert [line["step"] for line in lines if line["state"] == "done" and line["step"] in STEPS] == list(STEPS)
        assert lines[-1]["application"] == "new"
        assert shop.page(email, f"/sites/{site}/")[0] == 200
        assert shop.served(f"clients/{site}/current/index.html") == 200
        assert "reminders of open invoices: " in done.stdout
        assert "owner or privileges" not in done.stdout
        with healthy.server.connect(DATABASE) as live:
            assert live.execute("SHOW statement_timeout").fetchone() == ("77s",)

        back = shop.recover("--resume", str(path), "--back", said="yes\n")
        assert back.returncode == 0, back.stdout + back.stderr
        assert shop.page(email, f"/sites/{site}/")[0] == 404
        assert shop.served(f"clients/{site}/current/index.html") == 404
