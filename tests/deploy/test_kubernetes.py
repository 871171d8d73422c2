"""What is applied to a cluster is what Kubernetes' own schemas take; backup and drill share no Secret; every command is one
that `restore-drill` takes. No cluster runs it here."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from tests.support.documented_calls import read_call
from tests.support.drills import ROOT
from tests.support.programs import program

KUBERNETES = ROOT / "deploy" / "kubernetes"
VERSIONS = ("1.30", "1.37")
"""Of the schemas: the oldest that knows all that is asked for, and the newest that there is."""
ALONE = "fleet.yaml"


@pytest.fixture(scope="module")
def applied() -> list[dict[str, Any]]:
    """What kubectl makes of the folder, and what is applied by itself."""
    kubectl = program("kubectl", "kubernetes-client")
    words = [kubectl, "kustomize", str(KUBERNETES)]
    made = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True).stdout
    return [*yaml.safe_load_all(made), yaml.safe_load((KUBERNETES / ALONE).read_text())]


def pods(applied: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    for each in applied:
        if each["kind"] in ("CronJob", "Job"):
            job = each["spec"]["jobTemplate"] if each["kind"] == "CronJob" else each
            yield each["metadata"]["name"], job["spec"]["template"]


def secrets_of(pod: dict[str, Any]) -> set[str]:
    """Each Secret that a pod is given, by name."""
    text = yaml.safe_dump(pod["spec"])
    return set(re.findall(r"secretName: (\S+)", text)) | set(re.findall(r"secretRef:\n +name: (\S+)", text))


def test_the_schemas_of_kubernetes_take_each_object_and_see_a_misspelt_key(applied: list[dict[str, Any]]) -> None:
    assert {"CronJob", "Job", "NetworkPolicy", "PersistentVolumeClaim"} <= {each["kind"] for each in applied}
    for version in VERSIONS:
        for each in applied:
            kubernetes_validate.validate(each, version, strict=True)
    (job,) = [each for each in applied if each["kind"] == "Job"]
    job = {**job, "spec": {**job["spec"], "completionMod": "Indexed"}}
    with pytest.raises(kubernetes_validate.ValidationError, match="completionMod"):
        kubernetes_validate.validate(job, VERSIONS[-1], strict=True)


def test_every_file_is_applied(applied: list[dict[str, Any]]) -> None:
    listed = yaml.safe_load((KUBERNETES / "kustomization.yaml").read_text())["resources"]
    assert {path.name for path in KUBERNETES.glob("*.yaml")} == {*listed, "kustomization.yaml", ALONE}
    assert {each["metadata"].get("namespace", "restore-drill") for each in applied} == {"restore-drill"}


def test_no_pod_has_a_right_that_it_does_not_need(applied: list[dict[str, Any]]) -> None:
    for name, pod in pods(applied):
        spec = pod["spec"]
        assert spec["automountServiceAccountToken"] is False, name
        assert (spec["securityContext"]["runAsNonRoot"], spec["securityContext"]["runAsUser"]) == (True, 10001), name
        for container in (*spec.get("initContainers", ()), *spec["containers"]):
            context = container["securityContext"]
            assert (context["allowPrivilegeEscalation"], context["readOnlyRootFilesystem"]) == (False, True), name
            assert context["capabilities"] == {"drop": ["ALL"]}, name
            mounted = {mount["name"] for mount in container["volumeMounts"]}
            assert mounted <= {volume["name"] for volume in spec["volumes"]}, name


def test_backup_drill_and_removal_have_no_secret_and_no_way_in_common(applied: list[dict[str, Any]]) -> None:
    given = {name: secrets_of(pod) for name, pod in pods(applied)}
    assert given["restore-drill-backup"] == {"restore-drill-backup"}
    assert given["restore-drill-prune"] == set()
    of_drills = {"restore-drill-keys", "restore-drill-notify"}
    assert [given[name] for name in ("restore-drill", "restore-drill-older", "restore-drill-fleet")] == [of_drills] * 3
    assert not [each for each in applied if each["kind"] == "Secret"]

    policies = {
        each["spec"]["podSelector"].get("matchLabels", {}).get("restore-drill"): each["spec"]
        for each in applied
        if each["kind"] == "NetworkPolicy"
    }
    assert policies[None]["policyTypes"] == ["Ingress", "Egress"]
    assert not {"ingress", "egress"} & policies[None].keys()
    ports = {
        label: {port["port"] for way in policy.get("egress", ()) for port in way["ports"]}
        for label, policy in policies.items()
    }
    assert ports == {None: set(), "backup": {53, 443, 5432}, "drill": {53, 443}}
    labels = {name: pod["metadata"]["labels"]["restore-drill"] for name, pod in pods(applied)}
    assert labels["restore-drill-backup"] == "backup"
    assert labels["restore-drill-prune"] not in policies
    assert {labels[name] for name, secrets in given.items() if secrets == of_drills} == {"drill"}


@pytest.mark.parametrize("name", ["backup", "", "older", "prune", "fleet"])
def test_each_command_is_one_that_restore_drill_takes(name: str, applied: list[dict[str, Any]], tmp_path: Path) -> None:
    pod = dict(pods(applied))["-".join(["restore-drill", *filter(None, [name])])]
    (container,) = pod["spec"]["containers"]
    assert "command" not in container, "the image's own entry point is meant"
    folders = {mount["mountPath"] for mount in container["volumeMounts"]} | {"/app/.venv/bin/python", "/app"}
    words = [part for word in container["args"] for part in word.split("=", 1)]
    assert {word for word in words if word.startswith("/")} <= folders
    read_call(words, tmp_path)


@pytest.mark.parametrize("name", ["drill", "older", "prune"])
def test_a_pod_runs_what_the_stack_of_compose_runs(name: str, applied: list[dict[str, Any]]) -> None:
    """`test_compose.py` has it drill the sample."""
    stack = yaml.safe_load((ROOT / "deploy" / "compose" / "drill.yml").read_text())["services"][name]
    command = [re.sub(r"\$\{\w+:-(.*?)\}", r"\1", word) for word in stack["command"]]
    pod = dict(pods(applied))["restore-drill" if name == "drill" else f"restore-drill-{name}"]
    assert ["restore-drill", *pod["spec"]["containers"][0]["args"]] == command
