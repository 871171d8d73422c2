"""Whole drills, growth with the data, and the parts that grow on their own: schema, archive, reports."""

import resource
import secrets
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path

from bench.processor import Busy, Spent, adding_up, spent_by
from bench.timing import PythonPeak
from fixtures.archives.file_digest import sha256_of_file
from fixtures.archives.reading import Watch
from fixtures.checks.access import Access
from fixtures.checks.databases import Database
from fixtures.checks.examination import Examination
from fixtures.checks.tenancy.references import strays
from fixtures.database.catalogue import take_facts
from fixtures.ownership import derive_ownership
from fixtures.profile.reading import ReadProfile
from fixtures.profile.tenancy import Tenancy
from fixtures.record import stages
from fixtures.record.evidence import Evidence, Result
from fixtures.record.names import TableName
from fixtures.record.progress import silent
from fixtures.record.project import ROOT
from fixtures.record.set_record import Artefact
from fixtures.sandbox.guardian import Guardian
from fixtures.server import ServerRequest, serve
from fixtures.sites.inventory import read_sites
from fixtures.story.order import Order
from fixtures.story.run_drill import run_drill
from reports.render import render

MIB = 1 << 20


@dataclass(frozen=True)
class WholeDrill:
    """What a drill took, bytes of its largest Python process, and its evidence."""

    spent: Spent
    peak: int
    evidence: Evidence


def drill(backups: Path, out: Path, more: tuple[str, ...] = ()) -> WholeDrill:
    """A drill as its user calls it, in a process of its own.

    SystemExit if not VERIFIED."""
    with tempfile.TemporaryDirectory(prefix="bench-drill-") as folder:
        took = Path(folder) / "took"
        command = [
            *(sys.executable, "-m", "pytest", "verify", "-q", "--backups", str(backups)),
            *("--app", "sample", "--app-python", sys.executable, "--profile", "igny8", "--out", str(out)),
            *more,
        ]
        with (
            subprocess.Popen(
                adding_up(command, took), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
            ) as process,
            PythonPeak(process) as peak,
        ):
            said, _ = process.communicate()
        spent = spent_by(took)
    evidence = Evidence.model_validate_json((out / "latest" / "evidence.json").read_text())
    if process.returncode != 0:
        raise SystemExit(f"the drill was {evidence.verdict}, so its time means nothing:\n{said[-3000:]}")
    return WholeDrill(spent, peak.bytes, evidence)


def order_of(run_id: str, backups: Path, profile: ReadProfile, guardian: Guardian) -> Order:
    """The newest set there, on a server of this machine, without an application."""
    return Order(
        run_id=run_id,
        backups=backups,
        set_name=None,
        application=Path(),
        python=None,
        profile=profile,
        server="local",
        binaries=None,
        guardian=guardian,
        mask=str,
    )


def busy_stages(backups: Path, profile: ReadProfile) -> dict[str, tuple[float, float]]:
    """Seconds of each stage of a drill, and the share of the time of all cores that was worked in meanwhile, by whoever.

    SystemExit when a stage does not come to its end."""
    run_id, watch = secrets.token_hex(4), Busy()
    with ExitStack() as stack:
        guardian = stack.enter_context(Guardian(run_id))
        order = order_of(run_id, backups, profile, guardian)
        order = replace(order, application=ROOT / "sample", python=Path(sys.executable))
        outcomes = run_drill(order, stack, lambda _: silent, watch=watch).outcomes
    if any(outcome.state != "ok" for outcome in outcomes):
        raise SystemExit(f"the drill did not get through its stages: {outcomes}")
    return watch.stages


def shares(evidence: Evidence) -> dict[str, float]:
    """Seconds of each stage, then of each family of controls (summed over workers)."""
    stages: dict[str, float] = {stage.name: stage.seconds for stage in evidence.record.stages}
    families: dict[str, float] = {}
    for result in evidence.results:
        families[result.control[:3]] = families.get(result.control[:3], 0.0) + result.seconds
    return {**stages, **{f"controls {family}": seconds for family, seconds in sorted(families.items())}}


def checks_over_restore(evidence: Evidence) -> float:
    """Seconds of all checks, summed over workers, for each second of the restore. KeyError where nothing was restored."""
    restored = {stage.name: stage.seconds for stage in evidence.record.stages}[stages.RESTORE.name]
    return sum(result.seconds for result in evidence.results) / restored


