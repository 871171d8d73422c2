"""A tenant's files are told by its rows, its sites and its folder, wherever production keeps them."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from fixtures.profile.files import FileColumn
from fixtures.profile.words import SqlFile
from fixtures.recovery.owned_files.compared import FilesCompared
from fixtures.recovery.owned_files.live import LiveFile
from fixtures.recovery.owned_files.places import Places
from fixtures.recovery.owned_files.placing import Move, Placing
from fixtures.recovery.owned_files.recovering import of_others
from fixtures.recovery.refused import RecoveryRefused
from fixtures.recovery.whole.folders import Folder
from tests.support.shop_with_files import PROFILE, SOURCE, ShopWithFiles, an_accident, removed, tree


@pytest.mark.parametrize("within", [True, False], ids=["within the sites", "elsewhere"])
def test_uploads_of_a_folder_of_their_own_go_back_there(
    shop: ShopWithFiles, production: psycopg.Connection[Any], within: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    an_accident(shop, production)
    uploads = shop.data / "uploads" if within else shop.folder / "uploads"
    if not within:
        (shop.data / "uploads").rename(uploads)
    assert shop.recover(uploads=uploads, merge=True, yes=True, replace_changed=True) == 0
    expected = {
        path.removeprefix("uploads/"): each for path, each in shop.backup.items() if path.startswith("uploads/")
    }
    assert tree(uploads) == expected | {"1/since.pdf": b"since", "2/since.pdf": b"of another"}
    assert tree(shop.data / "clients") == {
        path.removeprefix("clients/"): each for path, each in shop.backup.items() if path.startswith("clients/")
    }
    assert "10 files that are not this tenant's: digest " in capsys.readouterr().out


def test_a_file_that_the_archive_ties_to_another_tenants_comes_back_by_itself(
    shop: ShopWithFiles, production: psycopg.Connection[Any]
) -> None:
    theirs, ours = (shop.data / "clients" / site / "v1" / "index.html" for site in "12")
    ours.unlink()
    os.link(theirs, ours)
    shop.packed()
    removed(shop.data / "clients" / "2")
    assert shop.recover(merge=True, yes=True) == 0
    assert tree(shop.data) == shop.backup
    assert not ours.samefile(theirs)


def test_files_of_a_query_without_tenants_are_nobodys_and_that_is_said(
    shop: ShopWithFiles, production: psycopg.Connection[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    query = SqlFile(file="papers.sql", text="SELECT id, path FROM public.documents")
    column = FileColumn(name="papers", query=query, root="sites-data", claims="uploads")
    source = replace(SOURCE, profile=PROFILE.model_copy(update={"files": (column,)}))
    (shop.data / "uploads" / "1" / "2.pdf").unlink()
    there = tree(shop.data)
    assert shop.recover(source=source, merge=True, yes=True) == 0
    assert tree(shop.data) == there
    assert "not compared: files that [[files]] papers names: its query returns no tenant" in capsys.readouterr().out


def test_files_of_shared_rows_are_nobodys_and_that_is_said(
    shop: ShopWithFiles, production: psycopg.Connection[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    column = FileColumn.model_validate(
        {"name": "flags", "table": "countries", "path": "code", "root": "sites-data/flags"}
    )
    source = replace(SOURCE, profile=PROFILE.model_copy(update={"files": (*PROFILE.files, column)}))
    (shop.data / "flags").mkdir()
    (shop.data / "flags" / "NL").write_text("a flag")
    shop.packed()
    (shop.data / "flags" / "NL").unlink()
    assert shop.recover(source=source, merge=True, yes=True) == 0
    assert "not compared: files that [[files]] flags names: its rows are no tenant's" in capsys.readouterr().out
    assert not (shop.data / "flags" / "NL").exists()


def test_a_row_whose_file_the_set_has_not_is_told(
    shop: ShopWithFiles, production: psycopg.Connection[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    (shop.data / "uploads" / "1" / "2.pdf").unlink()
    (shop.data / "uploads" / "2" / "1.pdf").unlink()
    shop.packed()
    assert shop.recover() == 0
    assert "not compared: 1 row of [[files]] documents whose file the set has not" in capsys.readouterr().out


def test_a_folder_that_is_not_there_or_that_the_set_has_nothing_for_is_refused(
    shop: ShopWithFiles, tmp_path: Path
) -> None:
    with pytest.raises(RecoveryRefused, match="none is no folder"):
        Places.of({"sites": tmp_path / "none"}, {"sites": shop.archive}, None, "run")
    with pytest.raises(RecoveryRefused, match="the set has no archive of sites"):
        Places.of({"sites": shop.data}, {}, None, "run")


def test_another_tenants_file_that_became_the_one_put_in_place_is_seen(tmp_path: Path) -> None:
    """As where a folder of production is mounted twice."""
    folder = Folder("sites", tmp_path / "live", tmp_path / "beside", tmp_path / "aside")
    theirs = LiveFile("sites-data/alias", link=False, size=1, content="old", number=(1, 2), status=(2, 1, 0))
    placing = Placing((folder,), [Move(folder, "page", (1, 3), None)])
    before = FilesCompared(others={theirs.path: theirs})
    assert of_others(before, {theirs.path: theirs}, placing).same == 1
    written = replace(theirs, content="new", number=(1, 4))
    assert of_others(before, {theirs.path: written}, placing).meanwhile == 1
    with pytest.raises(RecoveryRefused, match="one file has two names there"):
        of_others(before, {theirs.path: replace(written, number=(1, 3))}, placing)
