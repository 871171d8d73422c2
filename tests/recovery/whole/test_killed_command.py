"""The command itself, with a whole set, is ended by SIGKILL about its swap: it goes on and back, and nothing is half."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from fixtures.commands.backup import Source, take_backup
from fixtures.commands.backup.job import Job
from fixtures.recovery.journal import read_journal
from sample.build import OWNER
from tests.support.drills import ROOT, SAMPLE, Healthy
from tests.support.production_like import environment_of
from tests.support.profiles import profile_and

DATABASE = "killed"
NEW, OLD = "f new", "t old"
UNDONE = -9


@dataclass
class Standing:
    """The sample's database and sites, of which some were marked since the set was taken; that it runs is a file."""

    healthy: Healthy
    folder: Path
    backups: Path
    journal: Path = field(default=Path())

    @property
    def starts(self) -> list[str]:
        """What each start stood on: whether its database has the mark, and whose folder it was."""
        path = self.folder / "starts"
        return path.read_text().splitlines() if path.exists() else []

    def recovery(self) -> str:
        """Its [recovery]."""
        psql, sites = self.healthy.server.clients.psql, self.folder / "sites-data"
        marked = f"\"$('{psql}' -XAtc \"SELECT to_regclass('marked') IS NOT NULL\" {DATABASE})\""
        whose = f"\"$(if test -e '{sites}/marked'; then echo old; elif test -d '{sites}/clients'; then echo new; fi)\""
        running = str(self.folder / "running")
        lines = {
            "stop": [["rm", "-f", running]],
            "still_running": [["sh", "-c", f"test -e '{running}' && echo it runs"]],
            "migrate": [
                ["env", "DB_NAME={database}", sys.executable, str(SAMPLE / "manage.py"), "migrate", "--noinput"]
            ],
            "start": [["sh", "-c", f"echo {marked} {whose} >>'{self.folder}/starts'"], ["touch", running]],
            "answers": [["test", "-e", running]],
        }
        return "\n[recovery]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in lines.items())

    def recover(self, killed: str = "") -> None:
        """Begins it, to be killed at that line of its journal."""
        words = [
            "--backups",
            str(self.backups),
            "--app",
            str(SAMPLE),
            "--app-python",
            sys.executable,
            "--undrilled",
            "--yes",
        ]
        words += ["--profile", str(self.folder / "profile" / "igny8"), "--out", str(self.folder / "out")]
        said = self._run(killed, *words, "--sites-data", str(self.folder / "sites-data"))
        found = re.search(r"^Journal: (.*)$", said, re.MULTILINE)
        assert found is not None, said
        self.journal = Path(found[1])

    def resume(self, *words: str, killed: str = "") -> None:
        self._run(killed, "--resume", str(self.journal), "--yes", *words)

    def _run(self, killed: str, *words: str) -> str:
        program = ["tests.support.killed_command", *(killed or "never never").split()]
        done = subprocess.run(
            [sys.executable, "-m", *program, *words],
            cwd=ROOT,
            env=environment_of(self.healthy, DATABASE, self.folder, 1),
            capture_output=True,
            text=True,
            timeout=1500,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == (UNDONE if killed else 0), done.stdout + done.stderr
        return done.stdout

    def demand(self, stands: str) -> None:
        """Nothing ever ran on the one's database and the other's folder; it runs now, and on this."""
        assert set(self.starts) <= {NEW, OLD}
        assert self.starts[-1] == stands
        assert (self.folder / "running").exists()
        assert read_journal(self.journal)[-1]["application"] == stands.split()[1]


@pytest.fixture
def standing(healthy: Healthy, whole_set: Path, tmp_path: Path) -> Iterator[Standing]:
    standing = Standing(healthy, tmp_path, whole_set.parent)
    shutil.copytree(healthy.built.sites_data, tmp_path / "sites-data", symlinks=True)
    (tmp_path / "sites-data" / "marked").touch()
    (tmp_path / "running").touch()
    profile_and(tmp_path, standing.recovery())
    healthy.server.create_database(DATABASE, template=healthy.built.database, owner=OWNER)
    try:
        with healthy.server.connect(DATABASE) as live:
            live.execute("CREATE TABLE marked ()")
        yield standing
    finally:
        with healthy.server.connect("postgres") as session:
            names = session.execute("SELECT datname FROM pg_database WHERE datname LIKE 'killed%'").fetchall()
        for (name,) in names:
            healthy.server.drop_database(name)


@pytest.mark.whole
def test_it_goes_on_and_back_from_a_kill_between_its_renames_and_from_one_on_the_way(standing: Standing) -> None:
    standing.recover(killed="swap between")
    assert standing.starts == []
    standing.resume(killed="swap done")
    standing.resume(killed="start begun")
    assert standing.starts == []
    standing.resume()
    standing.demand(NEW)
    standing.resume("--back", killed="back begun")
    standing.resume("--back", killed="back done")
    standing.resume("--back")
    standing.demand(OLD)


def plain_set(healthy: Healthy, into: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A set of the sample with a plain dump."""
    environment = healthy.server.environment(healthy.built.database)
    for name, value in environment.items():
        if name.startswith("PG"):
            monkeypatch.setenv(name, value)
    take_backup(
        Source.from_environment(environment),
        into,
        application="igny8",
        sites_data=healthy.built.sites_data,
        job=Job.of([str(healthy.server.clients.pg_dump), "--snapshot={snapshot}", "--file={dump}"]),
        guardian=healthy.guardian,
    )


@pytest.mark.whole
def test_with_a_plain_dump_it_goes_on_from_a_kill_before_its_swap_and_back_from_one_as_it_begins(
    standing: Standing, monkeypatch: pytest.MonkeyPatch
) -> None:
    standing.backups = standing.folder / "plain"
    plain_set(standing.healthy, standing.backups, monkeypatch)
    standing.recover(killed="confirm yes")
    assert standing.starts == []
    standing.resume(killed="swap begun")
    assert standing.starts == []
    standing.resume("--back")
    standing.demand(OLD)
