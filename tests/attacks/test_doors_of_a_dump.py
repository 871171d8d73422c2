"""What code of a dump does, while it is loaded, to its database and to the role that loads is told, and undone with them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.restore.failure import RestoreFailed
from tests.support.further import first_of
from tests.support.restore_target import Target
from tests.support.small_source import Small, small_source

DOES = """
    CREATE FUNCTION public.does(text) RETURNS boolean LANGUAGE plpgsql AS $f$BEGIN
        IF pg_catalog.current_setting('application_name') OPERATOR(pg_catalog.=) 'pg_restore' THEN
            EXECUTE pg_catalog.format({0});
        END IF;
        RETURN true;
    END$f$;
    ALTER TABLE public.people ADD CONSTRAINT fine CHECK (public.does(name));
"""
OF_DATABASE = "'ALTER DATABASE %I {0}', pg_catalog.current_database()"
# Each with what fails of the load, or nothing where it loads as it should.
DOORS = {
    "makes it a template": (OF_DATABASE.format("IS_TEMPLATE true"), ""),
    "lets nobody in any more": (OF_DATABASE.format("CONNECTION LIMIT 0"), "the load says that its connection was lost"),
    "closes it": (OF_DATABASE.format("ALLOW_CONNECTIONS false"), "a function of the database raised an error"),
    "hands its role on": (
        "'GRANT %I TO \"small app\" WITH ADMIN OPTION', current_user",
        "a function of the database raised an error",
    ),
    "takes another password": (
        "'ALTER ROLE CURRENT_USER PASSWORD %L', 'x'",
        "the load says that its connection was lost",
    ),
}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    with small_source(tmp_path_factory.mktemp("small")) as ready:
        yield ready


@pytest.mark.parametrize("what", first_of(DOORS))
def test_it_is_told_and_nothing_of_it_stays(what: str, small: Small, tmp_path: Path) -> None:
    does, fails = DOORS[what]
    small.clone("doing")
    small.run(DOES.format(does), "doing")
    small.back_up(tmp_path, "doing")
    small.server.drop_database("doing")
    target = Target(small.server, small.guardian)
    if fails:
        with pytest.raises(RestoreFailed, match=fails) as failed:
            target.load(tmp_path)
        assert "None" not in failed.value.cause
    else:
        assert target.load(tmp_path).exit_code == 0
    small.server.drop_database(target.database)
    with small.server.administer() as connection:
        left = "SELECT datname FROM pg_database UNION SELECT rolname FROM pg_roles"
        names = [name for (name,) in connection.execute(left)]
    assert [name for name in names if "loader" in name or name.startswith("restored")] == []
