"""Programs that cannot read a dump are told from a dump that cannot be read."""

from pathlib import Path

import pytest

from fixtures.dump.archive_toc import read_archive
from fixtures.record.stage import StageBlocked
from fixtures.sandbox.account import unprivileged_account
from fixtures.sandbox.guardian import Guardian


def test_programs_that_do_not_run_are_not_held_against_the_dump(guardian: Guardian, tmp_path: Path) -> None:
    programs = tmp_path / "postgres" / "bin"
    programs.mkdir(parents=True)
    for name in ("initdb", "postgres", "pg_dump", "pg_restore", "psql", "pg_config"):
        said = "echo 'postgres (PostgreSQL) 18.0'" if name == "postgres" else "echo no such library >&2; exit 127"
        (programs / name).write_text(f"#!/bin/sh\n{said}\n")
        (programs / name).chmod(0o755)
    dump = tmp_path / "x.dump"
    dump.write_bytes(b"PGDMP")
    with pytest.raises(StageBlocked, match=r"pg_restore 18\.0 .* does not run \(exit code 127: no such library\)"):
        read_archive(dump, guardian, account=unprivileged_account(), binaries=programs)
