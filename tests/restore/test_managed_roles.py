"""What belongs to a managed service's role comes back with all that others own in it: nothing is executed as that role."""

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fixtures.sandbox.guardian import Guardian
from tests.support.kept_server import kept_server
from tests.support.restore_target import Target

MADE = """
CREATE ROLE "the service's admin"; CREATE ROLE app_owner;
"""
# As Cloud SQL, RDS and Supabase give the first user: one that may make roles, and owns the schemas that it made.
ROLES = """CREATE ROLE "the service's admin";
ALTER ROLE "the service's admin" WITH NOSUPERUSER INHERIT CREATEROLE CREATEDB LOGIN NOREPLICATION NOBYPASSRLS;
CREATE ROLE app_owner;
ALTER ROLE app_owner WITH NOSUPERUSER INHERIT NOCREATEROLE NOCREATEDB LOGIN NOREPLICATION NOBYPASSRLS;
"""
OWNED = """
CREATE SCHEMA app AUTHORIZATION "the service's admin";
CREATE TABLE app.made (id int PRIMARY KEY);
CREATE TABLE app.notes (id int PRIMARY KEY);
CREATE FUNCTION app.one() RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE TYPE app.mood AS ENUM ('a');
CREATE VIEW app.seen AS SELECT id FROM app.notes;
ALTER TABLE app.made OWNER TO "the service's admin";
ALTER TABLE app.notes OWNER TO app_owner;
ALTER FUNCTION app.one OWNER TO app_owner;
ALTER TYPE app.mood OWNER TO app_owner;
ALTER VIEW app.seen OWNER TO app_owner;
GRANT USAGE ON SCHEMA app TO app_owner;
COMMENT ON SCHEMA app IS 'ours';
INSERT INTO app.notes VALUES (1);
"""
OWNERS = """
SELECT relname, pg_get_userbyid(relowner) FROM pg_class WHERE relnamespace = 'app'::regnamespace AND relkind IN ('r', 'v')
UNION SELECT nspname, pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = 'app'
UNION SELECT proname, pg_get_userbyid(proowner) FROM pg_proc WHERE pronamespace = 'app'::regnamespace ORDER BY 1
"""

# As privileges.sql has it: what is granted of what belongs to whom.
WHOSE = """
SELECT nspname, '' AS relname, nspowner::regrole::text, (
       SELECT string_agg(concat_ws(' ', grantor::regrole, grantee::regrole, privilege_type, is_grantable), ', '
                         ORDER BY grantee::regrole::text, privilege_type)
         FROM aclexplode(COALESCE(nspacl, acldefault('n', nspowner)))) AS acl
  FROM pg_namespace WHERE nspname IN ('a', 'b', 'c')
UNION ALL SELECT nspname, relname, relowner::regrole::text, relacl::text
  FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname IN ('a', 'b', 'c', 'public') ORDER BY 1, 2
"""


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    with Guardian("5a7ed002") as guardian, kept_server() as server:
        yield Target(server, guardian)


@pytest.mark.parametrize(("options", "suffix"), [((), ".sql"), (("-Fc",), ".dump")])
def test_what_others_own_in_a_schema_of_a_managed_role_is_theirs(
    target: Target, tmp_path: Path, options: tuple[str, ...], suffix: str
) -> None:
    server, dump = target.server, tmp_path / f"shop_20261127_031500{suffix}"
    with server.connect() as connection:
        connection.execute(MADE)
    server.create_database("managed")
    with server.connect("managed") as connection:
        connection.execute(OWNED)
    command = [str(server.clients.pg_dump), *options, f"--file={dump}"]
    subprocess.run(command, env=server.environment("managed"), check=True, capture_output=True)
    server.drop_database("managed")
    with server.connect() as connection:
        connection.execute("""DROP ROLE "the service's admin", app_owner""")
    (tmp_path / "shop_20261127_031500.roles.sql").write_text(ROLES)
    try:
        restored = target.load(tmp_path)
        assert [line.text for line in restored.lines] == []
        owners = dict(target.ask(OWNERS))  # type: ignore[arg-type]
        heir = restored.stand_ins["the service's admin"]
        assert owners == {"app": heir, "made": heir, "notes": "app_owner", "one": "app_owner", "seen": "app_owner"}
        assert target.ask("SELECT has_schema_privilege('app_owner', 'app', 'CREATE')") == [(False,)]
        assert target.ask("SELECT obj_description('app'::regnamespace, 'pg_namespace')") == [("ours",)]
    finally:
        server.drop_database(target.database)
        with server.connect() as connection:
            connection.execute("""DROP ROLE IF EXISTS "the service's admin", app_owner""")


