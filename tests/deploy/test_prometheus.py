"""The alerts fire on their faults and on nothing else, and name metrics that a drill writes; so does the dashboard."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from fixtures.record.evidence import Evidence
from fixtures.record.proof import Proving
from fixtures.record.recovery_rehearsal import RecoveryRehearsal, RehearsedStep
from reports import metrics
from reports.story import Story
from tests.support import evidence_examples as examples
from tests.support.front_door import ROOT
from tests.support.past_examples import with_past
from tests.support.programs import program
from tests.support.record_examples import shelved_set

PROMETHEUS = ROOT / "deploy" / "prometheus"
RULES = PROMETHEUS / "restore-drill.rules.yml"
DASHBOARD = ROOT / "deploy" / "grafana" / "restore-drill.json"
OURS = re.compile(r"\brestore_drill_\w+")
ALERTS = [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]
PANELS = json.loads(DASHBOARD.read_text())["panels"]


@pytest.fixture(scope="module")
def promtool() -> str:
    """The program that reads rules as Prometheus does."""
    return program("promtool", "prometheus")


def ran(*argv: str | Path, given: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(argv, input=given, capture_output=True, text=True, timeout=120)


def fully_measured() -> Evidence:
    """A drill that has every figure there is."""
    evidence = with_past(examples.verified())
    record, backup_set = evidence.record, evidence.record.backup_set
    assert backup_set is not None
    shelved = shelved_set(backup_set.name, backup_set.taken_at, manifest=True)
    changes = {"backup_set": backup_set.model_copy(update={"shelf": (shelved,)}), "older_due_at": evidence.finished_at}
    whole = {"record": record.model_copy(update=changes), "proving": Proving(seed="0", proofs=())}
    step = RehearsedStep(name="load", seconds=1)
    whole |= {"rehearsal": RecoveryRehearsal(state="ok", seconds=2, steps=(step,))}
    return evidence.model_copy(update=whole)


def samples(evidence: Evidence) -> dict[str, set[str]]:
    """Each metric that a drill writes, with the names of its labels."""
    families = text_string_to_metric_families(metrics.write_up(Story(evidence)))
    return {sample.name: set(sample.labels) for family in families for sample in family.samples}


def test_each_alert_fires_on_its_fault_and_on_no_healthy_night(promtool: str) -> None:
    done = ran(promtool, "test", "rules", PROMETHEUS / "restore-drill.test.yml")
    assert done.returncode == 0, done.stdout + done.stderr
    tried = yaml.safe_load((PROMETHEUS / "restore-drill.test.yml").read_text())["tests"]
    cases = [case for test in tried for case in test["alert_rule_test"]]
    fires = {case["alertname"] for case in cases if case["exp_alerts"]}
    assert (
        fires == {case["alertname"] for case in cases if not case["exp_alerts"]} == {each["alert"] for each in ALERTS}
    )


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_an_alert_that_is_weakened_fails_its_tests(alert: dict[str, str], promtool: str, tmp_path: Path) -> None:
    rules = yaml.safe_load(RULES.read_text())
    (weakened,) = [each for each in rules["groups"][0]["rules"] if each["alert"] == alert["alert"]]
    weakened["expr"] = f"({weakened['expr']}) and vector(1) == 2"
    (tmp_path / RULES.name).write_text(yaml.safe_dump(rules))
    shutil.copy(PROMETHEUS / "restore-drill.test.yml", tmp_path)
    done = ran(promtool, "test", "rules", tmp_path / "restore-drill.test.yml")
    assert done.returncode != 0
    assert f"alertname: {alert['alert']}" in done.stdout + done.stderr


def test_what_a_drill_writes_is_what_prometheus_takes(promtool: str) -> None:
    done = ran(promtool, "check", "metrics", given=metrics.write_up(Story(fully_measured())))
    assert (done.returncode, done.stderr) == (0, "")


def named(expression: str) -> set[str]:
    return set(OURS.findall(expression))


@pytest.mark.parametrize(
    ("where", "expression"),
    [
        *((each["alert"], each["expr"]) for each in ALERTS),
        *((panel["title"], target["expr"]) for panel in PANELS for target in panel["targets"]),
    ],
)
def test_every_metric_that_is_named_is_one_that_a_drill_writes(where: str, expression: str) -> None:
    written = samples(fully_measured())
    assert named(expression), where
    assert named(expression) <= written.keys(), where
    labels = set().union(*(written[name] for name in named(expression)))
    asked = {
        label for selector in re.findall(r"\{([^}]*)\}", expression) for label in re.findall(r"(\w+)\s*[=!]", selector)
    }
    assert asked <= labels | {"instance"}, where


def test_the_dashboard_shows_every_metric_and_asks_as_prometheus_reads(promtool: str, tmp_path: Path) -> None:
    expressions = [target["expr"] for panel in PANELS for target in panel["targets"]]
    shown = set().union(*map(named, expressions))
    # Whether a report is whole, signed, or loaded by a superuser stands in the report itself.
    beside = {
        f"restore_drill_{name}"
        for name in ("complete", "signed", "loaded_as_superuser", "proven", "backup_timestamp_seconds")
    }
    assert samples(fully_measured()).keys() - shown == beside
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)
    rules = [{"record": f"panel:{number}", "expr": each} for number, each in enumerate(expressions)]
    file = tmp_path / "panels.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    done = ran(promtool, "check", "rules", file)
    assert done.returncode == 0, done.stdout + done.stderr
