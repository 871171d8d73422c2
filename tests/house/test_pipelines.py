"""The ready pipelines run what a person would: each job's own lines are taken out of its file and run before the Makefile."""

import os
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from fixtures.custody.drill_ledger import NAME as LEDGER
from tests.support.front_door import ROOT, front_door

CI = ROOT / "ci"


@dataclass(frozen=True)
class Job:
    """One job of one pipeline: what it sets, the line that does the work, and where that is run from the workspace."""

    variables: dict[str, str]
    line: str
    folder: str = "."


def github(job: str) -> Job:
    workflow: dict[str, Any] = yaml.safe_load((CI / "github-actions.yml").read_text())
    made = workflow["jobs"][job]
    step = next(step for step in made["steps"] if step.get("name") == job)
    return Job(_plain({**workflow["env"], **made.get("env", {})}), step["run"], step["working-directory"])


def gitlab(job: str) -> Job:
    pipeline = yaml.safe_load((CI / "gitlab-ci.yml").read_text())
    made, base = pipeline[job], pipeline[pipeline[job]["extends"]]
    (line,) = made["script"]
    return Job(_plain({**base["variables"], **made.get("variables", {})}), line)


def jenkins(job: str) -> Job:
    """The lines of the stage with that name; Groovy is read as text, as far as this file goes."""
    text = (CI / "Jenkinsfile").read_text()
    begins = text.index(f"stage('{job}')")
    stage = text[begins : text.index("post {", begins)]
    everywhere = text[text.index("environment {") : text.index("stages {")]
    variables = dict(re.findall(r"""^\s+(\w+) = ['"]([^'"]*)['"]$""", everywhere + stage, re.MULTILINE))
    (line,) = re.findall(r"sh '([^']*)'", stage)
    return Job(_plain(variables), line)


def _plain(variables: dict[str, Any]) -> dict[str, str]:
    """As the server would fill them in."""
    values = {
        "${{ vars.BACKUPS }}": "s3://backups/shop",
        "${{ vars.PROFILE }}": "shop",
        "${{ github.workspace }}": "{workspace}",
        "$CI_PROJECT_DIR": "{workspace}",
        "${env.WORKSPACE}": "{workspace}",
        "${env.BUILD_TAG}": "9",
        "${{ github.event.pull_request.base.sha }}": "0a1b2c3",
        "$CI_MERGE_REQUEST_DIFF_BASE_SHA": "0a1b2c3",
        "origin/${env.CHANGE_TARGET}": "0a1b2c3",
        "$CI_JOB_ID": "9",
        "${{ github.run_id }}": "9",
        "${{ github.run_attempt }}": "1",
    }
    filled = {}
    for name, value in variables.items():
        filled[name] = str(value)
        for word, meant in values.items():
            filled[name] = filled[name].replace(word, meant)
    return filled


PIPELINES: dict[str, Callable[[str], Job]] = {"github": github, "gitlab": gitlab, "jenkins": jenkins}


def run(job: Job, tmp_path: Path, **instead: str) -> str:
    """What the pipeline's own line asks the suite's interpreter for; `instead` is set in the place of what the job sets."""
    workspace = tmp_path / "workspace"
    (workspace / "release").mkdir(parents=True)
    for place in (workspace / "drill", tmp_path / "drill-9"):
        front_door(place)
    variables = {name: value.replace("{workspace}", str(workspace)) for name, value in job.variables.items()}
    assert instead.keys() <= variables.keys()
    done = subprocess.run(
        ["sh", "-ec", job.line],
        cwd=workspace / job.folder,
        env={
            **{"PATH": os.environ["PATH"], "BACKUPS": "s3://backups/shop", "PROFILE": "shop", "WORKERS": "2"},
            **{"CI_JOB_ID": "9", "BUILD_TAG": "9", **variables, **instead},
        },
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("[-m][fixtures.commands]")]
    return line.replace(str(workspace), "WORKSPACE")


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_every_night_is_a_drill_that_remembers_the_nights_before(pipeline: str, tmp_path: Path) -> None:
    line = run(PIPELINES[pipeline]("drill"), tmp_path)
    app = "WORKSPACE/release" if pipeline == "github" else "WORKSPACE"
    assert line == (
        f"[-m][fixtures.commands][drill][--workers][2][--backups][s3://backups/shop][--app][{app}][--profile][shop]"
        "[--out][/var/lib/restore-drill]"
    )


@pytest.mark.parametrize("past", [True, False], ids=["after the first night", "before it"])
@pytest.mark.parametrize("pipeline", PIPELINES)
def test_every_proposed_change_is_a_gate_that_starts_from_what_was_kept_and_sees_the_nights(
    pipeline: str, past: bool, tmp_path: Path
) -> None:
    """Where there is no ledger yet, a gate that is given its folder is refused."""
    gate = PIPELINES[pipeline]("gate")
    assert gate.variables["NIGHTS"] == PIPELINES[pipeline]("drill").variables["OUT"]
    nights = tmp_path / "nights"
    nights.mkdir()
    if past:
        (nights / LEDGER).touch()
    line = run(gate, tmp_path, NIGHTS=str(nights))
    app = "WORKSPACE/release" if pipeline == "github" else "WORKSPACE"
    history = f"[--history][{nights}]" if past else ""
    assert line.startswith(
        f"[-m][fixtures.commands][gate][--workers][2][--backups][s3://backups/shop][--app][{app}][--profile][shop]"
        f"[--previous][0a1b2c3]{history}[--restore-cache][/var/cache/restore-drill][--out]"
    )


