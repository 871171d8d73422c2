"""What the user of a server that was named may do there decides what is looked at: what takes another right names it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from fixtures.database.read_facts import read_facts
from fixtures.record.stage import StageBlocked
from fixtures.server import Server
from fixtures.server.rights import right_it_takes
from tests.support.further import first_of
from tests.support.restore_target import Target

RIGHTS = {
    "superuser": "SUPERUSER",
    "all rights but that": "CREATEDB CREATEROLE BYPASSRLS IN ROLE pg_read_all_data, pg_read_all_settings",
    "databases and roles": "CREATEDB CREATEROLE",
    "databases": "CREATEDB",
}


@pytest.fixture
def named(fresh: Target) -> Callable[[str], Server]:
    """A server that outlives the drill, as a user with these rights sees it."""

    def user(rights: str) -> Server:
        with fresh.server.connect() as connection:
            connection.execute(f"CREATE ROLE drills LOGIN PASSWORD 'drills' {RIGHTS[rights]}")  # type: ignore[call-overload]
        return replace(fresh.server, user="drills", password="drills", outlives=True)

    return user


@pytest.mark.parametrize("rights", ["superuser", "all rights but that"])
def test_every_row_is_read_past_policies(
    rights: str, taken: Path, fresh: Target, named: Callable[[str], Server]
) -> None:
    server = named(rights)
    assert fresh.load(taken, server=server).exit_code == 0
    facts = read_facts(server, fresh.database, 60)
    (rows,) = (each.rows for each in facts.tables if each.name.name == "people")
    assert rows == 2000
    assert facts.large_objects == 1


def test_what_policies_would_hide_from_its_owner_is_lifted_and_told(
    taken: Path, fresh: Target, named: Callable[[str], Server]
) -> None:
    server = named("databases and roles")
    restored = fresh.load(taken, server=server)
    assert (restored.exit_code, [str(table) for table in restored.force_lifted]) == (0, ["public.people"])
    with server.reading(fresh.database) as connection:
        assert connection.execute("SELECT count(*) FROM public.people").fetchone() == (2000,)


def test_a_table_that_the_drill_may_not_read_is_no_fault_of_the_backup(
    taken: Path, fresh: Target, named: Callable[[str], Server]
) -> None:
    fresh.load(taken)
    server = named("databases and roles")
    with fresh.server.connect() as connection:
        connection.execute("GRANT pg_read_all_data TO drills")
    with pytest.raises(StageBlocked, match=r"may not read public\.people of restored_1") as refused:
        read_facts(server, fresh.database, 60)
    assert "BYPASSRLS" in refused.value.fix


def test_without_a_right_to_make_roles_the_dump_is_not_loaded(
    taken: Path, fresh: Target, named: Callable[[str], Server]
) -> None:
    server = named("databases")
    with fresh.server.connect() as connection:
        connection.execute("ALTER ROLE drills BYPASSRLS")
    with pytest.raises(StageBlocked, match="may make no roles, and the dump needs 4") as refused:
        fresh.load(taken, server=server)
    assert "CREATEROLE" in refused.value.fix
    with fresh.server.connect() as connection:
        for role in ("small_owner", '"small app"', "small_readers", "small_auditor"):
            connection.execute(f"CREATE ROLE {role}".encode())
            connection.execute(f"GRANT {role} TO drills".encode())
    with pytest.raises(StageBlocked, match="may make no roles, so it loaded the dump as itself") as refused:
        fresh.load(taken, server=server)
    assert "CREATEROLE" in refused.value.fix


@pytest.mark.parametrize(
    ("statement", "right"),
    first_of(
        [
            ("SELECT * FROM people", "BYPASSRLS"),
            ("SELECT data FROM pg_largeobject", "pg_read_all_data"),
            ("SELECT current_setting('shared_preload_libraries')", "pg_read_all_settings"),
        ]
    ),
)
def test_a_refused_question_names_the_right_it_takes(
    statement: str, right: str, taken: Path, fresh: Target, named: Callable[[str], Server]
) -> None:
    fresh.load(taken)
    server = named("databases and roles")
    with fresh.server.connect() as connection:
        connection.execute("GRANT small_owner TO drills")
    with server.reading(fresh.database) as session, pytest.raises(psycopg.errors.InsufficientPrivilege) as refused:
        session.execute(statement.replace("people", "public.people"))  # type: ignore[call-overload]
    assert right in right_it_takes(refused.value)