# The first by name is lent the rights of the other, so both orders are tried.
@pytest.mark.parametrize(
    ("of_database", "other", "user"),
    [
        ("zz_owner", "aa_other", ""),
        pytest.param("aa_owner", "zz_other", "", marks=pytest.mark.further),
        ("aa_owner", "zz_other", "lends"),
    ],
)
def test_an_owner_of_the_database_in_anothers_schema_and_that_one_in_public_are_both_loaded(
    target: Target, tmp_path: Path, of_database: str, other: str, user: str
) -> None:
    server, dump = target.server, tmp_path / "shop_20261127_031500.dump"
    with server.connect() as connection:
        connection.execute(f"CREATE ROLE {of_database}; CREATE ROLE {other}")  # type: ignore[call-overload]
        if user:
            connection.execute(f"CREATE ROLE {user} LOGIN PASSWORD '{user}' CREATEDB CREATEROLE")  # type: ignore[call-overload]
    server.create_database("lent", owner=of_database)
    made = f"""
        CREATE SCHEMA app AUTHORIZATION {other};
        CREATE TABLE app.one AS SELECT 1; CREATE TABLE app.two AS SELECT 2;
        CREATE TABLE public.three AS SELECT 3; CREATE TABLE public.four AS SELECT 4;
        ALTER TABLE app.one OWNER TO {of_database}; ALTER TABLE app.two OWNER TO {other};
        ALTER TABLE public.three OWNER TO {of_database}; ALTER TABLE public.four OWNER TO {other};
    """
    with server.connect("lent") as connection:
        connection.execute(made)  # type: ignore[call-overload]
    command = [str(server.clients.pg_dump), "-Fc", "-C", f"--file={dump}"]
    subprocess.run(command, env=server.environment("lent"), check=True, capture_output=True)
    server.drop_database("lent")
    with server.connect() as connection:
        connection.execute(f"DROP ROLE {of_database}, {other}")  # type: ignore[call-overload]
    roles = ROLES[ROLES.index("CREATE ROLE app_owner") :]
    (tmp_path / "shop_20261127_031500.roles.sql").write_text(
        roles.replace("app_owner", of_database) + roles.replace("app_owner", other)
    )
    try:
        # A managed service's user may make roles and databases, and is no superuser.
        loads = replace(server, user=user, password=user, outlives=True) if user else server
        restored = target.load(tmp_path, server=loads)
        assert [line.text for line in restored.lines] == []
        owners = target.ask(
            "SELECT relname, pg_get_userbyid(relowner) FROM pg_class "
            "WHERE relnamespace IN ('app'::regnamespace, 'public'::regnamespace) AND relkind = 'r' ORDER BY 1"
        )
        assert owners == [("four", other), ("one", of_database), ("three", of_database), ("two", other)]
        database = target.ask(
            "SELECT pg_get_userbyid(datdba), datacl FROM pg_database WHERE datname = current_database()"
        )
        assert database == [(of_database, None)]
        assert target.ask(f"SELECT pg_has_role('{of_database}', '{other}', 'MEMBER')") == [(False,)]
        assert target.ask(f"SELECT pg_has_role('{other}', '{of_database}', 'MEMBER')") == [(False,)]
        assert target.ask("SELECT rolname FROM pg_roles WHERE rolname ~ 'holder|loader'") == []
    finally:
        server.drop_database(target.database)
        with server.connect() as connection:
            connection.execute(f"DROP ROLE IF EXISTS {of_database}, {other}")  # type: ignore[call-overload]
            if user:
                connection.execute(f"DROP ROLE {user}")  # type: ignore[call-overload]


