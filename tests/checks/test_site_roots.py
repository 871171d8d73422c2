"""Sites that lie elsewhere than the profile says are told as that, and the loss of sites as the loss that it is."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from fixtures.checks.blocked import Blocked
from fixtures.checks.sites.site_roots import require_sites_rooted
from fixtures.sites.folders import Inventory
from tests.support.small_archives import FOLDERS, GOOD, read, tar

RECORDS = """
CREATE TEMP TABLE site (site, deployed); INSERT INTO site VALUES ('1', 1), ('1-x', 1), ('9', 0);
CREATE TEMP TABLE deployment (site, version, live); INSERT INTO deployment VALUES ('1', '2', 1), ('1-x', '1', 1);
CREATE TEMP TABLE folder (site); CREATE TEMP TABLE site_folder (site);
"""


def looked_for(folder: Path, renamed: Callable[[str], str]) -> None:
    data = read(folder, tar([(renamed(name), content) for name, content in GOOD]))
    with closing(sqlite3.connect(data.inventory)) as session:
        session.executescript(RECORDS)
        files = Inventory(session, FOLDERS)
        session.executemany("INSERT INTO folder VALUES (?)", [(each.site,) for each in files.digests()])
        require_sites_rooted(session, files)


@pytest.mark.parametrize(
    ("renamed", "where"),
    [
        (lambda name: f"srv/{name}", "lies 1 folder further down"),
        (lambda name: name.removeprefix("sites-data/"), "lies under 'clients'"),
    ],
)
def test_sites_that_all_lie_under_another_folder_are_no_loss(
    tmp_path: Path, renamed: Callable[[str], str], where: str
) -> None:
    with pytest.raises(
        Blocked, match=f"the live version of each of 2 deployed sites {where} in the archive: set site_"
    ):
        looked_for(tmp_path, renamed)


@pytest.mark.parametrize(
    "renamed",
    [
        str,  # where they are said to lie
        lambda name: f"srv/{name.replace('/1-x/', '/2/')}",  # one of them lies nowhere
        lambda name: name.replace("clients", "old/clients") if "/1-x/" in name else name,
    ],
)
def test_a_site_that_is_nowhere_or_one_that_lies_where_it_should_leaves_it_to_the_controls(
    tmp_path: Path, renamed: Callable[[str], str]
) -> None:
    looked_for(tmp_path, renamed)
