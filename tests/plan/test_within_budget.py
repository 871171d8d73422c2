"""Checks that do not fit into their time are tried on some tenants: worked out before the first of them, and said."""

import hashlib
import pickle
import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from fixtures.checks.drilled import Drilled
from fixtures.checks.sampled import Samples
from fixtures.plan.cards import read_controls, read_rules
from fixtures.plan.rows_read import Check, asked_together, reading
from fixtures.plan.within_budget import KEPT_BACK, MICROSECONDS_PER_ROW, TELLING_ROWS, within_budget
from fixtures.profile.reading import read_profile
from fixtures.record.budget import NO_TIME, ChecksBudget
from fixtures.record.evidence import Evidence, Impact
from fixtures.record.facts import Facts
from fixtures.record.queries import FILE as QUERIES
from fixtures.record.queries import AskedTogether
from fixtures.record.record import DrillRecord
from tests.support.drills import PROFILE, ROOT, Drill, drill
from tests.support.profiles import profile_and
from tests.support.short_drills import Standing

CONTROLS, RULES = read_controls(ROOT / "verify"), read_rules(PROFILE)
IMPACTS: tuple[Impact, ...] = ("critical", "high", "medium", "low")
ROOT_TABLE = "public.igny8_tenants"
STRAY = ("TEN-02", "public.igny8_usage_logs(content_id)->public.igny8_content")
# Of tenant 1, to what tenant 2 owns.
FAULT = "UPDATE igny8_usage_logs SET content_id = 700 WHERE usage_no = 1"


@pytest.fixture(scope="module")
def drilled(short_drill: Drill) -> Drilled:
    return of_record(short_drill.evidence.record)


def of_record(record: DrillRecord) -> Drilled:
    return Drilled.of_record(record, read_profile(PROFILE))


def planned(drilled: Drilled, minutes: float) -> tuple[ChecksBudget, Samples]:
    return within_budget(CONTROLS, RULES, drilled, minutes)


def estimated(drilled: Drilled) -> dict[tuple[str, str], Check]:
    return {(check.control, check.subject): check for check in reading(CONTROLS, RULES, drilled)}


def seed_that_draws(tenant: int, among: Iterable[int]) -> str:
    """A drill's name by which this tenant is drawn first."""

    def first(seed: str) -> int:
        return min(among, key=lambda each: hashlib.sha256(f"{seed}{each}".encode()).digest())

    return next(seed for number in range(999) if first(seed := f"short-{number}") == tenant)


def test_what_a_check_reads_is_what_it_is_estimated_by(short_drill: Drill, drilled: Drilled) -> None:
    """By the words of its queries. Where several ask in one pass, each of them is estimated by its own part of it; the list
    of currencies is short, and the tenants are named for the type of their key where nobody owns a row."""
    lines = (short_drill.folder / QUERIES).read_text().splitlines()
    asked = {each.sha256: each.queries for each in map(AskedTogether.model_validate_json, lines)}
    checks, facts = estimated(drilled), drilled.migrated_facts
    names = {f'"{each.name.schema}"."{each.name.name}"': each.name for each in facts.whole_tables}
    own: dict[str, set[object]] = {}
    read: dict[str, set[object]] = {}
    for result in short_drill.evidence.results:
        for query in asked.get(result.query_sha256, ()):
            there = {name for words, name in names.items() if words in query.text}
            check = checks.get((result.control, result.subject))
            assert check is not None or not there, (result.control, result.subject)
            read.setdefault(query.text, set()).update(there)
            own.setdefault(query.text, set()).update(check.tables if check is not None else ())
    beyond = {str(name) for text, there in read.items() for name in there - own[text]}
    assert any(read.values())
    assert beyond <= {"public.igny8_currencies", ROOT_TABLE}


def test_where_all_fit_nothing_is_drawn(drilled: Drilled) -> None:
    budget, samples = planned(drilled, 60)
    assert (budget.tenants, dict(samples)) == (None, {})
    assert 0 < budget.estimate_minutes < budget.minutes
    # No sum of theirs, in another order, is more than they are together.
    rows = sum(each.weighed for each in asked_together(estimated(drilled).values()).values())
    assert planned(drilled, rows * MICROSECONDS_PER_ROW / 1e6 / 60 * (1 + 1e-12))[0].tenants is None


