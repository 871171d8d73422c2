"""Drills of dumps in other formats: the healthy are verified, the broken are called by their names."""

import gzip
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from fixtures.record.manifest import FileEntry
from tests.support.controls_in_process import VERIFY
from tests.support.drills import Healthy, drill
from tests.support.dump_formats import FORMATS, Format, dump_as
from tests.support.met_faults import WITHOUT_DUMP, WITHOUT_RESTORED, Fault
from tests.support.seen_faults import expect_no_canary
from tests.support.short_drills import LOADED, RELOADED, Standing
from tests.support.spoiled_sets import copy_of, manifest_of, part, retell, sign

Spoil = Callable[[bytes], bytes]


def plain(spoil: Spoil = bytes, name: str = "plain") -> Callable[[Path, Healthy], None]:
    """The set's dump becomes one of another format, and that is spoiled; the manifest was written afterwards."""

    def in_set(backup: Path, healthy: Healthy) -> None:
        dump = redumped(backup, healthy, name)
        dump.write_bytes(spoil(dump.read_bytes()))
        sign(backup)

    return in_set


def redumped(backup: Path, healthy: Healthy, name: str) -> Path:
    """The same database again, in this format, in the place of the set's dump."""
    return put(backup, healthy, FORMATS[name])


def put(backup: Path, healthy: Healthy, one: Format) -> Path:
    part(backup, "dump").unlink()
    environment = healthy.server.environment(healthy.built.database)
    dump = dump_as(one, healthy.server.clients, environment, backup, backup.name)
    files = dict(manifest_of(backup).files)
    files["dump"] = FileEntry(name=dump.name, size=0, sha256="0" * 64)
    if dump.is_dir():
        # A manifest of ours never names a folder; one of another job's dump has its companions alone.
        del files["dump"]
    retell(backup, files=files)
    sign(backup)
    return dump


def cut_at(share: float) -> Spoil:
    return lambda content: content[: int(len(content) * share)]


def behind_the_header(line: str) -> Spoil:
    """As a hand that tampers would: where psql still reads SQL."""
    return lambda content: content.replace(
        b"SET row_security = off;\n", b"SET row_security = off;\n" + line.encode(), 1
    )


def lossy(content: bytes) -> bytes:
    """A row whose key stands there twice."""
    begin = content.index(b"COPY public.igny8_plans ")
    row = content.index(b"\n", begin) + 1
    end = content.index(b"\n", row) + 1
    return content[:end] + content[row:end] + content[end:]


