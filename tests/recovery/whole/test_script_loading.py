"""A plain dump is recovered as an archive is: nothing of it reaches beyond the database that is made for it."""

import gzip
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from fixtures.commands.recovering.set_at_hand import _require_restrict
from fixtures.database.catalogue import take_facts
from fixtures.dump.format import Inspection
from fixtures.dump.formats import format_named
from fixtures.dump.script import Script
from fixtures.recovery.journal import read_journal
from fixtures.recovery.refused import RecoveryRefused
from fixtures.sandbox.child import run_child
from tests.support import record_examples
from tests.support.recovered_shop import CANARY
from tests.support.small_recovery import Tiny, ended_at

NEW, OLD = ("recovered", "recovered"), ("old", "old")
Dumped = Callable[..., Tiny]
MORE = """
CREATE PUBLICATION everything FOR ALL TABLES;
CREATE FUNCTION noted() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN NULL; END $$;
CREATE EVENT TRIGGER notes_it ON ddl_command_start EXECUTE FUNCTION noted();
"""


@pytest.fixture
def dumped(tiny: Tiny, tmp_path: Path) -> Dumped:
    """The application, whose set has a plain dump of a database of these statements besides, made with these options."""

    def made(statements: str = "", *options: str, packed: bool = False) -> Tiny:
        server = tiny.server
        server.create_database("tiny_plain", template="tiny_source")
        with server.connect("tiny_plain") as source:
            source.execute(statements)  # type: ignore[call-overload]
            source.execute("ALTER DATABASE tiny_plain SET search_path TO public")
        with server.reading("tiny_plain") as source:
            facts = take_facts(source)
        tiny.record = record_examples.record(facts=facts, migrated_facts=facts, contents=None, migrated=None)
        dump = tmp_path / "plain.sql"
        done = run_child(
            [str(server.clients.pg_dump), *options, f"--file={dump}", "tiny_plain"],
            environment=server.environment("tiny_plain"),
            guardian=tiny.guardian,
        )
        assert done.succeeded, done.stderr
        if packed:
            dump = dump.with_suffix(".sql.gz")
            dump.write_bytes(gzip.compress((tmp_path / "plain.sql").read_bytes()))
        said = format_named("plain").inspect(dump, Inspection("plain", tiny.guardian, server.account))
        assert isinstance(said, Script)
        tiny.backup, tiny.script = replace(tiny.backup, dump=dump), said
        return tiny

    return made


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("options", [(), ("--create", "--clean", "--if-exists")], ids=["alone", "with -C --clean"])
def test_a_plain_dump_is_recovered(dumped: Dumped, packed: bool, options: tuple[str, ...]) -> None:
    tiny = dumped("", *options, packed=packed)
    assert tiny.recover()
    assert tiny.mark == NEW
    assert tiny.starts == ["recovered recovered"]
    # What the dump says of a database by its name is not said of one of that name: it stands as it stood.
    with tiny.production.administer() as session:
        said = session.execute(
            "SELECT datname FROM pg_db_role_setting JOIN pg_database d ON d.oid = setdatabase WHERE datname LIKE 'tiny%'"
        ).fetchall()
        names = session.execute("SELECT datname FROM pg_database WHERE datname LIKE 'tiny%' ORDER BY 1").fetchall()
    assert said == [("tiny_plain",)]
    assert [name for (name,) in names] == ["tiny", "tiny__before_20260101_abcdef", "tiny_plain", "tiny_source"]


def test_what_only_a_superuser_makes_is_made_after_it(dumped: Dumped) -> None:
    tiny = dumped(MORE)
    assert tiny.recover()
    with tiny.production.connect() as session:
        assert session.execute("SELECT pubname FROM pg_publication").fetchall() == [("everything",)]
        assert session.execute("SELECT evtname FROM pg_event_trigger").fetchall() == [("notes_it",)]


def test_a_script_that_fails_leaves_the_old_one_and_what_it_quotes_is_not_repeated(dumped: Dumped) -> None:
    raises = "BEGIN IF current_database() <> ''tiny_plain'' THEN RAISE ''%'', name; END IF; RETURN true; END"
    tiny = dumped(
        f"CREATE FUNCTION demand(name text) RETURNS bool LANGUAGE plpgsql AS '{raises}';"
        f"CREATE TABLE guests (name text CHECK (demand(name))); INSERT INTO guests VALUES ('{CANARY}');"
    )
    with pytest.raises(RecoveryRefused, match="psql ended with 3 beside production: a function of the database") as no:
        tiny.recover()
    assert CANARY not in f"{no.value}{tiny.said}"
    assert (tiny.mark, tiny.starts) == (OLD, ["old old"])


def test_a_script_that_was_altered_after_it_was_read_is_refused(dumped: Dumped) -> None:
    tiny = dumped()
    with tiny.backup.dump.open("a") as file:
        file.write("CREATE ROLE intruder SUPERUSER;\n")
    with pytest.raises(RecoveryRefused, match="the dump changed while the drill was reading it"):
        tiny.recover()
    assert (tiny.mark, tiny.starts) == (OLD, ["old old"])


def test_a_script_is_not_executed_by_a_psql_that_would_do_whatever_it_says(tiny: Tiny, tmp_path: Path) -> None:
    psql = tmp_path / "psql"
    psql.write_text("#!/bin/sh\necho 'psql (PostgreSQL) 15.13'\n")
    psql.chmod(0o700)
    with pytest.raises(RecoveryRefused, match="does not know"):
        _require_restrict(psql, tiny.guardian)
    _require_restrict(tiny.server.clients.psql, tiny.guardian)


def test_one_that_was_killed_while_it_was_loaded_goes_on(dumped: Dumped) -> None:
    tiny = dumped()
    begun = 8
    assert ended_at(tiny, begun, lambda each, at: each.recover(ended_at=at))
    lines = read_journal(tiny.journal)
    assert (lines[-1]["step"], lines[-1]["state"]) == ("load", "begun")
    assert tiny.resume()
    assert tiny.mark == NEW
