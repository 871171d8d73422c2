"""Hands tests out by file, and files that share what a session makes once to one worker, so that no other makes it too."""

import re
from functools import cache
from pathlib import Path

from xdist.scheduler import LoadFileScheduling

ROOT = Path(__file__).resolve().parents[2]
# By what it costs: a whole drill, then the sample in a server. Who asks for both is with the first.
SHARED = {
    "a drill": re.compile(r"^def (?:test_)?\w+\([^)]*\b(?:standing|short_drill|healthy_drill|drilling):", re.M),
    "the application": re.compile(r"^def (?:test_)?\w+\([^)]*\bplace: Bench", re.M),
}


class SharingScheduling(LoadFileScheduling):
    """The largest shares of tests go out first, as with files."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return shared_in(file) or file


@cache
def shared_in(file: str) -> str:
    """What tests of this file, by their parameters, want of a session; empty for files that share nothing."""
    text = (ROOT / file).read_text()
    return next((name for name, asked in SHARED.items() if asked.search(text)), "")