def back_up(into: Path, scale: int) -> Path:
    subprocess.run(
        [sys.executable, "-m", "sample.backup", "--into", str(into), "--scale", str(scale)],
        cwd=ROOT,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return into


def reports_seconds(evidence: Evidence, subjects: int) -> float:
    """Every document of a drill with this many results, made from a real one by repeating what it has."""
    results: list[Result] = []
    while len(results) < subjects:
        round_number = len(results)
        results += [
            result.model_copy(update={"subject": f"{result.subject}-{round_number}"}) for result in evidence.results
        ]
    large = evidence.model_copy(update={"results": tuple(results[:subjects])})
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        render(large, Path(folder))
        return time.perf_counter() - began


def archive_rates(folder: Path, files: int) -> dict[str, float]:
    """MB/s of uncompressed content: ours into the inventory, and gzip -dc | sha256sum of the same file.

    Raises SystemExit when the archive was not read to its end."""
    archive = folder / "many.sites.tar.gz"
    size = _many_files(archive, files)
    began = time.perf_counter()
    with subprocess.Popen(["gzip", "-dc", str(archive)], stdout=subprocess.PIPE) as unpacked:
        subprocess.run(["sha256sum"], stdin=unpacked.stdout, check=True, stdout=subprocess.DEVNULL)
    by_hand = time.perf_counter() - began
    digest, stored = sha256_of_file(archive)
    artefact = Artefact(role="sites", name=archive.name, size=stored, sha256=digest, mode=0o600, owner="")
    began = time.perf_counter()
    read = read_sites(archive, artefact, folder, Watch(time.monotonic() + 3600))
    ours = time.perf_counter() - began
    if not read.read_to_end or read.files != files:
        raise SystemExit(f"the archive was not read to its end: {read.read_error}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"gzip -dc | sha256sum": size / MIB / by_hand, "the drill's pass": size / MIB / ours, "peak MiB": peak / MIB}


def _many_files(archive: Path, files: int) -> int:
    """A tar.gz as the backup writes it, of files of about 2 KB each; returns the bytes of the tar within."""
    page = b"<!doctype html><title>page</title>" + bytes(range(32, 127)) * 21
    total = 0
    with tarfile.open(archive, "w:gz", compresslevel=1) as tar:
        for number in range(files):
            content = page + str(number).encode()
            entry = tarfile.TarInfo(f"sites-data/clients/{number // 200}/v1/pages/{number % 200}.html")
            entry.size = len(content)
            tar.addfile(entry, BytesIO(content))
            total += 512 + -(-len(content) // 512) * 512
    return total


def wide_schema(tables: int, references: int) -> dict[str, float]:
    """Seconds for the facts of a schema this wide, for who owns what in it, and for trying every reference."""
    with (
        Guardian("be4c4be4") as guardian,
        serve(ServerRequest("be4c4be4", choice="local"), guardian) as server,
    ):
        server.create_database("wide")
        with server.connect("wide") as connection:
            for statement in _wide(tables, references):
                connection.execute(statement)
        times: dict[str, float] = {}
        with server.connect("wide") as connection:
            began = time.perf_counter()
            facts = take_facts(connection)
            times["facts"] = time.perf_counter() - began
            began = time.perf_counter()
            ownership = derive_ownership(facts, Tenancy(root=TableName("public", "tenants")))
            subjects = list(ownership.references(facts))
            times["ownership"] = time.perf_counter() - began
        access = Access(server.host, server.port, server.user, server.password, "wide", "wide", "", b"bench")
        with access.connect("wide") as session:
            database = Database(facts, Examination(), access, "wide", session)
            began = time.perf_counter()
            for reference in subjects:
                source = facts.table(reference.table)
                assert source is not None
                database.expect_none(strays(reference, source, ownership))
            times[f"{len(subjects)} references tried"] = time.perf_counter() - began
    return times


def _wide(tables: int, references: int) -> Iterator[str]:
    yield "CREATE TABLE tenants (id bigint PRIMARY KEY)"
    yield "INSERT INTO tenants SELECT generate_series(1, 10)"
    each = references // tables
    for number in range(tables):
        others = ", ".join(
            f"r{at} bigint REFERENCES t{(number * 7 + at * 13) % number}" for at in range(each - 1) if number
        )
        yield (
            f"CREATE TABLE t{number} (id bigint PRIMARY KEY, tenant_id bigint NOT NULL REFERENCES tenants"
            + (f", {others}" if others else "")
            + ")"
        )
        yield f"INSERT INTO t{number} (id, tenant_id) SELECT g, g FROM generate_series(1, 10) g"