def test_what_checks_ask_in_one_pass_is_estimated_once(drilled: Drilled) -> None:
    """Not what holds ids in JSON, which has a pass of its own; and what is asked whole is asked so for all that share it."""
    checks = estimated(drilled)
    names = {check.asked_with for check in checks.values() if check.asked_with}
    assert {"tenants of public.igny8_content_tags", "money of public.igny8_invoices", "sites", "files"} <= names
    of_tags = [check for check in checks.values() if check.asked_with == "tenants of public.igny8_content_tags"]
    assert {check.control for check in of_tags} == {"TEN-02", "TEN-03", "TEN-11"}
    together = asked_together(of_tags)["tenants of public.igny8_content_tags"]
    assert together.tables == frozenset().union(*(check.tables for check in of_tags))
    assert max(check.rows for check in of_tags) <= together.rows < sum(check.rows for check in of_tags)
    assert {check.asked_with for check in checks.values() if check.control == "TEN-09"} == {""}
    _, samples = planned(drilled, planned(drilled, 60)[0].estimate_minutes / 2)
    sampled = {checks[name].asked_in for name in samples}
    assert sampled
    assert sampled.isdisjoint(check.asked_in for name, check in checks.items() if name not in samples)


@pytest.mark.parametrize("part", [0.9, 0.7, 0.5, 0.3])
def test_what_was_chosen_is_estimated_at_no_more_than_the_budget(drilled: Drilled, part: float) -> None:
    """The rows that a reference without a constraint means are read whole on however few tenants it is tried."""
    larger = of_facts(drilled, 600, TELLING_ROWS)
    minutes = planned(larger, 60)[0].estimate_minutes * part
    budget, samples = planned(larger, minutes)
    checks = estimated(larger)
    passes, per_row = asked_together(checks.values()), budget.microseconds_per_row / 1e6
    sampled = [checks[name] for name in samples]
    assert budget.tenants is not None
    whole = passes.keys() - {check.asked_in for check in sampled}
    takes = sum(passes[name].weighed for name in whole)
    takes += sum(passes[name].weighed_anyway for name in passes.keys() - whole)
    takes += sum(check.weighed - check.weighed_anyway for check in sampled) * budget.tenants / budget.of
    assert minutes * 60 * (1 - KEPT_BACK) * 0.8 <= takes * per_row <= minutes * 60


@pytest.mark.parametrize(("rows", "sampled"), [(TELLING_ROWS, False), (9 * TELLING_ROWS, True)])
def test_what_takes_less_on_all_rows_than_on_some_is_tried_on_all(drilled: Drilled, rows: int, sampled: bool) -> None:
    """A reference without a constraint reads all that it may mean; it is the table that it stands in that may be large."""
    larger = of_facts(drilled, 600, TELLING_ROWS)
    tables = tuple(
        each.model_copy(update={"rows": rows}) if each.name.name == "igny8_tasks" else each
        for each in larger.migrated_facts.tables
    )
    facts = Facts(**{**dict(larger.migrated_facts), "tables": tables})
    larger = of_record(larger.record.model_copy(update={"facts": facts, "migrated_facts": facts}))
    json = "TEN-09", "public.igny8_tasks(payload $.content_id)->public.igny8_content"
    assert {name.name for name in estimated(larger)[json].looked_up} == {
        "igny8_content",
        "igny8_sectors",
        "igny8_sites",
    }
    assert (json in planned(larger, 0.000001)[1]) is sampled


