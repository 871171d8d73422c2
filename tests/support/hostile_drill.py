"""Drills a set whose dump tries to become more than it is, in this process, and looks for traces of what it tried."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from fixtures.record.progress import silent
from fixtures.sandbox.guardian import Guardian
from fixtures.server import Server
from fixtures.story.run_drill import run_drill
from tests.support.drills import PROFILE, SAMPLE, Drill
from tests.support.short_drills import an_order, judged
from tests.support.trusting_cluster import trusting_cluster


@dataclass
class Bait:
    """What nothing of a dump may touch: a file of the machine, a listener on loopback, a cluster that trusts everybody."""

    file: Path
    port: int
    cluster: tuple[Path, int]
    heard: list[str] = field(default_factory=list)

    @property
    def note(self) -> str:
        """SQL of a function that, in whatever session may, starts a program: it leaves a file in the server's own folder,
        and reaches for each bait."""
        folder, port = self.cluster
        program = (
            f"cat > ran-$what$; touch {self.file}; bash -c 'echo > /dev/tcp/127.0.0.1/{self.port}';"
            f" psql -X -h {folder} -p {port} -U postgres -d postgres -c 'CREATE TABLE canary ()'"
        )
        return f"""
            CREATE SCHEMA helper;
            GRANT USAGE ON SCHEMA helper TO PUBLIC;
            CREATE FUNCTION helper.note(what text) RETURNS boolean LANGUAGE plpgsql AS $f$BEGIN
                EXECUTE 'CO' || 'PY (SELECT session_user) TO PRO' || 'GRAM '
                    || pg_catalog.quote_literal(pg_catalog.replace($p${program}$p$, '$what$', what));
                RETURN true;
            EXCEPTION WHEN OTHERS THEN RETURN true;
            END$f$;
        """

    def touched(self, server: Server) -> list[str]:
        """Everything that came to run: in the server's folder, on the machine, at the listener, in the other cluster."""
        traces = sorted(path.name for path in server.data.rglob("ran-*")) if server.data is not None else []
        traces += [str(self.file)] if self.file.exists() else []
        traces += self.heard
        folder, port = self.cluster
        with psycopg.connect(host=str(folder), port=port, user="postgres", dbname="postgres") as other:
            row = other.execute("SELECT to_regclass('canary')").fetchone()
            traces += ["the other cluster"] if row is not None and row[0] is not None else []
        return traces


@contextmanager
def bait() -> Iterator[Bait]:
    file = Path(f"/tmp/rdt-bait-{os.getpid()}")
    with trusting_cluster() as cluster, socket.create_server(("127.0.0.1", 0)) as listener:
        laid = Bait(file, listener.getsockname()[1], cluster)

        def listen() -> None:
            while True:
                try:
                    listener.accept()[0].close()
                except OSError:
                    return
                laid.heard.append("the listener")

        threading.Thread(target=listen, daemon=True).start()
        try:
            yield laid
        finally:
            file.unlink(missing_ok=True)
            listener.shutdown(socket.SHUT_RDWR)


def hostile_drill(backups: Path, out: Path, laid: Bait, *, app: Path = SAMPLE, profile: Path = PROFILE) -> Drill:
    """Every stage and every control. Fails where anything ran that may not, or anything is left."""
    with Guardian("b0a7b0a7") as guardian:
        with ExitStack() as stack:
            order = an_order(backups, app, profile, guardian)
            run = run_drill(order, stack, lambda _: silent)
            drilled = judged(run, order, out)
            assert run.server is not None
            assert laid.touched(run.server) == []
        assert all(trace.gone for trace in guardian.leftovers())
    return drilled
