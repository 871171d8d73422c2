"""Drills a set in this process on what a whole drill left standing: its server, its databases and the application's answers.
All else is the drill's own: its stages, the plan, every control, the verdict, the summary.

What is taken over is what costs: a server's start, what its template0 holds, the load of a dump, the application's own
interpreter. The faults of a set, of its files and of its rows show without them; one that only a load or the application
shows is met in a whole drill."""

import io
import secrets
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

from psycopg import sql
from rich.console import Console

from fixtures.application.migrate import Migrating
from fixtures.checks.drilled import Drilled
from fixtures.checks.masking import masked_text
from fixtures.custody.mask_key import passing_mask_key
from fixtures.database.compare_server_own import read_template0
from fixtures.database.server_catalogue import Template
from fixtures.plugin.way_in import way_in
from fixtures.profile.reading import read_profile
from fixtures.record.evidence import EXIT_CODES
from fixtures.record.progress import silent
from fixtures.record.queries import FILE as QUERIES
from fixtures.record.record import DrillRecord
from fixtures.record.restored import Restored
from fixtures.restore.make_roles import MadeRoles
from fixtures.sandbox.guardian import Guardian
from fixtures.server import Server
from fixtures.story.order import Order
from fixtures.story.run_drill import DrillRun, run_drill
from fixtures.story.story import MIGRATED as MIGRATED_CLONE
from reports import terminal, words
from reports.render import DOCUMENTS
from reports.story import Story
from sample.build import APPLICATION, OWNER
from tests.support.controls_in_process import Proven, try_controls
from tests.support.drills import PROFILE, SAMPLE, Drill

# The calls of the story that cost (a server's start, a copy of template0, a load, the application's interpreter), and where
# they are made. Roles stand on a server, and are made anew on a new one alone.
INSTEAD = {
    "serve": "fixtures.story.steps.start_server",
    "read_template0": "fixtures.story.steps.compare_own",
    "make_roles": "fixtures.restore.restore",
    "restore": "fixtures.story.steps.load_dump",
    "clone": "fixtures.story.steps.migrate_clone",
    "migrate": "fixtures.story.steps.migrate_clone",
    "visit": "fixtures.story.steps.try_application",
    "stand_up": "fixtures.story.steps.try_application",
}
LOADED = frozenset({"serve", "read_template0", "make_roles", "restore"})
MIGRATED = frozenset({"clone", "migrate"})
VISITED = MIGRATED | {"visit"}
STOOD_UP = MIGRATED | {"stand_up"}
RELOADED = frozenset({"restore"})
"""The set's dump is loaded, on the server that stands and beside the roles that stand there; what is migrated stands."""


@dataclass(frozen=True)
class Standing:
    """What one whole drill of the healthy set left: its record, and its databases on a server that runs on, as templates."""

    server: Server
    guardian: Guardian
    record: DrillRecord
    template: Template
    """What that server's template0 holds."""
    models: Mapping[str, Any]
    """What the application said there that its models stand for."""

    def drill(
        self,
        backups: Path,
        out: Path,
        *,
        app: Path = SAMPLE,
        profile: Path = PROFILE,
        planted: str = "",
        really: frozenset[str] = frozenset(),
        proving: Proven = False,
        only: tuple[str, ...] = (),
        **ordered: Any,
    ) -> Drill:
        """Drills the newest set of `backups`, in clones of the restored and the migrated database that stand.

        `planted` is the SQL that makes of them what a load of that set makes. `really` are the calls made all the same,
        `only` the files of verify/ whose controls alone are tried, `ordered` what is asked for otherwise than in the healthy
        drill."""
        assert really <= INSTEAD.keys(), really
        order = replace(an_order(backups, app, profile, self.guardian), **ordered)
        with ExitStack() as stack:
            stack.callback(self._drop)
            for name, stand_in in self._instead(planted).items():
                if name not in really:
                    stack.enter_context(patch(f"{INSTEAD[name]}.{name}", stand_in))
            return judged(run_drill(order, stack, lambda _: silent), order, out, proving=proving, only=only)

    def drill_loaded(
        self,
        backups: Path,
        out: Path,
        *,
        app: Path = SAMPLE,
        profile: Path = PROFILE,
        planted: str = "",
        really: frozenset[str] = frozenset(),
    ) -> Drill:
        """The same on a server of its own, of what the set itself holds: its dump is loaded and migrated."""
        return self.drill(backups, out, app=app, profile=profile, really=really | LOADED | MIGRATED)

    def _instead(self, planted: str) -> dict[str, Any]:
        """What each of the story's costly calls gives back here, by the call's name."""

        @contextmanager
        def serve(*_: Any) -> Iterator[Server]:
            yield self.server

        def make_roles(*_: Any, **__: Any) -> MadeRoles:
            assert self.record.restored is not None
            return MadeRoles(self.record.restored.roles_loaded, self.record.restored.roles_made, ())

        def restore(*_: Any, **__: Any) -> Restored:
            self._clone("restored", planted)
            assert self.record.restored is not None
            return self.record.restored

        def clone(*_: Any) -> None:
            self._clone("migrated", planted)

        def migrate(*_: Any, **__: Any) -> Migrating:
            assert self.record.migrated is not None
            return Migrating(self.record.migrated, self.models)

        return {
            "serve": serve,
            "read_template0": lambda *_: self.template,
            "make_roles": make_roles,
            "restore": restore,
            "clone": clone,
            "migrate": migrate,
            "visit": lambda *_: self.record.visited,
            "stand_up": lambda *_: self.record.application,
        }

    def _clone(self, name: str, planted: str) -> None:
        self.server.create_database(name, template=standing(name), owner=OWNER)
        if planted:
            with self.server.connect(name) as connection:
                connection.execute(sql.SQL(planted))

    def _drop(self) -> None:
        """Takes away what the drill made, in its databases and of the role that it let log in."""
        with self.server.connect() as connection:
            connection.execute(sql.SQL("ALTER ROLE {} RESET ALL").format(sql.Identifier(APPLICATION)))
            names = connection.execute("SELECT datname FROM pg_database WHERE datname IN ('restored', 'migrated')")
            there = [name for (name,) in names]
        for name in there:
            self.server.drop_database(name)


