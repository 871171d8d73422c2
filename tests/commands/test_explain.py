"""A table is explained from a finished drill: whose it is, what it points at, and every control that touches it."""

import shutil
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from fixtures.commands.explaining.__main__ import explained as lines_of
from fixtures.commands.explaining.__main__ import main
from fixtures.commands.explaining.facts_source import from_run
from fixtures.commands.explaining.touching import speaks_of
from fixtures.profile.money import Ledger
from fixtures.record.evidence import Evidence
from fixtures.record.names import TableName
from fixtures.record.proof import Proof, Proving
from tests.support import record_examples
from tests.support.called import called
from tests.support.drills import PROFILE, Drill

explain = partial(called, main)


def explained(table: str, run: Path, *more: str) -> str:
    """On one line, since the margin is not what is tried."""
    done = explain(table, "--run", str(run), *more)
    assert done.returncode == 0, done.stderr
    return " ".join(done.stdout.replace("public.", "").split())


def test_an_owned_table_is_told_with_its_way_to_the_tenant(short_drill: Drill) -> None:
    text = explained("igny8_content", short_drill.directory)
    for words in (
        "owner igny8_content -> igny8_sectors -> igny8_sites -> igny8_tenants (foreign keys)",
        "points at igny8_users by author_id: igny8_users is no tenant's",
        "igny8_content by parent_id: must stay inside one tenant",
        "igny8_sectors by sector_id: decides the owner",
        "by igny8_images(content_id): decides the owner",
        "in findings a row is named by id as it is; no other column of it is ever shown",
    ):
        assert words in text, words


@pytest.mark.further
def test_every_control_that_touches_it_is_told_with_its_last_outcome(short_drill: Drill) -> None:
    text = explained("igny8_credit_ledger", short_drill.directory)
    examined = short_drill.result("BIL-01", "credits").examined
    for words in (
        f"BIL-01 The ledger's running balance holds at every entry credits: passed, {examined:,} ledger entries examined",
        "TEN-02 Every reference stays inside one tenant",
        "igny8_usage_logs(tenant_id,entry_no)->igny8_credit_ledger: passed",
        "TEN-06",
        "BIL-51",
        "money amount balance_after",
        "ledger 'credits' (tenant_id, entry_no, amount, balance_after)",
        "ledger 'credits'.kinds (kind)",
    ):
        assert words in text, words
    assert "BIL-06" not in text
    assert "BIL-02" in explained("igny8_tenants", short_drill.directory)


@pytest.mark.further
def test_what_its_proof_came_to_is_told_beside_each_check(short_drill: Drill) -> None:
    subject, last = "public.igny8_content(parent_id)->public.igny8_content", datetime(2026, 11, 20, tzinfo=UTC)
    says = "1 row of public.igny8_content pointed at another tenant's, and the control did not see it"
    blind = Proof(control="TEN-02", subject=subject, outcome="blind", says=says, last_proven=last)
    source = replace(from_run(short_drill.directory, PROFILE), proving=Proving(seed="5eed", proofs=(blind,)))
    text = " ".join(" ".join(lines_of(source, "igny8_content")).split())
    assert f"blind: {says}; last proven on 2026-11-20" in text


@pytest.mark.further
def test_a_shared_table_is_told_with_its_reason(short_drill: Drill) -> None:
    text = explained("igny8_plans", short_drill.directory)
    assert "owner none: shared, since the price list, the same for everyone" in text
    assert "money price, in currency_id monthly_credits" in text
    assert "TEN-03" not in text


@pytest.mark.further
def test_a_column_of_paths_is_told_with_where_its_files_lie(short_drill: Drill) -> None:
    text = explained("igny8_images", short_drill.directory)
    assert "files path, below sites-data of the archive, which claims all below sites-data/uploads" in text
    assert "FIL-01" in text


@pytest.mark.further
def test_a_name_in_mixed_case_is_found_as_it_is_written(short_drill: Drill) -> None:
    assert "a row is named by entryId as it is" in explained("igny8_AuditTrail", short_drill.directory)
    done = explain("igny8_audittrail", "--run", str(short_drill.directory))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("no table public.igny8_audittrail in that database; did you mean igny8_AuditTrail")