PLANTED = {
    "BAK-07": {
        "plain SQL that ends within its rows": Fault(
            says="is cut short: it ends within",
            in_set=plain(cut_at(0.7)),
            part="dump",
            blocked=WITHOUT_DUMP,
            because="is cut short",
        ),
        "plain SQL without its last words": Fault(
            says='its last words, "PostgreSQL database dump complete", are not there',
            in_set=plain(lambda content: content[: content.rindex(b"--\n-- PostgreSQL database dump complete")]),
            part="dump",
            blocked=WITHOUT_DUMP,
            because="its last words",
        ),
        "a compressed dump that ends within its compression": Fault(
            says="its compression ends before its end",
            in_set=plain(cut_at(0.9), "plain, gzip"),
            part="dump",
            blocked=WITHOUT_DUMP,
            because="its compression ends before its end",
        ),
        "compressed nothing, since a pipe hid that pg_dump failed": Fault(
            says="is not a Postgres dump by its first bytes, nor by what comes out of its gzip",
            in_set=plain(lambda _: gzip.compress(b""), "plain, gzip"),
            part="dump",
            blocked=WITHOUT_DUMP,
            because="is not a Postgres dump by its first bytes",
        ),
        "a program for psql to run": Fault(
            says="outside the database: \\! (line",
            in_set=plain(behind_the_header("\\! touch /tmp/restore-drill-was-here\n")),
            part="dump",
            blocked=WITHOUT_DUMP,
            because="what would act on the machine that loads it",
        ),
        "a program for the server to run": Fault(
            says="outside the database: COPY … PROGRAM (line",
            in_set=plain(
                behind_the_header("COPY pg_catalog.pg_class TO PROGRAM 'cat > /tmp/restore-drill-was-here';\n")
            ),
            part="dump",
            blocked=WITHOUT_DUMP,
            because="what would act on the machine that loads it",
        ),
        "plain SQL that asks more than an owner may": Fault(
            says="holds statements that pg_dump does not write: SELECT (line",
            in_set=plain(behind_the_header("SELECT pg_catalog.pg_read_file('/etc/passwd');\n")),
            part="dump",
            blocked=WITHOUT_DUMP,
            because="holds statements that pg_dump does not write",
        ),
        "what somebody wrote on behind its end": Fault(
            says="continues after its own end: a statement (line",
            in_set=plain(lambda content: content + b"DROP TABLE public.igny8_invoices CASCADE;\n"),
            part="dump",
            blocked=WITHOUT_DUMP,
            because="continues after its own end",
        ),
    },
    "BAK-08": {
        "plain SQL without the rows of a table": Fault(
            says="1 of 33 tables are listed without their data",
            samples=("public.igny8_usage_days",),
            in_set=lambda backup, healthy: put(
                backup, healthy, Format(".sql.gz", ("--exclude-table-data=igny8_usage_days",), gzip.compress)
            ),
            part="dump",
            arrives="TRUNCATE igny8_usage_days",
            also={"FID-01": ("public.igny8_usage_days",)},
            blocked=("FID-04", "FID-05"),
            because="differs from the source (see FID-01)",
        ),
    },
    "RST-01": {
        "plain SQL with a row twice": Fault(
            says="something is there twice",
            in_set=plain(lossy),
            part="dump",
            really=LOADED,
            blocked=WITHOUT_RESTORED,
            because="something is there twice",
        ),
    },
}


# What is migrated stands already: what the application, its tenants and its money are asked of no format reaches.
OF_RESTORED = tuple(
    path.name
    for path in sorted(VERIFY.glob("test_*.py"))
    if not path.name.startswith(("test_tenant_", "test_billing_", "test_application", "test_rules"))
)


@pytest.mark.further
@pytest.mark.parametrize(
    "name", ["plain, made with -C --clean", "plain, gzip", "plain, with INSERT", "tar", "directory", "custom, gzip"]
)
def test_a_healthy_dump_of_another_format_is_verified(
    name: str, healthy: Healthy, whole_set: Path, tmp_path: Path, standing: Standing
) -> None:
    backup = copy_of(whole_set, tmp_path / "backups")
    redumped(backup, healthy, name)
    outcome = standing.drill(tmp_path / "backups", tmp_path / "out", really=RELOADED, only=OF_RESTORED)
    assert (outcome.red, outcome.blocked, outcome.exit_code) == ({}, {}, 0), outcome.output
    restored = outcome.evidence.record.restored
    assert restored is not None
    assert not [note for note in restored.notes if "superuser" in note]
    expect_no_canary(outcome)


@pytest.mark.further
def test_a_dump_by_a_newer_pg_dump_is_told_before_any_server_starts(
    healthy: Healthy, whole_set: Path, tmp_path: Path
) -> None:
    backup = copy_of(whole_set, tmp_path / "backups")
    dump = redumped(backup, healthy, "plain")
    # Settings that only a newer server knows stand in such a dump, so its own client is what the server must not precede.
    dump.write_bytes(re.sub(rb"(Dumped by pg_dump version) \d+", rb"\1 97", dump.read_bytes(), count=1))
    sign(backup)
    outcome = drill(tmp_path / "backups", tmp_path / "out")
    assert (outcome.red, outcome.exit_code) == ({}, 2), outcome.output
    assert "the dump was made by 97" in outcome.result("RST-01").message
    assert outcome.evidence.record.server is None
