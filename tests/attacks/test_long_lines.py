"""A line that is made to be endless, in whatever bytes, hides nothing of what is said after it."""

import sys

import pytest

from fixtures.sandbox.child import CUT, LONGEST_LINE, plain_environment, run_child
from fixtures.sandbox.guardian import Guardian

# What others take for the end of a line is none; nor does a piece of a letter make one longer than it is.
ENDLESS = {
    "carriage returns": r"b'\r' * 65536",
    "zeros": r"b'\0' * 65536",
    "other ends of lines": r"('\x0b\x0c\x1c\x85\u2028\u2029' * 8192).encode()",
    "pieces of letters": r"b'\xe2\x80' * 32768",
}
BAIT = "ERROR:  the bait"


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
@pytest.mark.parametrize("bytes_of", ENDLESS)
def test_what_follows_an_endless_line_is_heard(bytes_of: str, stream: str, guardian: Guardian) -> None:
    number = 1 if stream == "stdout" else 2
    say = (
        f"import os\nblock = {ENDLESS[bytes_of]}\n"
        f"for _ in range({LONGEST_LINE} // len(block) + 9):\n"
        f"    rest = block\n    while rest: rest = rest[os.write({number}, rest):]\n"
        f"os.write({number}, b'\\n{BAIT}\\n')"
    )
    heard: list[tuple[str, str]] = []
    done = run_child(
        [sys.executable, "-c", say],
        environment=plain_environment(),
        guardian=guardian,
        on_line=lambda name, line: heard.append((name, line[-len(CUT) :])),
    )
    assert done.succeeded
    assert heard == [(stream, CUT), (stream, BAIT[-len(CUT) :])]
