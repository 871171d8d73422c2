"""Taking a backup set: what it holds is what the source held at one instant, and half a set is none."""

import re
import stat
import subprocess
import tarfile
import threading
from pathlib import Path

import pytest
from psycopg.rows import dict_row

from fixtures.commands.backup import BackupFailed, take_backup
from fixtures.commands.backup.__main__ import main
from fixtures.commands.backup.left_out import left_out
from fixtures.database.catalogue import take_facts
from fixtures.profile.reading import ReadProfile
from fixtures.record.manifest import Manifest
from fixtures.record.names import TableName
from fixtures.restore.make_roles import make_roles
from fixtures.restore.roles import RolesFile
from fixtures.server import ServerRequest, serve
from fixtures.shelf.locate import locate
from tests.support.small_source import PROFILE, Small, visible

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
