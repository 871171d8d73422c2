"""What an entry of an archive says beside its kind is executed by nobody privileged, and is no part of what comes back."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.record.stage import StageFailed
from fixtures.restore.failure import RestoreFailed
from fixtures.server.contract import SUPERUSER
from tests.support.restore_target import Target
from tests.support.small_source import Small, small_source
from tests.support.spoiled_sets import reword

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
