"""The sample application keeps its promises: the same data every time, right to the last cent, and dumpable."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from fixtures.sandbox.guardian import Guardian
from fixtures.server import Server, ServerRequest, serve
from sample.backup import main as back_up
from sample.build import APPLICATION, PROJECT, Built, Superuser, build, manage_environment
from sample.history import DUMPED_AT, STILL_TO_COME
from sample.igny8_core.igny8.filling import canary
from sample.igny8_core.igny8.filling.sites_data import content_digest


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Guardian("5a3b1e00") as guardian, serve(ServerRequest(run_id="5a3b1e00"), guardian) as started:
        yield started


def _build(server: Server, work: Path, database: str, seed: int) -> Built:
    superuser = Superuser(server.host, server.port, server.user, server.password)
    passwords = {"owner_password": "for the owner", "application_password": "for the application"}
    return build(superuser, work, database=database, seed=seed, **passwords)


@pytest.fixture(scope="module")
def built(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Built:
    return _build(server, tmp_path_factory.mktemp("sample"), "igny8", seed=7)


@pytest.fixture
def rows(server: Server, built: Built) -> Iterator[psycopg.Connection]:
    with server.connect(built.database, options="-c default_transaction_read_only=on") as connection:
        yield connection


@pytest.fixture(scope="module")
def restored(server: Server, built: Built, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The dump of the sample, restored beside it: the name of that database."""
    dump = tmp_path_factory.mktemp("dump") / "igny8.dump"
    with server.connect() as connection:
        connection.execute("CREATE DATABASE restored TEMPLATE template0")
    for argv in (
        [server.clients.pg_dump, "-Fc", "-f", dump, built.database],
        [server.clients.pg_restore, "-j2", "-d", "restored", dump],
    ):
        environment = server.environment("postgres")
        done = subprocess.run(list(map(str, argv)), env=environment, capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")
    return "restored"


@pytest.fixture(scope="module")
def migrated(server: Server, restored: str) -> str:
    with server.connect() as connection:
        connection.execute(f"CREATE DATABASE migrated TEMPLATE {restored}")
    output = _manage("migrate", "-v2", environment=_environment(server, "migrated"))
    assert [name for name in STILL_TO_COME if f"Applying igny8.{name}... OK" in output] == list(STILL_TO_COME)
    return "migrated"


def _environment(server: Server, database: str) -> dict[str, str]:
    return manage_environment(server.host, server.port, database, server.user, server.password)


def _manage(*arguments: str, environment: dict[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=PROJECT, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _value(connection: psycopg.Connection, query: str) -> object:
    row = connection.execute(query).fetchone()
    assert row is not None
    return row[0]


def _digests(server: Server, database: str) -> dict[str, object]:
    with server.connect(database, options="-c search_path=pg_catalog -c timezone=UTC") as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        contents: dict[str, object] = {}
        for (table,) in tables:
            # When a migration was applied is the one thing in the database that the seed doesn't settle.
            if table != "django_migrations":
                query = "SELECT count(*), sum(hashtextextended((__r.*)::text, 0)) FROM public.{} __r"
                contents[table] = connection.execute(sql.SQL(query).format(sql.Identifier(table))).fetchone()
        contents["large objects"] = _value(
            connection, "SELECT sum(hashtextextended(loid || encode(data, 'hex'), 0)) FROM pg_largeobject"
        )
    return contents


def _files(*folders: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): str(path.readlink())
        if path.is_symlink()
        else hashlib.sha256(path.read_bytes()).hexdigest()
        for folder in folders
        for path in folder.rglob("*")
        if path.is_symlink() or path.is_file()
    }


@pytest.mark.further
def test_the_same_seed_gives_the_same_data(server: Server, built: Built, tmp_path: Path) -> None:
    again = _build(server, tmp_path, "again", seed=7)
    assert _digests(server, again.database) == _digests(server, built.database)
    assert _files(again.sites_data, again.logs) == _files(built.sites_data, built.logs)


@pytest.mark.further
def test_another_seed_gives_other_data(server: Server, built: Built, tmp_path: Path) -> None:
    other = _build(server, tmp_path, "other", seed=8)
    ours, theirs = _digests(server, built.database), _digests(server, other.database)
    assert [
        table for table in ("igny8_content", "igny8_invoices", "igny8_credit_ledger") if ours[table] == theirs[table]
    ] == []


def test_every_table_has_rows(rows: psycopg.Connection) -> None:
    tables = rows.execute("SELECT tablename FROM pg_tables WHERE tablename LIKE 'igny8%'").fetchall()
    empty = {
        table
        for (table,) in tables
        if _value(rows, sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table)).as_string(rows)) == 0
    }
    assert empty == {"igny8_users_groups", "igny8_users_user_permissions"}
    assert _value(rows, "SELECT sum(pieces) FROM igny8_reports.site_content") == 3000


