"""Peak memory of what may be as large as it likes, each in a process of its own: `python -m bench.memory --run REPORT`.

Each is measured at a quarter of the number and at the number itself: what one more takes is told, and what it would be at
any other."""

import argparse
import os
import resource
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

from psycopg.rows import dict_row

from bench.drills import MIB, ROOT
from fixtures.archives.file_digest import sha256_of_file
from fixtures.archives.reading import Watch
from fixtures.database.catalogue import take_structure
from fixtures.database.digests import Division, MoneyColumn, pin, scan
from fixtures.database.shares_file import SharedOut, writing_shares
from fixtures.database.take_contents import take_contents
from fixtures.ownership import OwnerPath
from fixtures.record.evidence import FILE, Evidence
from fixtures.record.names import TableName
from fixtures.record.set_record import Artefact
from fixtures.sandbox.guardian import Guardian
from fixtures.server import ServerRequest, serve
from fixtures.sites.inventory import read_sites
from reports.render import render

NUMBERS = {"entries": 1_000_000, "tenants": 1_000_000, "findings": 100_000}
WHAT = {
    "entries": "entries of a tar.gz of sites, read, hashed and judged",
    "tenants": "tenants' shares of one table with money, written as a backup does and compared as a drill does",
    "findings": "failed checks in every document but the PDF",
}
BILLS = TableName("public", "bills")
TABLES = """
CREATE TABLE tenants (id bigint PRIMARY KEY);
CREATE TABLE bills (id bigint PRIMARY KEY, tenant bigint REFERENCES tenants, total numeric);
INSERT INTO tenants SELECT generate_series(1, {number});
INSERT INTO bills SELECT g, g, g * 1.01 FROM generate_series(1, {number}) g;
"""


class Spent(NamedTuple):
    """The highest mark of one process in bytes, and the seconds of processor time that it took, its children's apart."""

    peak: int
    seconds: float


def entries(number: int, folder: Path, _: Path | None) -> None:
    """Reads an archive with so many files. Raises SystemExit when it was not read to its end."""
    archive = folder / f"{number}.sites.tar.gz"
    digest, size = sha256_of_file(archive)
    artefact = Artefact(role="sites", name=archive.name, size=size, sha256=digest, mode=0o600, owner="")
    read = read_sites(archive, artefact, folder, Watch(time.monotonic() + 24 * 3600))
    if not read.read_to_end or read.files != number:
        raise SystemExit(f"the archive was not read to its end: {read.read_error}")


def pack(number: int, folder: Path) -> None:
    """Writes the archive, in a process of its own as well: what it takes is not what is measured."""
    with tarfile.open(folder / f"{number}.sites.tar.gz", "w:gz", compresslevel=1) as tar:
        for at in range(number):
            content = b"<!doctype html><title>%d</title>" % at
            entry = tarfile.TarInfo(f"sites-data/clients/{at // 200}/v1/{at % 200}.html")
            entry.size = len(content)
            tar.addfile(entry, BytesIO(content))
            tar.members.clear()  # type: ignore[attr-defined]


def tenants(number: int, folder: Path, _: Path | None) -> None:
    """Shares a table out among so many tenants. Raises SystemExit when the shares are not found again."""
    with (
        Guardian("be4c4be4") as guardian,
        serve(ServerRequest("be4c4be4", choice="local"), guardian) as server,
    ):
        server.create_database("many")
        with server.connect("many") as connection:
            for statement in TABLES.format(number=number).split(";"):
                connection.execute(statement.encode())
        shares = folder / "set.shares.jsonl.gz"
        with (
            server.connect("many") as connection,
            connection.transaction(),
            connection.cursor(row_factory=dict_row) as cursor,
        ):
            _share_out(cursor, shares)
        taken = take_contents(
            lambda: server.connect("many"), "UTF8", shares, mask=lambda key: "", limit=24 * 3600, connections=2
        )
    if taken.shares_problem or [(each.tenants, each.changed) for each in taken.shares] != [(number, 0)]:
        raise SystemExit(f"the shares were not compared: {taken.shares_problem or taken.shares}")


