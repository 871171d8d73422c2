"""Copies of the sample's profile that say more than it does."""

import shutil
from pathlib import Path

from tests.support.drills import PROFILE


def profile_and(folder: Path, toml: str) -> Path:
    """A copy of the profile with these tables after its own; what begins with [exempt] joins the table of that name."""
    copy = Path(shutil.copytree(PROFILE, folder / "profile" / PROFILE.name))
    file = copy / "profile.toml"
    own = file.read_text()
    exempt, _, rest = (
        toml.removeprefix("[exempt]\n").partition("\n\n") if toml.startswith("[exempt]") else ("", "", toml)
    )
    assert "\n[exempt]\n" in own
    file.write_text(own.replace("\n[exempt]\n", f"\n[exempt]\n{exempt}\n", 1) + f"\n{rest}\n")
    return copy
