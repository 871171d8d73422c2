"""Privileges that others than an owner granted come back as they were: by whom, to whom, and no more of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.dump_formats import FORMATS, dump_as
from tests.support.further import first_of
from tests.support.restore_target import Target
from tests.support.small_source import Small, small_source

STEM = "igny8_20260101_000000"
GRANTS = """
GRANT USAGE ON SCHEMA "my schema" TO small_readers, small_auditor;
GRANT SELECT ON people TO small_readers WITH GRANT OPTION;
GRANT SELECT (id) ON "my schema"."order items" TO small_readers WITH GRANT OPTION;
SET ROLE small_readers;
GRANT SELECT ON people TO small_auditor WITH GRANT OPTION;
GRANT SELECT (id) ON "my schema"."order items" TO small_auditor;
SET ROLE small_auditor;
GRANT SELECT ON people TO "small app";
RESET ROLE;
GRANT CREATE ON SCHEMA public TO small_auditor;
CREATE MATERIALIZED VIEW summed AS SELECT count(id) FROM "my schema"."order items";
ALTER MATERIALIZED VIEW summed OWNER TO small_auditor;
"""
ASKED = """
SELECT attname, grantor::regrole::text, grantee::regrole::text, privilege_type, is_grantable
  FROM (SELECT '' AS attname, relacl AS acl FROM pg_class WHERE relname IN ('people', 'order items')
        UNION ALL SELECT attname, attacl FROM pg_attribute WHERE attacl IS NOT NULL AND attrelid > 16384) a, aclexplode(acl)
 ORDER BY 1, 2, 3, 4
"""


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    with small_source(tmp_path_factory.mktemp("small")) as ready:
        ready.run(GRANTS)
        yield ready


@pytest.mark.parametrize("name", first_of(("custom", "directory", "tar", "plain")))
def test_they_come_back_as_they_were(small: Small, tmp_path: Path, name: str) -> None:
    with small.server.connect("source") as connection:
        there = connection.execute(ASKED).fetchall()
    assert {row[1] for row in there} == {"small_owner", "small_readers", "small_auditor"}
    target = Target(small.server, small.guardian)
    dump_as(FORMATS[name], small.server.clients, small.server.environment("source"), tmp_path, STEM)
    try:
        assert target.load(tmp_path).lines == ()
        assert target.ask(ASKED) == there
        assert target.ask("SELECT count FROM summed") == [(3000,)]
    finally:
        small.server.drop_database("restored_1")
