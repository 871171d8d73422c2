"""One session serves all faults of a process: each has a transaction of its own, and leaves nothing to the next."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest
from psycopg import sql

from fixtures.checks.access import Access
from fixtures.checks.blocked import Blocked
from fixtures.proof.planted_session import PlantingSessions, Stayed
from fixtures.server import Server
from tests.support.kept_server import kept_server

LEFT = {
    "a table": "CREATE TEMPORARY TABLE left_behind (id int)",
    "a statement": "PREPARE left_behind AS SELECT 1",
    "a lock of the session": "SELECT pg_advisory_lock(7)",
    "a setting": "SET search_path = public",
    "a role": "SET ROLE owner_of_rows",
}
"""What code of a dump may do while a fault is planted; some of it outlives a rollback."""
OUTLIVED = """
    SELECT current_setting('search_path'), current_user = session_user,
           (SELECT count(*) FROM pg_prepared_statements),
           (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 7),
           (SELECT count(*) FROM pg_class WHERE relname = 'left_behind')
"""

SETTINGS = "SELECT current_setting('search_path'), current_setting('datestyle')"


@pytest.fixture
def access() -> Iterator[Access]:
    with kept_server() as server:
        server.create_database("planted_in")
        with server.connect("planted_in") as connection:
            connection.execute("CREATE ROLE owner_of_rows")
            connection.execute("CREATE TABLE public.plans (id int)")
            connection.execute("ALTER TABLE public.plans OWNER TO owner_of_rows")
            connection.execute("INSERT INTO public.plans VALUES (1)")
            planter = server.logins.of(server, "planter").user
            connection.execute(sql.SQL("GRANT owner_of_rows TO {}").format(sql.Identifier(planter)))
        yield accessed(server)


def accessed(server: Server) -> Access:
    login, name = server.logins.of(server, "planter"), server.database("planted_in")
    own = {"planter": login.user, "planter_password": login.password}
    return Access(server.host, server.port, server.user, server.password, name, name, "", b"key", server.major, **own)


@pytest.mark.parametrize("left", LEFT)
def test_what_outlives_a_fault_is_gone_before_the_next(left: str, access: Access) -> None:
    with closing(PlantingSessions(access)) as sessions:
        with sessions.planted(access.migrated) as session:
            first, clean = session.info.backend_pid, session.execute(OUTLIVED).fetchone()
            session.execute(LEFT[left].encode())
            assert session.execute(OUTLIVED).fetchone() != clean
        with sessions.planted(access.migrated) as session:
            assert session.info.backend_pid == first
            assert session.execute(OUTLIVED).fetchone() == clean


def test_each_fault_is_taken_back_in_a_transaction_of_its_own(access: Access) -> None:
    with closing(PlantingSessions(access)) as sessions, access.connect(access.migrated) as another:
        transactions = set()
        for _ in range(3):
            with sessions.planted(access.migrated) as session:
                session.execute("DELETE FROM public.plans")
                transactions.add(session.execute("SELECT pg_catalog.txid_current()").fetchone())
                assert another.execute("SELECT count(*) FROM public.plans").fetchone() == (1,)
        assert len(transactions) == 3
        assert another.execute("SELECT count(*) FROM public.plans").fetchone() == (1,)


def test_a_fault_that_was_written_for_good_is_said_and_a_setting_with_it_is_gone(access: Access) -> None:
    with closing(PlantingSessions(access)) as sessions:
        with (
            pytest.raises(Stayed, match="the server says of its transaction: committed"),
            sessions.planted(access.migrated) as session,
        ):
            session.execute("SET search_path = public; COMMIT")
        with sessions.planted(access.migrated) as session:
            assert session.execute("SELECT current_setting('search_path')").fetchone() == ("pg_catalog, pg_temp",)


def test_a_session_that_was_ended_is_opened_anew(access: Access) -> None:
    with closing(PlantingSessions(access)) as sessions:
        with sessions.planted(access.migrated) as session:
            first = session.info.backend_pid
        with access.connect(access.migrated) as another:
            another.execute("SELECT pg_terminate_backend(%s, 5000)", [first])
        with sessions.planted(access.migrated) as session:
            assert session.info.backend_pid != first


def test_what_code_of_the_dump_set_as_a_fault_was_planted_holds_for_no_control(access: Access) -> None:
    with closing(PlantingSessions(access)) as sessions, sessions.planted(access.migrated) as session:
        session.execute("SELECT set_config('search_path', 'public', false), set_config('datestyle', 'SQL', true)")
        sessions.set_again(session)
        assert session.execute(SETTINGS).fetchone() == ("pg_catalog, pg_temp", "ISO, YMD")


def test_who_is_more_than_an_owner_plants_nothing(access: Access) -> None:
    superuser = replace(access, planter=access.user, planter_password=access.password)
    with (
        closing(PlantingSessions(superuser)) as sessions,
        pytest.raises(Blocked, match="make the role that plants faults"),
        sessions.planted(access.migrated),
    ):
        raise AssertionError("nothing is planted as a superuser")
