"""What docs/profile.md says can be declared is what a profile takes."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from fixtures.profile import Profile

ROOT = Path(__file__).resolve().parents[2]
BLOCKS = re.findall(r"^```toml\n(.*?)^```$", (ROOT / "docs" / "profile.md").read_text(), re.MULTILINE | re.DOTALL)


def taken(declared: dict[str, Any], folder: Path) -> Profile:
    """As a profile is read from a folder that has every query that the examples name."""
    for query in re.findall(r"[\w/]+\.sql", "".join(BLOCKS)):
        (folder / query).parent.mkdir(parents=True, exist_ok=True)
        (folder / query).write_text("SELECT 1")
    return Profile.model_validate(declared, context={"folder": folder})


def joined(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Tables within tables; what the other says outweighs."""
    nested = {name: joined(one[name], value) for name, value in other.items() if isinstance(one.get(name), dict)}
    return {**one, **other, **nested}


def test_the_first_example_is_a_whole_profile(tmp_path: Path) -> None:
    whole = {name: value for name, value in tomllib.loads(BLOCKS[0]).items() if name != "sites"}
    profile = taken(whole, tmp_path)
    assert profile.application.name == "shop"
    assert (len(profile.ledger), len(profile.invoice), len(profile.payment), len(profile.usage)) == (1, 1, 1, 1)


@pytest.mark.parametrize("number", range(1, len(BLOCKS)))
def test_every_other_one_fits_into_it(number: int, tmp_path: Path) -> None:
    assert len(BLOCKS) >= 4
    whole = {name: value for name, value in tomllib.loads(BLOCKS[0]).items() if name != "sites"}
    profile = taken(joined(whole, tomllib.loads(BLOCKS[number])), tmp_path)
    assert profile != taken(whole, tmp_path)


def test_the_parts_of_sites_fit_into_the_samples(tmp_path: Path) -> None:
    sample = tomllib.loads((ROOT / "verify" / "profiles" / "igny8" / "profile.toml").read_text())
    parts = tomllib.loads(BLOCKS[0])["sites"]
    assert parts.keys() == {"pages", "skew"}
    profile = taken(sample | {"sites": {**sample["sites"], **parts}}, tmp_path)
    assert profile.sites is not None
    assert profile.sites.skew is not None
