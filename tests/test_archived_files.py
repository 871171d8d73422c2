"""Files that a query of the profile names are looked up as those of a column: keys as JSON, tenants where it tells them."""

import io
import secrets
import sqlite3
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.archive_index import ArchiveIndex
from fixtures.archived_files import ArchivedFiles, altered, astray, missing, unclaimed
from fixtures.control import Examination, Finding
from fixtures.databases import Access, Database
from fixtures.drill.profile.files import FileColumn
from fixtures.drill.read_facts import read_facts
from fixtures.drill.read_profile import read_profile
from tests.drills import PROFILE, Healthy
from tests.test_site_sources import read

QUERY = """
-- Invoices of the first tenants have a PDF whose path is computed.
SELECT id, tenant_id AS tenant, 'https://cdn.example/pdf/' || tenant_id || '/' || id || '.pdf' AS path, 3 AS size
FROM igny8_invoices WHERE id IN (1, 2, 37);
"""
COLUMN = FileColumn(
    name="pdf", query="pdf.sql", root="media", prefix="https://cdn.example/", claims="pdf", tenant_folder="pdf/{tenant}",
    unclaimed={"*/draft-*": "drafts are kept until the invoice is sent"},
)  # fmt: skip
FILES = {
    "media/pdf/1/1.pdf": b"one",
    "media/pdf/2/37.pdf": b"cut?",
    "media/pdf/1/draft-9.pdf": b"x",
    "media/pdf/3.pdf": b"",
}


@pytest.fixture
def looked_up(healthy: Healthy, tmp_path: Path) -> Iterator[ArchivedFiles]:
    (tmp_path / "pdf.sql").write_text(QUERY)
    archive = tmp_path / "set.sites.tar"
    with tarfile.open(archive, "w") as packed:
        for name, content in FILES.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            packed.addfile(entry, io.BytesIO(content))
    data = read(archive, tmp_path / "inventory")
    server, database = healthy.server, healthy.built.database
    access = Access(
        server.host, server.port, server.user, server.password, database, database, secrets.token_hex(4), b"key"
    )
    profile = read_profile(PROFILE).profile.model_copy(update={"files": (COLUMN,)})
    instants = {"snapshot": time.time(), "until": 0.0, "archived_from": 0.0}

    with server.connect(database) as session, sqlite3.connect(data.inventory) as inventory:
        facts = read_facts(server, database, 60)
        records = Database(facts, Examination(), access, database, session)
        yield ArchivedFiles(ArchiveIndex(inventory, Examination(), b"key", instants), records, profile, tmp_path)


def test_a_querys_files_are_looked_up_both_ways(looked_up: ArchivedFiles) -> None:
    with pytest.raises(Finding) as gone:
        looked_up.index.expect_none(missing(COLUMN))
    assert (gone.value.message, gone.value.samples) == (
        "1 of 3 rows name a file that is not in the archive",
        ("id=2 has no file",),
    )
    with pytest.raises(Finding) as other:
        looked_up.index.expect_none(altered(COLUMN))
    assert other.value.samples == ("id=37 1 bytes too many",)
    with pytest.raises(Finding) as nobodys:
        looked_up.index.expect_none(unclaimed(COLUMN.claimed_folder))
    assert nobodys.value.samples == ("entry=4",)
    looked_up.index.expect_none(astray(COLUMN))
