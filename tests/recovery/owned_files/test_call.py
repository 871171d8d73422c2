"""A call says where production's files lie, or that rows alone are recovered: nothing of it is guessed."""

from argparse import Namespace
from pathlib import Path

import pytest

from fixtures.commands.recovering.tenants_files import named_folders
from fixtures.profile import Profile
from fixtures.record.wrong_call import CallParser
from tests.support import recovered_shop
from tests.support.shop_with_files import PROFILE


def named(profile: Profile, *, sites: str = "", uploads: str = "", no_files: bool = False) -> dict[str, Path]:
    chosen = Namespace(
        sites_data=Path(sites) if sites else None, uploads=Path(uploads) if uploads else None, no_files=no_files
    )
    return {**named_folders(CallParser(prog="recover-tenant"), chosen, profile)}


def test_folders_are_taken_as_they_are_named_and_none_where_rows_alone_are_wanted(tmp_path: Path) -> None:
    assert named(PROFILE, sites=str(tmp_path)) == {"sites": tmp_path}
    assert named(PROFILE, uploads=str(tmp_path)) == {"uploads": tmp_path}
    assert named(PROFILE, no_files=True) == {}
    assert named(recovered_shop.PROFILE) == {}


@pytest.mark.parametrize(
    ("profile", "sites", "no_files", "words"),
    [
        (PROFILE, "", False, "the profile has [sites] and [[files]], so tenants have files"),
        (PROFILE, "/srv/media", True, "--no-files says that rows alone are recovered"),
        (PROFILE, "/srv/none", False, "/srv/none is no folder: name production's folder of sites"),
        (recovered_shop.PROFILE, "/srv/media", False, "neither [sites] nor [[files]]"),
    ],
)
def test_a_call_that_leaves_it_open_or_says_both_is_wrong(
    profile: Profile, sites: str, no_files: bool, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="4"):
        named(profile, sites=sites, no_files=no_files)
    assert words in " ".join(capsys.readouterr().err.split())