def standing(database: str) -> str:
    return f"standing_{database}"


@contextmanager
def standing_drill(whole_set: Path) -> Iterator[Standing]:
    """Runs every stage of a drill of that set, once; takes as long as a whole drill without its controls and documents."""
    with Guardian("57a4d145") as guardian, ExitStack() as stack:
        run = run_drill(an_order(whole_set.parent, SAMPLE, PROFILE, guardian), stack, lambda _: silent)
        assert all(outcome.state == "ok" for outcome in run.outcomes), run.outcomes
        assert run.server is not None
        for name in ("restored", "migrated"):
            with run.server.connect() as connection:
                rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
                connection.execute(rename.format(sql.Identifier(name), sql.Identifier(standing(name))))
        migrated, template = run.results.of(MIGRATED_CLONE), read_template0(run.server)
        assert migrated is not None
        yield Standing(run.server, guardian, run.record, template, migrated.models)


def an_order(backups: Path, app: Path, profile: Path, guardian: Guardian) -> Order:
    source = read_profile(profile)
    key = passing_mask_key().of(source.name)
    return Order(
        run_id=f"short-{secrets.token_hex(3)}",
        backups=backups,
        set_name=None,
        application=app,
        python=Path(sys.executable),
        profile=source,
        server="local",
        binaries=None,
        guardian=guardian,
        mask=partial(masked_text, key=key),
    )


def judged(run: DrillRun, order: Order, out: Path, *, proving: Proven = False, only: tuple[str, ...] = ()) -> Drill:
    """Tries every control, or those of `only`, on what a run left, and writes what a drill would, its documents once they are
    asked for.

    Not the PDF: it costs as much as all else."""
    key = passing_mask_key().of(order.profile.name)
    access = way_in(run, run.profile, key, secrets.token_urlsafe(24), proving=proving is not False)
    drilled = Drilled(run.record, run.profile, run.owners)
    evidence, queries, said = try_controls(drilled, access, run.not_shown, proving=proving, only=only)
    directory = out / order.run_id
    directory.mkdir(parents=True)
    (directory / "evidence.json").write_bytes(evidence.written)
    (directory / QUERIES).write_bytes(queries)
    printed = io.StringIO()
    terminal.show(evidence, directory, Console(file=printed, width=120, legacy_windows=False))
    story = Story(evidence)
    return Drill(EXIT_CODES[evidence.verdict], said + printed.getvalue(), directory, partial(write_documents, story))


def write_documents(story: Story, directory: Path) -> None:
    for name, pieces in DOCUMENTS.items():
        if name != "audit.pdf":
            words.write_aside(directory / name, pieces(story)).replace(directory / name)
