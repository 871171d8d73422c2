"""What an entry of an archive says beside its kind is executed by nobody privileged, and is no part of what comes back."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.record.stage import StageFailed
from fixtures.restore.archive_restore import require_data_alone
from fixtures.restore.failure import RestoreFailed
from fixtures.server.contract import SUPERUSER
from tests.support.archive_bytes import archive, of_data
from tests.support.restore_target import Target
from tests.support.small_source import Small, small_source
from tests.support.spoiled_sets import part, reword

PRIVILEGES = (
    "GRANT SELECT ON TABLE public.people TO small_auditor;\nGRANT SELECT ON TABLE public.people TO small_readers;\n"
)
NOT_WRITTEN = "statements that pg_dump does not write"
# Each with what stops it: the server's own refusal of the role that loads, or that pg_dump writes no such thing.
BECOMES = {
    f"SET SESSION AUTHORIZATION {SUPERUSER};\nGRANT ALL ON TABLE people TO PUBLIC;\n": (
        "permission denied to set session authorization"
    ),
    f"SET ROLE {SUPERUSER};\nGRANT ALL ON TABLE people TO PUBLIC;\n": NOT_WRITTEN,
    "RESET SESSION AUTHORIZATION;\nCREATE ROLE made_by_an_entry SUPERUSER;\n": NOT_WRITTEN,
    "ALTER SYSTEM SET port = 1;\n": NOT_WRITTEN,
    "ALTER EVENT TRIGGER fires ENABLE ALWAYS;\n": "event trigger",
}
DEFAULTS = "ALTER DEFAULT PRIVILEGES FOR ROLE small_owner IN SCHEMA public GRANT SELECT ON TABLES  TO small_readers;\n"


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    with small_source(tmp_path_factory.mktemp("small")) as ready:
        ready.run("GRANT SELECT ON people TO small_readers")
        yield ready


def failing(small: Small, backups: Path) -> str:
    """What stops the load, and what it says."""
    try:
        with pytest.raises(StageFailed) as failed:
            Target(small.server, small.guardian).load(backups)
    finally:
        with small.server.administer() as connection:
            connection.execute("DROP DATABASE IF EXISTS restored_1 WITH (FORCE)")
    restored = failed.value.restored if isinstance(failed.value, RestoreFailed) else None
    return " ".join((failed.value.cause, *(line.text for line in (restored.lines if restored is not None else ()))))


@pytest.mark.parametrize("entry", BECOMES)
def test_an_entry_that_becomes_more_than_the_role_that_loads_is_refused(
    entry: str, small: Small, tmp_path: Path
) -> None:
    backup = small.back_up(tmp_path)
    reword(backup, PRIVILEGES, entry.ljust(len(PRIVILEGES)))
    assert BECOMES[entry] in failing(small, tmp_path)
    with small.server.administer() as connection:
        roles = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = 'made_by_an_entry'").fetchall()
    assert roles == []


def test_nobody_elses_default_privileges_are_altered(small: Small, tmp_path: Path) -> None:
    backup = small.back_up(tmp_path)
    altered = f"ALTER DEFAULT PRIVILEGES FOR ROLE {SUPERUSER} GRANT ALL ON TABLES TO PUBLIC;\n"
    reword(backup, DEFAULTS, altered.ljust(len(DEFAULTS)))
    assert f'must be member of role "{SUPERUSER}"' in failing(small, tmp_path)


def of_object(backup: Path) -> str:
    """The statement that makes the source's large object, as the archive has it."""
    found = re.search(rb"SELECT pg_catalog\.lo_create\('\d+'\);\n", part(backup, "dump").read_bytes())
    assert found is not None
    return found[0].decode()


# No list of definitions shows what an archive loads as data: a sequence's value, a large object and whose it is.
NO_DATA = {
    "a definition": "CREATE TABLE made_by_it();",
    "a function's call": "SELECT lo_unlink(current_user);",
    "two statements": "RESET ROLE;SELECT 1;CHECKPOINT;",
    "what begins as it should": "SELECT pg_catalog.version();",
    "nothing that is known": "SELEKT 1;",
}


@pytest.mark.parametrize("what", NO_DATA)
def test_what_is_loaded_as_data_is_nothing_else(what: str, small: Small, tmp_path: Path) -> None:
    backup = small.back_up(tmp_path)
    made = of_object(backup)
    reword(backup, made, NO_DATA[what].ljust(len(made)))
    said = failing(small, tmp_path)
    assert "would load as data what pg_dump does not write there" in said
    assert "Nothing of it was executed" in said


@pytest.mark.parametrize("kind", ["BLOB", "SEQUENCE SET", "STATISTICS DATA", "BLOB METADATA"])
def test_no_kind_of_data_hides_a_statement(kind: str, tmp_path: Path) -> None:
    dump = tmp_path / "x.dump"
    for definition in (
        "CREATE ROLE x;\n",
        "1');CREATE ROLE x;SELECT ('\n",
        "SELECT pg_catalog.lo_create('1');DROP TABLE t;\n",
        "SELECT pg_catalog.setval('public.s\\'', 1, true); DROP TABLE t; --', 1, true);\n",
    ):
        dump.write_bytes(archive([of_data(1, kind, "1", definition)]))
        with pytest.raises(StageFailed, match="would load as data"):
            require_data_alone(dump)
    for definition in ("SELECT pg_catalog.setval('public.s', 5, true);\n\n", "SELECT pg_catalog.lo_create('7');\n"):
        dump.write_bytes(archive([of_data(1, kind, "1", definition)]))
        require_data_alone(dump)


@pytest.mark.parametrize("kind", ["ACL", "COMMENT", "SECURITY LABEL"])
def test_what_is_said_of_a_large_object_is_nothing_else(kind: str, tmp_path: Path) -> None:
    dump = tmp_path / "x.dump"
    dump.write_bytes(archive([of_data(1, kind, "LARGE OBJECT 7", "ALTER SYSTEM SET port = 1;\n")]))
    with pytest.raises(StageFailed, match="would load as data"):
        require_data_alone(dump)
    dump.write_bytes(archive([of_data(1, kind, "LARGE OBJECT 7", "GRANT ALL ON LARGE OBJECT 7 TO a;\n")]))
    require_data_alone(dump)


def test_a_large_objects_number_is_a_number(tmp_path: Path) -> None:
    dump = tmp_path / "x.dump"
    dump.write_bytes(
        archive([of_data(1, "BLOB", "7 OWNER TO a; DROP TABLE t; --", "SELECT pg_catalog.lo_create('7');\n")])
    )
    with pytest.raises(StageFailed, match="a large object that has no number"):
        require_data_alone(dump)
    dump.write_bytes(archive([of_data(1, "BLOB METADATA", "7..9", "7\n8\n9\n")]))
    require_data_alone(dump)
