"""The summary of a drill or a gate as one comment of a pull request on GitHub, which later runs edit: `make comment`.

API: https://docs.github.com/en/rest/issues/comments, the same on GitHub Enterprise (GITHUB_API_URL).
"""

import json
import os
import re
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from pydantic import ValidationError

from fixtures.record.evidence import Evidence
from fixtures.record.wrong_call import CallParser, run_folder

_SECONDS = 30
_PULL_REQUEST = re.compile(r"refs/pull/(\d+)/")
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_NEXT = re.compile(r'<([^>]+)>;\s*rel="next"')
_NEEDED = (
    "run it in a workflow of a pull request, or set GITHUB_REPOSITORY=owner/name, PULL_REQUEST=number and GITHUB_TOKEN"
)


class NotSaid(Exception):
    """The comment was not made; the text says why and what to do, and holds no credential."""


@dataclass(frozen=True, slots=True)
class PullRequest:
    """Where the comment goes. `author` is whose comments are edited: anybody can write down the mark of ours."""

    api: str
    repository: str
    number: int
    author: str
    token: str = field(repr=False)

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "PullRequest":
        """As GitHub Actions tells it. Raises NotSaid for what is missing."""
        ref = _PULL_REQUEST.match(environment.get("GITHUB_REF", ""))
        number = environment.get("PULL_REQUEST") or (ref[1] if ref else "")
        repository, token = environment.get("GITHUB_REPOSITORY", ""), environment.get("GITHUB_TOKEN", "")
        api = environment.get("GITHUB_API_URL") or "https://api.github.com"
        missing = {
            "GITHUB_REPOSITORY": "/" in repository,
            "PULL_REQUEST": number.isdigit(),
            "GITHUB_TOKEN": bool(token),
        }
        if not all(missing.values()):
            raise NotSaid(f"{', '.join(name for name, there in missing.items() if not there)} is missing: {_NEEDED}")
        if not api.startswith(("https://", "http://127.0.0.1:", "http://localhost:")):
            raise NotSaid("GITHUB_API_URL is no https address, and the token would go there in clear: name one that is")
        return cls(
            api.rstrip("/"), repository, int(number), environment.get("COMMENT_AUTHOR") or "github-actions[bot]", token
        )

    def say(self, mark: str, text: str) -> str:
        """Edits the comment that bears the mark, or makes it; returns its address. Raises NotSaid."""
        body = {"body": f"{mark}\n{text}"}
        ours = next((each for each in self._comments() if self._is_ours(each, mark)), None)
        if ours is None:
            made, _ = self._ask("POST", f"{self._issues}/{self.number}/comments", body)
        else:
            made, _ = self._ask("PATCH", f"{self._issues}/comments/{int(ours['id'])}", body)
        return str(cast("dict[str, Any]", made).get("html_url", ""))

    @property
    def _issues(self) -> str:
        return f"{self.api}/repos/{self.repository}/issues"

    def _is_ours(self, comment: dict[str, Any], mark: str) -> bool:
        author = (comment.get("user") or {}).get("login")
        return author == self.author and str(comment.get("body", "")).startswith(mark)

    def _comments(self) -> Iterator[dict[str, Any]]:
        page: str | None = f"{self._issues}/{self.number}/comments?per_page=100"
        while page is not None:
            comments, links = self._ask("GET", page)
            yield from cast("list[dict[str, Any]]", comments)
            further = _NEXT.search(links)
            page = further[1] if further is not None and further[1].startswith(f"{self.api}/") else None

    def _ask(self, method: str, url: str, body: Mapping[str, str] | None = None) -> tuple[object, str]:
        """What was answered, and its Link header."""
        request = urllib.request.Request(  # noqa: S310  # `of` refused every scheme but these
            url,
            json.dumps(body).encode() if body is not None else None,
            {
                "Accept": "application/vnd.github+json",
                "Authorization": f"Bearer {self.token}",
                "Content-Type": "application/json",
                "X-GitHub-Api-Version": "2022-11-28",
            },
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310
                return json.load(answer), answer.headers.get("Link", "")
        except urllib.error.HTTPError as refused:
            fix = "give the job `permissions: pull-requests: write`" if refused.code in (401, 403, 404) else "try again"
            raise NotSaid(f"{self.api} answered {method} with {refused.code} {refused.reason}: {fix}") from None
        except (OSError, ValueError) as problem:
            raise NotSaid(
                f"{self.api} was not reached: {type(problem).__name__}; look at the runner's network"
            ) from None


def mark_of(evidence: Evidence) -> str:
    """One comment for each profile, and for a gate another than for a drill."""
    return f"<!-- restore-drill: {evidence.kind} of {evidence.record.profile_name.replace('--', '')} -->"


def refuse_another_commits(evidence: Evidence, commit: str) -> None:
    """Raises NotSaid where the run did not try the release at that commit, or nobody knows which it tried."""
    if not _COMMIT.fullmatch(commit):
        raise NotSaid(
            "--commit is no whole id of a commit: give what `git rev-parse HEAD` prints in the release's folder"
        )
    application = evidence.origin.application
    if not application.commit:
        raise NotSaid(
            f"the run {evidence.record.run_id} does not know which commit it tried "
            f"({application.problem or 'git told none'}), and {commit} was asked for: "
            "run it on a checkout that git can read"
        )
    if application.commit != commit:
        raise NotSaid(
            f"the run {evidence.record.run_id} tried commit {application.commit}, and {commit} was asked for: "
            "name the folder of this commit's run; if there is none, look at how the gate ended"
        )


def comment_on(run: str, commit: str | None = None) -> str:
    """Posts the summary of the run in that folder, if it tried that commit; returns the comment's address.
    Raises NotSaid."""
    folder = Path(run)
    try:
        evidence = Evidence.model_validate_json((folder / "evidence.json").read_bytes())
        summary = (folder / "summary.md").read_text(encoding="utf-8")
    except (OSError, ValidationError) as problem:
        raise NotSaid(
            f"{folder} holds no whole report ({type(problem).__name__}): name the folder of a run, RUN=reports/out/RUN-ID"
        ) from None
    if commit is not None:
        refuse_another_commits(evidence, commit)
    return PullRequest.of(os.environ).say(mark_of(evidence), summary)


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0: the comment is there, its address printed. 1: none was made, and why."""
    parser = CallParser(
        prog="restore-drill comment",
        description="Writes a drill's summary.md as a comment on a GitHub pull request; later runs edit it. It reads "
        "GITHUB_TOKEN, GITHUB_REPOSITORY and PULL_REQUEST from the environment.",
    )
    parser.add_argument("run", type=run_folder, metavar="DIR", help="the folder of a drill's report")
    parser.add_argument(
        "--commit", metavar="SHA", help="the release's commit, whole: a run that tried another one is refused"
    )
    call = parser.parse_args(arguments)
    try:
        print(f"The comment: {comment_on(call.run, call.commit)}")
    except NotSaid as said:
        print(f"No comment was made: {said}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
