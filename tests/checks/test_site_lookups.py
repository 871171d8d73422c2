"""What is published is found by its path, whatever else is asked of it: the work grows with the files, not with sites too."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from fixtures.checks.sites.site_lookups import VIEWS
from tests.support.small_archives import GOOD, read, tar

RECORDS = """
CREATE TEMP TABLE site (site, tenant, deployed); CREATE TEMP TABLE deployment (site, version, digest, live, at);
CREATE TEMP TABLE folder (site, version, path, digest, files, oldest, newest); CREATE TEMP TABLE unrecorded (pattern);
"""


@pytest.mark.parametrize(
    "asked",
    [
        "SELECT number FROM published WHERE kind = 'file' ORDER BY number LIMIT 9",
        "SELECT count(*) FROM published_page",
        "SELECT count(DISTINCT number) FROM pointing",
        "SELECT p.file FROM unrecorded u JOIN published p ON p.file GLOB u.pattern AND p.kind = 'file'",
    ],
)
def test_published_files_are_looked_up_by_their_paths(tmp_path: Path, asked: str) -> None:
    data = read(tmp_path, tar(GOOD))
    with closing(sqlite3.connect(data.inventory)) as session:
        session.executescript(RECORDS)
        for name in ("live", "published", "published_page", "pointing"):
            session.execute(f"CREATE TEMP VIEW {name} AS {VIEWS[name]}")
        plan = [words for *_, words in session.execute(f"EXPLAIN QUERY PLAN {asked}")]
    assert [words for words in plan if words.startswith("SEARCH e ")] == [
        "SEARCH e USING INDEX entry_path (path>? AND path<?)"
    ], plan
