"""What is put before a comparison, and what is written of it: the ledger's word for the set, and the journal."""

import json
import shutil
from io import StringIO
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from fixtures.commands.backup import Source as Production
from fixtures.commands.recovering.__main__ import NOT_MERGED, REFUSED, Wish, main, recover
from fixtures.custody.drill_ledger import NAME, enter_drill
from fixtures.database.catalogue import take_facts
from fixtures.ownership import derive_ownership
from fixtures.profile.reading import ReadProfile, read_profile
from fixtures.record.evidence import Kind, Verdict
from fixtures.record.facts import Facts
from fixtures.record.record import DrillRecord
from fixtures.recovery.journal import FOLDER
from fixtures.recovery.refused import RecoveryRefused
from fixtures.recovery.tenant import Tenant
from fixtures.server import Server
from tests.support import evidence_examples, record_examples
from tests.support.drills import PROFILE as SAMPLES_PROFILE
from tests.support.drills import Healthy
from tests.support.recovered_shop import CANARY, PROFILE
from tests.support.shop_with_files import removed, tree

SOURCE = ReadProfile("shop", Path("profile.toml"), Path(), "", PROFILE)


def record(server: Server) -> DrillRecord:
    with server.reading("restored") as session:
        facts = take_facts(session)
    return record_examples.record(
        facts=facts, migrated_facts=None, profile_name="shop", profile_problems=(), profile_path="profile.toml"
    )


def drilled(out: Path, record: DrillRecord, verdict: Verdict, run_id: str, kind: Kind = "drill") -> None:
    out.mkdir(exist_ok=True)
    evidence = evidence_examples.verified()
    entered = {"record": record, "run_id": run_id, "verdict": verdict, "kind": kind}
    enter_drill(out / NAME, evidence.model_copy(update=entered), "e" * 64)


def recovered(server: Server, out: Path, record: DrillRecord, **wished: bool) -> int:
    live = Production(
        {
            "host": server.host,
            "port": str(server.port),
            "user": server.user,
            "password": server.password,
            "dbname": server.database("production"),
        }
    )
    return recover(record, server, SOURCE, live, Wish("1", **wished), out)