MONEY_RULES = {
    "a balance is the sum of all entries up to it": """
        SELECT 1 FROM (SELECT balance_after, entry_no,
                              sum(amount) OVER so_far AS summed, row_number() OVER so_far AS place
                         FROM igny8_credit_ledger WINDOW so_far AS (PARTITION BY tenant_id ORDER BY entry_no)) AS entry
         WHERE balance_after <> summed OR entry_no <> place OR balance_after < 0""",
    "entries are in the order of time": """
        SELECT 1 FROM igny8_credit_ledger AS a JOIN igny8_credit_ledger AS b
            ON b.tenant_id = a.tenant_id AND b.entry_no = a.entry_no + 1 WHERE b.created_at <= a.created_at""",
    "a tenant's balance is that of its last entry": """
        SELECT 1 FROM igny8_tenants AS tenant WHERE credits_balance IS DISTINCT FROM
            (SELECT balance_after FROM igny8_credit_ledger WHERE tenant_id = tenant.id
              ORDER BY entry_no DESC LIMIT 1)""",
    "usage and the ledger's deductions are the same": """
        SELECT 1 FROM (SELECT * FROM igny8_credit_ledger WHERE kind = 'usage') AS entry
          FULL JOIN igny8_usage_logs AS used USING (tenant_id, entry_no)
         WHERE used.credits IS DISTINCT FROM -entry.amount""",
    "usage days sum the usage": """
        SELECT 1 FROM (SELECT tenant_id, (created_at AT TIME ZONE 'UTC')::date AS day, sum(credits) AS summed, count(*)
                         FROM igny8_usage_logs GROUP BY 1, 2) AS used
          FULL JOIN igny8_usage_days AS kept USING (tenant_id, day)
         WHERE (used.summed, used.count) IS DISTINCT FROM (kept.credits, kept.operations::bigint)""",
    "a total is the lines and the tax, both times": """
        SELECT 1 FROM igny8_invoices AS invoice JOIN igny8_currencies AS currency ON currency.code = currency_id
         WHERE subtotal IS DISTINCT FROM (SELECT sum(amount) FROM igny8_invoice_lines WHERE invoice_id = invoice.id)
            OR subtotal IS DISTINCT FROM
               (SELECT sum((line->>'amount')::numeric) FROM jsonb_array_elements(lines) AS line)
            OR tax <> round(subtotal * tax_rate, minor_units) OR total <> subtotal + tax""",
    "no amount is finer than its currency": """
        SELECT 1 FROM igny8_payments JOIN igny8_currencies ON code = currency_id
         WHERE amount <> round(amount, minor_units)""",
    "a paid invoice is covered": """
        SELECT 1 FROM igny8_invoices AS invoice WHERE status = 'paid' AND total - credited IS DISTINCT FROM
            (SELECT sum(amount - coalesce((SELECT sum(refund.amount) FROM igny8_refunds AS refund
                                            WHERE payment_id = payment.id AND status = 'succeeded'), 0))
               FROM igny8_payments AS payment
              WHERE (invoice_id, tenant_id, currency_id, status)
                  = (invoice.id, invoice.tenant_id, invoice.currency_id, 'succeeded'))""",
    "only a paid invoice has money or grants credits": """
        SELECT 1 FROM igny8_invoices AS invoice WHERE status <> 'paid'
           AND (EXISTS (SELECT FROM igny8_payments WHERE invoice_id = invoice.id AND status = 'succeeded')
             OR EXISTS (SELECT FROM igny8_credit_ledger WHERE invoice_id = invoice.id))""",
    "no payment gives back more than it was": """
        SELECT 1 FROM igny8_refunds AS refund JOIN igny8_payments AS payment ON payment.id = payment_id
         GROUP BY payment.id HAVING sum(refund.amount) > payment.amount""",
    "periods of a tenant don't overlap": """
        SELECT 1 FROM igny8_subscriptions AS a
          JOIN igny8_subscriptions AS b ON a.tenant_id = b.tenant_id AND a.id < b.id
         WHERE daterange(a.period_start, a.period_end) && daterange(b.period_start, b.period_end)""",
}


