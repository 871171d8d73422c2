"""A release is refused where it would not be what one commit holds under a version of its own."""

import importlib.util
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.drills import ROOT

SCRIPT = importlib.util.spec_from_file_location("make_release", ROOT / ".ci" / "release" / "make_release.py")
assert SCRIPT is not None
assert SCRIPT.loader is not None
make_release = importlib.util.module_from_spec(SCRIPT)
SCRIPT.loader.exec_module(make_release)

COMMITTING = ("-c", "user.name=somebody", "-c", "user.email=somebody@shop.example", "-c", "commit.gpgsign=false")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A commit of version 0.2.0 that may be released."""
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "0.2.0"\n')
    (tmp_path / "CHANGELOG.md").write_text("# Changes\n\n## 0.2.0, 2026-11-29\n\n## 0.1.0, 2026-10-01\n")
    git(tmp_path, "init", "--quiet")
    commit(tmp_path)
    return tmp_path


def git(checkout: Path, *words: str) -> None:
    subprocess.run(["git", *COMMITTING, *words], cwd=checkout, check=True, timeout=60)


def commit(checkout: Path) -> None:
    git(checkout, "add", "--all")
    git(checkout, "commit", "--quiet", "--message", "a release")


def rewrite(checkout: Path, file: str, old: str, new: str) -> None:
    text = (checkout / file).read_text()
    assert old in text
    (checkout / file).write_text(text.replace(old, new))


def changed(checkout: Path) -> None:
    rewrite(checkout, "pyproject.toml", "[project]", "[project]\n")


def untracked(checkout: Path) -> None:
    for name in "abcd":
        (checkout / name).touch()


def other_version(checkout: Path) -> None:
    rewrite(checkout, "pyproject.toml", "0.2.0", "0.20")
    commit(checkout)


def no_day(checkout: Path) -> None:
    rewrite(checkout, "CHANGELOG.md", "## 0.2.0, 2026-11-29", "## 0.2.0, not yet released")
    commit(checkout)


def tagged(checkout: Path) -> None:
    git(checkout, "tag", "v0.2.0")


REFUSED: dict[Callable[[Path], None], str] = {
    changed: "The checkout differs from its commit: pyproject.toml. Commit that or remove it",
    untracked: "The checkout differs from its commit: a, b, c and 1 more.",
    other_version: "CHANGELOG.md has no heading `## 0.20, YYYY-MM-DD`; its newest is `## 0.2.0, 2026-11-29`.",
    no_day: "CHANGELOG.md has no heading `## 0.2.0, YYYY-MM-DD`; its newest is `## 0.2.0, not yet released`.",
    tagged: "Version 0.2.0 is tagged already, as v0.2.0. Give the next release another version",
}


@pytest.mark.parametrize("spoil", REFUSED, ids=lambda spoil: spoil.__name__)
def test_what_is_no_release_is_refused_and_says_why(checkout: Path, spoil: Callable[[Path], None]) -> None:
    assert list(make_release.refusals(checkout)) == []
    spoil(checkout)
    (refusal,) = make_release.refusals(checkout)
    assert refusal.startswith(REFUSED[spoil])
