"""The evidence tells who and what ran the drill: the account or CI job, the code on both sides, tools and libraries."""

import subprocess
from pathlib import Path

import pytest

from fixtures.custody.read_origin import read_origin, read_revision
from fixtures.record.version import dependencies
from tests.support.drills import ROOT

SET_BY_A_SERVICE = ("GITHUB_ACTIONS", "GITLAB_CI", "JENKINS_URL", "CIRCLECI", "BUILDKITE", "TF_BUILD", "CI")


@pytest.fixture(autouse=True)
def no_service(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SET_BY_A_SERVICE:
        monkeypatch.delenv(name, raising=False)


def git(checkout: Path, *arguments: str) -> str:
    who = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    done = subprocess.run(["git", *who, "-C", str(checkout), *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q")
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "manage.py").write_text("")
    (tmp_path / "other.py").write_text("")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "first")
    return tmp_path


def test_a_checkout_is_told_by_its_commit_and_whether_it_is_just_that(checkout: Path) -> None:
    app = checkout / "app"
    clean = read_revision(app)
    assert (clean.commit, clean.changed, clean.dirty, clean.problem) == (
        git(checkout, "rev-parse", "HEAD"),
        0,
        False,
        "",
    )
    (checkout / "other.py").write_text("changed = True")
    assert read_revision(app).dirty is False, "what lies beside the application is not the application"
    (app / "manage.py").write_text("changed = True")
    (app / "naïve new\nfile.py").write_text("")
    assert (read_revision(app).changed, read_revision(checkout).changed) == (2, 3)


def test_what_is_no_checkout_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    revision = read_revision(tmp_path)
    assert (revision.commit, revision.changed, revision.dirty, revision.problem) == (
        "",
        None,
        None,
        "it is no git checkout",
    )
    monkeypatch.setenv("PATH", str(tmp_path))
    assert read_revision(ROOT).problem == "git could not be asked: FileNotFoundError"


def test_nothing_that_a_checkout_names_is_run(checkout: Path) -> None:
    trace = checkout / "told"
    git(checkout, "config", "core.fsmonitor", f"touch {trace}; false")
    assert read_revision(checkout).changed == 0
    assert not trace.exists()


def test_a_ci_job_is_told_by_what_its_service_sets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_origin(tmp_path).runner.job is None
    variables = {
        "GITLAB_CI": "true",
        "CI": "true",
        "CI_JOB_NAME": "restore-drill",
        "CI_JOB_ID": "48213",
        "GITLAB_USER_LOGIN": "ops",
        "CI_JOB_URL": "https://bot:hunter2@git.example.net/drill/-/jobs/48213?token=s3cret",
        "CI_JOB_TOKEN": "hunter3",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    origin = read_origin(tmp_path)
    job = origin.runner.job
    assert job is not None
    assert (job.service, job.name, job.run, job.actor) == ("GitLab CI", "restore-drill", "48213", "ops")
    assert job.address == "https://git.example.net/drill/-/jobs/48213"
    assert not [secret for secret in ("hunter", "s3cret") if secret in origin.model_dump_json()]


def test_tools_and_libraries_are_told_with_their_versions(tmp_path: Path) -> None:
    origin = read_origin(tmp_path)
    assert {tool.name for tool in origin.tools} == {"Python", "git"}
    libraries = {library.name: library.version for library in origin.libraries}
    assert {"psycopg", "pydantic", "pytest", "Django"} <= libraries.keys() <= set(dependencies())
    assert all(libraries.values())
    assert len(origin.lock_sha256) == 64
