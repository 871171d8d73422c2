"""A check is proven where it finds the fault that is planted for it, and blind where it does not; nothing planted stays."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import psycopg
import pytest
from psycopg import sql

from fixtures.checks import databases
from fixtures.checks.access import Access
from fixtures.checks.drilled import Drilled
from fixtures.checks.examination import Examination, Finding
from fixtures.checks.fidelity import spoilers
from fixtures.checks.planting import Planting
from fixtures.checks.probe import Probe
from fixtures.checks.tenancy import table_pass
from fixtures.commands.drafting.draft import draft
from fixtures.proof import prove, rewired
from fixtures.proof.rotation import NOT_CHOSEN, OUT_OF_BUDGET, STOPPED, Earlier, Sample
from fixtures.record.facts import Table
from fixtures.record.proof import Proof, Proving
from fixtures.server.sessions import pin
from tests.support import short_drills
from tests.support.drills import SAMPLE, Drill, Signed
from tests.support.profiles import profile_and
from tests.support.short_drills import Standing
from tests.support.spoiled_sets import profile_with

LOOKED_AT_BY_EXAMINATION = {
    *(f"FID-{number:02}" for number in (2, 3, 7, 9, 10, 11, 12)),
    *(f"FIL-{number:02}" for number in (1, 2, 3)),
    *(f"SIT-{number:02}" for number in (1, 2, *range(3, 8), *range(9, 16), 17)),
    *("BAK-13", "BAK-16", "BIL-07", "RST-11", "TEN-01", "TEN-05", "TEN-07", "TEN-10", "TEN-13", "TEN-14"),
}
SAID_BY_THEMSELVES = {f"FID-{number:02}" for number in (1, 4, 5, 6, 8)}
"""Those that raise what they find without the help of `Examination`."""
BLINDED = ("rows_changed_hands", "other_sums", "dealt_otherwise")
CROSSING = "public.igny8_content(parent_id)->public.igny8_content"
WHATEVER_CROSSES = "public.igny8_keywords(site_id)->public.igny8_sites"
UP_TO_THIRTY = "public.igny8_payments(invoice_id)->public.igny8_invoices"
FINDS_NOTHING = """-- id: BIL-99
-- title: No note is empty
-- impact: low
-- remediation: Delete it.
-- rationale: A note without a text tells nobody anything.
-- examines: SELECT count(*) FROM public.igny8_notes
SELECT id FROM public.igny8_notes WHERE body = '' AND false
"""


def proven_of(drill: Drill) -> Proving:
    proving = drill.evidence.proving
    assert proving is not None
    assert [(each.control, each.subject) for each in proving.proofs] == [
        (each.control, each.subject) for each in drill.evidence.results
    ]
    return proving


def outcomes_of(proving: Proving) -> dict[tuple[str, str], str]:
    return {(each.control, each.subject): each.outcome for each in proving.proofs}


def says_of(proving: Proving, control: str, subject: str = "whole") -> Proof:
    return next(each for each in proving.proofs if (each.control, each.subject) == (control, subject))


class Beside:
    """Another worker, which tries each check while its fault is planted and not taken back: what it finds, and what passes.
    Where a constraint was taken off it waits for the table, and sees nothing either. It asks all by itself."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self.passed: list[str] = []
        self.waited: list[str] = []

    def looked(self, judge: Callable[..., prove.Seen]) -> Callable[..., prove.Seen]:
        def judged(checked: prove.Checked, *planted: Any) -> prove.Seen:
            try:
                with ExitStack() as until:
                    for database in rewired.databases(checked.arguments):
                        until.enter_context(waiting_no_longer_than(database, "50ms"))
                    checked.function(**{name: unanswered(value) for name, value in checked.arguments.items()})
                self.passed.append(checked.control)
            except Finding as finding:
                self.found.append(f"{checked.control} {checked.subject}: {finding.message}")
            except psycopg.errors.LockNotAvailable:
                self.waited.append(checked.control)
            return judge(checked, *planted)

        return judged


@contextmanager
def waiting_no_longer_than(database: databases.Database, limit: str) -> Iterator[None]:
    pin(database.session, {"lock_timeout": limit}, local=False)
    try:
        yield
    finally:
        pin(database.session, {"lock_timeout": "0"}, local=False)


def unanswered(argument: object) -> object:
    return replace(argument, answers=None) if isinstance(argument, databases.Database) else argument


