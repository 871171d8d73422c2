"""Whole drills for the tests: faults planted in a real source, a real backup set of it, a real `pytest verify`."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

import pytest
from psycopg import sql

from fixtures.commands.backup import Source, take_backup
from fixtures.custody.keys import make_keys
from fixtures.profile.reading import read_profile
from fixtures.record.evidence import Evidence, Result
from fixtures.sandbox.guardian import Guardian
from fixtures.server import Server, ServerRequest, serve
from fixtures.server.leftovers import AT_WORK, mark_role
from sample.build import Built, Superuser, build

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "sample"
PROFILE = ROOT / "verify" / "profiles" / "igny8"
SECONDS = 900
"""Only what hangs takes longer, however busy the machine is."""


@dataclass(frozen=True)
class Drill:
    """One drill that has ended: its exit code, all that it printed, and the folder of its run.

    `documents` writes into that folder what no test has asked for yet."""

    exit_code: int
    output: str
    folder: Path
    documents: Callable[[Path], None] | None = None

    @cached_property
    def directory(self) -> Path:
        """The folder of its run, with all its documents."""
        if self.documents:
            self.documents(self.folder)
        return self.folder

    @cached_property
    def evidence(self) -> Evidence:
        return Evidence.model_validate_json((self.folder / "evidence.json").read_text())

    def with_outcome(self, outcome: str) -> dict[str, list[str]]:
        """The controls with at least one subject of this outcome, and those subjects."""
        subjects: dict[str, list[str]] = {}
        for result in self.evidence.results:
            if result.outcome == outcome:
                subjects.setdefault(result.control, []).append(result.subject)
        return subjects

    @property
    def red(self) -> dict[str, list[str]]:
        return self.with_outcome("failed")

    @property
    def blocked(self) -> dict[str, list[str]]:
        return self.with_outcome("blocked")

    def result(self, control: str, subject: str = "whole") -> Result:
        return next(each for each in self.evidence.results if (each.control, each.subject) == (control, subject))

    @property
    def files(self) -> list[Path]:
        """Every file that the drill wrote."""
        return [path for path in self.directory.rglob("*") if path.is_file() and not path.is_symlink()]


def drill(
    backups: Path | str,
    out: Path,
    *,
    app: Path = SAMPLE,
    python: Path = Path(sys.executable),
    profile: Path | str = PROFILE,
    workers: int = 0,
    server: str = "local",
    arguments: tuple[str, ...] = (),
    environment: dict[str, str] | None = None,
    seconds: float = SECONDS,
    pdf: bool = False,
) -> Drill:
    """Runs `pytest verify` as a user would, with its own process and its own --out."""
    done = subprocess.run(
        command(backups, out, app, python, profile, workers, server, arguments, pdf),
        cwd=ROOT,
        env={**environment_of_drills(), **(environment or {})},
        capture_output=True,
        text=True,
        timeout=seconds,
    )
    runs = [path for path in out.iterdir() if path.is_dir() and not path.is_symlink()] if out.is_dir() else []
    newest = max(runs, key=lambda path: path.stat().st_mtime_ns) if runs else out
    return Drill(done.returncode, done.stdout + done.stderr, newest)


def programs_that_do_not_run(folder: Path) -> Path:
    """A folder that a call may name, and with whose programs no dump can be read."""
    folder.mkdir()
    for name in ("initdb", "postgres", "pg_dump", "pg_restore", "psql"):
        (folder / name).write_text("#!/bin/sh\nexit 1\n")
        (folder / name).chmod(0o755)
    return folder


NOT_MIGRATED = "python-that-does-not-run could not be run"
"""What is blocked for that says so, in a drill by an interpreter that does not run."""


def interpreter_that_does_not_run(folder: Path) -> Path:
    """A drill by it comes to its checks in half the time: those of the migrated database are blocked."""
    interpreter = folder / NOT_MIGRATED.split()[0]
    interpreter.write_text("#!/bin/sh\nexit 127\n")
    interpreter.chmod(0o755)
    return interpreter


@dataclass(frozen=True)
class Signed:
    drill: Drill
    public_key: Path


SHELL = {"PGHOSTADDR": "127.0.0.1", "PGSERVICE": "production", "PGOPTIONS": "-c statement_timeout=1", "PGPORT": "1"}
"""Libpq's variables, as a shell may have set them. No session of a drill may heed them."""


def signed_drill_after(first: Drill, backups: Path, folder: Path) -> Signed:
    """Drills with workers that prove every check, signed and under SHELL, into a copy of the folder of reports in which the
    first drill's lies."""
    private, public = make_keys(folder / "keys")
    out = folder / "out"
    shutil.copytree(first.directory.parent, out, symlinks=True)
    environment = SHELL | {"DRILL_SIGNING_KEY": str(private)}
    return Signed(drill(backups, out, workers=2, environment=environment, arguments=("--prove", "all")), public)


