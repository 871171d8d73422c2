"""What production's database has set for itself, and for a role in it, is set on the restored one too, and told."""

from pathlib import Path

import pytest

from fixtures.restore.roles_file import read_roles
from fixtures.restore.settings_of_set import set_as_in_production
from tests.support.restore_target import Target
from tests.support.small_source import Small

SET = """
    ALTER DATABASE awkward SET search_path TO "my schema", public;
    ALTER DATABASE awkward SET work_mem TO '7MB';
    ALTER ROLE "small app" IN DATABASE awkward SET lock_timeout TO '5s';
"""
STANDING = """
    SELECT coalesce(r.rolname, ''), c.setconfig FROM pg_db_role_setting c JOIN pg_database b ON b.oid = c.setdatabase
      LEFT JOIN pg_roles r ON r.oid = c.setrole WHERE b.datname = current_database() ORDER BY 1
"""


def test_settings_of_the_database_come_back_and_a_recovery_is_told_to_set_them(small: Small, tmp_path: Path) -> None:
    small.clone("awkward")
    small.run(SET)
    small.back_up(tmp_path, "awkward")
    target = Target(small.server, small.guardian)
    restored = target.load(tmp_path)
    assert target.ask(STANDING) == [
        ("", ['search_path="my schema", public', "work_mem=7MB"]),
        ("small app", ["lock_timeout=5s"]),
    ]
    assert any("a recovery has to set them again" in note for note in restored.notes)


@pytest.mark.parametrize(("dumped", "standing"), [("prod", [("small app", ["lock_timeout=5s"])]), ("other", [])])
def test_a_roles_file_sets_what_it_has_for_the_database_that_was_dumped(
    dumped: str, standing: list[object], small: Small
) -> None:
    roles = read_roles("ALTER ROLE \"small app\" IN DATABASE prod SET lock_timeout TO '5s';\n", "r.sql")
    target = Target(small.server, small.guardian)
    small.server.create_database(target.database)
    try:
        notes = set_as_in_production(small.server, target.database, None, roles, dumped)
        assert target.ask(STANDING) == standing
    finally:
        small.server.drop_database(target.database)
    assert ("role small app: its settings for another database are not taken over" in notes) == (not standing)
