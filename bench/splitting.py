"""What it would bring to load the largest table over several connections, where pg_restore gives it one."""

import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Queue
from typing import IO

from psycopg import sql

from bench.ground import CORES, Ground

SPLIT = "pg_restore -j cores, the drill's server, the largest table's data over all cores"
_BLOCK = 1 << 20
_WAITING = 8


def split_restore(ground: Ground) -> float:
    """Seconds of a restore on the drill's server whose largest table is copied by as many connections as there are
    cores, while another pg_restore loads the rest; indexes and constraints are made as ever."""
    server = ground.fast
    entry, table = _largest(ground)
    rows = _rows(ground, table)
    database = ground.fresh(server)
    rest = Path(f"{ground.dump}.rest")
    rest.write_text("".join(line for line in _listed(ground, "--section=data") if line != entry))
    rest.chmod(0o644)
    began = time.perf_counter()
    _pg_restore(ground, database, "--section=pre-data")
    with ThreadPoolExecutor(1) as beside:
        others = beside.submit(_pg_restore, ground, database, "--section=data", f"--use-list={rest}")
        _copy(ground, database, table)
        others.result()
    _pg_restore(ground, database, "--section=post-data", f"--jobs={CORES}")
    seconds = time.perf_counter() - began
    if _rows(ground, table) != rows:
        raise SystemExit(f"the split restore lost rows of {table}, so its time means nothing")
    return seconds


def _largest(ground: Ground) -> tuple[str, str]:
    """The TOC's line of the table with the most bytes in the database of the last round, and its name."""
    with ground.fast.connect(f"bench{ground.made}") as connection:
        row = connection.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace "
            "ORDER BY pg_table_size(oid) DESC LIMIT 1"
        ).fetchone()
    assert row is not None
    return next(line for line in _listed(ground, "--section=data") if f" TABLE DATA public {row[0]} " in line), row[0]


def _rows(ground: Ground, table: str) -> int:
    with ground.fast.connect(f"bench{ground.made}") as connection:
        row = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))).fetchone()
    assert row is not None
    return int(row[0])


def _listed(ground: Ground, *options: str) -> list[str]:
    program = str(ground.fast.clients.pg_restore)
    said = subprocess.run([program, "--list", *options, str(ground.dump)], capture_output=True, text=True, check=True)
    return said.stdout.splitlines(keepends=True)


def _pg_restore(ground: Ground, database: str, *options: str) -> None:
    server = ground.fast
    subprocess.run(
        [str(server.clients.pg_restore), *options, "-d", database, str(ground.dump)],
        env=server.environment(database),
        capture_output=True,
        check=True,
    )


def _copy(ground: Ground, database: str, table: str) -> None:
    """Deals the table's COPY text out, a block of whole lines at a time."""
    blocks: Queue[bytes | None] = Queue(_WAITING)
    statement: list[str] = []
    ready = threading.Event()

    def load() -> None:
        ready.wait()
        with (
            ground.fast.connect(database) as connection,
            connection.cursor() as cursor,
            cursor.copy(statement[0].encode()) as into,
        ):
            while (block := blocks.get()) is not None:
                into.write(block)

    with ThreadPoolExecutor(CORES) as loaders:
        loading = [loaders.submit(load) for _ in range(CORES)]
        program = str(ground.fast.clients.pg_restore)
        argv = [program, "--data-only", f"--table={table}", "--file=-", str(ground.dump)]
        with subprocess.Popen(argv, stdout=subprocess.PIPE) as reading:
            assert reading.stdout is not None
            statement.append(next(line for line in reading.stdout if line.startswith(b"COPY ")).decode())
            ready.set()
            for block in _whole_lines(reading.stdout):
                blocks.put(block)
            for _ in loading:
                blocks.put(None)
        for each in loading:
            each.result()


def _whole_lines(stream: IO[bytes]) -> Iterator[bytes]:
    """Blocks of whole lines up to the line that ends the COPY."""
    left = b""
    while block := stream.read(_BLOCK):
        left += block
        ended = left.find(b"\n\\.\n")
        if ended >= 0:
            yield left[: ended + 1]
            stream.read()
            return
        cut = left.rfind(b"\n") + 1
        yield left[:cut]
        left = left[cut:]
