"""What a dump sets on the database that it is loaded into finds no function of its own for a session of more rights."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from psycopg import sql

from fixtures.sandbox.remnants import StrayDatabase
from fixtures.server import Server
from tests.support.restore_target import Target
from tests.support.small_source import Small, small_source

RAN = "ran_as_superuser"
# Whoever looks a name up finds this operator first, once the setting stands; a superuser who does makes a role.
LIES = f"""
    CREATE SCHEMA lies;
    CREATE FUNCTION lies.same(a name, b name) RETURNS boolean LANGUAGE plpgsql AS $f$BEGIN
        IF pg_catalog.current_setting('is_superuser') OPERATOR(pg_catalog.=) 'on' THEN
            BEGIN CREATE ROLE {RAN}; EXCEPTION WHEN OTHERS THEN NULL; END;
        END IF;
        RETURN a OPERATOR(pg_catalog.=) b;
    END$f$;
    CREATE OPERATOR lies.= (LEFTARG = name, RIGHTARG = name, FUNCTION = lies.same);
"""
SETS = """
    CREATE FUNCTION lies.sets(text) RETURNS boolean LANGUAGE plpgsql AS $f$BEGIN
        IF pg_catalog.current_setting('application_name') OPERATOR(pg_catalog.=) 'pg_restore' THEN
            EXECUTE pg_catalog.format('ALTER DATABASE %I SET search_path = lies, pg_catalog', pg_catalog.current_database());
        END IF;
        RETURN true;
    END$f$;
    ALTER SCHEMA lies OWNER TO small_owner;
    ALTER TABLE people ADD CONSTRAINT fine CHECK (lies.sets(name));
"""
# Its function runs with the rights of whoever alters something.
EVENT_TRIGGER = f"""
    CREATE FUNCTION fires() RETURNS event_trigger LANGUAGE plpgsql AS $f$BEGIN
        IF pg_catalog.current_setting('is_superuser') OPERATOR(pg_catalog.=) 'on' THEN
            BEGIN CREATE ROLE {RAN}; EXCEPTION WHEN OTHERS THEN NULL; END;
        END IF;
    END$f$;
    CREATE EVENT TRIGGER fires ON ddl_command_start EXECUTE FUNCTION fires();
"""


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    with small_source(tmp_path_factory.mktemp("small")) as ready:
        yield ready


def came_to_run(server: Server) -> bool:
    with server.administer() as connection:
        return connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [RAN]).fetchone() is not None


def test_a_path_that_the_load_set_leads_no_superuser_of_the_drills_to_an_operator(small: Small, tmp_path: Path) -> None:
    small.clone("lying")
    small.run(LIES + SETS, "lying")
    small.back_up(tmp_path, "lying")
    target = Target(small.server, small.guardian)
    restored = target.load(tmp_path)
    assert restored.exit_code == 0
    assert not came_to_run(small.server)
    # It stands, and would have: this is what a session that pins nothing finds.
    target.ask("SELECT 1 FROM pg_roles WHERE rolname = 'small_owner'")
    assert came_to_run(small.server)


@pytest.fixture(autouse=True)
def not_yet(small: Small) -> None:
    with small.server.administer() as connection:
        connection.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(RAN)))


def test_no_event_trigger_of_a_dump_fires_where_the_drill_alters_a_database(small: Small) -> None:
    small.clone("eventful")
    small.run(EVENT_TRIGGER, "eventful")
    with small.server.altering("eventful") as connection:
        connection.execute("ALTER TABLE public.people OWNER TO small_readers; CREATE TABLE public.more ()")
    assert not came_to_run(small.server)
    small.run("CREATE TABLE yet_more ()", "eventful")
    assert came_to_run(small.server)


def test_whoever_drops_a_drills_database_on_somebody_elses_server_runs_nothing_of_it(small: Small) -> None:
    server = small.server
    server.create_database("drill_lies_restored")
    with server.connect("drill_lies_restored") as connection:
        connection.execute("CREATE SUBSCRIPTION s CONNECTION 'dbname=none' PUBLICATION p WITH (connect = false)")
        connection.execute(f"{LIES} ALTER DATABASE drill_lies_restored SET search_path = lies, pg_catalog")
        connection.execute(EVENT_TRIGGER)
    stray = StrayDatabase(
        label="restored",
        name="drill_lies_restored",
        prefix="drill_lies_",
        host=server.host,
        port=server.port,
        user=server.user,
        password=server.password,
        database="postgres",
    )
    stray.remove()
    assert stray.remains() == ""
    assert not came_to_run(server)
