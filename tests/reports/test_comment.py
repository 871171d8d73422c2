"""One comment a pull request, edited by every later run, on a server that answers as GitHub does."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from fixtures.record.origin import Revision
from reports.comment import NotSaid, PullRequest, main, mark_of, refuse_another_commits
from reports.render import render
from tests.support.evidence_examples import failed

ROOT = Path(__file__).resolve().parents[2]
BOT, TOKEN = "github-actions[bot]", "ghs_the-jobs-own-token"
PER_PAGE = 2


@dataclass
class Hub:
    """What GitHub keeps of one pull request, number 7 of acme/shop."""

    comments: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    refuses: int = 0
    url: str = ""

    def add(self, login: str, body: str) -> dict[str, Any]:
        made = {
            "id": len(self.comments) + 1,
            "user": {"login": login},
            "body": body,
            "html_url": f"#{len(self.comments)}",
        }
        self.comments.append(made)
        return made


@pytest.fixture
def hub() -> Iterator[Hub]:
    with hub_that_answers() as answering:
        yield answering


@contextmanager
def hub_that_answers() -> Iterator[Hub]:
    hub = Hub()

    class Answers(BaseHTTPRequestHandler):
        def handle_one(self) -> None:
            at, query = urlsplit(self.path), parse_qs(urlsplit(self.path).query)
            hub.asked.append(f"{self.command} {at.path}")
            sent = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or "{}")
            if self.headers["Authorization"] != f"Bearer {TOKEN}" or hub.refuses:
                return self.answer(hub.refuses or 401, {"message": "Bad credentials"})
            of_pull_request = at.path == "/repos/acme/shop/issues/7/comments"
            if self.command == "GET" and of_pull_request:
                page = int(query.get("page", ["1"])[0])
                further = (
                    f'<{hub.url}{at.path}?page={page + 1}>; rel="next"' if page * PER_PAGE < len(hub.comments) else ""
                )
                return self.answer(200, hub.comments[(page - 1) * PER_PAGE : page * PER_PAGE], further)
            if self.command == "POST" and of_pull_request:
                return self.answer(201, hub.add(BOT, sent["body"]))
            number = int(at.path.rpartition("/")[2])
            if self.command == "PATCH" and at.path == f"/repos/acme/shop/issues/comments/{number}":
                hub.comments[number - 1]["body"] = sent["body"]
                return self.answer(200, hub.comments[number - 1])
            return self.answer(404, {"message": "Not Found"})

        do_GET = do_POST = do_PATCH = handle_one

        def answer(self, status: int, content: object, link: str = "") -> None:
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            if link:
                self.send_header("Link", link)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nobody reads it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        hub.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield hub
        finally:
            server.shutdown()
            thread.join()


def environment(hub: Hub, **more: str) -> dict[str, str]:
    variables = {"GITHUB_API_URL": hub.url, "GITHUB_REPOSITORY": "acme/shop", "GITHUB_REF": "refs/pull/7/merge"}
    return {**variables, "GITHUB_TOKEN": TOKEN, **more}


def commented(hub: Hub, run: Path, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "reports.comment", str(run)],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environment(hub, **more)},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture
def run(tmp_path: Path) -> Path:
    evidence = failed()
    (tmp_path / "evidence.json").write_text(evidence.model_dump_json())
    render(evidence, tmp_path)
    return tmp_path


def test_the_second_run_edits_the_first_ones_comment(hub: Hub, run: Path) -> None:
    for number in range(5):
        hub.add("somebody", f"a word of theirs, {number}")
    first = commented(hub, run)
    assert (first.returncode, first.stderr) == (0, "")
    summary = (run / "summary.md").read_text()
    (run / "summary.md").write_text(summary.replace("Restore drill", "The next restore drill"))
    second = commented(hub, run)
    assert second.stdout == first.stdout
    assert len(hub.comments) == 6
    assert hub.comments[-1]["body"].startswith("<!-- restore-drill: drill of ")
    assert "The next restore drill" in hub.comments[-1]["body"]
    assert [request.split()[0] for request in hub.asked] == ["GET"] * 3 + ["POST"] + ["GET"] * 3 + ["PATCH"]


def test_a_comment_with_our_mark_of_somebody_elses_is_left_alone(hub: Hub, run: Path) -> None:
    evidence = failed()
    hub.add("mallory", f"{mark_of(evidence)}\nVERIFIED")
    commented(hub, run)
    assert [comment["user"]["login"] for comment in hub.comments] == ["mallory", BOT]
    assert hub.comments[0]["body"].endswith("\nVERIFIED")


@pytest.mark.further
def test_a_gate_and_a_drill_have_a_comment_each(hub: Hub, run: Path) -> None:
    evidence = failed()
    gate = evidence.model_copy(update={"kind": "gate"})
    assert mark_of(gate) != mark_of(evidence)
    commented(hub, run)
    (run / "evidence.json").write_text(gate.model_dump_json())
    commented(hub, run)
    assert len(hub.comments) == 2


def test_what_github_refuses_is_told_without_the_token(hub: Hub, run: Path) -> None:
    hub.refuses = 403
    refused = commented(hub, run)
    assert refused.returncode == 1
    assert "with 403 Forbidden: give the job `permissions: pull-requests: write`" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert TOKEN not in refused.stderr


def test_a_run_without_a_report_makes_no_comment(hub: Hub, tmp_path: Path) -> None:
    refused = commented(hub, tmp_path)
    assert refused.returncode == 1
    assert "holds no whole report" in refused.stderr
    assert hub.asked == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"GITHUB_TOKEN": ""}, "GITHUB_TOKEN is missing"),
        ({"GITHUB_REF": "refs/heads/main"}, "PULL_REQUEST is missing"),
        ({"GITHUB_REPOSITORY": "shop"}, "GITHUB_REPOSITORY is missing"),
        ({"GITHUB_API_URL": "http://github.example"}, "no https address"),
    ],
)
def test_half_of_what_is_needed_is_refused(change: dict[str, str], says: str) -> None:
    with pytest.raises(NotSaid, match=says):
        PullRequest.of({**environment(Hub(url="https://api.github.example")), **change})


def test_a_run_of_another_commit_is_no_comment_of_this_one(
    hub: Hub, run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in environment(hub).items():
        monkeypatch.setenv(name, value)
    ours = failed().origin.application.commit
    assert main([str(run), "--commit", "b" * 40]) == 1
    assert f"tried commit {ours}, and {'b' * 40} was asked for" in capsys.readouterr().err
    assert hub.asked == []
    assert main([str(run), "--commit", ours]) == 0
    assert len(hub.comments) == 1


@pytest.mark.parametrize("commit", ["", "HEAD", "a90ca90", "A90C" * 10])
def test_a_commit_that_is_not_told_whole_is_refused(commit: str) -> None:
    with pytest.raises(NotSaid, match="no whole id of a commit"):
        refuse_another_commits(failed(), commit)


def test_a_run_whose_commit_nobody_knows_is_refused() -> None:
    origin = failed().origin.model_copy(
        update={"application": Revision(commit="", changed=None, problem="no checkout")}
    )
    evidence = failed().model_copy(update={"origin": origin})
    with pytest.raises(NotSaid, match=r"does not know which commit it tried \(no checkout\)"):
        refuse_another_commits(evidence, "a" * 40)


def test_the_token_is_in_no_text(hub: Hub) -> None:
    assert TOKEN not in repr(PullRequest.of(environment(hub)))
