"""What a database has of the server's own is the same as in template0, whatever is installed or made beside it; what was
altered, added or taken away is named."""

from collections.abc import Iterator

import pytest

from fixtures.database.compare_server_own import compare_server_own, read_template0
from fixtures.database.server_catalogue import Template
from fixtures.record.server_own import ServerOwn
from tests.support.drills import Healthy

EXTENSIONS = ("pgcrypto", "hstore", "citext", "pg_trgm", "btree_gist", "btree_gin", "intarray", "ltree", "uuid-ossp")
OF_USERS = """
    CREATE EXTENSION adminpack;
    CREATE EXTENSION pg_stat_statements SCHEMA pg_catalog;
    DROP EXTENSION plpgsql;
    CREATE EXTENSION plpgsql;
    ALTER SCHEMA public OWNER TO pg_database_owner;
    REVOKE ALL ON SCHEMA public FROM PUBLIC;
    CREATE SCHEMA app;
    CREATE FUNCTION app.count(text) RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint';
    CREATE FUNCTION public.hashtextextended(text, bigint) RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint';
    CREATE OPERATOR public.= (LEFTARG = varchar, RIGHTARG = varchar, FUNCTION = varchar_eq);
    CREATE AGGREGATE app.sum(text) (SFUNC = textcat, STYPE = text);
    CREATE TYPE app.mood AS ENUM ('well', 'ill');
    CREATE DOMAIN app.word AS text CHECK (value <> '');
    CREATE CAST (app.mood AS int) WITH INOUT;
    CREATE TABLE app.notes (id serial PRIMARY KEY, mood app.mood, word app.word, words varchar(3)[]);
    CREATE VIEW app.relations AS SELECT * FROM pg_class;
    CREATE COLLATION app.plain FROM "C";
    COMMENT ON FUNCTION pg_catalog.version() IS 'altered in words alone';
"""
VARCHAR_EQ = """
    CREATE FUNCTION public.varchar_eq(varchar, varchar) RETURNS boolean LANGUAGE sql AS 'SELECT $1::text = $2::text';
"""
FAULTS = {
    "a function of pg_catalog is replaced": (
        "CREATE OR REPLACE FUNCTION pg_catalog.hashtextextended(text, bigint) RETURNS bigint LANGUAGE sql IMMUTABLE STRICT "
        "AS 'SELECT 1::bigint'",
        "function pg_catalog.hashtextextended(text, int8) was altered",
    ),
    "a replaced function is given to an extension": (
        "CREATE OR REPLACE FUNCTION pg_catalog.lower(text) RETURNS text LANGUAGE sql AS 'SELECT $1'; "
        "ALTER EXTENSION plpgsql ADD FUNCTION pg_catalog.lower(text)",
        "function pg_catalog.lower(text) was altered",
    ),
    "a function is called as if it were an extension's": (
        "CREATE FUNCTION pg_catalog.hstore_out(text) RETURNS text LANGUAGE sql AS 'SELECT $1'",
        "function pg_catalog.hstore_out(text) was added",
    ),
    "an operator fits better than the server's own": (
        VARCHAR_EQ
        + "CREATE OPERATOR pg_catalog.= (LEFTARG = varchar, RIGHTARG = varchar, FUNCTION = public.varchar_eq)",
        "operator pg_catalog.=(varchar, varchar) was added",
    ),
    "an operator calls another function": (
        "UPDATE pg_operator SET oprcode = 'int4ne' WHERE oprcode = 'int4eq'::regproc",
        "operator pg_catalog.=(int4, int4) was altered",
    ),
    "an aggregate is added": (
        "CREATE AGGREGATE pg_catalog.sum(text) (SFUNC = textcat, STYPE = text)",
        "function pg_catalog.sum(text) was added",
    ),
    "a type is read by another function": (
        "UPDATE pg_type SET typinput = 'int8in' WHERE typname = 'int4'",
        "type pg_catalog.int4 was altered",
    ),
    "a view of information_schema says otherwise": (
        "CREATE OR REPLACE VIEW information_schema.enabled_roles AS "
        "SELECT 'nobody'::information_schema.sql_identifier AS role_name",
        "view information_schema.enabled_roles was altered",
    ),
    "a table of pg_catalog has a rule": (
        "CREATE RULE nothing AS ON INSERT TO pg_description DO INSTEAD NOTHING",
        "rule nothing of pg_catalog.pg_description was added",
    ),
    "a table of pg_catalog has a trigger": (
        "CREATE FUNCTION public.nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; "
        "CREATE TRIGGER nothing BEFORE INSERT ON pg_description FOR EACH ROW EXECUTE FUNCTION public.nothing()",
        "trigger nothing of pg_catalog.pg_description was added",
    ),
    "a table of pg_catalog has a policy": (
        "CREATE POLICY nothing ON pg_class USING (false)",
        "policy nothing of pg_catalog.pg_class was added",
    ),
    "row security hides the catalogue": (
        "ALTER TABLE pg_class ENABLE ROW LEVEL SECURITY",
        "table pg_catalog.pg_class was altered",
    ),
    "a table of pg_catalog has options": (
        "ALTER TABLE pg_class SET (autovacuum_enabled = off)",
        "table pg_catalog.pg_class was altered",
    ),
    "a table of pg_catalog has a child": (
        "CREATE TABLE public.more () INHERITS (pg_description)",
        "child of pg_catalog.pg_description was added",
    ),
    "a table is put into pg_catalog": (
        "CREATE TABLE pg_catalog.pg_more (of int)",
        "table pg_catalog.pg_more was added",
    ),
    "a function has another owner": (
        "ALTER FUNCTION pg_catalog.lower(text) OWNER TO pg_monitor",
        "function pg_catalog.lower(text) was altered",
    ),
}


