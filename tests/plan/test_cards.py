"""The catalogue of controls is read from source text: what is declared wrongly is told with its place and its fix."""

from pathlib import Path

import pytest

from fixtures.plan.cards import (
    ControlError,
    DeclaredControl,
    Rule,
    never_twice,
    read_all_controls,
    read_controls,
    read_rules,
    rule_node,
)
from fixtures.plan.rules import as_probe
from tests.support.drills import PROFILE, ROOT

WELL_DECLARED = '''
@control("TEN-01", title="Every table is decided", impact="critical", remediation="Decide.")
@for_each("migrated_table")
def test_the_table_is_decided(table):
    """A table that nobody
    decided about."""
'''
WELL_WRITTEN = """-- id: BIL-51
-- title: Nothing is owed twice
-- impact: high
-- remediation: Look.
-- rationale: It happens.
-- examines: SELECT count(*) FROM debts
SELECT id FROM debts WHERE owed > 1;
"""


def controls(folder: Path, source: str) -> tuple[DeclaredControl, ...]:
    folder = folder / "verify"
    folder.mkdir(exist_ok=True)
    (folder / "test_tenants.py").write_text(source)
    return read_controls(folder)


def rules(folder: Path, **files: str) -> tuple[Rule, ...]:
    (folder / "rules").mkdir()
    for name, text in files.items():
        (folder / "rules" / f"{name}.sql").write_text(text)
    return read_rules(folder)


def test_a_card_holds_what_stands_above_the_assertion(tmp_path: Path) -> None:
    (declared,) = controls(tmp_path, WELL_DECLARED)
    assert declared.node == "verify/test_tenants.py::test_the_table_is_decided"
    assert declared.card.model_dump() == {
        "id": "TEN-01",
        "title": "Every table is decided",
        "impact": "critical",
        "remediation": "Decide.",
        "rationale": "A table that nobody decided about.",
        "source": "verify/test_tenants.py",
        "subjects": "migrated_table",
    }


@pytest.mark.parametrize(
    ("former", "latter", "problem"),
    [
        (
            '@control("TEN-01", title="Every table is decided", impact="critical", remediation="Decide.")\n',
            "",
            "no @control",
        ),
        ('"TEN-01", ', "", "no @control with an id"),
        (
            '    """A table that nobody\n    decided about."""',
            "    assert table",
            "no docstring: it is the control's rationale",
        ),
        ('"TEN-01"', "OURS", "every argument of @control is a literal"),
        ('"TEN-01"', '"TEN-1"', "id\n  String should match pattern"),
        ('"critical"', '"grave"', "impact\n  Input should be 'critical', 'high', 'medium' or 'low'"),
        (', remediation="Decide."', "", "remediation\n  Field required"),
        ("@for_each", "@control('TEN-02')\n@for_each", "title\n  Field required"),
    ],
)
def test_a_control_declared_wrongly_is_told_with_its_place(
    tmp_path: Path, former: str, latter: str, problem: str
) -> None:
    assert former in WELL_DECLARED
    with pytest.raises(ControlError) as error:
        controls(tmp_path, WELL_DECLARED.replace(former, latter))
    assert "verify/test_tenants.py:" in str(error.value)
    assert problem in str(error.value)


def test_an_id_is_never_used_twice(tmp_path: Path) -> None:
    with pytest.raises(ControlError, match=r"test_tenants\.py:\d+: TEN-01 is taken: ids are never reused"):
        controls(tmp_path, WELL_DECLARED + WELL_DECLARED.replace("is_decided", "is_decided_again"))
    with pytest.raises(ControlError, match=r"b\.sql: BIL-51 is taken by another rule"):
        rules(tmp_path, a=WELL_WRITTEN, b=WELL_WRITTEN)


def test_a_rule_does_not_take_a_controls_id(tmp_path: Path) -> None:
    declared = controls(tmp_path, WELL_DECLARED)
    written = rules(tmp_path, a=WELL_WRITTEN.replace("BIL-51", "TEN-01"))
    with pytest.raises(
        ControlError, match=r"rules/a\.sql: TEN-01 is verify/test_tenants\.py::.*: give the rule another id"
    ):
        never_twice(declared, written)


def test_the_rules_need_a_test_that_stands_for_them(tmp_path: Path) -> None:
    assert rule_node(ROOT / "verify") == "verify/test_rules.py::test_the_rule_holds"
    controls(tmp_path, WELL_DECLARED)
    with pytest.raises(ControlError, match="no test is marked @each_rule, so the profile's rules would not be tried"):
        rule_node(tmp_path / "verify")


