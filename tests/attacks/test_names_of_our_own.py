"""A backup that brings roles of the names that the drill gives its own gains none of their rights, nor they any of its."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fixtures.dump.plain_dump import read_script
from fixtures.restore.restore import restore
from fixtures.restore.roles import Role, RolesFile
from fixtures.sandbox.guardian import Guardian
from fixtures.server import Server, ServerRequest
from tests.support.plain_dumps import HEAD, TAIL
from tests.support.small_source import another_server

BECOMES = """
-- Name: becomes; Type: FUNCTION; Schema: public; Owner: boss

CREATE FUNCTION public.becomes(text) RETURNS boolean LANGUAGE plpgsql AS $f$BEGIN
    BEGIN
        EXECUTE pg_catalog.format('SET LOCAL ROLE %I', '{0}');
        CREATE ROLE ran_as_more;
    EXCEPTION WHEN OTHERS THEN NULL; END;
    RETURN true;
END$f$;

-- Name: t; Type: TABLE; Schema: public; Owner: boss

CREATE TABLE public.t (body text CHECK (public.becomes(body)));
ALTER TABLE public.t OWNER TO boss;

-- Data for Name: t; Type: TABLE DATA; Schema: public; Owner: boss

COPY public.t (body) FROM stdin;
one
\\.
"""
ALTERS = BECOMES.replace(
    "EXECUTE pg_catalog.format('SET LOCAL ROLE %I', '{0}');\n        CREATE ROLE ran_as_more;",
    "SET LOCAL ROLE boss;\n        ALTER DATABASE theirs CONNECTION LIMIT 3;",
).replace("boss", "landlord")
MIGHTY = frozenset({"SUPERUSER", "INHERIT"})


@pytest.fixture(scope="module")
def fresh() -> Iterator[tuple[Server, Guardian]]:
    with another_server(ServerRequest("7a26e715")) as ready:
        yield ready


@pytest.mark.parametrize("name", ["restore_drill_owner", "restore_drill_loader"])
def test_a_role_of_a_backup_that_is_called_like_ours_is_not_ours(
    name: str, fresh: tuple[Server, Guardian], tmp_path: Path
) -> None:
    server, guardian = fresh
    dump = tmp_path / "dump.sql"
    dump.write_text(HEAD + BECOMES.format(name) + TAIL)
    roles = RolesFile(roles=(Role("boss", attributes=MIGHTY), Role(name, attributes=MIGHTY)))
    database = name.rpartition("_")[2]
    restored = restore(server, dump, read_script(dump), guardian, roles=roles, limit_minutes=1, database=database)
    assert restored.exit_code == 0
    with server.administer() as connection:
        ran = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = 'ran_as_more'").fetchall()
        assert ran == []
        owner = connection.execute("SELECT datdba::regrole::text FROM pg_database WHERE datname = %s", [database])
        assert owner.fetchone() != (name,)
    assert set(restored.stand_ins.values()).isdisjoint({name})


def test_an_owner_of_a_dump_that_owns_another_database_of_that_server_is_not_what_loads_it(
    fresh: tuple[Server, Guardian], tmp_path: Path
) -> None:
    server, guardian = fresh
    outliving = replace(server, outlives=True, prefix="drill_7a26e715_")
    with server.administer() as connection:
        connection.execute("CREATE ROLE landlord")
        connection.execute("CREATE DATABASE theirs OWNER landlord")
    dump = tmp_path / "dump.sql"
    dump.write_text(HEAD + ALTERS + TAIL)
    roles = RolesFile(roles=(Role("landlord", attributes=frozenset({"INHERIT"})),))
    restored = restore(outliving, dump, read_script(dump), guardian, roles=roles, limit_minutes=1, database="elsewhere")
    assert restored.exit_code == 0
    with server.administer() as connection:
        limit = connection.execute("SELECT datconnlimit FROM pg_database WHERE datname = 'theirs'").fetchone()
    assert limit == (-1,)
    assert set(restored.stand_ins) == {"landlord"}
