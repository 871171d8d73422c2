"""The stacks are ones that Compose takes, without a credential in common; their drill is run as it is written."""

import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from fixtures.record.evidence import Evidence
from tests.support.built_image import USER, said, said_until
from tests.support.drills import PROFILE, ROOT, SAMPLE
from tests.support.keys import age_key
from tests.support.programs import missing, program

COMPOSE = ROOT / "deploy" / "compose"
SECCOMP = ROOT / "deploy" / "image" / "seccomp.json"
STACKS = ("backup", "drill")


@pytest.fixture(scope="module")
def compose() -> str:
    return program("docker-compose", "docker-compose")


def example(stack: str) -> dict[str, str]:
    lines = (COMPOSE / f"{stack}.env.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if not line.startswith("#"))


def stack_of(compose: str, stack: str, **variables: str) -> dict[str, Any]:
    """What Compose makes of a file and its example, by its own words."""
    given = example(stack) | ({"SECCOMP": str(SECCOMP)} if stack == "drill" else {}) | variables
    return dict(yaml.safe_load(said(compose, "-f", COMPOSE / f"{stack}.yml", "config", **given)))


@pytest.mark.further
def test_compose_takes_each_stack_and_none_has_the_credentials_of_the_other(compose: str) -> None:
    stacks = {stack: stack_of(compose, stack) for stack in STACKS}
    secrets = {stack: {each["file"] for each in taken["secrets"].values()} for stack, taken in stacks.items()}
    assert all(secrets.values())
    assert not {Path(file).parent for file in secrets["backup"]} & {Path(file).parent for file in secrets["drill"]}
    for stack, taken in stacks.items():
        for name, service in taken["services"].items():
            assert service["read_only"], name
            assert service["cap_drop"] == ["ALL"], name
            assert "no-new-privileges:true" in service["security_opt"], name
            assert bool(service.get("secrets")) == (name != "prune")
            names = {variable for variable in service.get("environment", {}) if variable.startswith("PG")}
            assert bool(names) == (stack == "backup"), name
            writable = {volume.split(":")[1] for volume in service["volumes"] if not volume.endswith(":ro")}
            assert writable == ({"/reports"} if name in ("drill", "older") else {"/backups"}), name


@pytest.fixture
def given(image: tuple[str, dict[str, Any]], whole_set: Path, tmp_path: Path) -> dict[str, str]:
    """What the drill's stack is given on a machine, all of it the image's user's."""
    if os.geteuid() != 0:
        missing("left out: it takes root to give files to the image's user")
    own = shutil.ignore_patterns("backups", "data", "__pycache__")
    shutil.copytree(whole_set, tmp_path / "sets" / whole_set.name)
    shutil.copytree(SAMPLE, tmp_path / "app", ignore=own)
    shutil.copytree(PROFILE, tmp_path / "igny8")
    (tmp_path / "reports").mkdir()
    (tmp_path / "secrets").mkdir()
    keys = ("docker", "run", "--rm", "--network=none", "--user=0", f"--volume={tmp_path / 'secrets'}:/made")
    said(*keys, image[0], "keys", "/made")
    for part in ("signing", "mask"):
        (tmp_path / "secrets" / f"drill-{part}.key").rename(tmp_path / "secrets" / f"{part}.key")
    age_key(tmp_path / "secrets", "age.identity")
    for path in (tmp_path, *tmp_path.rglob("*")):
        os.chown(path, USER, USER)
    return {
        "IMAGE": image[0],
        "BACKUPS": str(tmp_path / "sets"),
        "APP": str(tmp_path / "app"),
        "APP_PYTHON": "/opt/restore-drill/bin/python",
        "PROFILE": str(tmp_path / "igny8"),
        "REPORTS": str(tmp_path / "reports"),
        "SECRETS": str(tmp_path / "secrets"),
        "SECCOMP": str(SECCOMP),
        "COMPOSE_PROJECT_NAME": f"rdt{os.getpid()}",
    }


def up_for_today(*stack: str | Path, **given: str) -> dict[str, str]:
    """What the drill of a stack was given that waits for a time of today. On a busy machine a time may be over once it looks
    at it, and then it waits for tomorrow's: it is begun again with a later one."""
    for seconds in (20, 60, 180):
        due = datetime.now(UTC) + timedelta(seconds=seconds)
        timed = given | {"DRILL_AT": f"{due:%H:%M:%S}"}
        said(*stack, "up", "--detach", "--force-recreate", "drill", **timed)
        if f"next: {due:%Y-%m-%d} " in said_until("next: ", 60, *stack, "logs", "--follow", "drill", **timed):
            return timed
    raise AssertionError("each time was over before it was looked at")


@pytest.mark.whole
def test_the_stack_drills_at_its_time_in_the_image_without_a_right_and_is_verified(
    compose: str, given: dict[str, str], tmp_path: Path
) -> None:
    stack = (compose, "-f", COMPOSE / "drill.yml")
    try:
        given = up_for_today(*stack, **given)
        log = said_until("ended with", 600, *stack, "logs", "--follow", "drill", **given)
        assert "ended with 0" in log, log
        assert said(*stack, "exec", "-T", "drill", "every", "--healthy", **given) == ""
    finally:
        said(*stack, "down", "--timeout", "5", **given)
    run = (tmp_path / "reports" / "latest").resolve()
    evidence = Evidence.model_validate_json((run / "evidence.json").read_text())
    assert evidence.verdict == "VERIFIED"
    assert {path.stat().st_uid for path in run.iterdir()} == {USER}
    assert {"audit.pdf", "attestation.sig"} <= {path.name for path in run.iterdir()}
