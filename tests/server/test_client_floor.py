"""No dump is given to client programs that a dump can make run commands, unless the profile says so."""

from pathlib import Path

import pytest

from fixtures.dump.archive_toc import read_archive
from fixtures.record import stages
from fixtures.record.stage import StageBlocked
from fixtures.sandbox.guardian import Guardian
from fixtures.server.binaries import Binaries, candidates
from fixtures.server.client_floor import LEAST_CLIENTS, below_floor
from fixtures.server.request import ServerRequest
from tests.support.drills import drill
from tests.support.small_source import script


@pytest.mark.parametrize("version", ["13.22", "14.20", "15.14", "16.10", "17.6", "17.10", "18.0", "18beta1", "19.1"])
def test_a_mended_release_may_read_dumps(version: str) -> None:
    assert not below_floor(version, LEAST_CLIENTS)


@pytest.mark.parametrize(
    ("version", "wanted"),
    [("15.13", "15.14"), ("17.5", "17.6"), ("17rc1", "17.6"), ("16", "16.10"), ("12.22", "13.22"), ("9.6.24", "13.22")],
)
def test_an_older_one_is_refused_with_the_cve(version: str, wanted: str) -> None:
    refusal = below_floor(version, LEAST_CLIENTS)
    assert refusal.startswith(f"is older than {wanted}")
    assert "CVE-2025-8714, CVE-2025-8715" in refusal


@pytest.fixture
def old_programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This machine's programs, one of which says that it is of May 2025."""
    real = next(binaries for binaries in candidates(ServerRequest("")) if isinstance(binaries, Binaries))
    folder = tmp_path_factory.mktemp("old") / "bin"
    folder.mkdir()
    for name in ("initdb", "pg_dump", "pg_restore", "psql", "pg_config"):
        script(folder / name, f'#!/bin/sh\nexec {real.folder}/{name} "$@"\n')
    script(folder / "postgres", f"#!/bin/sh\necho 'postgres (PostgreSQL) {real.major}.1'\n")
    return folder


@pytest.mark.further
def test_a_drill_with_old_programs_does_not_touch_the_dump(old_programs: Path, whole_set: Path, tmp_path: Path) -> None:
    arguments = ("--postgres-bin", str(old_programs))
    outcome = drill(whole_set.parent, tmp_path / "out", arguments=arguments)
    stage = outcome.evidence.record.stage(stages.INSPECT)
    assert stage is not None
    assert (stage.state, outcome.exit_code, outcome.red) == ("blocked", 2, {})
    assert "CVE-2025-8714" in stage.cause


def test_the_profile_may_lower_the_floor(old_programs: Path, whole_set: Path, guardian: Guardian) -> None:
    dump = whole_set / f"{whole_set.name}.dump"
    with pytest.raises(StageBlocked, match="a dump can make it run commands"):
        read_archive(dump, guardian, account=None, binaries=old_programs)
    header = read_archive(dump, guardian, account=None, binaries=old_programs, least_clients=("13.0",)).header
    assert header.entries > 100
