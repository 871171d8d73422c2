"""Nothing that a drill writes or prints holds a customer's data or a password, whatever goes wrong and wherever."""

import json
import tarfile
from pathlib import Path

import pytest

from fixtures.custody.keys import make_keys
from fixtures.custody.mask_key import make_mask_key
from fixtures.custody.notify import HEARTBEATS, NOTIFY
from sample.igny8_core.igny8.filling import canary
from tests.custody.test_notify import listening
from tests.support.application_under_test import copy_of_the_sample
from tests.support.drills import Drill, Healthy, environment_of_drills
from tests.support.on_a_terminal import on_a_terminal
from tests.support.outputs import PDF, nothing_told
from tests.support.profiles import profile_and
from tests.support.short_drills import LOADED, MIGRATED, Standing
from tests.support.spoiled_sets import add_entries
from tests.support.watched_drill import watched_drill

# Every fault lies on a row that holds the canary, or has it as its key.
SPOILED_ROWS = f"""
    UPDATE igny8_payments SET tenant_id = 2 WHERE reference LIKE '%{canary.CARD}%';
    UPDATE igny8_tenants SET credits_balance = credits_balance + 1 WHERE slug = '{canary.TENANT_SLUG}';
    UPDATE igny8_notes SET object_id = 999999 WHERE body LIKE '%{canary.EMAIL}%';
    UPDATE igny8_tasks SET tenant_id = 2 WHERE payload::text LIKE '%{canary.SECRET}%';
    CREATE TABLE igny8_contacts (
        email citext PRIMARY KEY,
        tenant_id bigint NOT NULL REFERENCES igny8_tenants,
        site_id bigint NOT NULL REFERENCES igny8_sites
    );
    INSERT INTO igny8_contacts SELECT '{canary.EMAIL}', 2, min(id) FROM igny8_sites WHERE tenant_id = 1;
"""

CRASHING_RULE = """-- id: BIL-98
-- title: A rule whose query fails on what stands in a row
-- impact: low
-- remediation: None is needed in a test.
-- rationale: The server's message quotes the row.
-- examines: SELECT count(*) FROM public.igny8_users
SELECT id FROM public.igny8_users WHERE email::text::integer > 0
"""

# A rule's own words are shown with its result, so the name that it looks for stands in it backwards.
TELLING_RULE = """-- id: BIL-99
-- title: A rule that returns more than keys
-- impact: low
-- remediation: None is needed in a test.
-- rationale: Whatever a rule returns, text in it is told as a keyed hash.
-- examines: SELECT count(*) FROM public.igny8_users
SELECT id, email, full_name FROM public.igny8_users WHERE reverse(full_name) = '{backwards}'
"""

TALKATIVE = f"""
import logging, sys, warnings
from django.core.checks import Warning, register
TOLD = {canary.SENTENCE!r} + {canary.TENANT_SLUG!r}
print(TOLD); print(TOLD, file=sys.stderr); logging.getLogger("igny8").error(TOLD); warnings.warn(TOLD)

@register
def refuse(app_configs, **options):
    return [Warning(TOLD, hint=TOLD, id="igny8.W001")]
"""

RAISING_MIGRATION = """
from django.db import migrations


def refuse(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT email, full_name FROM public.igny8_users WHERE id = 1")
        told = cursor.fetchone()
        print(told)
        try:
            cursor.execute("UPDATE igny8_users SET email = (SELECT email FROM public.igny8_users WHERE id = 1)")
        except Exception as error:
            raise ValueError(f"nobody may see {told}") from error


class Migration(migrations.Migration):
    dependencies = [("igny8", "0009_content_title_index")]
    operations = [migrations.RunPython(refuse)]
"""

# The index is not kept while the row goes in, as when it is damaged: the dump then holds what its own index refuses.
ADDRESS_TWICE = """
    DO $$
    DECLARE its_index regclass := (SELECT conindid FROM pg_constraint
        WHERE conrelid = 'igny8_users'::regclass AND contype = 'u');
    BEGIN
        UPDATE pg_index SET indisready = false, indisvalid = false WHERE indexrelid = its_index;
        INSERT INTO igny8_users (password, is_superuser, email, full_name, is_staff, is_active, date_joined)
        SELECT password, is_superuser, email, full_name, is_staff, is_active, date_joined
          FROM public.igny8_users WHERE email = '{email}';
        UPDATE pg_index SET indisready = true, indisvalid = true WHERE indexrelid = its_index;
    END $$
"""


def test_a_healthy_drill_tells_nothing(healthy_drill: Drill) -> None:
    nothing_told(healthy_drill)


