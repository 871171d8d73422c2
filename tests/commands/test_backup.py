"""Taking a backup set: what it holds is what the source held at one instant, and half a set is none."""

import os
import re
import stat
import subprocess
import sys
import tarfile
import threading
from pathlib import Path

import pytest
from psycopg.rows import dict_row

from fixtures.commands.backup import BackupFailed, Source, take_backup
from fixtures.commands.backup.__main__ import COPY_FAILED, main
from fixtures.commands.backup.left_out import left_out
from fixtures.commands.backup.place import sole_writer, thin_out
from fixtures.commands.backup.source_database import reading
from fixtures.database.catalogue import take_facts
from fixtures.profile.reading import ReadProfile
from fixtures.record.manifest import Manifest
from fixtures.record.names import TableName
from fixtures.record.sizes import size
from fixtures.restore.make_roles import make_roles
from fixtures.restore.roles import RolesFile
from fixtures.server import ServerRequest, serve
from fixtures.shelf.locate import locate
from tests.support.small_source import CANARY, PROFILE, Small, script, visible

PEOPLE = TableName("public", "people")


@pytest.fixture(scope="module")
def taken(small: Small, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small.back_up(tmp_path_factory.mktemp("taken"))


def test_a_set_is_whole_private_and_named_after_its_snapshot(taken: Path) -> None:
    backup = locate(taken.parent, PROFILE).backup_set
    assert backup.manifest is not None
    assert re.fullmatch(r"small_\d{8}_\d{6}", taken.name)
    assert taken.name == f"small_{backup.manifest.snapshot_at:%Y%m%d_%H%M%S}"
    assert {artefact.role for artefact in backup.artefacts} == {"dump", "roles", "sites", "manifest"}
    assert backup.altered == ()
    assert stat.S_IMODE(taken.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in taken.iterdir()} == {0o600}


def test_the_first_set_of_an_application_without_files_needs_no_profile(
    small: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in small.server.environment("source").items():
        monkeypatch.setenv(name, value)
    for wrong, words in ((["--no-files", "--sites-data", "x"], "leave --sites-data"), ([], "files say --no-files")):
        with pytest.raises(SystemExit):
            main(["--into", str(tmp_path), *wrong])
        assert words in capsys.readouterr().err
    assert main(["--into", str(tmp_path), "--no-files"]) == 0
    located = locate(Path(capsys.readouterr().out.strip()), PROFILE).backup_set
    assert {artefact.role for artefact in located.artefacts} == {"dump", "roles", "manifest"}


def test_a_set_has_its_copy_elsewhere_and_one_that_cannot_be_made_loses_no_set(
    small: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in small.server.environment("source").items():
        monkeypatch.setenv(name, value)
    sets, copies = tmp_path / "sets", tmp_path / "copies"
    call = ["--into", str(sets), "--application", "small", "--no-files", "--keep", "1", "--offsite"]
    wrong = {str(sets / "in"): "is no second place beside", "sftp://host/x": "not copied to sftp://", "": "is empty"}
    for place, words in wrong.items():
        with pytest.raises(SystemExit):
            main([*call, place])
        assert words in capsys.readouterr().err
    assert not sets.exists()

    assert main([*call, str(copies)]) == 0
    said = capsys.readouterr()
    first = Path(said.out.strip())
    copy = copies / first.name
    assert f"Its copy {copy} was read back: " in said.err
    assert {path.name: path.read_bytes() for path in copy.iterdir()} == {
        path.name: path.read_bytes() for path in first.iterdir()
    }
    assert {stat.S_IMODE(path.stat().st_mode) for path in copy.iterdir()} == {0o600}

    (tmp_path / "file").touch()
    assert main([*call, str(tmp_path / "file")]) == COPY_FAILED
    said = capsys.readouterr()
    second = Path(said.out.strip())
    assert f"The set is whole, and its copy {tmp_path / 'file' / second.name} was not made: " in said.err
    # What was to go in its stead stays as well.
    assert locate(sets, PROFILE).backup_set.name == second.name
    assert first.is_dir()


def test_rows_on_a_foreign_server_are_another_databases_and_never_asked_for(
    small: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    small.clone("reaching")
    try:
        small.run(
            """
            CREATE EXTENSION postgres_fdw;
            CREATE SERVER away FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1', port '1');
            CREATE USER MAPPING FOR PUBLIC SERVER away OPTIONS (user 'nobody');
            CREATE FOREIGN TABLE theirs (id int) SERVER away;
            CREATE FOREIGN TABLE parts_2025 PARTITION OF parts FOR VALUES FROM ('2025-01-01') TO ('2026-01-01') SERVER away;
            """,
            "reaching",
        )
        for name, value in small.server.environment("reaching").items():
            monkeypatch.setenv(name, value)
        assert main(["--into", str(tmp_path), "--no-files"]) == 0
        said = capsys.readouterr()
        names = "public.parts_2025, public.theirs"
        assert said.err.startswith(
            f"Rows on foreign servers are in no dump: {names}. Back up the server that has them.\n"
        )
        manifest = locate(Path(said.out.strip()), PROFILE).backup_set.manifest
        assert manifest is not None
        parts = TableName("public", "parts")
        assert manifest.tables[parts] == manifest.tables[TableName("public", "parts_2026")] == 50
        assert not manifest.tables.keys() & {TableName("public", "theirs"), TableName("public", "parts_2025")}
        with small.server.connect("reaching") as connection:
            facts = take_facts(connection)
            (_, of_standby) = left_out(connection.cursor(row_factory=dict_row), facts, [PEOPLE], None)
        assert of_standby.startswith("A standby has no rows of unlogged tables, and so has its dump: public.people.")
        assert {table.name.name: table.rows for table in facts.tables if table.name.name[:5] in ("parts", "their")} == {
            "parts": 50,
            "parts_2025": None,
            "parts_2026": 50,
            "theirs": None,
        }
    finally:
        small.server.drop_database("reaching")


def test_the_manifest_counts_every_table_of_user_schemas(taken: Path) -> None:
    manifest = locate(taken, PROFILE).backup_set.manifest
    assert manifest is not None
    assert manifest.tables == {
        TableName("my schema", "order items"): 3000,
        PEOPLE: 2000,
        TableName("public", "parts"): 50,
        TableName("public", "parts_2026"): 50,
    }
    assert manifest.large_objects == 1
    assert not manifest.sample
    assert manifest.database == "source"


def test_the_manifest_counts_what_the_dump_holds_while_rows_are_being_written(small: Small, tmp_path: Path) -> None:
    small.clone("busy")
    begun, stop = threading.Event(), threading.Event()

    def write() -> None:
        with small.server.connect("busy") as connection:
            number = 10_000
            while not stop.is_set():
                connection.execute("INSERT INTO people VALUES (%s, 'late', NULL)", [number])
                number += 1
                begun.set()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert begun.wait(10)
        folder = small.back_up(tmp_path, "busy")
    finally:
        stop.set()
        writer.join()
    manifest = locate(folder, PROFILE).backup_set.manifest
    assert manifest is not None
    assert 2000 < manifest.tables[PEOPLE] < small.count("people", "busy")
    small.server.create_database("busy_again")
    dump = folder / f"{folder.name}.dump"
    subprocess.run(
        [small.server.clients.pg_restore, "--dbname=busy_again", dump],
        env=small.server.environment("busy_again"),
        check=True,
    )
    assert small.count("people", "busy_again") == manifest.tables[PEOPLE]


def test_a_role_that_row_security_filters_is_refused_rather_than_short(small: Small, tmp_path: Path) -> None:
    small.run("CREATE ROLE filtered LOGIN PASSWORD 'x'; GRANT pg_read_all_data TO filtered", "postgres")
    settings = {**small.source().settings, "user": "filtered", "password": "x"}
    with pytest.raises(BackupFailed, match=r"row-level security.*BYPASSRLS|BYPASSRLS.*row-level security") as refusal:
        take_backup(Source(settings), tmp_path, application="small", sites_data=small.sites, guardian=small.guardian)
    assert "people" in refusal.value.cause
    assert visible(tmp_path) == []


@pytest.mark.further
def test_a_row_that_no_server_writes_as_text_is_named_by_its_table(small: Small, tmp_path: Path) -> None:
    small.clone("large")
    try:
        small.run("CREATE TABLE films AS SELECT convert_to(repeat('x', 540000000), 'UTF8') AS film", "large")
        with pytest.raises(
            BackupFailed, match=r"a row of public\.films is too long to be written out as text"
        ) as refusal:
            small.back_up(tmp_path, "large")
    finally:
        small.server.drop_database("large")
    assert "large objects" in refusal.value.fix
    assert visible(tmp_path) == []


def test_roles_carry_no_password_and_load_twice(small: Small, taken: Path) -> None:
    roles = next(taken.glob("*.roles.sql"))
    assert "never-in-a-backup" not in roles.read_text()
    assert "PASSWORD" not in roles.read_text()
    assert "SCRAM" not in roles.read_text()
    for _ in range(2):
        subprocess.run(
            [small.server.clients.psql, "--no-psqlrc", "--quiet", "-v", "ON_ERROR_STOP=1", "--file", roles],
            env=small.server.environment("postgres"),
            check=True,
            capture_output=True,
        )
    with small.server.connect() as connection:
        row = connection.execute("SELECT rolconnlimit, rolconfig FROM pg_roles WHERE rolname = 'small app'").fetchone()
    assert row == (7, ['search_path="$user", "my schema", public', "statement_timeout=30s"])


def test_a_role_is_a_drills_by_the_mark_of_one_at_work_and_not_by_its_name(small: Small, tmp_path: Path) -> None:
    run, gone = "20260101T000000Z-0123ab", "20260101T000000Z-9876fe"
    ours, marked = "restore_drill_reader_0123abcd", "marked by a drill that is gone"
    server = small.server
    url = f"postgresql://{server.user}:{server.password}@/postgres?host={server.host}"
    small.run(f'CREATE ROLE {ours} LOGIN BYPASSRLS; CREATE ROLE "{marked}"', "postgres")
    small.run(f"COMMENT ON ROLE \"{marked}\" IS 'made by restore drill {gone}'", "postgres")
    try:
        with serve(ServerRequest(run, url, superuser=True), small.guardian) as drilling:
            (made,) = make_roles(drilling, RolesFile(), ["of_a_drill"]).missing
            reader = drilling.logins.of(drilling, "reader").user
            taken = small.back_up(tmp_path)
        manifest = Manifest.model_validate_json((taken / f"{taken.name}.manifest.json").read_text())
        written = next(taken.glob("*.roles.sql")).read_text()
        assert manifest.contents is not None
        for told in (manifest.contents.roles, written):
            assert [name in told for name in (ours, marked, reader, made)] == [True, True, False, False]
    finally:
        small.run(f'DROP ROLE {ours}; DROP ROLE "{marked}"', "postgres")


def test_no_password_is_in_any_argv(small: Small, tmp_path: Path) -> None:
    witness = tmp_path / "argv"
    real = small.server.clients.pg_dump
    front = script(tmp_path / "pg_dump", f'#!/bin/sh\necho "$@" >> {witness}\nexec {real} "$@"\n')
    small.back_up(tmp_path / "sets", pg_dump=front)
    assert "--snapshot=" in witness.read_text()
    assert small.server.password not in witness.read_text()
    assert small.server.password not in repr(small.source())


def test_the_database_may_be_named_by_a_url() -> None:
    source = Source.from_environment({"DATABASE_URL": "postgresql://me:s%40crt@db.example:5433/igny8?sslmode=require"})
    variables = source.environment()
    assert (variables["PGHOST"], variables["PGPORT"], variables["PGUSER"], variables["PGDATABASE"]) == (
        "db.example",
        "5433",
        "me",
        "igny8",
    )
    assert (variables["PGPASSWORD"], variables["PGSSLMODE"]) == ("s@crt", "require")


@pytest.mark.parametrize("environment", [{}, {"DATABASE_URL": "sqlite:///db.sqlite3"}, {"PGHOST": "db.example"}])
def test_without_a_postgres_database_there_is_no_backup(environment: dict[str, str]) -> None:
    with pytest.raises(BackupFailed, match="DATABASE_URL"):
        Source.from_environment(environment)


def test_an_unknown_client_or_an_unreachable_server_is_named(small: Small, tmp_path: Path) -> None:
    with pytest.raises(BackupFailed, match="does not run"):
        small.back_up(tmp_path, pg_dump=tmp_path / "absent")
    nowhere = Source({**small.source().settings, "host": str(tmp_path)})
    with pytest.raises(BackupFailed, match="cannot be reached") as refusal:
        take_backup(nowhere, tmp_path, application="small", sites_data=small.sites, guardian=small.guardian)
    assert small.server.password not in str(refusal.value)


def test_two_sets_never_share_a_name(small: Small, tmp_path: Path) -> None:
    first, second = small.back_up(tmp_path), small.back_up(tmp_path)
    assert first != second
    assert len(visible(tmp_path)) == 2


def test_only_one_backup_runs_at_a_time(small: Small, tmp_path: Path) -> None:
    with sole_writer(tmp_path, "small"), pytest.raises(BackupFailed, match="another backup of small"):
        small.back_up(tmp_path)


def test_keep_removes_only_whole_older_sets_of_its_own(small: Small, tmp_path: Path) -> None:
    made = [small.back_up(tmp_path) for _ in range(3)]
    stranger = tmp_path / "small_20200101_000000"
    stranger.mkdir()
    assert thin_out(tmp_path, "small", 1) == [folder.name for folder in made[:2]]
    assert visible(tmp_path) == sorted([stranger.name, made[2].name])
    with pytest.raises(BackupFailed, match="last backup set"):
        thin_out(tmp_path, "small", 0)


def test_the_command_takes_a_set_from_the_environment_alone(small: Small, tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "app.log").write_text("a line\n")
    into = os.path.relpath(tmp_path / "sets")
    command = [sys.executable, "-m", "fixtures.commands.backup", "--into", into, "--sites-data", small.sites]
    done = subprocess.run(
        [*command, "--logs", logs, "--application", "small", "--keep", "2"],
        env=small.server.environment("source"),
        capture_output=True,
        text=True,
        check=True,
    )
    folder = Path(done.stdout.strip())
    assert {path.name.removeprefix(folder.name) for path in folder.iterdir()} == {
        ".dump",
        ".roles.sql",
        ".sites.tar.gz",
        ".logs.tar.gz",
        ".manifest.json",
    }
    assert CANARY not in done.stdout + done.stderr
    held = sum(path.stat().st_size for path in folder.iterdir())
    assert re.fullmatch(
        rf"The set has 5 files, {size(held)}\. It took \S+ (?:ms|s|min .*)\.\n"
        rf"A backup is proven by its restore\. Next: make drill BACKUPS={into} APP=DIR PROFILE=NAME\n",
        done.stderr,
    )


def test_uploads_have_an_archive_of_their_own_where_the_profile_asks_for_one(small: Small, tmp_path: Path) -> None:
    uploads = tmp_path / "uploads"
    uploads.mkdir()
    (uploads / "cat.png").write_bytes(b"meow")
    required = PROFILE.backup.model_copy(update={"required": ("dump", "sites", "uploads", "manifest")})
    profile = PROFILE.model_copy(update={"backup": required})
    made = take_backup(
        small.source("source"),
        tmp_path / "sets",
        application="small",
        sites_data=small.sites,
        uploads=uploads,
        profile=ReadProfile("small", Path(), Path(), "", profile),
        pg_dump=small.server.clients.pg_dump,
        guardian=small.guardian,
    )
    located_set = locate(tmp_path / "sets", profile)
    assert located_set.backup_set.manifest is not None
    assert "uploads" in located_set.backup_set.manifest.files
    assert not located_set.backup_set.altered
    with tarfile.open(located_set.paths["uploads"]) as archive:
        assert archive.getnames() == ["uploads", "uploads/cat.png"]
    with tarfile.open(located_set.paths["sites"]) as archive:
        assert not [name for name in archive.getnames() if "cat" in name]
    (made / f"{made.name}.uploads.tar.gz").write_bytes(b"another")
    assert [each.role for each in locate(tmp_path / "sets", profile).backup_set.altered] == ["uploads"]


def test_a_source_with_no_room_for_more_locks_is_told_the_setting(small: Small) -> None:
    """As one with tens of thousands of tables has none for a snapshot that reads them all."""
    with small.server.connect() as session, pytest.raises(BackupFailed) as failed, reading(session):
        session.execute("SELECT count(pg_advisory_xact_lock(n)) FROM generate_series(1, 10000000) n")
    assert "no room for more locks" in failed.value.cause
    assert "raise max_locks_per_transaction there" in failed.value.fix