# Who owns which schema, and who owns the tables in it. The database is o1's; `member` says who was another's already.
OWNED_ACROSS = {
    "two in each other's": ({"a": "o2", "b": "o3"}, {"a": "o2 o3", "b": "o2 o3"}, ""),
    "a ring of three, and public": (
        {"a": "o2", "b": "o3", "c": "o1"},
        {"a": "o3", "b": "o1", "c": "o2", "public": "o1 o2 o3"},
        "",
    ),
    "the database's owner was a member": ({"a": "o2"}, {"a": "o1 o2", "public": "o2"}, "GRANT o2 TO o1;"),
    "an owner was a guest's member": ({"a": "o2", "b": "o3"}, {"a": "o3", "b": "o2"}, "GRANT o3 TO o2;"),
}
ACROSS = [
    ("two in each other's", "", ".dump"),
    pytest.param("two in each other's", "lends", ".sql", marks=pytest.mark.further),
    ("a ring of three, and public", "lends", ".dump"),
    pytest.param("the database's owner was a member", "lends", ".dump", marks=pytest.mark.further),
    ("an owner was a guest's member", "", ".sql"),
]


@pytest.mark.parametrize(("case", "user", "suffix"), ACROSS)
def test_any_owners_in_any_schemas_are_loaded(
    target: Target, tmp_path: Path, case: str, user: str, suffix: str
) -> None:
    server, dump = target.server, tmp_path / f"shop_20261127_031500{suffix}"
    schemas, tables, members = OWNED_ACROSS[case]
    owners = ("o1", "o2", "o3")
    roles = [f"CREATE ROLE {name}; ALTER ROLE {name} WITH NOINHERIT;" for name in owners]
    made = [f"CREATE SCHEMA {name} AUTHORIZATION {owner};" for name, owner in schemas.items()]
    made += [
        f"CREATE TABLE {schema}.of_{owner} AS SELECT 1; ALTER TABLE {schema}.of_{owner} OWNER TO {owner};"
        for schema, several in tables.items()
        for owner in several.split()
    ]
    # What an owner was deprived of stays with nobody else.
    made += ["REVOKE CREATE ON SCHEMA a FROM o2; GRANT USAGE ON SCHEMA a TO o3; COMMENT ON SCHEMA a IS 'ours';"]
    with server.connect() as connection:
        connection.execute(" ".join([*roles, members]))  # type: ignore[call-overload]
        if user:
            connection.execute(f"CREATE ROLE {user} LOGIN PASSWORD '{user}' CREATEDB CREATEROLE")  # type: ignore[call-overload]
    try:
        server.create_database("across", owner="o1")
        with server.connect("across") as connection:
            connection.execute(" ".join(made))  # type: ignore[call-overload]
            there = connection.execute(WHOSE).fetchall()
        command = [str(server.clients.pg_dump), "-C", *(["-Fc"] if suffix == ".dump" else []), f"--file={dump}"]
        subprocess.run(command, env=server.environment("across"), check=True, capture_output=True)
        server.drop_database("across")
        with server.connect() as connection:
            connection.execute("DROP ROLE o1, o2, o3")
        (tmp_path / "shop_20261127_031500.roles.sql").write_text("\n".join([*roles, members]) + "\n")
        loads = replace(server, user=user, password=user, outlives=True) if user else server
        restored = target.load(tmp_path, server=loads)
        assert [line.text for line in restored.lines] == []
        assert target.ask(WHOSE) == there
        assert target.ask("SELECT rolname FROM pg_roles WHERE rolname ~ 'holder|loader|guests'") == []
        assert target.ask("SELECT count(*) FROM pg_auth_members WHERE member::regrole::text ~ '^o[123]$'") == [
            (len(members.split(";")) - 1,)
        ]
        server.drop_database(target.database)
    finally:
        with server.connect() as connection:
            connection.execute(f"DROP ROLE IF EXISTS o1, o2, o3{', ' + user if user else ''}")  # type: ignore[call-overload]