class Drilling(Protocol):
    """A way to drill a set: whole, or short on what stands already, where `planted` and `really` say what differs."""

    def __call__(
        self,
        backups: Path,
        out: Path,
        *,
        app: Path = SAMPLE,
        profile: Path = PROFILE,
        planted: str = "",
        really: frozenset[str] = frozenset(),
    ) -> Drill: ...


def whole_drill(
    backups: Path,
    out: Path,
    *,
    app: Path = SAMPLE,
    profile: Path = PROFILE,
    planted: str = "",
    really: frozenset[str] = frozenset(),
) -> Drill:
    """Every stage, of what the set itself holds."""
    return drill(backups, out, app=app, profile=profile)


LOADED_AS_WELL = pytest.mark.parametrize(
    "drilling", ["short", pytest.param("loaded", marks=pytest.mark.further)], indirect=True
)
"""For tests whose faults a load of the set could make others of."""


def command(
    backups: Path | str,
    out: Path,
    app: Path = SAMPLE,
    python: Path = Path(sys.executable),
    profile: Path | str = PROFILE,
    workers: int | None = 0,
    server: str | None = "local",
    arguments: tuple[str, ...] = (),
    pdf: bool = False,
) -> list[str]:
    """The drill's own command line; without a server, one is named in the environment; without workers, the drill decides.
    Few read the PDF, and it costs as much as all other documents. Nothing is
    proven unless it is asked for: faults planted for the checks are no part of what these drills meet."""
    return [
        *(sys.executable, "-m", "pytest", "verify", *((f"-n{workers}",) if workers is not None else ())),
        *("--backups", str(backups), "--app", str(app), "--app-python", str(python)),
        *("--profile", str(profile), "--out", str(out)),
        *(("--server", server) if server is not None else ()),
        *(("--no-pdf",) if not pdf else ()),
        *(("--prove", "none") if "--prove" not in arguments else ()),
        # A user has none, and it takes each process of a drill 0.1 s.
        *("-p", "no:hypothesispytest"),
        *arguments,
    ]


def environment_of_drills() -> dict[str, str]:
    """Ours without what the outer pytest told its own worker. Bytecode of the suite is kept, whatever the tests do: each
    process of each drill would compile it again."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("PYTEST_") and name != "PYTHONDONTWRITEBYTECODE"
    }


@dataclass(frozen=True)
class Healthy:
    """The sample on a server of its own: the source that faults are planted in, each time in a fresh clone."""

    server: Server
    built: Built
    guardian: Guardian

    def backup(
        self,
        into: Path,
        planted: str = "",
        *,
        in_files: Callable[[Path], None] | None = None,
        name: str = "planted",
        profile: Path = PROFILE,
    ) -> Path:
        """Takes a backup set of a clone in which `planted` has been executed, and of a copy of the sites data that
        `in_files` has changed. Returns the set's folder, the only one in `into`."""
        self.server.create_database(name, template=self.built.database, owner="igny8_owner")
        try:
            if planted:
                with self.server.connect(name) as connection:
                    connection.execute(sql.SQL(planted))
            sites_data = self.built.sites_data
            if in_files is not None:
                sites_data = into.parent / f"{into.name}-sites" / "sites-data"
                shutil.copytree(self.built.sites_data, sites_data, symlinks=True)
                in_files(sites_data)
            with at_work_on(self.server):
                return take_backup(
                    self.source(name),
                    into,
                    application="igny8",
                    sites_data=sites_data,
                    logs=self.built.logs,
                    profile=read_profile(profile),
                    pg_dump=self.server.clients.pg_dump,
                    guardian=self.guardian,
                )
        finally:
            self.server.drop_database(name)

    def source(self, database: str) -> Source:
        server = self.server
        return Source(
            {
                "host": server.host,
                "port": str(server.port),
                "user": server.user,
                "password": server.password,
                "dbname": database,
            }
        )


_RUN_AT_WORK = "20260101T000000Z-5eed5e"


@contextmanager
def at_work_on(server: Server) -> Iterator[None]:
    """Shows a backup which roles go with the tests that work on its source: they bear the mark of a drill at work."""
    with server.connect() as connection:
        connection.execute("SELECT set_config('application_name', %s, false)", [f"{AT_WORK}{_RUN_AT_WORK}"])
        for name in server.logins.names:
            mark_role(connection, name, _RUN_AT_WORK)
        yield


@contextmanager
def healthy_source(work: Path) -> Iterator[Healthy]:
    """Builds the sample once; takes a few seconds."""
    with Guardian("5eed5eed") as guardian, serve(ServerRequest("5eed5eed", choice="local"), guardian) as server:
        superuser = Superuser(server.host, server.port, server.user, server.password)
        yield Healthy(server, build(superuser, work), guardian)