@pytest.mark.parametrize("rule", MONEY_RULES)
def test_money_is_consistent(rows: psycopg.Connection, rule: str) -> None:
    assert rows.execute(MONEY_RULES[rule]).fetchall() == []


def test_invoices_are_in_every_state_and_several_currencies(rows: psycopg.Connection) -> None:
    statuses = rows.execute("SELECT DISTINCT status FROM igny8_invoices ORDER BY 1").fetchall()
    assert statuses == [("draft",), ("open",), ("paid",), ("void",)]
    assert _value(rows, "SELECT count(DISTINCT currency_id) FROM igny8_invoices") == 5


def test_restored_it_is_the_same_and_migrates_to_the_code(
    server: Server, built: Built, restored: str, migrated: str
) -> None:
    assert _digests(server, restored) == _digests(server, built.database)
    assert "No changes detected" in _manage("makemigrations", "--check", environment=_environment(server, migrated))
    assert "no issues" in _manage("check", environment=_environment(server, migrated))
    with server.connect(migrated) as connection:
        assert _value(connection, "SELECT count(*) FROM igny8_content WHERE body_length <> length(body)") == 0
        assert _value(connection, "SELECT count(*) FROM igny8_content WHERE body_length IS NULL") == 0
        assert _value(connection, "SELECT count(DISTINCT locale) > 1 FROM igny8_sites") is True


@pytest.mark.further
def test_the_owner_can_migrate_a_restored_database_and_go_back(server: Server, built: Built, restored: str) -> None:
    with server.connect() as connection:
        connection.execute(f"CREATE DATABASE there_and_back TEMPLATE {restored}")
    environment = manage_environment(server.host, server.port, "there_and_back", "igny8_owner", built.owner_password)
    _manage("migrate", environment=environment)
    _manage("migrate", "igny8", DUMPED_AT, environment=environment)
    assert _digests(server, "there_and_back") == _digests(server, restored)


@pytest.mark.further
def test_without_a_database_host_an_sqlite_file_is_migrated_instead(tmp_path: Path) -> None:
    environment = manage_environment("", 0, "", "", "") | {"SQLITE_PATH": str(tmp_path / "trap.sqlite3")}
    assert "Applying igny8.0009_content_title_index... OK" in _manage("migrate", environment=environment)
    assert (tmp_path / "trap.sqlite3").stat().st_size > 100_000


