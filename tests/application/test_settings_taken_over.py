"""The application has in a drill what production's database and role have set; the suite's own sessions have not."""

from collections.abc import Iterator

import psycopg
import pytest

from fixtures.application.clones import marked_clone
from fixtures.application.handed_over import hand_back
from fixtures.application.stands_for import given_login
from fixtures.database.settings_left import settings_left
from fixtures.record.given_login import GivenLogin
from fixtures.record.settings_left import SettingLeft
from fixtures.server import Server
from fixtures.server.standing_settings import standing_settings
from fixtures.story.not_shown import of_login
from tests.support.kept_server import kept_server

OWNER, SERVES, MAKES = "taken_owner", "taken_app", "taken_maker"
ROLES = f"""
    CREATE ROLE {OWNER} LOGIN; CREATE ROLE {SERVES} LOGIN CREATEDB; CREATE ROLE {MAKES};
    ALTER ROLE {OWNER} SET statement_timeout = '47s';
    ALTER ROLE {SERVES} SET statement_timeout = '11s';
    ALTER ROLE {SERVES} SET session_preload_libraries = 'plpgsql';
    GRANT pg_read_all_stats TO {SERVES};
"""
SET = f"""
    ALTER DATABASE restored SET work_mem = '7MB';
    ALTER DATABASE restored SET search_path = app, "$user";
    ALTER DATABASE restored SET statement_timeout = '19s';
    ALTER ROLE {OWNER} IN DATABASE restored SET lock_timeout = '13s';
    ALTER ROLE {SERVES} IN DATABASE restored SET statement_timeout = '12s';
    ALTER DATABASE restored SET "app.secret" = 'Ottoline';
    ALTER DATABASE restored SET application_name = 'Ottoline';
    ALTER DATABASE restored SET "TimeZone" = 'Asia/Tokyo';
"""
WITHIN = f"""
    CREATE SCHEMA app AUTHORIZATION {OWNER}; CREATE TABLE app.notes (id int);
    ALTER TABLE app.notes OWNER TO {OWNER}; ALTER TABLE app.notes ENABLE ROW LEVEL SECURITY;
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with kept_server() as running:
        with running.connect() as connection:
            connection.execute(ROLES)
        running.create_database("restored", owner=OWNER)
        with running.connect() as connection:
            connection.execute(SET)
        with running.altering("restored") as connection:
            connection.execute(WITHIN)
        yield running


@pytest.fixture
def serves(server: Server) -> Iterator[None]:
    server.logins.application_is = SERVES
    yield
    server.logins.application_is = ""


@pytest.fixture
def clone(server: Server) -> Iterator[str]:
    yield "migrated"
    server.drop_database("migrated")


def as_the_application(server: Server, *names: str) -> list[str]:
    """What a session has that the application itself opens."""
    login = server.logins.of(server, "application")
    with psycopg.connect(
        host=server.host, port=server.port, user=login.user, password=login.password, dbname="migrated"
    ) as session:
        return [str((session.execute("SELECT current_setting(%s)", [name]).fetchone() or ("",))[0]) for name in names]


def as_the_suite(server: Server, *names: str) -> list[str]:
    with server.reading("migrated") as session:
        return [str((session.execute("SELECT current_setting(%s)", [name]).fetchone() or ("",))[0]) for name in names]


def test_it_migrates_with_the_owners_settings_and_answers_with_those_of_the_role_that_serves(
    server: Server, serves: None, clone: str
) -> None:
    marked_clone(server, clone)
    settings = ("work_mem", "search_path", "statement_timeout", "lock_timeout")
    assert as_the_application(server, *settings) == ["7MB", 'app, "$user"', "47s", "13s"]
    hand_back(server, clone)
    assert as_the_application(server, *settings) == ["7MB", 'app, "$user"', "12s", "0"]
    assert as_the_suite(server, *settings[1:]) == ["pg_catalog, pg_temp", "0", "0"]
    with server.administer() as connection:
        standing = [each.name for each in standing_settings(connection) if each.role in server.logins.names]
    assert "session_preload_libraries" not in standing


def test_a_clone_that_is_to_serve_has_them_at_once(server: Server, serves: None, clone: str) -> None:
    marked_clone(server, clone, serving=True)
    assert as_the_application(server, "statement_timeout") == ["12s"]


def test_without_a_named_role_the_owner_serves_too(server: Server, clone: str) -> None:
    marked_clone(server, clone)
    hand_back(server, clone)
    assert as_the_application(server, "statement_timeout", "lock_timeout") == ["47s", "13s"]


def test_what_is_left_is_listed_and_no_word_of_the_datas(server: Server) -> None:
    def hidden(text: str) -> str:
        return "masked"

    listed = settings_left(server, "restored", (OWNER, SERVES), {"app"}.__contains__, hidden)
    assert sorted((each.where, each.setting, each.value) for each in listed) == [
        ("database restored", "TimeZone", "Asia/Tokyo"),
        ("database restored", "application_name", "masked"),
        ("database restored", "masked", "masked"),
        ("database restored", "search_path", "app, $user"),
        ("database restored", "statement_timeout", "19s"),
        ("database restored", "work_mem", "7MB"),
        (f"role {SERVES}", "session_preload_libraries", "masked"),
        (f"role {SERVES}", "statement_timeout", "11s"),
        (f"role {SERVES} in database restored", "statement_timeout", "12s"),
        (f"role {OWNER}", "statement_timeout", "47s"),
        (f"role {OWNER} in database restored", "lock_timeout", "13s"),
    ]
    assert SettingLeft(setting="work_mem", value="1MB").where == "every role"


def test_what_its_login_has_and_has_not_is_told(server: Server, serves: None, clone: str) -> None:
    marked_clone(server, clone)
    login = given_login(server, "restored")
    assert login.lacks == ("it may make databases", "it is a member of pg_read_all_stats")
    assert login.beyond == (
        f"it acts for {OWNER}, who owns something there",
        "no policy of row-level security binds it",
    )
    assert list(of_login(login)) == [
        f"The application had rights that {SERVES} has not in production: it acts for {OWNER}, who owns something there; "
        "no policy of row-level security binds it.",
        f"The application lacked what {SERVES} has in production: it may make databases; it is a member of "
        "pg_read_all_stats.",
    ]


def test_of_several_owners_that_may_log_in_none_is_guessed(server: Server, clone: str) -> None:
    with server.altering("restored") as connection:
        connection.execute(f"CREATE TABLE app.made (); ALTER TABLE app.made OWNER TO {MAKES}; ALTER ROLE {MAKES} LOGIN")
    try:
        marked_clone(server, clone)
        login = given_login(server, "restored")
    finally:
        with server.altering("restored") as connection:
            connection.execute(f"DROP TABLE app.made; ALTER ROLE {MAKES} NOLOGIN")
    assert login == GivenLogin(may_be=(MAKES, OWNER))
    assert as_the_application(server, "statement_timeout") == ["19s"]
    (line,) = of_login(login)
    assert line.startswith(f"Which role migrates is not known (one of {MAKES}, {OWNER})")
