"""The runbook's command for each format is run as it stands, by a shell, and brings the rows back."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.shelf.locate import locate
from reports.dump_commands import check_of_folder, loading
from reports.recovery import steps
from reports.story import Story
from tests.support import evidence_examples, record_examples
from tests.support.dump_formats import FORMATS, dump_as
from tests.support.small_source import PROFILE, Small, made_ready, small_source

STEM = "igny8_20260101_000000"


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    with small_source(tmp_path_factory.mktemp("small")) as ready:
        yield ready


@pytest.mark.parametrize("name", [name for name in FORMATS if "--clean" not in name])
def test_the_command_is_run_as_it_stands(small: Small, tmp_path: Path, name: str) -> None:
    server = small.server
    small.clone("copied")
    makes = "with -C" not in name
    try:
        dump_as(FORMATS[name], server.clients, server.environment("copied"), tmp_path, STEM)
        ready = made_ready(tmp_path, server, small.guardian)
    finally:
        server.drop_database("copied")
    if makes:
        server.create_database("copied")
    record = record_examples.record(backup_set=ready.located.backup_set, header=ready.header)
    how = loading(record, f'"$BACKUP_SET"/{ready.located.dump.name}', 2)
    assert how.makes_database != makes
    environment = {**server.environment("copied"), "BACKUP_SET": str(tmp_path), "PGDATABASE": "copied"}
    environment["PATH"] = f"{server.clients.folder}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(["bash", "-euc", how.command], env=environment, capture_output=True, text=True)
    try:
        assert done.returncode == 0, done.stderr
        assert small.count("people", "copied") == 2000
    finally:
        server.drop_database("copied")


def test_a_folders_files_are_checked_together(small: Small, tmp_path: Path) -> None:
    folder = dump_as(FORMATS["directory"], small.server.clients, small.server.environment("source"), tmp_path, STEM)
    backup_set = locate(tmp_path, PROFILE).backup_set
    artefact = backup_set.artefact("dump")
    assert artefact is not None
    check = ["bash", "-euc", check_of_folder(artefact)]
    environment = {"PATH": os.environ["PATH"], "BACKUP_SET": str(tmp_path)}
    assert subprocess.run(check, env=environment).returncode == 0
    (folder / "toc.dat").write_bytes(b"other")
    assert subprocess.run(check, env=environment).returncode == 1
    evidence = evidence_examples.verified()
    drilled = evidence.model_copy(update={"record": record_examples.record(backup_set=backup_set)})
    commands = [step.commands for step in steps(Story(drilled)) if "same" in step.title or "those that" in step.title]
    assert check_of_folder(artefact) in commands[0]