def test_the_canary_is_in_rows_files_and_logs(server: Server, built: Built) -> None:
    dump = subprocess.run(
        [str(server.clients.pg_dump), "--inserts", built.database],
        env=server.environment("postgres"),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    tables = {line.split()[2] for line in dump.splitlines() if line.startswith("INSERT") and canary.NAME in line}
    assert tables >= {f"public.igny8_{name}" for name in ("tenants", "users", "content", "notes", "invoices")}
    assert all(word in dump for word in canary.ALL)
    published = "".join(p.read_text() for p in (built.sites_data / "clients" / "1").rglob("*.html"))
    assert all(word in published for word in (canary.NAME, canary.EMAIL, canary.CARD, canary.SECRET))
    assert all(word in (built.logs / "app.log").read_text() for word in canary.ALL)


def test_the_application_sees_one_tenant_at_a_time(server: Server, built: Built) -> None:
    with server.connect(built.database, user=APPLICATION, password=built.application_password) as connection:
        for table in ("igny8_invoices", "igny8_credit_ledger"):
            assert _value(connection, f"SELECT count(*) FROM {table}") == 0
            connection.execute("SET igny8.tenant_id = '3'")
            assert connection.execute(f"SELECT DISTINCT tenant_id FROM {table}").fetchall() == [(3,)]
            connection.execute("RESET igny8.tenant_id")


def test_deployments_and_folders_say_the_same(rows: psycopg.Connection, built: Built) -> None:
    clients = built.sites_data / "clients"
    live = rows.execute(
        "SELECT site_id, tenant_id, slug, version, content_digest FROM igny8_deployments AS deployment"
        " JOIN igny8_sites AS site ON site.id = site_id WHERE deployment.status = 'live'"
    ).fetchall()
    assert {folder.name for folder in clients.iterdir()} == {str(row[0]) for row in live}
    for site, tenant, slug, version, digest in live:
        folder = clients / str(site) / f"v{version}"
        assert (clients / str(site) / "current").readlink() == Path(folder.name)
        files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        assert content_digest(files) == digest
        said = json.loads(files["site-definition.json"])
        assert (said["site_id"], said["tenant_id"], said["slug"], said["version"]) == (site, tenant, slug, version)
    uploads = {path.relative_to(built.sites_data).as_posix() for path in (built.sites_data / "uploads").rglob("*.svg")}
    assert uploads == {path for (path,) in rows.execute("SELECT path FROM igny8_images").fetchall()}


@pytest.mark.further
def test_a_person_sees_own_sites_and_the_application_is_healthy(server: Server, migrated: str) -> None:
    script = """
from django.test import Client
from django.test.utils import setup_test_environment
from igny8_core.igny8.models import Site, User
setup_test_environment()
client, person = Client(), User.objects.get(pk=5)
health = client.get("/healthz")
assert health.status_code == 200, health.content
assert client.get("/sites/").status_code == 302
assert client.login(username=person.email.upper(), password="sample-password")
own = set(Site.objects.filter(tenant__in=person.tenants.all()))
assert len({site.tenant_id for site in own}) == 2
assert set(client.get("/sites/").context["object_list"]) == own
for site in Site.objects.all():
    assert client.get(f"/sites/{site.pk}/").status_code == (200 if site in own else 404)
"""
    environment = _environment(server, migrated)
    _manage("shell", "-c", script, environment=environment)
    unreachable = environment | {"CELERY_BROKER_URL": "redis://127.0.0.1:1/0"}
    broken = 'from django.test import Client; print(Client().get("/healthz").status_code)'
    assert _manage("shell", "-v0", "-c", broken, environment=unreachable).strip() == "503"


@pytest.mark.further
def test_filling_refuses_a_database_that_has_tenants(server: Server, built: Built, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "fill_sample", f"--sites-data={tmp_path}", f"--logs={tmp_path}"],
        cwd=PROJECT,
        env=_environment(server, built.database),
        capture_output=True,
        text=True,
    )
    assert (done.returncode, "already has tenants" in done.stderr) == (1, True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.further
def test_the_sample_backs_itself_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert back_up(["--into", str(tmp_path), "--scale", "1"]) == 0
    folder = Path(capsys.readouterr().out.strip())
    assert [path.name for path in tmp_path.glob("igny8_*")] == [folder.name]
    manifest = json.loads((folder / f"{folder.name}.manifest.json").read_text())
    assert (manifest["tables"]["public.igny8_content"], manifest["large_objects"]) == (3000, 21)
    assert manifest["sample"]