def journal(out: Path) -> list[dict[str, Any]]:
    (file,) = (out / FOLDER).iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_a_set_that_was_verified_is_compared_and_the_journal_says_so(
    server: Server, production: psycopg.Connection[Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ready = record(server)
    drilled(tmp_path, ready, "FAILED", "run-1")
    drilled(tmp_path, ready, "VERIFIED", "run-2")
    # A release that fails says nothing of the set.
    drilled(tmp_path, ready, "FAILED", "run-3", "gate")
    production.execute("DELETE FROM visits WHERE site = 2")
    assert recovered(server, tmp_path, ready) == 0
    said = capsys.readouterr().out
    assert "5 would be added, 0 changed, 0 removed." in said
    assert "(VERIFIED on " in said
    begun, done = journal(tmp_path)
    assert (begun["step"], begun["state"], begun["tenant"]) == ("compare", "begun", "1")
    assert begun["undrilled"] is False
    assert begun["verified_at"]
    assert (done["state"], done["tables"]["public.visits"]["added"]) == ("done", 5)
    assert CANARY not in said + json.dumps([begun, done])


@pytest.mark.parametrize(
    ("verdicts", "words"),
    [
        ((), "has no drill of this dump"),
        (("VERIFIED", "FAILED"), "the last drill of this dump was FAILED"),
        (("VERIFIED", "INCONCLUSIVE"), "the last drill of this dump was INCONCLUSIVE"),
    ],
)
def test_a_set_that_was_not_verified_last_is_refused_unless_that_is_said(
    server: Server,
    production: psycopg.Connection[Any],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    verdicts: tuple[Verdict, ...],
    words: str,
) -> None:
    ready = record(server)
    for number, verdict in enumerate(verdicts):
        drilled(tmp_path, ready, verdict, f"run-{number}")
    with pytest.raises(RecoveryRefused, match=words):
        recovered(server, tmp_path, ready)
    assert not (tmp_path / FOLDER).exists()
    production.execute("UPDATE sites SET tenant = 2 WHERE id = 2")
    assert recovered(server, tmp_path, ready, undrilled=True) == NOT_MERGED
    assert "(not drilled, or not VERIFIED)" in capsys.readouterr().out
    begun, _ = journal(tmp_path)
    assert (begun["undrilled"], begun["verified_at"]) == (True, None)


def test_a_ledger_that_was_altered_is_not_believed(
    server: Server, production: psycopg.Connection[Any], tmp_path: Path
) -> None:
    ready = record(server)
    drilled(tmp_path, ready, "FAILED", "run-1")
    drilled(tmp_path, ready, "VERIFIED", "run-2")
    ledger = tmp_path / NAME
    ledger.write_text(ledger.read_text().replace("FAILED", "VERIFIED"))
    with pytest.raises(RecoveryRefused, match="cannot be believed"):
        recovered(server, tmp_path, ready)


def test_a_refusal_is_in_the_journal_too(server: Server, production: psycopg.Connection[Any], tmp_path: Path) -> None:
    production.execute("ALTER TABLE bills ADD note text")
    with pytest.raises(RecoveryRefused, match=r"differs in the column note"):
        recovered(server, tmp_path, record(server), undrilled=True)
    assert [line["state"] for line in journal(tmp_path)] == ["begun", "refused"]


def test_production_is_named_by_the_environment_and_reached_before_a_set_is_restored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("DATABASE_URL", "PGDATABASE", "PGSERVICE"):
        monkeypatch.delenv(name, raising=False)
    call = ["1", "--profile", "igny8", "--backups", str(tmp_path), "--out", str(tmp_path), "--no-files"]
    assert main(call) == REFUSED
    assert "no database is named" in capsys.readouterr().err
    monkeypatch.setenv("DATABASE_URL", f"postgresql://somebody:never-shown@/shop?host={tmp_path}")
    assert main(call) == REFUSED
    said = capsys.readouterr().err
    assert "cannot be reached" in said
    assert "never-shown" not in said


@pytest.mark.parametrize(("typed", "comes_back"), [("yes\n", True), ("y\n", False), ("", False)])
def test_it_is_merged_after_a_yes_in_that_word_alone(
    server: Server,
    production: psycopg.Connection[Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    typed: str,
    comes_back: bool,
) -> None:
    production.execute("DELETE FROM visits WHERE site = 2")
    monkeypatch.setattr("sys.stdin", StringIO(typed))
    code = recovered(server, tmp_path, record(server), undrilled=True, merge=True)
    assert code == (0 if comes_back else NOT_MERGED)
    row = production.execute("SELECT count(*) FROM visits WHERE site = 2").fetchone()
    assert row == (5 if comes_back else 0,)
    said = capsys.readouterr().out
    assert ("5 rows added, in 1 table." in said, "Nothing was written to production" in said) == (
        comes_back,
        not comes_back,
    )
    states = [(line["step"], line["state"]) for line in journal(tmp_path)]
    assert ("confirm", "yes" if comes_back else "no") in states
    assert (states[-1] == ("commit", "done")) == comes_back


def test_a_merge_after_which_a_control_finds_more_rows_is_rolled_back(
    server: Server, production: psycopg.Connection[Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # That another bill is negative already is no fault of this merge.
    production.execute("DELETE FROM lines WHERE bill IN (3, 5); DELETE FROM bills WHERE id IN (3, 5)")
    production.execute("UPDATE bills SET total = -1 WHERE id = 2")
    with server.connect("restored") as restored:
        restored.execute("UPDATE bills SET total = -1 WHERE id = 3")
    try:
        ready = record(server)
        with pytest.raises(RecoveryRefused, match=r"BIL-21 .*bills.* 2 rows would break it, 1 do now"):
            recovered(server, tmp_path / "refused", ready, undrilled=True, merge=True, yes=True)
        assert production.execute("SELECT FROM bills WHERE id IN (3, 5)").fetchall() == []
    finally:
        with server.connect("restored") as restored:
            restored.execute("UPDATE bills SET total = 3 WHERE id = 3")
    assert recovered(server, tmp_path / "merged", record(server), undrilled=True, merge=True, yes=True) == 0
    assert len(production.execute("SELECT FROM bills WHERE id IN (3, 5)").fetchall()) == 2
    done = next(line for line in journal(tmp_path / "merged") if (line["step"], line["state"]) == ("check", "done"))
    assert done["checks"] >= 10
    assert done["untried"] == []
    assert f"{done['checks']} checks of tenants, money and rules found no more rows" in capsys.readouterr().out


def test_nothing_is_merged_while_something_is_in_the_way(
    server: Server, production: psycopg.Connection[Any], tmp_path: Path
) -> None:
    production.execute("DELETE FROM visits WHERE site = 4; UPDATE sites SET tenant = 2 WHERE id = 2")
    assert recovered(server, tmp_path, record(server), undrilled=True, merge=True, yes=True) == NOT_MERGED
    assert production.execute("SELECT count(*) FROM visits WHERE site = 4").fetchone() == (0,)


def digests(connection: psycopg.Connection[Any], facts: Facts) -> dict[str, Any]:
    """Rows and digest of every table of the sample."""
    query = sql.SQL("SELECT count(*), sum(hashtextextended(t::text, 0)) FROM {} t")
    return {
        str(table.name): connection.execute(query.format(table.name.identifier)).fetchone()
        for table in facts.whole_tables
    }


def delete_tenant(connection: psycopg.Connection[Any], facts: Facts, tenant: Tenant) -> None:
    """Every row of it, those first that lead to their tenant by others; no trigger fires."""
    owned = derive_ownership(facts, read_profile(SAMPLES_PROFILE).profile.tenancy).owned
    for table in sorted(
        facts.whole_tables, key=lambda table: -len(owned[table.name].steps) if table.name in owned else 0
    ):
        if (path := owned.get(table.name)) is not None:
            connection.execute(
                sql.SQL(
                    "DELETE FROM {0} WHERE (tableoid, ctid) IN (SELECT r.tableoid, r.ctid FROM {0} r {1} WHERE {2})"
                ).format(table.name.identifier, path.joins("r"), tenant.owns(path, "r"))
            )


@pytest.mark.further
def test_a_tenant_of_the_sample_that_was_deleted_comes_back_by_one_command(
    whole_set: Path,
    healthy: Healthy,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    healthy.server.create_database("live", template=healthy.built.database)
    data = tmp_path / "data"
    shutil.copytree(healthy.built.sites_data, data, symlinks=True)
    whole = tree(data)

    def called(*more: str) -> int:
        for name, value in healthy.server.environment("live").items():
            monkeypatch.setenv(name, value)
        call = ["--profile", "igny8", "--backups", str(whole_set.parent), "--out", str(tmp_path / "out")]
        return main([tenant.key, *call, *more])

    try:
        with healthy.server.connect("live", options="-c session_replication_role=replica") as live:
            facts = take_facts(live)
            row = live.execute("SELECT min(id) FROM igny8_tenants").fetchone()
            assert row is not None
            tenant = Tenant(str(row[0]), "bigint")
            before = digests(live, facts)
            sites = [
                str(site) for (site,) in live.execute("SELECT id FROM igny8_sites WHERE tenant_id = %s", [tenant.key])
            ]
            delete_tenant(live, facts, tenant)
            changed = [name for name, digest in digests(live, facts).items() if digest != before[name]]
            assert len(changed) > 10
        for folder in (*(data / "clients" / site for site in sites), data / "uploads" / tenant.key):
            if folder.exists():
                removed(folder)
        assert len(whole) - len(tree(data)) > 10
        with pytest.raises(SystemExit, match="4"):
            called()
        assert "so tenants have files: name production's folders (--sites-data DIR" in capsys.readouterr().err
        assert called("--sites-data", str(data)) == REFUSED
        assert "has no drill with the profile igny8 that was VERIFIED" in capsys.readouterr().err
        assert called("--sites-data", str(data), "--undrilled", "--merge", "--yes") == 0
        assert tree(data) == whole
        with healthy.server.connect("live") as live:
            assert digests(live, facts) == before
    finally:
        healthy.server.drop_database("live")
    assert "Committed." in capsys.readouterr().out
