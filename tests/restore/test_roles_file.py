"""A roles file is data: its roles come back without passwords, and nothing else in it reaches a server."""

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from fixtures.record.stage import StageFailed
from fixtures.restore.restore import restore
from fixtures.restore.roles_file import read_roles
from tests.support.restore_target import Target
from tests.support.small_source import Small, made_ready


def test_roles_come_back_with_attributes_settings_and_memberships_and_no_password(taken: Path, fresh: Target) -> None:
    fresh.load(taken)
    assert fresh.ask(
        "SELECT r.rolcanlogin, r.rolconnlimit, r.rolvaliduntil::date::text, r.rolconfig, a.rolpassword IS NULL "
        "FROM pg_roles r JOIN pg_authid a USING (oid) WHERE r.rolname = 'small app'"
    ) == [(True, 7, "2099-01-01", ['search_path="$user", "my schema", public', "statement_timeout=30s"], True)]
    assert fresh.ask(
        "SELECT admin_option FROM pg_auth_members WHERE roleid = 'small_readers'::regrole "
        "AND member = '\"small app\"'::regrole"
    ) == [(True,)]
    assert fresh.ask("SELECT rolinherit FROM pg_roles WHERE rolname = 'small_readers'") == [(False,)]


@pytest.mark.further
def test_roles_that_no_file_brings_are_made_before_they_are_needed(taken: Path, fresh: Target) -> None:
    restored = fresh.load(taken, roles=False)
    assert {"small_owner", "small app", "small_readers", "small_auditor"} <= set(restored.roles_made)
    assert restored.lines == ()
    assert fresh.ask("SELECT rolcanlogin FROM pg_roles WHERE rolname = 'small app'") == [(False,)]


HOSTILE = [
    "COPY pg_authid TO PROGRAM 'id';",
    "\\! id",
    "\\connect postgres",
    "ALTER ROLE a WITH SUPERUSER; DROP ROLE b;",
    "CREATE ROLE a; DROP DATABASE postgres;",
    "DO $role$BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'a') THEN "
    'CREATE ROLE "a"; DROP ROLE "b"; END IF; END$role$;',
    "ALTER SYSTEM SET archive_command TO 'id';",
    "GRANT a TO b; SELECT 1;",
    "ALTER ROLE a SET search_path TO 'x'; SELECT 1;",
    "CREATE ROLE a PASSWORD 'x';",
    "CREATE/* of an evening */USER a;",
    "DROP ROLE fine;",
    "REVOKE fine FROM a;",
    "GRANT fine, a TO b;",
    "GRANT fine TO CURRENT_USER;",
    "GRANT SELECT ON t TO fine;",
    "ALTER ROLE CURRENT_USER WITH SUPERUSER;",
    "ALTER ROLE ALL SET search_path TO 'x';",
    "ALTER ROLE fine RENAME TO b;",
    "ALTER ROLE fine SET x FROM CURRENT;",
    "ALTER GROUP fine ADD USER a;",
    "SET standard_conforming_strings = off;",
    "SET ROLE a;",
    "SECURITY LABEL ON TABLE t IS 'x';",
    "DO $$BEGIN CREATE ROLE a; END$$;",
    "DO $role$BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = pg_sleep(9)) THEN "
    'CREATE ROLE "a"; END IF; END$role$;',
    "DO $role$BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'b') THEN "
    'CREATE ROLE "a"; END IF; END$role$;',
    "CREATE ROLE a \\gexec",
    "CREATE ROLE a",
    "CREATE ROLE 'a';",
]


@pytest.mark.parametrize("statement", HOSTILE)
def test_a_roles_file_that_holds_anything_else_is_refused_whole(statement: str) -> None:
    with pytest.raises(StageFailed, match=r"a\.roles\.sql holds something on line 2 that is no statement about a role"):
        read_roles(f"CREATE ROLE fine;\n{statement}\n", "a.roles.sql")


def test_what_is_written_in_another_way_says_the_same() -> None:
    plain = "CREATE ROLE a;\nALTER ROLE a WITH LOGIN;\nALTER ROLE a SET x TO 'b\\c';\nGRANT a TO b WITH ADMIN OPTION;\n"
    other = """/* the night's */ create role "a"; ALTER ROLE a
    WITH /* again */ login; ALTER ROLE a SET x = E'b\\\\c';
    GRANT a TO b WITH ADMIN OPTION
    GRANTED BY c;"""
    assert read_roles(plain, "r.sql") == read_roles(other, "r.sql")


