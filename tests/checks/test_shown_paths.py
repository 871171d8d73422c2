"""A path is shown so that a person finds the file, and no part of it that a person may have named."""

import pytest

from fixtures.checks.masking import masked_text
from fixtures.checks.sites.shown_paths import ShownPaths

PATHS = ShownPaths(b"key", ["clients/{site}/v{version}", "uploads-2/{tenant}", "site-definition.json"])
UUID = "8c5d3f0a-1d5b-4f0e-9f55-0c6a3f3e9d11"


def of(text: str) -> str:
    return masked_text(text, b"key")


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("clients/13/v2/pages/index.html", "clients/13/v2/pages/index.html"),
        ("clients/13/v2/site-definition.json", "clients/13/v2/site-definition.json"),
        (f"uploads-2/7/{UUID}.pdf", f"uploads-2/7/{UUID}.pdf"),
        ("uploads-2/7/Jane Roe.pdf", f"uploads-2/7/{of('Jane Roe')}.pdf"),
        ("uploads-2/7/bill.jane-roe", f"uploads-2/7/{of('bill.jane-roe')}"),
        ("uploads-2/7/490123456789012.jpg", f"uploads-2/7/{of('490123456789012')}.jpg"),
        ("clients/jane/vjane/.roe", f"clients/{of('jane')}/{of('vjane')}/{of('.roe')}"),
        ("../../etc/passwd", f"../../{of('etc')}/{of('passwd')}"),
        ("/jane", f"/{of('jane')}"),
        ("\u0663/a\nb", f"{of(chr(0x663))}/{of(f'a{chr(10)}b')}"),
        ("jane/" * 20 + "roe", "/".join([of("jane")] * 6 + [of("/".join(["jane"] * 14)), of("roe")])),
    ],
)
def test_only_keys_and_words_of_the_profile_are_shown(path: str, shown: str) -> None:
    assert PATHS.shown(path) == shown