@pytest.fixture(scope="module")
def template(healthy: Healthy) -> Template:
    return read_template0(healthy.server)


@pytest.fixture
def database(healthy: Healthy) -> Iterator[str]:
    healthy.server.create_database("own")
    yield "own"
    healthy.server.drop_database("own")


def own_after(healthy: Healthy, template: Template, database: str, statements: str) -> ServerOwn:
    with healthy.server.connect(database) as connection:
        connection.execute("SET allow_system_table_mods = on")
        connection.execute(statements)  # type: ignore[call-overload]
    return compare_server_own(healthy.server, database, template)


def test_extensions_and_what_users_make_are_no_difference(healthy: Healthy, template: Template, database: str) -> None:
    wanted = "".join(f'CREATE EXTENSION "{name}" CASCADE;' for name in EXTENSIONS)
    own = own_after(healthy, template, database, f"{wanted} {VARCHAR_EQ} {OF_USERS} ANALYZE")
    assert (own.differences, own.casts, own.privileges) == ((), (), ())
    assert own.objects > 10_000


def test_the_source_of_the_sample_differs_in_nothing(healthy: Healthy, template: Template) -> None:
    own = compare_server_own(healthy.server, healthy.built.database, template)
    assert (own.differences, own.casts) == ((), ())


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_not_as_in_template0_is_named(fault: str, healthy: Healthy, template: Template, database: str) -> None:
    statements, named = FAULTS[fault]
    own = own_after(healthy, template, database, statements)
    assert named in own.differences
    assert (own.casts, own.privileges) == ((), ())


def test_what_is_gone_is_named(healthy: Healthy, template: Template, database: str) -> None:
    own = own_after(healthy, template, database, "DROP VIEW information_schema.enabled_roles CASCADE")
    assert "view information_schema.enabled_roles is gone" in own.differences


def test_a_cast_between_the_servers_types_is_told_apart(healthy: Healthy, template: Template, database: str) -> None:
    own = own_after(healthy, template, database, "CREATE CAST (varchar AS jsonb) WITH INOUT AS IMPLICIT")
    assert (own.casts, own.differences) == (("cast (varchar AS jsonb)",), ())


def test_privileges_are_told_and_are_no_difference(healthy: Healthy, template: Template, database: str) -> None:
    statements = (
        "REVOKE EXECUTE ON FUNCTION pg_catalog.lower(text), pg_catalog.version() FROM PUBLIC; "
        "GRANT SELECT ON pg_statistic TO pg_monitor; GRANT SELECT (rolname) ON pg_authid TO pg_monitor; "
        "REVOKE USAGE ON LANGUAGE sql FROM PUBLIC"
    )
    own = own_after(healthy, template, database, statements)
    assert own.differences == ()
    assert own.privileges == (
        "column pg_catalog.pg_authid.rolname",
        "function pg_catalog.lower(text)",
        "function pg_catalog.version()",
        "language sql",
        "table pg_catalog.pg_statistic",
    )


def test_nothing_is_left_of_the_clone_of_template0(healthy: Healthy, template: Template) -> None:
    with healthy.server.connect() as connection:
        (names,) = connection.execute("SELECT array_agg(datname) FROM pg_database").fetchone() or ([],)
    assert not [name for name in names if "pristine" in name]
