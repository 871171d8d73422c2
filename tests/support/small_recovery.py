"""A whole recovery of a database of two tables and one folder, run in a process of its own that may end at any line of its
journal; the application is a file that says that it runs."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fixtures.commands.backup.archive import pack
from fixtures.database.catalogue import take_facts
from fixtures.dump.script import Script
from fixtures.profile import Profile
from fixtures.profile.recovery import Recovery
from fixtures.record.record import DrillRecord
from fixtures.recovery.journal import Journal, read_journal
from fixtures.recovery.whole.at_hand import Drilled, SetAtHand
from fixtures.recovery.whole.bring import Bringing
from fixtures.recovery.whole.loading import Loader
from fixtures.recovery.whole.plan import RECOVERY, Plan
from fixtures.recovery.whole.production import Production
from fixtures.recovery.whole.run import WholeRecovery
from fixtures.sandbox.child import run_child
from fixtures.sandbox.guardian import Guardian
from fixtures.server import Server
from tests.support import record_examples
from tests.support.recovered_shop import PROFILE

NAME = "tiny"
SCHEMA = """
CREATE TABLE tenants (id int PRIMARY KEY, mark text);
CREATE DOMAIN phrase AS text;
CREATE TABLE notes (id int PRIMARY KEY, tenant int REFERENCES tenants, text phrase);
INSERT INTO tenants SELECT g, 'recovered' FROM generate_series(1, 3) g;
INSERT INTO notes SELECT g, 1 + g % 3, 'note ' || g FROM generate_series(1, 20) g;
"""


class EndingJournal(Journal):
    """Ends its own process with SIGKILL once so many lines are on the disk; never for 0."""

    lines_left = 0

    def write(self, step: str, state: str, **more: object) -> None:
        super().write(step, state, **more)
        self.lines_left -= 1
        if self.lines_left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


@dataclass
class Tiny:
    """One application. `said` is all that was said to a person; `keep` takes a set of what is there;
    `script` is what the dump says where it is a plain one."""

    server: Server
    guardian: Guardian
    folder: Path
    backup: SetAtHand
    record: DrillRecord
    said: list[str] = field(default_factory=list)
    yes: bool = True
    verdict: Any = "VERIFIED"
    patience: float = 30
    keep: Callable[[], str] | None = None
    script: Script | None = None

    @property
    def production(self) -> Production:
        server = self.server
        settings = {
            **{"host": server.host, "port": str(server.port), "user": server.user, "password": server.password},
            "dbname": NAME,
        }
        return Production(settings, server.environment(NAME), NAME)

    @property
    def sites(self) -> Path:
        return self.folder / "sites"

    @property
    def running(self) -> Path:
        return self.folder / "running"

    @property
    def profile(self) -> Profile:
        """Each start writes down which database and which folder it started on: they must be of one kind."""
        psql = self.server.clients.psql
        reach = [f"{name}={value}" for name, value in self.server.environment(NAME).items() if name.startswith("PG")]
        marks = f"'{psql}' -XAtc \"SELECT max(mark) FROM tenants\" {NAME} && cat '{self.sites}/mark'"
        recovery = Recovery(
            stop=(("rm", "-f", str(self.running)),),
            still_running=(("sh", "-c", f"test -e '{self.running}' && echo it runs"),),
            start=(
                ("env", *reach, "sh", "-c", f"({marks}) | paste -sd' ' >>'{self.folder}/starts'"),
                ("touch", str(self.running)),
            ),
            answers=(("test", "-e", str(self.running)),),
            sites_root="sites",
            command_seconds=self.patience,
        )
        return PROFILE.model_copy(update={"recovery": recovery})

    @property
    def starts(self) -> list[str]:
        """What each start stood on."""
        path = self.folder / "starts"
        return path.read_text().splitlines() if path.exists() else []

    @property
    def mark(self) -> tuple[str, str]:
        """What the live database and the live folder say that they are."""
        with self.production.connect() as session:
            row = session.execute("SELECT max(mark) FROM public.tenants").fetchone()
        assert row is not None
        return row[0], (self.sites / "mark").read_text().strip()

    def recovery(self, journal: Journal, plan: Plan) -> WholeRecovery:
        return WholeRecovery(
            plan=plan,
            journal=journal,
            production=self.production,
            profile=self.profile,
            bringing=Bringing(
                loader=Loader(self.server.clients.pg_restore, self.guardian, script=self.script),
                drill=lambda: Drilled("20260101T000000Z-000000", self.verdict, self.record),
                check=lambda _session, _drilled: (1, ()),
            ),
            ask=lambda: self.yes,
            say=self.said.append,
            keep=self.keep,
        )

    def plan(self, *, rehearse: bool = False) -> Plan:
        return Plan.of(
            "20260101_abcdef",
            self.production,
            {"sites": self.sites},
            keep_old=3,
            rehearse=rehearse,
            empty_queues=False,
            call={},
        )

    def recover(self, *, ended_at: int = 0, rehearse: bool = False) -> bool:
        """As the command does it, to the end or to that line of its journal."""
        plan = self.plan(rehearse=rehearse)
        with EndingJournal(self.folder, "journal") as journal:
            journal.lines_left = ended_at
            journal.write(RECOVERY, "begun", **plan.written())
            return self.recovery(journal, plan).recover(self.backup)

    def resume(self, *, back: bool = False) -> bool:
        """Goes on, or back, from the journal's last line."""
        lines = read_journal(self.journal)
        with Journal.going_on(self.journal) as journal:
            return self.recovery(journal, Plan.read(lines)).resume(lines, self.backup, back=back)

    @property
    def journal(self) -> Path:
        return self.folder / "recoveries" / "journal.jsonl"


