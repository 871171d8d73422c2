"""Files that a query of the profile names are looked up as those of a column: keys as JSON, tenants where it tells them."""

import io
import re
import secrets
import sqlite3
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unicodedata import normalize

import pytest

from fixtures.checks.access import Access
from fixtures.checks.blocked import Blocked
from fixtures.checks.databases import Database
from fixtures.checks.examination import Examination, Finding
from fixtures.checks.masking import masked_text
from fixtures.checks.sites.archive_index import ArchiveIndex, Lookup
from fixtures.checks.sites.archived_files import ArchivedFiles
from fixtures.checks.sites.file_lookups import (
    altered_files,
    misplaced_files,
    missing_files,
    unclaimed_files,
)
from fixtures.checks.sites.site_lookups import VIEWS, pages_unknown
from fixtures.database.read_facts import read_facts
from fixtures.ownership import derive_ownership
from fixtures.profile.exceptions import Counted
from fixtures.profile.files import FileColumn
from fixtures.profile.reading import read_profile
from fixtures.profile.words import SqlFile
from tests.sites.test_site_sources import read
from tests.support.drills import PROFILE, Healthy

QUERY = """
-- Invoices of the first tenants have a PDF whose path is computed.
SELECT id, tenant_id AS tenant, 'https://cdn.example/pdf/' || tenant_id || '/' || id || '.pdf' AS path, 3 AS size
FROM public.igny8_invoices WHERE id IN (1, 2, 37);
"""
COLUMN = FileColumn(
    name="pdf", query=SqlFile(file="pdf.sql", text=QUERY),
    root="media", prefix="https://cdn.example/", claims="pdf", tenant_folder="pdf/{tenant}",
    unclaimed={"*/draft-*": Counted(at_most=1, reason="drafts are kept until the invoice is sent")},
)  # fmt: skip
FILES = {
    "media/pdf/1/1.pdf": b"one",
    "media/pdf/2/37.pdf": b"cut?",
    "media/pdf/1/draft-9.pdf": b"x",
    "media/pdf/3.pdf": b"",
}
UNNAMED = "file=media/pdf/3.pdf"
DRAFT_AND_PAPER = (f"file=media/pdf/1/{masked_text('draft-9', b'key')}.pdf", UNNAMED)


@contextmanager
def looked_up(
    healthy: Healthy, folder: Path, *columns: FileColumn, planted: str = "", uploads: Path | None = None
) -> Iterator[ArchivedFiles]:
    """The sample's database, in which `planted` is done and undone, beside an archive of FILES."""
    folder.mkdir(exist_ok=True)
    archive = folder / "set.sites.tar"
    with tarfile.open(archive, "w") as packed:
        for name, content in FILES.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            packed.addfile(entry, io.BytesIO(content))
    data = read(archive, folder / "inventory", uploads=uploads)
    server, database = healthy.server, healthy.built.database
    access = Access(
        server.host, server.port, server.user, server.password, database, database, secrets.token_hex(4), b"key"
    )
    profile = read_profile(PROFILE).profile.model_copy(update={"files": columns})
    instants = {"snapshot": time.time(), "until": 0.0, "archived_from": 0.0}

    with server.connect(database) as session, sqlite3.connect(data.inventory) as inventory:
        facts = read_facts(server, database, 60)
        with session.transaction(force_rollback=True):
            if planted:
                session.execute(planted)  # type: ignore[call-overload]
            records = Database(facts, Examination(), access, database, session)
            index = ArchiveIndex(inventory, Examination(), b"key", instants, ["media", "pdf/{tenant}"])
            yield ArchivedFiles(index, records, derive_ownership(facts, profile.tenancy), profile.files)


def finding(files: ArchivedFiles, lookup: Lookup) -> tuple[str, tuple[str, ...]]:
    """What is said of what breaks it; nothing where nothing does."""
    try:
        files.index.expect_none(lookup)
    except Finding as finding:
        return finding.message, finding.samples
    return "", ()


def shown(upload: str) -> str:
    """The file of a row of NAMED, as a finding says it."""
    folder, _, name = upload.rpartition("/")
    return f"file={masked_text('sites-data', b'key')}/uploads/{folder}{folder and '/'}{masked_text(name, b'key')}.svg"