def contents_of(access: Access) -> dict[str, str]:
    """A digest of each table's rows in both databases."""
    digests = {}
    for database in (access.restored, access.migrated):
        with access.connect(database) as session:
            tables = session.execute(
                "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
                "WHERE c.relkind = 'r' AND n.nspname !~ '^(pg_|information_schema)'"
            ).fetchall()
            for schema, name in tables:
                query = sql.SQL("SELECT md5(string_agg(t::text, ',' ORDER BY t::text)) FROM {} t")
                row = session.execute(query.format(sql.Identifier(schema, name))).fetchone()
                assert row is not None
                digests[f"{database}.{schema}.{name}"] = row[0]
            constraints = session.execute(
                "SELECT count(*), md5(string_agg(conname, ',' ORDER BY oid)) FROM pg_constraint"
            )
            digests[database] = str(constraints.fetchone())
    return digests


@pytest.mark.further
def test_every_planted_fault_is_found_on_the_healthy_sample_and_gone_afterwards(
    standing: Standing, second_drill: Signed, whole_set: Path, tmp_path: Path
) -> None:
    try_controls: Callable[..., Any] = short_drills.try_controls
    before_and_after = []

    def watched(drilled: Any, access: Access, *arguments: Any, **how: Any) -> Any:
        before_and_after.append(contents_of(access))
        tried = try_controls(drilled, access, *arguments, **how)
        before_and_after.append(contents_of(access))
        return tried

    beside = Beside()
    with patch.object(short_drills, "try_controls", watched), patch.object(prove, "_seen", beside.looked(prove._seen)):
        drill = standing.drill(whole_set.parent, tmp_path / "out", proving=True)
    proving = proven_of(drill)
    assert proving.blind == ()
    assert not [each for each in proving.proofs if "internal error" in each.says]
    # What the database works out by itself is no value that a fault could be planted in.
    assert not [each for each in proving.proofs if "428C9" in each.says]
    proven = {each.control for each in proving.proofs if each.outcome == "proven"}
    assert proven >= {f"TEN-{number:02}" for number in (2, 3, 4, 9, 11)}
    assert proven >= {f"BIL-{number:02}" for number in range(1, 25) if number not in (7, 18)}
    assert proven >= {f"BAK-{number:02}" for number in range(1, 10)}
    assert proven >= LOOKED_AT_BY_EXAMINATION
    assert proven >= {*SAID_BY_THEMSELVES, "TEN-15", "APP-07", "FIL-04", "RST-13", "RST-15"}
    (no_server,) = [each for each in proving.proofs if each.control == "BAK-14"]
    assert (no_server.outcome, "no foreign server is there" in no_server.says) == ("unproven", True)
    read_again = {each.subject for each in proving.proofs if each.control == "FID-04" and "read again" in each.says}
    assert read_again >= {"public.igny8_content", "public.igny8_invoices", "public.igny8_tenants"}
    in_tests = {each.control for each in proving.proofs if each.outcome == "in tests"}
    assert in_tests == {"TEN-06", "TEN-12", "RST-10", "RST-12", "RST-14"}
    assert not in_tests & proven
    assert drill.evidence.verdict == "VERIFIED"
    compared = proving.compared
    assert compared is not None
    assert compared.compared[0].startswith("public.")
    assert beside.found == []
    assert len(beside.passed) > len(beside.waited) > 0
    assert {"BIL-03", "FIL-04", "RST-13", "TEN-02", "TEN-15"} <= set(beside.passed)
    assert "TEN-03" in beside.waited
    # Two workers, one of which plants while the other checks, come to the same.
    by_workers = second_drill.drill
    assert (by_workers.red, by_workers.blocked) == ({}, {}), by_workers.output
    assert outcomes_of(proven_of(by_workers)) == outcomes_of(proving)
    before, after = before_and_after
    assert len(before) > 2
    assert before == after


@pytest.mark.further
def test_checks_that_no_longer_raise_what_they_count_are_blind(
    standing: Standing, whole_set: Path, tmp_path: Path
) -> None:
    """A mutant of what most controls say their findings by: each of them finds nothing, and says that it looked. Those of
    fidelity that raise theirs themselves compare the source with itself, or raise nothing."""

    def sees(self: Examination, broken: object, says: str, *, of: int, unit: str, counted: object = None) -> None:
        self.saw(of, unit)

    def holds(self: Examination, holds: bool, otherwise: str, *, unit: str = "") -> None:
        self.saw(1, unit)

    with ExitStack() as mutants:
        mutants.enter_context(patch.object(Examination, "expect_none", sees))
        mutants.enter_context(patch.object(Examination, "expect", holds))
        mutants.enter_context(patch.object(Drilled, "restored_contents", Drilled.source_contents))
        for name in BLINDED:
            mutants.enter_context(patch(f"verify.test_fidelity.{name}"))
        drill = standing.drill(whole_set.parent, tmp_path / "out", proving=True)
    blind = {each.control for each in proven_of(drill).blind}
    assert blind >= LOOKED_AT_BY_EXAMINATION | SAID_BY_THEMSELVES
    assert not blind & {"TEN-03", "TEN-15"}
    assert drill.evidence.verdict == "INCONCLUSIVE"