@pytest.mark.parametrize("key", ["id", "title", "impact", "remediation", "rationale", "examines"])
def test_a_rule_without_a_part_of_its_header_is_told_what_to_write(tmp_path: Path, key: str) -> None:
    text = "".join(line for line in WELL_WRITTEN.splitlines(True) if not line.startswith(f"-- {key}:"))
    with pytest.raises(ControlError, match=rf"a\.sql: the header lacks {key} \(write `-- {key}: …`\)"):
        rules(tmp_path, a=text)


@pytest.mark.parametrize(
    ("former", "latter", "problem"),
    [
        ("BIL-51", "B-51", "String should match pattern"),
        ("impact: high", "impact: huge", "Input should be 'critical', 'high', 'medium' or 'low'"),
        ("-- title", "-- database: production\n-- title", "database\n  Input should be 'migrated' or 'restored'"),
        ("-- title", "-- sums: owed\n-- title", "currency and sums are counted by tenant: add `-- tenant: …`"),
    ],
)
def test_a_rule_with_a_wrong_header_is_told_its_file(tmp_path: Path, former: str, latter: str, problem: str) -> None:
    with pytest.raises(ControlError) as error:
        rules(tmp_path, a=WELL_WRITTEN.replace(former, latter))
    assert "a.sql: " in str(error.value)
    assert problem in str(error.value)


def test_a_rule_stands_in_brackets_as_it_was_written(tmp_path: Path) -> None:
    (rule,) = rules(tmp_path, a=WELL_WRITTEN.replace("owed > 1;", "owed > 1 -- never"))
    assert rule.database == "migrated"
    assert as_probe(rule).broken.as_string().endswith("WHERE owed > 1 -- never\n")
    assert as_probe(rule).examined.as_string() == "SELECT count(*) FROM debts\n"


def test_a_rule_whose_answer_names_the_tenant_is_added_up_by_it(tmp_path: Path) -> None:
    header = "-- tenant: debtor\n-- currency: code\n-- sums: owed, due\n-- title"
    (rule,) = rules(tmp_path, a=WELL_WRITTEN.replace("-- title", header))
    assert (rule.tenant, rule.currency, rule.sums) == ("debtor", "code", ("owed", "due"))
    totals = as_probe(rule).per_tenant
    assert totals is not None
    query = totals.totals(as_probe(rule).broken, 3).as_string()
    assert query.startswith('SELECT "b"."debtor" AS tenant, ')
    assert '"b"."code"' in query
    assert ' AS currency, count(*) AS rows, sum(b."owed") AS' in query


def test_the_suites_own_controls_and_rules_can_be_read() -> None:
    declared, written = read_controls(ROOT / "verify"), read_rules(PROFILE)
    never_twice(declared, written)
    assert len(declared) > 40
    assert [rule.card.id for rule in written] == ["BIL-51"]


def test_the_controls_in_a_profiles_folder_join_the_suites_own(tmp_path: Path) -> None:
    suite = controls(tmp_path, WELL_DECLARED)
    profile = tmp_path / "drills"
    profile.mkdir()
    (profile / "test_ours.py").write_text(WELL_DECLARED.replace("TEN-01", "TEN-81"))
    both = read_all_controls(tmp_path / "verify", profile)
    assert [each.card.id for each in both] == [*(each.card.id for each in suite), "TEN-81"]
    assert both[-1].card.source == "drills/test_ours.py"
    # As pytest names it: from the folder that it was given, or from its root where it lies within.
    assert both[-1].node == "drills/test_ours.py::test_the_table_is_decided"
    elsewhere = tmp_path / "elsewhere" / "drills"
    elsewhere.mkdir(parents=True)
    (elsewhere / "test_ours.py").write_text(WELL_DECLARED.replace("TEN-01", "TEN-81"))
    (tmp_path / "suite").mkdir()
    (tmp_path / "verify").rename(tmp_path / "suite" / "verify")
    assert (
        read_all_controls(tmp_path / "suite" / "verify", elsewhere)[-1].node
        == "test_ours.py::test_the_table_is_decided"
    )
    (elsewhere / "test_ours.py").write_text(WELL_DECLARED)
    with pytest.raises(ControlError, match="TEN-01 is taken"):
        read_all_controls(tmp_path / "suite" / "verify", elsewhere)