def test_those_of_the_highest_impact_have_their_time_first(drilled: Drilled) -> None:
    whole, _ = planned(drilled, 60)
    budget, samples = planned(drilled, whole.estimate_minutes / 2)
    passes = asked_together(sorted(estimated(drilled).values(), key=lambda check: check.in_turn))
    left_out = {estimated(drilled)[name].asked_in for name in samples}
    rows = dict.fromkeys(IMPACTS, 0)
    for name, together in passes.items():
        rows[together.impact] += together.rows if name in left_out else 0
    assert budget.tenants is not None
    assert 1 <= budget.tenants < budget.of
    all_rows = {impact: sum(each.rows for each in passes.values() if each.impact == impact) for impact in IMPACTS}
    parts = [rows[impact] / all_rows[impact] for impact in IMPACTS if all_rows[impact]]
    assert parts == sorted(parts)
    assert parts[0] < 0.5 < parts[-1]


def test_the_plan_is_of_the_record_and_the_seed_alone(drilled: Drilled) -> None:
    """What is handed to a worker is what its controller worked out; another drill draws others."""
    plan = planned(drilled, 0.0001)
    assert plan == planned(of_record(DrillRecord.model_validate_json(drilled.record.model_dump_json())), 0.0001)
    assert pickle.loads(pickle.dumps(plan)) == plan
    other = planned(of_record(drilled.record.model_copy(update={"run_id": "another"})), 0.0001)
    assert {each.seed for each in other[1].values()} == {"another"}
    assert {name: replace(each, seed=plan[0].seed) for name, each in other[1].items()} == plan[1]


def of_facts(drilled: Drilled, tenants: int, rows: int) -> Drilled:
    """The same drill with so many tenants, and so many rows in each other table."""
    facts = drilled.migrated_facts
    tables = tuple(
        each.model_copy(update={"rows": tenants if str(each.name) == ROOT_TABLE else rows}) if each.rows else each
        for each in facts.tables
    )
    larger = Facts(**{**dict(facts), "tables": tables})
    return of_record(drilled.record.model_copy(update={"facts": larger, "migrated_facts": larger}))


def test_one_tenant_has_no_part(drilled: Drilled) -> None:
    budget, samples = planned(of_facts(drilled, 1, 100), 0.000001)
    assert (budget.tenants, budget.of) == (0, 1)
    assert samples
    assert {each.tenants for each in samples.values()} == {0}


def test_what_many_rows_cost_is_told_by_this_drills_own_facts(drilled: Drilled) -> None:
    large = of_facts(drilled, 600, TELLING_ROWS)
    few, whole = planned(drilled, 1)[0], planned(large, 1)[0]
    # How long the facts took is this machine's: half of what all would take leaves some out on any.
    many = planned(large, whole.estimate_minutes / 2)[0]
    assert "docs/scale.md" in few.measured_by
    assert "this drill's facts" in many.measured_by
    assert many.microseconds_per_row != few.microseconds_per_row
    undigested = of_record(of_facts(drilled, 600, TELLING_ROWS).record.model_copy(update={"contents": None}))
    assert planned(undigested, 1)[0].measured_by == few.measured_by
    assert many.tenants is not None
    assert 1 <= many.tenants < 600


def documented(begins: str) -> set[str]:
    """The controls that the documents list in a line that begins so."""
    lines = (ROOT / "docs" / "what-a-drill-proves.md").read_text().splitlines()
    (line,) = (each for each in lines if each.startswith(begins))
    return set(re.findall(r"[A-Z]{3}-[0-9]{2}", line))


@pytest.mark.further
def test_the_documents_list_what_can_be_tried_on_some_tenants_and_what_is_blocked(
    whole_set: Path, standing: Standing, tmp_path: Path
) -> None:
    profile = profile_and(tmp_path, "[limits]\nchecks = 0.000000001")
    ended = standing.drill(whole_set.parent, tmp_path / "out", profile=profile)
    evidence = ended.evidence
    blocked = {each.control for each in evidence.results if NO_TIME in each.message}
    assert {each.outcome for each in evidence.on_some_tenants} == {"passed"}
    assert not ended.red
    rules = {rule.card.id for rule in RULES}
    assert rules <= blocked
    # A table that nobody owns is blocked where another's control is tried on some tenants.
    some = {each.control for each in evidence.on_some_tenants}
    assert some == documented("| on some tenants |")
    assert blocked - rules - some == documented("| blocked |")


