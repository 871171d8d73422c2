"""A backup is taken from a database that can be read whole, into a place with one writer; old sets go, copies are made."""

import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from fixtures.commands.backup import BackupFailed, Source, take_backup
from fixtures.commands.backup.__main__ import COPY_FAILED, main
from fixtures.commands.backup.place import sole_writer, thin_out
from fixtures.commands.backup.source_database import reading
from fixtures.record.sizes import size
from fixtures.shelf.locate import locate
from tests.support.small_source import CANARY, PROFILE, Small, script, visible


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


def test_a_role_that_row_security_filters_is_refused_rather_than_short(small: Small, tmp_path: Path) -> None:
    small.run("CREATE ROLE filtered LOGIN PASSWORD 'x'; GRANT pg_read_all_data TO filtered", "postgres")
    settings = {**small.source().settings, "user": "filtered", "password": "x"}
    with pytest.raises(BackupFailed, match=r"row-level security.*BYPASSRLS|BYPASSRLS.*row-level security") as refusal:
        take_backup(Source(settings), tmp_path, application="small", sites_data=small.sites, guardian=small.guardian)
    assert "people" in refusal.value.cause
    assert visible(tmp_path) == []


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


def test_a_source_with_no_room_for_more_locks_is_told_the_setting(small: Small) -> None:
    """As one with tens of thousands of tables has none for a snapshot that reads them all."""
    with small.server.connect() as session, pytest.raises(BackupFailed) as failed, reading(session):
        session.execute("SELECT count(pg_advisory_xact_lock(n)) FROM generate_series(1, 10000000) n")
    assert "no room for more locks" in failed.value.cause
    assert "raise max_locks_per_transaction there" in failed.value.fix