def test_a_query_that_returns_nothing_and_a_crossing_that_excuses_what_is_planted_are_blind_and_nothing_else_is(
    standing: Standing, whole_set: Path, tmp_path: Path
) -> None:
    """A condition that returns whatever crosses, a control whose query returns no row, and a rule that never does. Where no
    value is lost, a table that is read again has the source's digest: only the fault makes it another. A reference whose
    rows are all excused before anything is planted is unproven, and one of which so many may cross is proven with more."""
    profile = profile_and(
        tmp_path,
        f"""
        [[tenancy.crossing]]
        reference = "{CROSSING}"
        condition = "every_row.sql"
        reason = "Translations may hang on any page."

        [[tenancy.crossing]]
        reference = "{WHATEVER_CROSSES}"
        condition = "whatever_crosses.sql"
        reason = "Keywords may be shared between branches."

        [[tenancy.crossing]]
        reference = "{UP_TO_THIRTY}"
        at_most = 30
        reason = "A parent company pays some invoices of its branches."
        """,
    )
    (profile / "every_row.sql").write_text("SELECT id FROM public.igny8_content")
    (profile / "whatever_crosses.sql").write_text(
        "SELECT k.id FROM public.igny8_keywords k JOIN public.igny8_sites s ON s.id = k.site_id "
        "WHERE s.tenant_id <> k.tenant_id"
    )
    (profile / "rules" / "no-empty-note.sql").write_text(FINDS_NOTHING)
    asked = table_pass.rows_without_owner

    def of_no_row(*arguments: Any) -> Probe:
        probe = asked(*arguments)
        nothing = sql.SQL("SELECT * FROM ({}) b WHERE false").format(probe.broken)
        return Probe(nothing, probe.examined, probe.says)

    loses = spoilers._a_value_lost

    def of_no_content(planting: Planting, table: Table) -> str:
        return "nothing" if str(table.name) == "public.igny8_content" else loses(planting, table)

    nothing_lost = patch.object(spoilers, "_a_value_lost", of_no_content)
    with patch.object(table_pass, "rows_without_owner", of_no_row), nothing_lost:
        drill = standing.drill(whole_set.parent, tmp_path / "out", profile=profile, proving=True)
    proving = proven_of(drill)
    assert {each.control for each in proving.blind} == {"BIL-99", "FID-04", "TEN-02", "TEN-03"}
    assert {each.subject for each in proving.blind if each.control == "FID-04"} == {"public.igny8_content"}
    assert {each.subject for each in proving.blind if each.control == "TEN-02"} == {WHATEVER_CROSSES}
    hidden = says_of(proving, "TEN-02", WHATEVER_CROSSES)
    assert hidden.hidden_by == ("crossing: Keywords may be shared between branches.",)
    assert (
        "the profile excuses every row that could be planted on: Translations may hang on any page."
        in says_of(proving, "TEN-02", CROSSING).says
    )
    beyond = says_of(proving, "TEN-02", UP_TO_THIRTY)
    assert (beyond.outcome, beyond.says.startswith("31 rows of public.igny8_payments pointed at")) == ("proven", True)
    assert "returns no row whatever the tables hold" in says_of(proving, "BIL-99").says
    assert says_of(proving, "BIL-51").outcome == "proven"
    assert "no exception of the profile accounts for it" in says_of(proving, "TEN-03", "public.igny8_content").says
    assert drill.evidence.verdict == "INCONCLUSIVE"
    assert "are blind to a planted fault (BIL-99, FID-04, TEN-02, TEN-03)" in drill.evidence.headline
    page = (drill.directory / "index.html").read_text()
    assert "Nothing: no control found a fault" not in page
    assert f"{len(proving.blind)} checks did not see the fault that was planted for them" in page
    assert "blind TEN-03 [public.igny8_content]" in drill.output
    assert says_of(proving, "BIL-03", "invoices").outcome == "proven"
    unplanted = says_of(proving, "TEN-02", "public.igny8_usage_logs(tenant_id,entry_no)->public.igny8_credit_ledger")
    assert (unplanted.outcome, unplanted.says[:19]) == ("unproven", "nothing was planted")