@pytest.mark.parametrize("options", [(), ("--clean",), ("--clean", "--if-exists"), ("--no-role-passwords",)])
def test_what_pg_dumpall_writes_is_read(small: Small, options: tuple[str, ...]) -> None:
    small.run("COMMENT ON ROLE small_readers IS E'who''s reading\nin ''two'' lines; \\\\ and more'", "postgres")
    small.run("GRANT SET ON PARAMETER work_mem TO small_readers WITH GRANT OPTION", "postgres")
    small.run("SET ROLE small_readers; GRANT SET ON PARAMETER work_mem TO small_auditor", "postgres")
    dumped = subprocess.run(
        [small.server.clients.folder / "pg_dumpall", "--roles-only", *options],
        env=small.server.environment("postgres"),
        check=True,
        capture_output=True,
        text=True,
    )
    small.run("REVOKE SET ON PARAMETER work_mem FROM small_readers CASCADE", "postgres")
    file = read_roles(dumped.stdout, "all.sql")
    app = next(role for role in file.roles if role.name == "small app")
    assert app.settings == (("search_path", ("$user", "my schema", "public")), ("statement_timeout", ("30s",)))
    assert app.attributes == {"LOGIN", "INHERIT"}
    of_app = [membership for membership in file.memberships if membership.member == "small app"]
    assert [(one.role, dict(one.options)["ADMIN"]) for one in of_app] == [("small_readers", True)]
    told_of_password = any("role small app: the roles file holds its password" in note for note in file.notes)
    assert told_of_password == ("--no-role-passwords" not in options)
    assert "role small_readers: its comment is not taken over" in file.notes
    for role in ("small_readers", "small_auditor"):
        assert f"role {role}: its privileges on the parameter work_mem are not taken over" in file.notes
    assert "SCRAM" not in repr(file)
    assert "who" not in repr(file)


def test_what_is_said_of_a_role_changes_nothing_and_a_limit_is_a_number() -> None:
    """Labels come from clusters with sepgsql; a line of several keeps the others' numbers."""
    labelled = "CREATE ROLE a;\nSECURITY LABEL FOR dummy ON ROLE a IS 'secret\nthing';\nCREATE ROLE b;\n"
    file = read_roles(labelled, "a.roles.sql")
    assert (file.names, file.notes) == (("a", "b"), ("role a: its security label is not taken over",))
    with pytest.raises(StageFailed, match="on line 5 that is no statement about a role"):
        read_roles(f"{labelled}ALTER ROLE b WITH LOGIN CONNECTION LIMIT VALID;\n", "a.roles.sql")


def test_tablespaces_of_globals_are_told_and_not_made() -> None:
    """As `pg_dumpall --globals-only --clean` writes them, of a server with a provider of labels."""
    places = """DROP TABLESPACE fast;
DROP ROLE a;
CREATE ROLE a;
CREATE TABLESPACE fast OWNER a LOCATION '/srv/fast';
ALTER TABLESPACE fast SET (random_page_cost=1.1);
GRANT ALL ON TABLESPACE fast TO a WITH GRANT OPTION;
COMMENT ON TABLESPACE fast IS 'of glass';
SECURITY LABEL FOR dummy ON TABLESPACE fast IS 'x';
"""
    file = read_roles(places, "a.globals.sql")
    (note,) = file.notes
    assert file.names == ("a",)
    assert note.startswith("the tablespace fast is not made")
    assert "/srv" not in note
    with pytest.raises(StageFailed, match="on line 9 that is no statement about a role"):
        read_roles(f"{places}DROP TABLESPACE fast;\n", "a.globals.sql")


@pytest.mark.further
def test_a_roles_file_never_touches_the_servers_own_superuser(taken: Path, fresh: Target, tmp_path: Path) -> None:
    shutil.copytree(taken, tmp_path / taken.name)
    folder = tmp_path / taken.name
    (folder / f"{taken.name}.manifest.json").unlink()
    with (folder / f"{taken.name}.roles.sql").open("a") as file:
        user = fresh.server.user
        file.write(f"ALTER ROLE {user} WITH NOLOGIN NOSUPERUSER PASSWORD 'mine';\n")
        file.write("CREATE ROLE loader;\nALTER ROLE loader SET session_preload_libraries TO 'evil';\n")
    restored = fresh.load(folder)
    assert any("left as it is" in note for note in restored.notes)
    assert any("since it loads code" in note for note in restored.notes)
    with fresh.server.connect() as connection:
        row = connection.execute("SELECT rolsuper, rolcanlogin FROM pg_roles WHERE rolname = current_user").fetchone()
    assert row == (True, True)


@pytest.mark.further
def test_privileged_roles_are_tamed_on_a_server_that_is_not_ours(fresh: Target, taken: Path) -> None:
    shared = replace(fresh.server, outlives=True)
    ready = made_ready(taken, fresh.server, fresh.guardian)
    says = "CREATE ROLE boss;\nALTER ROLE boss WITH SUPERUSER CREATEROLE CREATEDB LOGIN BYPASSRLS;\nCREATE ROLE hand;\n"
    grants = "GRANT pg_execute_server_program TO hand;\nGRANT boss TO hand;\nGRANT theirs TO hand;\n"
    with fresh.server.connect() as connection:
        connection.execute("CREATE ROLE theirs SUPERUSER")
    privileged = read_roles(says + grants, "r.sql")
    restored = restore(shared, ready.dump, ready.inspected, fresh.guardian, roles=privileged, limit_minutes=2)
    assert any("role boss: made without CREATEDB, CREATEROLE, SUPERUSER" in note for note in restored.notes)
    for role in ("pg_execute_server_program", "theirs"):
        assert f"membership of hand in {role}: not granted, since the server is not the drill's" in restored.notes
    query = "SELECT rolsuper, rolcreaterole, rolcreatedb, rolbypassrls FROM pg_roles WHERE rolname = 'boss'"
    with fresh.server.connect() as connection:
        row = connection.execute(query).fetchone()
        of_hand = connection.execute(
            "SELECT roleid::regrole::text FROM pg_auth_members WHERE member = 'hand'::regrole"
        ).fetchall()
    assert row == (False, False, False, True)
    assert of_hand == [("boss",)]
    assert ready.located.backup_set.manifest is not None