@pytest.mark.whole
def test_faults_on_the_canarys_own_rows_and_files_tell_nothing_nor_does_the_application(
    healthy: Healthy, tmp_path: Path
) -> None:
    def spoil(sites_data: Path) -> None:
        (sites_data / "clients" / canary.TENANT_SLUG).mkdir()
        (sites_data / "clients" / canary.TENANT_SLUG / "index.html").write_text(canary.SENTENCE)
        definition = next((sites_data / "clients").glob("1/v*/site-definition.json"))
        fields = json.loads(definition.read_text())
        definition.write_text(json.dumps({**fields, "site_id": canary.EMAIL, "tenant_id": canary.TENANT_SLUG}))

    the_set = healthy.backup(tmp_path / "backups", SPOILED_ROWS, in_files=spoil)
    outside = tarfile.TarInfo(f"../{canary.TENANT_SLUG}/{canary.NAME}")
    link = tarfile.TarInfo(f"sites-data/{canary.SECRET}")
    link.type, link.linkname = tarfile.SYMTYPE, f"/{canary.EMAIL}"
    add_entries(the_set, [outside, link])
    profile = profile_and(tmp_path, "")
    (profile / "rules" / "crashing.sql").write_text(CRASHING_RULE)
    (profile / "rules" / "telling.sql").write_text(TELLING_RULE.format(backwards=canary.NAME[::-1]))
    app = copy_of_the_sample(tmp_path)
    with (app / "igny8_core" / "igny8" / "models" / "__init__.py").open("a") as models:
        models.write(TALKATIVE)

    signing, _ = make_keys(tmp_path / "keys")
    masking = make_mask_key(tmp_path / "keys")
    with listening() as people:
        secrets = {
            "DRILL_SIGNING_KEY": str(signing),
            "DRILL_MASK_KEY": str(masking),
            NOTIFY: f"json://127.0.0.1:{people.port}/hook",
            HEARTBEATS[False]: f"http://127.0.0.1:{people.port}/failed",
        }
        with watched_drill(
            tmp_path / "backups", tmp_path, environment=secrets, workers=2, profile=profile, app=app, pdf=True
        ) as drilled:
            drilled.watch()
            outcome = drilled.end()
    assert outcome.exit_code == 1, outcome.output
    assert {"BIL-02", "BIL-99", "TEN-02", "SIT-02", "SIT-04", "SIT-07"} <= set(outcome.red), outcome.red
    assert set(outcome.blocked) == {"BIL-98"}
    assert outcome.result("BIL-98").message.startswith("internal error: InvalidTextRepresentation at ")
    (sample,) = outcome.result("BIL-99").samples
    assert sample.startswith("id=1 email=hmac:")
    assert len(drilled.secrets) >= 1
    assert len(people.heard) == 2

    finding = outcome.result("BIL-99").finding
    # Nothing is installed for it: the interpreter that runs the tests has all that it takes.
    make = ("make", "--no-print-directory", "--old-file=.venv/requirements.lock", "resolve", "SERVER=local")
    resolved = on_a_terminal(
        [*make, f"FINDING={finding}", f"RUN={outcome.directory}", f"MASK_KEY={masking}"],
        {name: value for name, value in environment_of_drills().items() if not name.startswith(("MAKE", "MFLAGS"))},
        tmp_path,
    )
    assert resolved.exit_code == 0, resolved.said
    assert f"id=1 email='{canary.EMAIL}' full_name='{canary.NAME}'" in resolved.shown
    (line,) = (outcome.directory.parent / "resolved.jsonl").read_text().splitlines()
    assert (json.loads(line)["finding"], json.loads(line)["found"]) == (finding, 2)

    besides = {
        f"notification {place}": b"".join(map(str.encode, heard[:2])) + heard[2]
        for place, heard in enumerate(people.heard)
    }
    besides |= {"command lines": "\n".join(drilled.said).encode(), "what resolving said": resolved.said.encode()}
    nothing_told(outcome, *drilled.secrets, masking.read_text().strip(), besides=besides)
    assert not [words for words in drilled.dumping if "fixtures.sandbox.guardian" not in words], drilled.dumping


# What a drill in this process writes none of: both are made of the evidence, and those of whole drills are read above.
SHORT = ("allure-results/", PDF)


def what_was_printed(capfd: pytest.CaptureFixture[str]) -> dict[str, bytes]:
    """By this process and all that it started."""
    return {"what was printed besides": "".join(capfd.readouterr()).encode()}


@pytest.mark.further
def test_a_row_that_the_restore_refuses_is_not_quoted(
    healthy: Healthy, standing: Standing, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    healthy.backup(tmp_path / "backups", ADDRESS_TWICE.format(email=canary.EMAIL))
    outcome = standing.drill(tmp_path / "backups", tmp_path / "out", really=LOADED)
    assert outcome.exit_code == 1, outcome.output
    assert "RST-01" in outcome.red
    assert "igny8_users" in outcome.result("RST-01").message
    nothing_told(outcome, besides=what_was_printed(capfd), without=SHORT)


@pytest.mark.further
def test_a_row_that_a_migration_quotes_is_not_told(
    whole_set: Path, standing: Standing, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    app = copy_of_the_sample(tmp_path)
    (app / "igny8_core" / "igny8" / "migrations" / "0010_refuse.py").write_text(RAISING_MIGRATION)
    outcome = standing.drill(whole_set.parent, tmp_path / "out", app=app, really=MIGRATED)
    assert outcome.exit_code == 1, outcome.output
    assert set(outcome.red) == {"MIG-01"}
    assert "igny8.0010_refuse failed: ValueError" in outcome.result("MIG-01").message
    nothing_told(outcome, besides=what_was_printed(capfd), without=SHORT)
