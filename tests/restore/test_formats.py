"""Every format is recognised, read before any server starts, and restored whole; what packs it is undone in a stream."""

import subprocess
import tarfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from fixtures.dump.dump_kind import DumpKind, recognised, written_at
from fixtures.record.stage import StageFailed
from fixtures.restore.restore import restore
from fixtures.sandbox.guardian import Guardian
from fixtures.server import Server, ServerRequest
from fixtures.shelf.locate import locate
from tests.support.dump_formats import ARCHIVES, FORMATS, PLAIN, dump_as
from tests.support.small_source import PROFILE, Small, Staged, another_server, made_ready, small_source

STEM = "igny8_20260101_000000"
# As a Django application's database is: one owner of everything, extensions that an owner may create.
OF_ONE_OWNER = """
ALTER TABLE parts OWNER TO small_owner;
ALTER TABLE parts_2026 OWNER TO small_owner;
ALTER LARGE OBJECT {} OWNER TO small_owner;
ALTER DATABASE {} SET statement_timeout = '1h';
"""


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    with small_source(tmp_path_factory.mktemp("small")) as ready:
        ready.clone("owned")
        with ready.server.connect("owned") as connection:
            row = connection.execute("SELECT oid FROM pg_largeobject_metadata").fetchone()
        assert row is not None
        ready.server.drop_database("owned")
        ready.server.create_database("owned", template="source", owner="small_owner")
        ready.run(OF_ONE_OWNER.format(row[0], "owned"), "owned")
        yield ready


@pytest.fixture(scope="module")
def fresh() -> Iterator[tuple[Server, Guardian]]:
    """A server with none of the roles."""
    with another_server(ServerRequest("7a26e703", extensions=("pg_trgm", "pgcrypto"))) as ready:
        yield ready


def dumped(small: Small, name: str, folder: Path, stem: str = STEM, database: str = "owned") -> Path:
    return dump_as(FORMATS[name], small.server.clients, small.server.environment(database), folder, stem)


def ready_for(dump: Path, fresh: tuple[Server, Guardian]) -> Staged:
    return made_ready(dump, *fresh)


@pytest.mark.parametrize("name", FORMATS)
def test_it_is_read_and_restored_whole(small: Small, fresh: tuple[Server, Guardian], tmp_path: Path, name: str) -> None:
    server, guardian = fresh
    ready = ready_for(dumped(small, name, tmp_path), fresh)
    assert ready.header.server_major == ready.header.least_major == small.server.major
    assert ready.header.entries > 20
    assert {("TABLE", "order items"), ("TABLE DATA", "people"), ("FK CONSTRAINT", "people people_item_fkey")} <= {
        (entry.kind, entry.name) for entry in ready.toc
    }
    restored = restore(server, ready.dump, ready.inspected, guardian, limit_minutes=2)
    try:
        assert (restored.exit_code, restored.lines) == (0, ())
        assert not [note for note in restored.notes if "superuser" in note]
        expect_the_same(small, server)
    finally:
        server.drop_database("restored")


def expect_the_same(small: Small, server: Server) -> None:
    """Rows, owners, grants, policies and settings as in the source; nothing belongs to whoever loaded it."""
    queries = (
        "SELECT count(*), sum(hashtextextended((__r.*)::text, 0)) FROM people __r",
        'SELECT count(*), sum(hashtextextended((__r.*)::text, 0)) FROM "my schema"."order items" __r',
        "SELECT count(*) FROM parts",
        "SELECT relname, pg_get_userbyid(relowner), relacl::text, relrowsecurity, relforcerowsecurity FROM pg_class "
        "WHERE relnamespace IN ('public'::regnamespace, '\"my schema\"'::regnamespace) "
        "AND pg_get_userbyid(relowner) NOT LIKE 'pg_%' ORDER BY 1",
        "SELECT polname, pg_get_expr(polqual, polrelid) FROM pg_policy",
        "SELECT nspname, pg_get_userbyid(nspowner), nspacl::text FROM pg_namespace WHERE nspname !~ '^pg_' ORDER BY 1",
        "SELECT defaclacl::text, pg_get_userbyid(defaclrole) FROM pg_default_acl",
        "SELECT pg_get_userbyid(lomowner), count(*) FROM pg_largeobject_metadata GROUP BY 1",
        "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()",
    )
    with small.server.connect("owned") as source, server.connect("restored") as target:
        for query in queries:
            assert target.execute(query).fetchall() == source.execute(query).fetchall(), query
        assert target.execute("SELECT count(*) FROM pg_roles WHERE rolname ~ 'loader'").fetchone() == (0,)