@pytest.mark.parametrize(("drawn", "found"), [(1, True), (2, False)])
def test_a_fault_is_found_on_a_tenant_that_is_drawn_and_another_is_told_as_not_looked_at(
    drawn: int, found: bool, whole_set: Path, standing: Standing, tmp_path: Path
) -> None:
    profile = profile_and(tmp_path, "[limits]\nchecks = 0.000000001")
    ended = standing.drill(
        whole_set.parent,
        tmp_path / "out",
        profile=profile,
        planted=FAULT,
        proving=True,
        only=("test_tenant_isolation.py",),
        run_id=seed_that_draws(drawn, range(1, 7)),
    )
    result = ended.result(*STRAY)
    assert (result.outcome == "failed") is found
    assert result.on_tenants is not None
    assert result.on_tenants.in_words == "on 1 of 6 tenants"
    evidence = ended.evidence
    assert any("TEN-02" in each and "in the rows of 5 tenants" in each for each in evidence.not_shown)
    # Rows without an owner are in no tenant's part; those of notes are tried with TEN-04, which takes less on all rows.
    ownerless = [each for each in evidence.results if each.control == "TEN-03" and each.subject != "public.igny8_notes"]
    assert all(NO_TIME in each.message for each in ownerless)
    assert {each.outcome for each in ownerless} == {"blocked"}
    assert ended.result("TEN-03", "public.igny8_notes").outcome == "passed"
    assert evidence.verdict == ("FAILED" if found else "INCONCLUSIVE")
    assert evidence.proving is not None
    sampled = {(each.control, each.subject) for each in evidence.on_some_tenants if each.outcome == "passed"}
    proofs = [each for each in evidence.proving.proofs if (each.control, each.subject) in sampled]
    assert proofs
    assert {(each.outcome, each.tried) for each in proofs} == {("unproven", False)}
    assert all("on 1 of 6 tenants" in each.says for each in proofs)
    summary = (ended.directory / "summary.md").read_text()
    assert "on 1 of 6 tenants alone" in summary
    assert "on 1 of 6 tenants alone" in " ".join(ended.output.split())


@pytest.mark.further
def test_a_waiver_is_not_called_needless_where_its_rows_were_not_looked_at(
    whole_set: Path, standing: Standing, tmp_path: Path
) -> None:
    control, subject = STRAY
    waiver = (
        f'[[waiver]]\ncontrol = "{control}"\nsubject = "{subject}"\nat_most = 1\nreason = "moved in by hand"\n'
        'owner = "billing team"\nticket = "OPS-211"\napproved_by = "head of platform"\nuntil = 2099-01-01\n'
    )
    ended = standing.drill(
        whole_set.parent,
        tmp_path / "out",
        profile=profile_and(tmp_path, f"[limits]\nchecks = 0.000000001\n\n{waiver}"),
        planted=FAULT,
        only=("test_tenant_isolation.py",),
        run_id=seed_that_draws(2, range(1, 7)),
    )
    result = ended.result(*STRAY)
    assert (result.outcome, result.examined is not None) == ("passed", True)
    assert "whether its waiver is still needed was not seen" in result.note


@pytest.mark.whole
def test_two_workers_try_what_one_does(whole_set: Path, standing: Standing, tmp_path: Path) -> None:
    """A time that holds some checks whole: which tenants are drawn is another drill's affair, and how many is not."""
    profile = profile_and(tmp_path, "[limits]\nchecks = 0.001")
    alone = standing.drill(whole_set.parent, tmp_path / "alone", profile=profile).evidence
    two = drill(whole_set.parent, tmp_path / "two", profile=profile, workers=2).evidence

    def tried(evidence: Evidence) -> dict[tuple[str, str], tuple[str, str]]:
        return {
            (each.control, each.subject): (
                each.outcome,
                each.on_tenants.in_words if each.on_tenants is not None else "",
            )
            for each in evidence.results
            if each.on_tenants is not None or NO_TIME in each.message
        }

    assert tried(two) == tried(alone)
    assert {outcome for outcome, _ in tried(two).values()} == {"passed", "blocked"}
    assert two.checks_budget is not None
    assert two.checks_budget.seed == two.run_id