@pytest.mark.further
def test_a_table_called_shared_and_statuses_called_unpaid_that_hide_tenants_rows_and_paid_documents_are_blind(
    standing: Standing, short_drill: Drill, whole_set: Path, tmp_path: Path
) -> None:
    """A table that is called shared and holds tenants' rows, and statuses that count every document as unpaid: what they
    take from a check is blind by their name. Others find the rows. A table that is shared, and nobody's, is unproven."""
    profile = profile_with(
        tmp_path,
        {
            "[tenancy.shared]\n": '[tenancy.shared]\nigny8_notes = "everybody reads them"\n',
            'paid = ["paid"]\nunpaid = ["draft", "open", "void"]': 'paid = ["done"]\n'
            'unpaid = ["draft", "open", "void", "paid"]',
        },
    )
    tried = frozenset(
        (each.control, each.subject)
        for each in short_drill.evidence.results
        if each.control.startswith(("TEN-01", "BIL"))
    )
    drill = standing.drill(whole_set.parent, tmp_path / "out", profile=profile, proving=Sample(tried))
    proving = proven_of(drill)
    assert drill.red == {
        "BIL-13": ["payments"],
        "TEN-04": ["public.igny8_notes"],
        "TEN-08": ["public.igny8_notes(tenant_id)->public.igny8_tenants"],
    }
    *of_money, of_tenants = proving.blind
    assert [(each.control, each.subject) for each in proving.blind] == [
        ("BIL-04", "payments"),
        ("BIL-14", "payments"),
        ("TEN-01", "public.igny8_notes"),
    ]
    assert of_tenants.hidden_by == ("shared: everybody reads them",)
    assert "lead to a tenant by tenant_id" in of_tenants.says
    for each in of_money:
        assert each.hidden_by == ("statuses of invoices: draft, open, void, paid are called unpaid",)
        assert "of public.igny8_invoices with one of `unpaid`" in each.says
    plans = says_of(proving, "TEN-01", "public.igny8_plans")
    assert (plans.outcome, "the profile shares the table on purpose" in plans.says) == ("unproven", True)


@pytest.mark.further
def test_what_a_draft_takes_of_the_sample_hides_no_planted_fault(
    standing: Standing, whole_set: Path, tmp_path: Path
) -> None:
    with standing.server.reading("standing_restored") as session:
        text = draft(standing.record, session, "igny8", SAMPLE)
    (tmp_path / "drafted").mkdir()
    (tmp_path / "drafted" / "profile.toml").write_text(text)
    drill = standing.drill(whole_set.parent, tmp_path / "out", profile=tmp_path / "drafted", proving=True)
    proving = proven_of(drill)
    assert [(each.control, each.subject, each.says) for each in proving.blind] == []
    proven = {each.control for each in proving.proofs if each.outcome == "proven"}
    assert proven >= {"TEN-02", "TEN-03", "BIL-03", "BIL-04"}


def test_a_drill_that_plants_nothing_says_so(short_drill: Drill) -> None:
    assert short_drill.evidence.proving is None
    assert [words for words in short_drill.evidence.not_shown if "no fault was planted tonight" in words]
    # The sample is healthy: what it leaves open can be read at a glance.
    assert len(short_drill.evidence.not_shown) <= 10, short_drill.evidence.not_shown


@pytest.mark.further
def test_a_budget_that_the_first_proof_uses_up_leaves_every_other_unproven(
    standing: Standing, short_drill: Drill, whole_set: Path, tmp_path: Path
) -> None:
    checks = frozenset((each.control, each.subject) for each in short_drill.evidence.results)
    budget = Sample(checks, share=0, began=time.time())
    drill = standing.drill(whole_set.parent, tmp_path / "out", proving=budget)
    proving = proven_of(drill)
    (begun,) = [each for each in proving.proofs if each.seconds]
    assert begun.outcome == "proven"
    left = [each for each in proving.proofs if not each.tried]
    assert {each.says for each in left} == {OUT_OF_BUDGET}
    assert len(left) > 400
    assert drill.evidence.verdict == "VERIFIED"


@pytest.mark.further
def test_a_fault_that_was_not_taken_back_fails_the_drill_and_ends_all_planting(
    standing: Standing, whole_set: Path, tmp_path: Path
) -> None:
    change = Planting.update
    committed = []

    def for_good(planting: Planting, *what: Any) -> str:
        said = change(planting, *what)
        committed.append(said)
        planting.database.session.execute("COMMIT")
        return said

    earlier = standing.drill(whole_set.parent, tmp_path / "first", proving=Earlier())
    rotation = proven_of(earlier)
    assert rotation.extent == "budget"
    assert rotation.stayed == ()
    assert rotation.compared is not None
    assert {each.says for each in rotation.proofs if not each.tried} >= {NOT_CHOSEN}
    assert earlier.evidence.verdict == "VERIFIED"
    with patch.object(Planting, "update", for_good):
        drill = standing.drill(whole_set.parent, tmp_path / "out", proving=Earlier(rotation))
    proving = proven_of(drill)
    (stayed,) = proving.stayed
    assert stayed.stayed == "the server says of its transaction: committed"
    assert len(committed) == 1
    assert drill.evidence.verdict == "FAILED"
    assert f"what was planted to try {stayed.control} was not taken back" in drill.evidence.headline
    assert STOPPED in {each.says for each in proving.proofs}
    assert f"not taken back {stayed.control}" in drill.output
    assert f"{stayed.control}</span> was not taken back" in (drill.directory / "index.html").read_text()
