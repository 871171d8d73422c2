"""Where the drill lifts FORCE ROW LEVEL SECURITY to read at all, what was forced is still told as it was."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from fixtures.checks.blocked import Blocked
from fixtures.checks.tenancy.row_security import policies_lacking
from fixtures.database.lifted_force import Lifted, as_it_was_forced, lifted_in
from fixtures.database.read_facts import read_facts
from fixtures.record.facts import Facts
from fixtures.record.names import TableName
from fixtures.record.stage import StageBlocked
from fixtures.restore.lifted import lift_force
from fixtures.server import Server
from fixtures.server.logins import Logins
from tests.support.kept_server import kept_server

NOTES, BILLS = TableName("public", "notes"), TableName("public", "bills")
_FORCED = """
    CREATE TABLE {0} (tenant int, words text);
    INSERT INTO {0} VALUES (1, 'a'), (2, 'b');
    ALTER TABLE {0} ENABLE ROW LEVEL SECURITY;
    ALTER TABLE {0} FORCE ROW LEVEL SECURITY;
    CREATE POLICY own ON {0} USING (tenant = current_setting('app.tenant')::int);
    ALTER TABLE {0} OWNER TO {1};
"""


@dataclass(frozen=True)
class Ground:
    """A restored database, and the server as a user of a managed service has it."""

    whole: Server
    server: Server

    def execute(self, database: str, statements: str) -> None:
        with self.whole.connect(database) as connection:
            connection.execute(statements.encode())


@pytest.fixture
def ground() -> Iterator[Ground]:
    with kept_server() as server:
        with server.connect() as connection:
            connection.execute("CREATE ROLE an_owner")
            connection.execute("CREATE ROLE another")
            connection.execute("CREATE ROLE less LOGIN CREATEDB CREATEROLE PASSWORD 'less' IN ROLE an_owner")
        server.create_database("restored", owner="less")
        less = replace(server, user="less", password="less", superuser=False, logins=Logins())
        ground = Ground(server, less)
        ground.execute("restored", _FORCED.format("notes", "an_owner") + _FORCED.format("bills", "an_owner"))
        yield ground


def facts_of(ground: Ground, database: str, lifted: Lifted) -> Facts:
    return as_it_was_forced(read_facts(ground.server, database, 60), lifted)


def test_what_policies_hide_from_its_owner_is_read_and_told_as_forced(ground: Ground) -> None:
    with pytest.raises(StageBlocked, match="may not read"):
        read_facts(ground.server, "restored", 60)
    lifted = lift_force(ground.server, "restored")
    assert lifted == (BILLS, NOTES)
    facts = facts_of(ground, "restored", Lifted(frozenset(lifted), frozenset()))
    assert [(table.rows, table.row_security_forced, table.force_lifted) for table in facts.tables] == [
        (2, True, True)
    ] * 2


def test_nothing_is_lifted_for_a_user_that_reads_past_policies(ground: Ground) -> None:
    assert lift_force(ground.whole, "restored") == ()
    assert all(table.row_security_forced for table in read_facts(ground.whole, "restored", 60).tables)


def test_what_belongs_to_somebody_else_is_blocked_with_the_right_that_it_takes(ground: Ground) -> None:
    ground.execute("restored", "ALTER TABLE bills OWNER TO another")
    with pytest.raises(StageBlocked, match=r"could not read every row of public\.bills") as blocked:
        lift_force(ground.server, "restored")
    assert "BYPASSRLS" in blocked.value.fix


@pytest.mark.parametrize(
    ("migrates", "forced", "lifted"),
    [
        ("SELECT 1", True, True),
        ("ALTER TABLE notes ADD COLUMN more int", None, True),
        ("ALTER TABLE notes NO FORCE ROW LEVEL SECURITY", None, True),
        ("ALTER TABLE notes FORCE ROW LEVEL SECURITY", True, False),
    ],
)
def test_a_release_that_alters_the_table_leaves_nobody_sure(
    migrates: str, forced: bool | None, lifted: bool, ground: Ground
) -> None:
    tables = lift_force(ground.server, "restored")
    ground.server.create_database("migrated", template="restored")
    ground.execute("migrated", migrates)
    whole = replace(ground.server, user=ground.whole.user, password=ground.whole.password, logins=ground.whole.logins)
    facts = as_it_was_forced(read_facts(whole, "migrated", 60), lifted_in(ground.server, tables, "migrated"))
    notes = next(table for table in facts.tables if table.name == NOTES)
    assert (notes.row_security_forced, notes.force_lifted) == (forced, lifted)
    if forced is None:
        with pytest.raises(Blocked, match="BYPASSRLS"):
            policies_lacking(notes, facts.policies)
        assert policies_lacking(notes, ()) == ["given a policy"]
    else:
        assert policies_lacking(notes, facts.policies) == []
    bills = next(table for table in facts.tables if table.name == BILLS)
    assert (bills.row_security_forced, bills.force_lifted) == (True, True)
