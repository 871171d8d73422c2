"""One tenant's files come back with its rows, byte for byte, and no file of anybody else's is touched."""

import json
from io import StringIO
from typing import Any

import psycopg
import pytest

from fixtures.commands.recovering.__main__ import NOT_MERGED
from fixtures.recovery.journal import read_journal
from fixtures.recovery.refused import RecoveryRefused
from tests.support.recovered_shop import CANARY
from tests.support.shop_with_files import ShopWithFiles, an_accident, tree


def of_the_first(files: dict[str, Any]) -> dict[str, Any]:
    return {
        path: content
        for path, content in files.items()
        if path.startswith(("clients/2/", "clients/4/", "uploads/1/")) and not path.endswith("since.pdf")
    }


def test_files_and_rows_come_back_byte_for_byte_and_those_of_others_stay(
    shop: ShopWithFiles, production: psycopg.Connection[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    an_accident(shop, production)
    there = tree(shop.data)
    assert shop.recover() == 0
    assert tree(shop.data) == there
    said = capsys.readouterr().out
    rows = {line.split()[1]: line.split()[2:] for line in said.splitlines() if line.startswith("files: ")}
    assert {kind: columns[::3] for kind, columns in rows.items()} == {
        "documents": ["0", "2", "1", "1"],
        "sites": ["3", "3", "0", "0"],
    }
    assert shop.recover(merge=True, yes=True, replace_changed=True) == 0
    after = tree(shop.data)
    assert of_the_first(after) == of_the_first(shop.backup)
    assert {path: content for path, content in after.items() if path not in shop.backup} == {
        "uploads/1/since.pdf": b"since",
        "uploads/2/since.pdf": b"of another",
    }
    assert {path: after[path] for path in shop.backup} == shop.backup
    assert production.execute("SELECT count(*) FROM documents WHERE site = 2").fetchone() == (1,)
    said = capsys.readouterr().out
    assert "6 files put in place." in said
    assert "10 files that are not this tenant's: digest " in said
    assert " before and after, the same." in said
    assert shop.left_beside == ["before"]
    (aside,) = shop.folder.glob("data__before_*/files")
    assert tree(aside) == {"uploads/1/4.pdf": b"overwritten"}
    steps = [(line["step"], line["state"]) for line in read_journal(shop.journal)]
    assert steps[-5:] == [
        ("place", "begun"),
        ("place", "done"),
        ("commit", "begun"),
        ("commit", "done"),
        ("files", "ended"),
    ]
    assert "thumbnail" not in json.dumps(read_journal(shop.journal))


def test_a_changed_file_stays_unless_it_is_to_be_replaced(
    shop: ShopWithFiles, production: psycopg.Connection[Any]
) -> None:
    (shop.data / "uploads" / "1" / "4.pdf").write_text("newer")
    assert shop.recover(merge=True, yes=True) == 0
    assert tree(shop.data) == shop.backup | {"uploads/1/4.pdf": b"newer"}
    assert shop.left_beside == []


def test_a_link_that_points_elsewhere_is_the_backups_again(
    shop: ShopWithFiles, production: psycopg.Connection[Any]
) -> None:
    (shop.data / "clients" / "2" / "current").unlink()
    (shop.data / "clients" / "2" / "current").symlink_to("v1")
    assert shop.recover(merge=True, yes=True, replace_changed=True) == 0
    assert tree(shop.data) == shop.backup


def test_without_a_yes_nothing_is_left_beside(
    shop: ShopWithFiles, production: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    an_accident(shop, production)
    there = tree(shop.data)
    monkeypatch.setattr("sys.stdin", StringIO("no\n"))
    assert shop.recover(merge=True) == NOT_MERGED
    assert (tree(shop.data), shop.left_beside) == (there, [])


def test_a_file_that_another_tenants_row_names_is_never_changed(
    shop: ShopWithFiles, production: psycopg.Connection[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    an_accident(shop, production)
    production.execute("UPDATE documents SET path = 'uploads/1/4.pdf' WHERE id = 3")
    there = tree(shop.data)
    assert shop.recover(merge=True, yes=True, replace_changed=True) == NOT_MERGED
    assert (
        "in the way: files: 1 file to be put in place that a row which is not this tenant's names"
        in capsys.readouterr().out
    )
    assert tree(shop.data) == there
    # Where it stays as it is, nothing is in the way.
    assert shop.recover(merge=True, yes=True) == 0
    assert tree(shop.data)["uploads/1/4.pdf"] == b"overwritten"


@pytest.mark.parametrize("link", [True, False], ids=["link", "file"])
def test_nothing_is_written_through_a_link_or_in_place_of_a_folder(
    shop: ShopWithFiles, production: psycopg.Connection[Any], capsys: pytest.CaptureFixture[str], link: bool
) -> None:
    an_accident(shop, production)
    (shop.folder / "elsewhere").mkdir()
    if link:
        (shop.data / "clients" / "2").symlink_to(shop.folder / "elsewhere")
    else:
        (shop.data / "uploads" / "1" / "2.pdf").mkdir()
    assert shop.recover(merge=True, yes=True) == NOT_MERGED
    assert "in whose place production has a folder, or on whose way a link" in capsys.readouterr().out
    assert list((shop.folder / "elsewhere").iterdir()) == []


def test_rows_that_are_refused_leave_the_files_as_they_were(
    shop: ShopWithFiles, production: psycopg.Connection[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    an_accident(shop, production)
    there = tree(shop.data)
    production.execute(
        f"CREATE FUNCTION act() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE '{CANARY}'; END $$;"
        "CREATE CONSTRAINT TRIGGER act AFTER INSERT ON documents DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW EXECUTE FUNCTION act()"
    )
    with pytest.raises(RecoveryRefused, match="everything was rolled back"):
        shop.recover(merge=True, yes=True)
    assert (tree(shop.data), shop.left_beside) == (there, [])
    assert "The tenant's files in production are as they were." in capsys.readouterr().out