@pytest.mark.parametrize("name", FORMATS)
def test_it_is_recognised_whatever_it_is_called(small: Small, tmp_path: Path, name: str) -> None:
    dump = dumped(small, name, tmp_path)
    other = dump.rename(tmp_path / "something.else")
    kind, *wrapped = name.removeprefix("custom, not compressed").split(",")[0].split(" in a "), *name.split(", ")[1:]
    compressions = {"bzip2", "gzip", "xz", "zstd", "lz4"}
    packed = next((word for word in compressions if word in name), None)
    expected = DumpKind(
        (kind[0] or "custom"),  # type: ignore[arg-type]
        (*([packed] if packed else []), *(["tar"] if "in a tar" in name else [])),  # type: ignore[arg-type]
    )
    assert wrapped is not None
    assert recognised(other) == expected


@pytest.mark.parametrize("name", ARCHIVES)
def test_an_archives_own_clock_dates_it(small: Small, tmp_path: Path, name: str) -> None:
    dump = dumped(small, name, tmp_path, stem="prod")
    if "in a tar" in name:
        assert written_at(dump) is None
        return
    backup_set = locate(dump, PROFILE).backup_set
    assert backup_set.taken_at_source == "dump header"
    custom = dumped(small, "custom", tmp_path, stem="another")
    assert abs(backup_set.taken_at - locate(custom, PROFILE).backup_set.taken_at) < timedelta(minutes=5)


def test_a_plain_dump_tells_its_time_only_when_verbose(small: Small, tmp_path: Path) -> None:
    assert written_at(dumped(small, "plain", tmp_path)) is None
    assert written_at(dumped(small, "plain, with column names", tmp_path)) is not None
    with pytest.raises(StageFailed, match="has no time of its snapshot"):
        locate(dumped(small, "plain, gzip", tmp_path, stem="prod"), PROFILE)


@pytest.mark.parametrize("name", [*PLAIN, "directory", "directory in a tar, gzip", "tar, gzip"])
def test_it_is_found_with_its_companions(small: Small, tmp_path: Path, name: str) -> None:
    dump = dumped(small, name, tmp_path)
    (tmp_path / f"{STEM}.roles.sql").write_text("CREATE ROLE small_owner;\n")
    for backups in (tmp_path, dump):
        located = locate(backups, PROFILE)
        assert located.backup_set.name == STEM
        assert set(located.paths) == {"dump", "roles"}
        assert located.dump == dump
        assert [len(artefact.sha256) for artefact in located.backup_set.artefacts] == [64, 64]


def test_a_folders_digest_is_that_of_all_its_files(small: Small, tmp_path: Path) -> None:
    dump = dumped(small, "directory", tmp_path)
    artefact = locate(dump, PROFILE).backup_set.artefact("dump")
    checksum = subprocess.run(
        "sha256sum * | sha256sum", shell=True, cwd=dump, capture_output=True, text=True, check=True
    )
    assert artefact is not None
    assert artefact.sha256 == checksum.stdout.split()[0]
    assert artefact.size == sum(file.stat().st_size for file in dump.iterdir())


@pytest.mark.parametrize(
    ("put", "says"),
    [
        ("notes.txt", "something that is no part of one"),
        ("../toc.dat", "a file is in it twice"),
        ("elsewhere/toc.dat", "a file is in it twice"),
        ("elsewhere/9999.dat.gz", "a tar of several folders"),
    ],
)
def test_a_tar_with_more_than_the_dump_is_refused(
    small: Small, fresh: tuple[Server, Guardian], tmp_path: Path, put: str, says: str
) -> None:
    dump = dumped(small, "directory in a tar", tmp_path)
    with tarfile.open(dump, "a") as archive:
        archive.addfile(tarfile.TarInfo(put if put.startswith("..") or "/" in put else f"{STEM}/{put}"))
    with pytest.raises(StageFailed, match=says):
        ready_for(dump, fresh)


def test_a_folder_with_a_link_in_it_is_refused(small: Small, fresh: tuple[Server, Guardian], tmp_path: Path) -> None:
    if fresh[0].account is None:
        # An ordinary user restores in place, as who may read the link's target anyway.
        return
    dump = dumped(small, "directory", tmp_path)
    (dump / "9999.dat.gz").symlink_to("/etc/passwd")
    with pytest.raises(StageFailed, match=r"9999\.dat\.gz in it is no file"):
        ready_for(dump, fresh)