@dataclass(frozen=True)
class Made:
    """What every case begins with, made once."""

    server: Server
    guardian: Guardian
    backup: SetAtHand
    record: DrillRecord

    @contextmanager
    def tiny(self, folder: Path) -> Iterator[Tiny]:
        """The application, running, after somebody deleted rows and files of it; nothing of it is left afterwards."""
        self.server.create_database(NAME, template="tiny_source")
        with self.server.connect(NAME) as live:
            live.execute("UPDATE tenants SET mark = 'old'")
            live.execute("DELETE FROM notes WHERE tenant = 1")
            live.execute("INSERT INTO notes VALUES (100, 2, 'written since')")
        (folder / "sites").mkdir()
        (folder / "sites" / "mark").write_text("old\n")
        (folder / "running").touch()
        try:
            yield Tiny(self.server, self.guardian, folder, self.backup, self.record)
        finally:
            with self.server.connect("postgres") as session:
                names = [
                    name
                    for (name,) in session.execute("SELECT datname FROM pg_database WHERE datname ~ '^tiny(_[^s]|$)'")
                ]
            for name in names:
                self.server.drop_database(name)


def made(server: Server, guardian: Guardian, folder: Path) -> Made:
    """The set: a dump and an archive of one folder."""
    server.create_database("tiny_source")
    with server.connect("tiny_source") as source:
        source.execute(SCHEMA)  # type: ignore[call-overload]
    with server.reading("tiny_source") as source:
        facts = take_facts(source)
    (folder / "files").mkdir()
    (folder / "files" / "mark").write_text("recovered\n")
    (folder / "files" / "picture").write_bytes(bytes(300_000))
    archive = folder / "sites.tar.gz"
    with archive.open("wb") as target:
        pack(target, {"sites": folder / "files"})
    dump = folder / "tiny.dump"
    done = run_child(
        [str(server.clients.pg_dump), "-Fc", f"--file={dump}", "tiny_source"],
        environment=server.environment("tiny_source"),
        guardian=guardian,
    )
    assert done.succeeded, done.stderr
    record = record_examples.record(facts=facts, migrated_facts=facts, contents=None, migrated=None)
    backup = SetAtHand("tiny_20260101_000000", "2026-01-01 at 00:00 UTC", "d" * 64, dump, {"sites": archive})
    return Made(server, guardian, backup, record)


def ended_at(tiny: Tiny, line: int, act: Callable[[Tiny, int], object]) -> bool:
    """Runs it in a process of its own; whether that ended itself at the line of its journal."""
    child = os.fork()
    if child == 0:
        try:
            act(tiny, line)
        finally:
            os._exit(7)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