@pytest.mark.further
def test_what_is_unconfirmed_of_it_is_said(short_drill: Drill, tmp_path: Path) -> None:
    profile = Path(shutil.copytree(PROFILE, tmp_path / "igny8"))
    file = profile / "profile.toml"
    file.write_text('unconfirmed = ["ledger.credits", "tenancy.root", "tenancy.shared"]\n' + file.read_text())
    text = explained("igny8_credit_ledger", short_drill.directory, "--profile", str(profile))
    assert "is not the profile of that run any more: what is believed is by the one of now." in text
    assert "unconfirmed ledger.credits is a guess of the profile's draft policy" in text


@pytest.mark.further
def test_a_profile_that_does_not_fit_leaves_the_references(short_drill: Drill, tmp_path: Path) -> None:
    profile = Path(shutil.copytree(PROFILE, tmp_path / "igny8"))
    file = profile / "profile.toml"
    file.write_text(file.read_text().replace('root = "igny8_tenants"', 'root = "igny8_tenant"'))
    text = explained("igny8_content", short_drill.directory, "--profile", str(profile))
    assert "profile does not fit the database: " in text
    assert "tenancy.root: no table igny8_tenant in the restored database; did you mean igny8_tenants?" in text
    assert "points at igny8_users by author_id" in text


def test_what_the_run_found_of_the_profiles_queries_is_told_and_leaves_the_rest(
    short_drill: Drill, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    evidence = short_drill.evidence
    path = evidence.record.profile_path
    problems = (
        f"{path}: sites.pages.query: pages.sql: it returns no site",
        f"{path}: ledger 'credits'.kinds.column: no column kind in public.igny8_credit_ledger",
    )
    record = evidence.record.model_copy(update={"profile_problems": problems})
    why = {"outcome": "blocked", "message": f"the profile does not fit the database: {problems[1]}"}
    results = tuple(each.model_copy(update=why if each.control == "BIL-01" else {}) for each in evidence.results)
    (tmp_path / "evidence.json").write_text(
        evidence.model_copy(update={"record": record, "results": results}).model_dump_json()
    )
    assert main(["igny8_credit_ledger", "--run", str(tmp_path)]) == 0
    text = " ".join(capsys.readouterr().out.split())
    for problem in problems:
        assert f"does not fit the database: {problem}" in text
    assert "money amount" in text
    assert "BIL-01 The ledger's running balance holds at every entry credits: blocked" in text
    assert "TEN-02 Every reference stays inside one tenant" in text


def test_a_run_that_is_not_there_is_told_with_what_to_name(tmp_path: Path) -> None:
    done = explain("igny8_content", "--run", str(tmp_path))
    assert done.returncode == 1
    assert (
        "evidence.json cannot be read (No such file or directory). Drill once (make drill), or name a run"
        in done.stderr
    )


def test_a_run_that_never_had_its_facts_is_told_with_why(short_drill: Drill, tmp_path: Path) -> None:
    evidence = short_drill.evidence
    record = evidence.record.model_copy(
        update={
            "facts": None,
            "migrated_facts": None,
            "stages": record_examples.stages("restore", "the disk is full", ""),
        }
    )
    without = Evidence.model_validate(evidence.model_dump() | {"record": record.model_dump()})
    (tmp_path / "evidence.json").write_text(without.model_dump_json())
    done = explain("igny8_content", "--run", str(tmp_path))
    assert done.returncode == 1
    assert "that run has no facts of any table: facts blocked" in done.stderr


@pytest.mark.further
def test_a_set_is_restored_for_it_where_no_run_is_at_hand(whole_set: Path) -> None:
    done = explain("igny8_images", "--backups", str(whole_set.parent), "--profile", "igny8")
    assert done.returncode == 0, done.stderr
    assert "restored and not migrated: no control was tried" in done.stdout
    assert "public.igny8_images -> public.igny8_content -> public.igny8_sectors" in done.stdout
    assert "public.igny8_images: not drilled" in done.stdout


@pytest.mark.parametrize(("name", "spoken_of"), [("entries", True), ("accounts", True), ("entry", False)])
def test_a_subject_speaks_of_every_table_within_it(name: str, spoken_of: bool) -> None:
    ledger = Ledger.model_validate(
        {
            "name": "entry",
            "table": "entries",
            "account": "a",
            "order": ["id"],
            "amount": "amount",
            "balance": "balance",
            "balance_of": {"table": "accounts", "key": "id", "column": "balance"},
        }
    )
    assert speaks_of({"given": (ledger, 3)}, TableName.parse(name)) is spoken_of