def _share_out(cursor: Any, shares: Path) -> None:
    pin(cursor)
    structure = take_structure(cursor)
    table = next(table for table in structure.tables if table.name == BILLS)
    way = next(key for key in structure.foreign_keys if key.table == BILLS)
    division = Division(
        table=BILLS,
        owner=OwnerPath(BILLS, way.target, "id", (way,)),
        plain_keys=True,
        money=(MoneyColumn(column="total", currency=None),),
    )
    with writing_shares(os.open(shares, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)) as writer:
        writer.add(SharedOut(division=division, shares=scan(cursor, table, "UTF8", division).shares))


def findings(number: int, folder: Path, run: Path | None) -> None:
    """Makes the documents of a drill in which so many checks failed, of a real one's evidence. Raises SystemExit without
    one."""
    if run is None:
        raise SystemExit("findings need a drill's evidence: give --run DIR")
    evidence = Evidence.model_validate_json((run / FILE).read_bytes())
    result = next(each for each in evidence.results if each.outcome == "passed")
    failed = result.model_copy(
        update={
            "outcome": "failed",
            "broken": 1,
            "message": "1 of 1 rows lead to another tenant's row",
            "samples": ("id=1",),
            "finding": "F-0123456789ab",
        }
    )
    results = tuple(failed.model_copy(update={"subject": f"table_{at}"}) for at in range(number))
    (folder / "report").mkdir()
    render(evidence.model_copy(update={"results": results}), folder / "report", with_pdf=False)


KINDS: dict[str, Callable[[int, Path, Path | None], None]] = {
    "entries": entries,
    "tenants": tenants,
    "findings": findings,
}


def measured(kind: str, number: int, run: Path | None) -> Spent:
    """One of them, in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        options = ["--number", str(number), "--in", folder, *(["--run", str(run)] if run is not None else [])]
        for part in ("pack", kind) if kind == "entries" else (kind,):
            done = subprocess.run(
                [sys.executable, "-m", "bench.memory", "--part", part, *options],
                cwd=ROOT,
                check=True,
                stdout=subprocess.PIPE,
                text=True,
            )
    peak, seconds = done.stdout.split()
    return Spent(int(peak), float(seconds))


def main() -> None:
    """Prints a line for each kind."""
    parser = argparse.ArgumentParser(prog="python -m bench.memory", description=__doc__)
    for kind, number in NUMBERS.items():
        parser.add_argument(f"--{kind}", type=int, default=number, help=f"how many {kind} ({number:,}); 0: none")
    parser.add_argument("--run", type=Path, help="the report of a drill, of whose evidence the findings are made")
    parser.add_argument("--part", choices=["pack", *KINDS], help=argparse.SUPPRESS)
    parser.add_argument("--number", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--in", dest="folder", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.part == "pack":
        return pack(chosen.number, chosen.folder)
    if chosen.part is not None:
        KINDS[chosen.part](chosen.number, chosen.folder, chosen.run)
        spent = resource.getrusage(resource.RUSAGE_SELF)
        return print(spent.ru_maxrss * 1024, spent.ru_utime + spent.ru_stime)
    print("| what | peak at a quarter | peak | bytes for one more | processor time |")
    print("|---|---|---|---|---|", flush=True)
    for kind in KINDS:
        if many := getattr(chosen, kind):
            few = measured(kind, many // 4, chosen.run)
            whole = measured(kind, many, chosen.run)
            print(
                f"| {many:,} {WHAT[kind]} | {few.peak / MIB:.0f} MiB | {whole.peak / MIB:.0f} MiB | "
                f"{(whole.peak - few.peak) / (many - many // 4):.0f} | {whole.seconds:.0f} s |",
                flush=True,
            )
    return None


if __name__ == "__main__":
    os.umask(0o077)
    main()