def unclaimed(files: ArchivedFiles, column: FileColumn) -> Lookup:
    return unclaimed_files(column.claimed_folder, files.left_out(column.claimed_folder))


def test_files_that_a_pattern_leaves_out_are_counted_and_more_than_it_accepts_are_told(
    healthy: Healthy, tmp_path: Path
) -> None:
    meant = Counted(at_most=1, reason="drafts are kept until the invoice is sent")
    for pattern, message, samples in (
        ("*/draft-*", "", ()),
        ("*", "2 files that no row names are accepted as *, which accepts at most 1", DRAFT_AND_PAPER),
    ):
        column = COLUMN.model_copy(update={"unclaimed": {pattern: meant, "none-*": meant, "3.pdf": meant}})
        with looked_up(healthy, tmp_path / message[:1], column) as files:
            records = Examination()
            files.index._examination = records
            assert finding(files, unclaimed(files, column)) == (message, samples)
            counted = {each.entry: (each.what, each.count, each.at_most) for each in records.excepted}
            many = len(samples) or 1
            assert counted == {
                pattern: ("unclaimed", many, 1),
                "none-*": ("unclaimed", 0, 1),
                "3.pdf": ("unclaimed", 1, 1),
            }
            assert "0 files that no row names are accepted as none-* (at most 1)" in records.note