def test_what_is_kept_between_runs_is_uploaded_by_none() -> None:
    """The folder of kept restores holds customers' data; reports lie elsewhere."""
    workflow = yaml.safe_load((CI / "github-actions.yml").read_text())
    for name, job in workflow["jobs"].items():
        (uploaded,) = [step["with"]["path"] for step in job["steps"] if "upload-artifact" in step.get("uses", "")]
        assert uploaded == {"drill": "drill-reports/", "gate": "${{ env.OUT }}/latest/"}[name]
        assert not job["env"]["OUT"].startswith(job["env"].get("RESTORE_CACHE", "?")), name
        assert not any("actions/cache" in step.get("uses", "") for step in job["steps"])
    gitlab = yaml.safe_load((CI / "gitlab-ci.yml").read_text())
    assert gitlab[".restore-drill"]["artifacts"]["paths"] == ["drill-reports/"]
    assert not any("cache" in job for job in gitlab.values())
    assert re.findall(r"artifacts: '([^']*)'", (CI / "Jenkinsfile").read_text()) == ["drill-reports/**"]


def test_code_from_a_fork_never_runs_beside_customers_data() -> None:
    gate = yaml.safe_load((CI / "github-actions.yml").read_text())["jobs"]["gate"]
    assert "github.event.pull_request.head.repo.full_name == github.repository" in gate["if"]
    (rule,) = yaml.safe_load((CI / "gitlab-ci.yml").read_text())["gate"]["rules"]
    assert "$CI_MERGE_REQUEST_SOURCE_PROJECT_ID == $CI_PROJECT_ID" in rule["if"]


def test_the_comment_is_made_with_the_jobs_own_token_and_whatever_the_verdict() -> None:
    gate = yaml.safe_load((CI / "github-actions.yml").read_text())
    (comment,) = [step for step in gate["jobs"]["gate"]["steps"] if step.get("name") == "comment"]
    assert comment["if"] == "always()"
    assert comment["run"] == 'make comment RUN="$OUT/latest" COMMIT="$(git -C "$APP" rev-parse HEAD)"'
    assert comment["env"] == {"GITHUB_TOKEN": "${{ github.token }}"}
    assert gate["permissions"] == {"contents": "read", "pull-requests": "write"}


def taking(pipeline: str) -> tuple[str, str]:
    """The lines of the nightly job that begin it and that take its report, as its server would run them."""
    if pipeline == "github":
        steps = yaml.safe_load((CI / "github-actions.yml").read_text())["jobs"]["drill"]["steps"]
        lines = {step["name"]: step["run"] for step in steps if "run" in step}
        assert steps[0]["name"] == "begin", "an earlier night's mark must not be there when a step before it fails"
        return lines["begin"], lines["take the report"]
    if pipeline == "gitlab":
        base = yaml.safe_load((CI / "gitlab-ci.yml").read_text())[".restore-drill"]
        return base["before_script"][0], base["after_script"][0]
    lines = re.findall(r"sh '([^']*)'", (CI / "Jenkinsfile").read_text())
    taken = {line for line in lines if "-nt" in line}
    assert len(taken) == 1, "drill and gate take their report alike"
    return lines[0], taken.pop()


@pytest.mark.parametrize("shell", ["sh", "bash"])
@pytest.mark.parametrize("pipeline", PIPELINES)
def test_an_earlier_nights_report_is_not_published_as_this_ones(pipeline: str, shell: str, tmp_path: Path) -> None:
    begins, takes = taking(pipeline)
    out, workspace = tmp_path / "out", tmp_path / "workspace"
    workspace.mkdir()
    taken = workspace / "drill-reports"

    def line(text: str) -> None:
        variables = {"PATH": os.environ["PATH"], "OUT": str(out), "CI_JOB_ID": "9", "BUILD_TAG": "9"}
        subprocess.run([shell, "-ec", text], cwd=workspace, env=variables, capture_output=True, timeout=60)

    def night(name: str, written: int) -> None:
        (out / name).mkdir(parents=True)
        (out / name / "evidence.json").write_text(name)
        os.utime(out / name / "evidence.json", (written, written))
        (out / "latest").unlink(missing_ok=True)
        (out / "latest").symlink_to(name)

    night("earlier", 1_000_000_000)
    line(takes)
    assert not taken.exists(), "a job that did not begin has no report"
    taken.mkdir()
    line(begins)
    line(takes)
    assert not taken.exists(), "a drill that was refused or ended early has no report"
    night("this", 4_000_000_000)
    line(takes)
    assert (taken / "evidence.json").read_text() == "this"


def test_a_gates_reports_are_its_jobs_own() -> None:
    gate = yaml.safe_load((CI / "github-actions.yml").read_text())["jobs"]["gate"]
    assert "github.run_id" in gate["env"]["OUT"]
    assert "github.run_attempt" in gate["env"]["OUT"]
    assert gate["steps"][-1] == {"name": "remove the runner's copy", "if": "always()", "run": 'rm -rf "$OUT"'}
    assert "$CI_JOB_ID" in yaml.safe_load((CI / "gitlab-ci.yml").read_text())["gate"]["variables"]["OUT"]
    assert "gate-${env.BUILD_TAG}" in (CI / "Jenkinsfile").read_text()


def test_each_servers_own_tests_page_reads_the_junit() -> None:
    gitlab = yaml.safe_load((CI / "gitlab-ci.yml").read_text())
    assert gitlab[".restore-drill"]["artifacts"]["reports"] == {"junit": "drill-reports/junit.xml"}
    assert "junit testResults: 'drill-reports/junit.xml'" in (CI / "Jenkinsfile").read_text()
