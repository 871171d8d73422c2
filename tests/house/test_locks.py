"""Two locks: what a drill needs, and all of that with what develops the suite, each package at one version."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def pins(lock: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", (ROOT / lock).read_text(), re.MULTILINE))


def test_the_lock_of_developers_has_all_that_a_drill_needs_at_the_same_version() -> None:
    drills, developers = pins("requirements.lock"), pins("requirements-dev.lock")
    assert drills
    assert drills.items() <= developers.items()


def test_a_drill_installs_nothing_that_only_develops_the_suite() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["dev"]
    names = {re.split(r"[^\w.-]", each, maxsplit=1)[0].lower() for each in declared}
    # What a drill's own packages need is there whoever else wants it: apprise reads YAML, rich reads Markdown.
    assert names & pins("requirements.lock").keys() <= {"markdown-it-py", "pyyaml"}
    assert names <= pins("requirements-dev.lock").keys()