@pytest.mark.parametrize(
    ("at_most", "message", "samples"),
    [
        (1, "", ()),
        (0, "1 of 3 rows name a file that is not in the archive", ("id=1 file=media/pdf/1/1.pdf has an empty file",)),
        (
            1,
            "2 rows that are empty are accepted by pdf, which accepts at most 1",
            ("id=1 file=media/pdf/1/1.pdf", "id=2 file=media/pdf/1/2.pdf"),
        ),
    ],
    ids=["as many as accepted", "none accepted", "one more"],
)
def test_files_that_may_be_empty_are_counted_and_more_than_that_are_told(
    healthy: Healthy,
    tmp_path: Path,
    at_most: int,
    message: str,
    samples: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    empty = range(1, len(samples) + 1) if samples else (1,)
    files = {f"media/pdf/{2 if id == 37 else 1}/{id}.pdf": b"" if id in empty else b"one" for id in (1, 2, 37)}
    monkeypatch.setitem(globals(), "FILES", files)
    meant = Counted(at_most=at_most, reason="drafts have no pages yet") if at_most else None
    column = COLUMN.model_copy(update={"may_be_empty": meant})
    with looked_up(healthy, tmp_path, column) as look:
        records = Examination()
        look.index._examination = records
        assert finding(look, missing_files(column)) == (message, samples)
        counted = [(each.what, each.entry, each.count, each.at_most) for each in records.excepted]
        assert counted == ([("may_be_empty", "pdf", len(empty), 1)] if at_most else [])


PAGES = """
CREATE TEMP TABLE page (site, path, key);
CREATE TEMP TABLE unrecorded (pattern);
INSERT INTO unrecorded VALUES ('*404.html');
CREATE TEMP TABLE live (site, tenant, version, path);
INSERT INTO live VALUES (1, 1, 'v1', 'a'), (2, 2, 'v1', 'b');
CREATE TEMP TABLE entry (number, path, kind, size);
INSERT INTO entry VALUES (1, 'a/404.html', 'file', 9), (2, 'b/404.html', 'file', 9), (3, 'b/errors/404.html', 'file', 9);
"""


def test_pages_without_a_record_are_counted_by_site_and_more_of_one_are_told() -> None:
    meant = {"*404.html": Counted(at_most=1, reason="the server's own page")}
    for more, message in (
        ("DELETE FROM entry WHERE number = 3", ""),
        (
            "SELECT 1",
            "2 published pages of one site that no row names are accepted as *404.html, which accepts at most 1",
        ),
    ):
        with sqlite3.connect(":memory:") as session:
            session.executescript(f"{PAGES}; {more}")
            records = Examination()
            index = ArchiveIndex(session, records, b"key", {"snapshot": 0.0})
            for view in ("published", "published_page"):
                index.define(view, VIEWS[view])
            told = ""
            try:
                index.expect_none(pages_unknown(meant))
            except Finding as found:
                told = found.message
            assert told == message
            counted = [(each.what, each.entry, each.count, each.at_most) for each in records.excepted]
            assert counted == [("unrecorded", "*404.html", 2 if message else 1, 1)]


def test_a_querys_files_are_looked_up_both_ways(healthy: Healthy, tmp_path: Path) -> None:
    with looked_up(healthy, tmp_path, COLUMN) as files:
        gone = ("1 of 3 rows name a file that is not in the archive", ("id=2 file=media/pdf/1/2.pdf has no file",))
        assert finding(files, missing_files(COLUMN)) == gone
        assert finding(files, altered_files(COLUMN))[1] == ("id=37 file=media/pdf/2/37.pdf bytes too many: 1",)
        assert finding(files, unclaimed(files, COLUMN))[1] == (UNNAMED,)
        assert finding(files, misplaced_files(COLUMN, owned=files.owned(COLUMN))) == ("", ())


NAMED = {
    "name": "images",
    "table": "igny8_images",
    "path": "path",
    "root": "sites-data",
    "tenant_folder": "uploads/{tenant}",
}
ORPHAN = """
ALTER TABLE igny8_images ALTER content_id DROP NOT NULL;
UPDATE igny8_images SET content_id = NULL WHERE id = 1;
UPDATE igny8_images SET path = 'uploads/999/x.svg' WHERE id = 2;
"""


def test_a_row_without_an_owner_is_told_once_and_one_outside_its_folder_here(healthy: Healthy, tmp_path: Path) -> None:
    """That it has no owner, TEN-03 tells; where no owner is known of the table, nothing else would."""
    column = FileColumn.model_validate(NAMED)
    own, astray = shown("1/image-1"), shown("999/x")
    with looked_up(healthy, tmp_path, column, planted=ORPHAN) as files:
        assert files.owned(column)
        here = (
            "1 of 209 rows name a file that is not in their own tenant's folder",
            (f"id=2 {astray} outside its tenant's folder",),
        )
        assert finding(files, misplaced_files(column, owned=True)) == here
        unknown = finding(files, misplaced_files(column, owned=False))[1]
        assert unknown == (
            f"id=1 {own} belongs to no tenant",
            f"id=2 {astray} outside its tenant's folder",
        )
        assert not files.owned(COLUMN)


def test_a_file_whose_name_differs_in_its_unicode_form_alone_is_no_lost_one(healthy: Healthy, tmp_path: Path) -> None:
    """macOS writes decomposed names; where the application runs, such a name is another one."""
    uploads = tmp_path / "set.uploads"
    (uploads / "sites-data" / "uploads").mkdir(parents=True)
    (uploads / "sites-data" / "uploads" / normalize("NFD", "café.svg")).write_bytes(b"<svg/>")
    column = FileColumn.model_validate({**NAMED, "claims": "uploads"})
    planted = (
        "DELETE FROM igny8_images WHERE id > 2; UPDATE igny8_images SET path = "
        f"CASE id WHEN 1 THEN 'uploads/{normalize('NFC', 'café.svg')}' ELSE 'uploads/thé.svg' END"
    )
    with looked_up(healthy, tmp_path, column, planted=planted, uploads=uploads) as files:
        assert finding(files, missing_files(column))[1] == (
            f"id=1 {shown('café')} has a file whose name differs in its Unicode form alone: rename it",
            f"id=2 {shown('thé')} has no file",
        )
        # A person who is told to remove what no row names must not be told of it.
        assert finding(files, unclaimed(files, column)) == ("", ())


def test_a_rows_file_may_lie_in_the_archive_of_uploads(healthy: Healthy, tmp_path: Path) -> None:
    """The rows' paths count from the root of either archive."""
    uploads = tmp_path / "set.uploads"
    (uploads / "sites-data" / "uploads" / "1").mkdir(parents=True)
    (uploads / "sites-data" / "uploads" / "1" / "image-1.svg").write_bytes(b"<svg/>")
    column = FileColumn.model_validate({**NAMED, "claims": "uploads"})
    planted = "DELETE FROM igny8_images WHERE id > 2; UPDATE igny8_images SET path = 'uploads/1/image-' || id || '.svg'"
    with looked_up(healthy, tmp_path, column, planted=planted, uploads=uploads) as files:
        assert finding(files, missing_files(column)) == (
            "1 of 2 rows name a file that is not in the archive",
            (f"id=2 {shown('1/image-2')} has no file",),
        )
        assert finding(files, unclaimed(files, column)) == ("", ())


ROOTS = {
    "": "lies 1 folder further down in the archive",
    "set/media": "lies under 'media' in the archive",
    "files": "lies under another folder, 1 deep, in the archive",
}


@pytest.mark.parametrize("root", ROOTS)
def test_a_root_that_is_a_folder_off_is_no_loss(healthy: Healthy, tmp_path: Path, root: str) -> None:
    all_there = QUERY.replace("(1, 2, 37)", "(1, 37)")
    column = COLUMN.model_copy(update={"root": root, "query": SqlFile(file="pdf.sql", text=all_there)})
    with looked_up(healthy, tmp_path, column) as files:
        with pytest.raises(Blocked, match=re.escape(ROOTS[root])):
            files.require_known(column)
        with pytest.raises(Blocked):
            files.require_claimants_known(column.claimed_folder)


OTHER = FileColumn(
    name="scans", query=SqlFile(file="scans.sql", text="SELECT 1 AS id, '3.pdf' AS path"), root="scans", claims="all"
)  # fmt: skip


def test_files_of_another_column_that_is_a_folder_off_are_not_told_as_unclaimed(
    healthy: Healthy, tmp_path: Path
) -> None:
    with looked_up(healthy, tmp_path, COLUMN, OTHER) as files:
        with pytest.raises(Blocked, match=re.escape("set `root` of [[files]] scans to that folder")):
            files.require_claimants_known(COLUMN.claimed_folder)
        # What it misses by its own root lies nowhere near the folder of others.
        files.require_claimants_known("elsewhere")
    rooted = OTHER.model_copy(update={"root": "media/pdf"})
    with looked_up(healthy, tmp_path / "rooted", COLUMN, rooted) as files:
        files.require_claimants_known(COLUMN.claimed_folder)
        assert finding(files, unclaimed(files, COLUMN)) == ("", ())


@pytest.mark.parametrize("wrong", ["SELECT 1 / (id - 1)", "SELECT 'a customer' || id"])
def test_rows_that_the_server_cannot_read_block_their_own_column_and_the_folders_that_it_may_reach(
    healthy: Healthy, tmp_path: Path, wrong: str
) -> None:
    query = f"SELECT id, 'x' AS path, ({wrong}) AS size FROM public.igny8_invoices ORDER BY id"
    unread = OTHER.model_copy(update={"query": SqlFile(file="scans.sql", text=query)})
    with looked_up(healthy, tmp_path, unread, COLUMN) as files:
        for require in (files.require_known, files.require_answered):
            require(COLUMN)
            with pytest.raises(Blocked, match=re.escape("what the rows of [[files]] scans name: ")) as told:
                require(unread)
            assert "customer" not in str(told.value)
        with pytest.raises(Blocked, match="the server cannot read"):
            files.require_claimants_known(unread.claimed_folder)
        files.require_claimants_known(COLUMN.claimed_folder)
        # The others' rows are there.
        assert finding(files, missing_files(COLUMN))[1] == ("id=2 file=media/pdf/1/2.pdf has no file",)


def test_a_root_is_right_where_any_file_is_or_one_is_nowhere(healthy: Healthy, tmp_path: Path) -> None:
    with looked_up(healthy, tmp_path, COLUMN) as files:
        files.require_known(COLUMN)
    # One of the three has no file under any root.
    off = COLUMN.model_copy(update={"root": "files"})
    with looked_up(healthy, tmp_path / "off", off) as files:
        files.require_known(off)
        assert finding(files, missing_files(off))[0].startswith("3 of 3 rows")


def test_a_query_that_finds_no_row_is_no_fault(healthy: Healthy, tmp_path: Path) -> None:
    none = COLUMN.model_copy(
        update={"query": SqlFile(file="pdf.sql", text=QUERY.replace("(1, 2, 37)", "(NULL)")), "root": "elsewhere"}
    )
    with looked_up(healthy, tmp_path, none) as files:
        files.require_known(none)
        for lookup in (missing_files(none), altered_files(none), misplaced_files(none, owned=False)):
            assert finding(files, lookup) == ("", ())
        assert finding(files, unclaimed(files, none)) == ("", ())
