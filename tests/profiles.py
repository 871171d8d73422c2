"""Copies of the sample's profile that say more than it does."""

import shutil
from pathlib import Path

from tests.drills import PROFILE


def profile_and(folder: Path, toml: str) -> Path:
    """A copy of the profile with these tables after its own."""
    copy = Path(shutil.copytree(PROFILE, folder / "profile" / PROFILE.name))
    with (copy / "profile.toml").open("a") as file:
        file.write(f"\n{toml}\n")
    return copy
