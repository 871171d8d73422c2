"""Sets that lie in a store: chosen without being fetched, then fetched whole, whatever happens on the way."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from fixtures.commands.backup.failed import BackupFailed
from fixtures.commands.backup.offsite import copy_offsite, offsite_place
from fixtures.record.stage import StageBlocked, StageFailed
from fixtures.sandbox.guardian import Guardian
from fixtures.shelf.locate import LocatedSet
from fixtures.shelf.stores.address import Address
from fixtures.shelf.stores.messages import Entry
from fixtures.shelf.stores.put import put
from fixtures.shelf.stores.troubles import Troubled
from tests.support.further import first_of
from tests.support.remote_sets import NEWER, OLDER, courier, lay_out, located, set_environment
from tests.support.stores import BUCKET, S3, cut_line, s3_server, sftp_server, web_server

SIZE = 40 << 20
"""Of the dump: more than one request's worth."""


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shelf")
    lay_out(folder, OLDER, b"PGDMP older")
    lay_out(folder, NEWER, b"PGDMP" + os.urandom(SIZE))
    return folder


@pytest.fixture(scope="module")
def s3(shelf: Path) -> Iterator[S3]:
    with s3_server() as server:
        server.upload(shelf, "nightly/")
        yield server


def expect_whole(located_set: LocatedSet, shelf: Path, stem: str = NEWER) -> None:
    assert located_set.backup_set.name == stem
    assert not located_set.backup_set.altered
    assert [artefact.mode for artefact in located_set.backup_set.artefacts] == [None] * 3
    for role, path in located_set.paths.items():
        original = (shelf / stem / path.name).read_bytes()
        assert path.read_bytes() == original
        artefact = located_set.backup_set.artefact(role)
        assert artefact is not None
        assert artefact.sha256 == hashlib.sha256(original).hexdigest()


def test_the_newest_set_of_a_bucket_is_fetched_and_no_other(
    s3: S3, shelf: Path, folder: Path, guardian: Guardian, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_environment(monkeypatch, s3.environment)
    located_set = located(f"s3://{BUCKET}/nightly", folder, guardian)
    expect_whole(located_set, shelf)
    assert located_set.backup_set.location == f"s3://{BUCKET}/nightly/{NEWER}"
    assert located_set.backup_set.shelf is not None
    assert [each.name for each in located_set.backup_set.shelf] == [NEWER, OLDER]
    assert located_set.backup_set.shelf[0].dump_size == SIZE + 5
    delivery = located_set.backup_set.delivery
    assert delivery is not None
    assert delivery.bytes == sum(artefact.size for artefact in located_set.backup_set.artefacts)
    assert (delivery.resumed, delivery.restarted, delivery.cached) == (0, 0, 0)


@pytest.mark.further
def test_a_single_object_brings_its_companions(
    s3: S3, shelf: Path, folder: Path, guardian: Guardian, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_environment(monkeypatch, s3.environment)
    located_set = located(f"s3://{BUCKET}/nightly/{OLDER}/{OLDER}.dump", folder, guardian)
    expect_whole(located_set, shelf, OLDER)
    assert located_set.backup_set.shelf is None
    assert located_set.backup_set.location == f"s3://{BUCKET}/nightly/{OLDER}"


def test_an_sftp_server_gives_the_same(
    shelf: Path, folder: Path, tmp_path: Path, guardian: Guardian, monkeypatch: pytest.MonkeyPatch
) -> None:
    with sftp_server(shelf, tmp_path / "keys") as server:
        set_environment(monkeypatch, server.environment)
        located_set = located(f"sftp://drill@127.0.0.1:{server.port}/", folder, guardian)
        expect_whole(located_set, shelf)
        assert located_set.backup_set.location == f"sftp://127.0.0.1:{server.port}/{NEWER}"


@pytest.mark.further
def test_a_web_servers_list_of_files_is_enough(shelf: Path, folder: Path, guardian: Guardian) -> None:
    with web_server(shelf) as port:
        located_set = located(f"http://127.0.0.1:{port}/", folder, guardian)
        expect_whole(located_set, shelf)


@pytest.mark.further
def test_a_manifest_leads_to_its_dump_where_nothing_is_listed(shelf: Path, folder: Path, guardian: Guardian) -> None:
    with web_server(shelf) as port:
        url = f"http://127.0.0.1:{port}/{OLDER}/{OLDER}.manifest.json"
        expect_whole(located(url, folder, guardian), shelf, OLDER)


@pytest.mark.parametrize("store", first_of(["s3", "sftp", "web"]))
@pytest.mark.further
def test_a_line_cut_in_the_middle_is_taken_up_where_it_broke(
    store: str,
    request: pytest.FixtureRequest,
    shelf: Path,
    folder: Path,
    tmp_path: Path,
    guardian: Guardian,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with ExitStack() as stack:
        if store == "s3":
            s3 = request.getfixturevalue("s3")
            line = stack.enter_context(cut_line(int(s3.endpoint.rpartition(":")[2]), 9 << 20))
            set_environment(monkeypatch, s3.environment | {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{line.port}"})
            url = f"s3://{BUCKET}/nightly"
        elif store == "sftp":
            server = stack.enter_context(sftp_server(shelf, tmp_path / "keys"))
            line = stack.enter_context(cut_line(server.port, 30 << 20))
            known_hosts = tmp_path / "keys" / "known_hosts"
            known_hosts.write_text(known_hosts.read_text().replace(str(server.port), str(line.port)))
            set_environment(monkeypatch, server.environment)
            url = f"sftp://drill@127.0.0.1:{line.port}/"
        else:
            line = stack.enter_context(cut_line(stack.enter_context(web_server(shelf)), 30 << 20))
            url = f"http://127.0.0.1:{line.port}/"
        located_set = located(url, folder, guardian)
        expect_whole(located_set, shelf)
        assert line.cuts == 1
    delivery = located_set.backup_set.delivery
    assert delivery is not None
    # s3fs takes up a broken block by itself; of what was here nothing is fetched again.
    assert delivery.resumed == (0 if store == "s3" else 1)
    assert delivery.restarted == 0
    assert delivery.bytes == sum(artefact.size for artefact in located_set.backup_set.artefacts)


def spoiled_while_fetched(place: Path, spoil: Any) -> Any:
    """Progress that spoils the store once some of the dump is here."""
    done: list[int] = []

    def progress(bytes_here: int, total: int | None, unit: str) -> None:
        if unit == "bytes" and not done:
            done.append(bytes_here)
            spoil()

    return progress


@pytest.mark.further
def test_a_file_that_changed_meanwhile_is_begun_anew(shelf: Path, tmp_path: Path, guardian: Guardian) -> None:
    store, private = tmp_path / "store", tmp_path / "private"
    private.mkdir(mode=0o700)
    lay_out(store, NEWER, b"PGDMP" + os.urandom(SIZE))
    dump = store / NEWER / f"{NEWER}.dump"
    other = b"PGDMP" + os.urandom(SIZE)
    (tmp_path / "other").write_bytes(other)
    with web_server(store) as port:
        sent = courier(f"http://127.0.0.1:{port}/", private, guardian)
        folder = sent.stock()
        brought = sent.bring([folder / NEWER], spoiled_while_fetched(dump, lambda: (tmp_path / "other").replace(dump)))
    assert brought[folder / NEWER / dump.name] == (hashlib.sha256(other).hexdigest(), len(other))
    assert (folder / NEWER / dump.name).read_bytes() == other
    assert sent.delivery is not None
    assert sent.delivery.restarted == 1


@pytest.mark.further
def test_an_object_that_vanished_is_the_backups_fault(
    s3: S3, tmp_path: Path, folder: Path, guardian: Guardian, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_environment(monkeypatch, s3.environment)
    lay_out(tmp_path / "gone", NEWER, b"PGDMP gone")
    s3.upload(tmp_path / "gone", "gone/")
    sent = courier(f"s3://{BUCKET}/gone", folder, guardian)
    place = sent.stock()
    s3.client.delete_object(Bucket=BUCKET, Key=f"gone/{NEWER}/{NEWER}.dump")
    with pytest.raises(StageFailed, match=rf"{NEWER}\.dump was listed, and then it was gone") as refused:
        sent.bring([place / NEWER])
    assert not isinstance(refused.value, StageBlocked)


def expect_blocked(url: str, folder: Path, guardian: Guardian, says: str, **options: Any) -> StageBlocked:
    with pytest.raises(StageBlocked, match=says) as refused:
        located(url, folder, guardian, **options)
    return refused.value


@pytest.mark.further
def test_wrong_credentials_are_told_as_such_and_never_repeated(
    shelf: Path, folder: Path, tmp_path: Path, guardian: Guardian, monkeypatch: pytest.MonkeyPatch
) -> None:
    with web_server(shelf, authorization="Bearer right") as port:
        url = f"http://127.0.0.1:{port}/"
        monkeypatch.setenv("DRILL_HTTP_AUTHORIZATION", "Bearer wrong-secret")
        refused = expect_blocked(url, folder, guardian, "refuses these credentials")
        assert "DRILL_HTTP_AUTHORIZATION" in refused.fix
        assert "wrong-secret" not in refused.cause + refused.fix
        monkeypatch.setenv("DRILL_HTTP_AUTHORIZATION", "Bearer right")
        expect_whole(located(url, folder, guardian), shelf)
    with sftp_server(shelf, tmp_path / "keys") as server, sftp_server(shelf, tmp_path / "others") as other:
        url = f"sftp://drill@127.0.0.1:{server.port}/"
        set_environment(monkeypatch, server.environment | {"DRILL_SFTP_KEY": other.environment["DRILL_SFTP_KEY"]})
        expect_blocked(url, folder, guardian, "refuses these credentials")


def test_an_archived_object_is_told_as_that_and_not_as_a_refusal(
    s3: S3, folder: Path, guardian: Guardian, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_environment(monkeypatch, s3.environment)
    for suffix in (".dump", ".roles.sql"):
        key = f"archived/{NEWER}/{NEWER}{suffix}"
        s3.client.put_object(Bucket=BUCKET, Key=key, Body=b"PGDMP", StorageClass="GLACIER")
    archived = expect_blocked(f"s3://{BUCKET}/archived", folder, guardian, "an object of it is archived")
    assert "restore-object" in archived.fix


def test_a_host_whose_key_is_not_known_is_not_talked_to(
    shelf: Path, folder: Path, tmp_path: Path, guardian: Guardian, monkeypatch: pytest.MonkeyPatch
) -> None:
    with sftp_server(shelf, tmp_path / "keys") as server:
        set_environment(monkeypatch, server.environment)
        known_hosts = tmp_path / "keys" / "known_hosts"
        known_hosts.write_text("")
        expect_blocked(f"sftp://drill@127.0.0.1:{server.port}/", folder, guardian, "its key is in no known_hosts file")


@pytest.mark.further
def test_a_copy_in_a_bucket_is_the_set_and_nothing_there_is_written_over(
    s3: S3, shelf: Path, tmp_path: Path, guardian: Guardian, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_environment(monkeypatch, s3.environment)
    place = offsite_place(f"s3://{BUCKET}/elsewhere", shelf)
    carried = copy_offsite(shelf / NEWER, "igny8", place)
    assert carried == sum(path.stat().st_size for path in (shelf / NEWER).iterdir())
    written = s3.client.list_objects_v2(Bucket=BUCKET, Prefix="elsewhere/")["Contents"]
    assert max(written, key=lambda each: each["LastModified"])["Key"].endswith(".dump")
    fetched = tmp_path / "fetched"
    fetched.mkdir(mode=0o700)
    expect_whole(located(f"s3://{BUCKET}/elsewhere", fetched, guardian), shelf)
    with pytest.raises(BackupFailed, match=r"has a file .* already, and nothing is written over"):
        copy_offsite(shelf / NEWER, "igny8", place)


def test_a_copy_that_is_given_back_as_something_else_is_told(shelf: Path) -> None:
    class Forgetful:
        """A store that loses the last byte of each file."""

        held: bytes | None = None

        def look(self, path: str) -> Entry:
            if self.held is None:
                raise FileNotFoundError(path)
            return Entry(path=path, size=len(self.held), version="1")

        def pieces(self, entry: Entry, start: int) -> Iterator[bytes]:
            yield (self.held or b"")[start:]

        def put(self, source: Path, path: str) -> None:
            self.held = source.read_bytes()[:-1]

    address = Address(scheme="s3", host=BUCKET, path="/x")
    with pytest.raises(Troubled, match="was read back, and is not what was copied"):
        put(Forgetful(), shelf / OLDER / f"{OLDER}.dump", f"{BUCKET}/x", "a.dump", address)


@pytest.mark.further
def test_s3_without_credentials_or_bucket_is_told(
    s3: S3, folder: Path, guardian: Guardian, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    set_environment(monkeypatch, s3.environment | {"HOME": str(tmp_path)})
    expect_blocked("s3://no-such-bucket/nightly", folder, guardian, "there is nothing to read at s3://no-such-bucket")
    expect_blocked(f"s3://{BUCKET}/no-such-prefix", folder, guardian, "there is nothing to read at")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    refused = expect_blocked(f"s3://{BUCKET}/nightly", folder, guardian, "refuses these credentials")
    assert "AWS_ACCESS_KEY_ID" in refused.fix


def test_a_store_that_does_not_answer_and_one_that_is_slow_are_told_apart(
    shelf: Path, folder: Path, guardian: Guardian
) -> None:
    expect_blocked("http://127.0.0.1:9/", folder, guardian, r"http://127\.0\.0\.1:9/ could not be read")
    with web_server(shelf) as port:
        url = f"http://127.0.0.1:{port}/"
        expect_blocked(url, folder, guardian, "was not read within 100 ms", limit=0.1)


@pytest.mark.further
def test_what_was_fetched_once_is_kept_in_the_cache_and_taken_up_there(
    s3: S3, shelf: Path, tmp_path: Path, guardian: Guardian, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_environment(monkeypatch, s3.environment)
    cache, url = tmp_path / "cache", f"s3://{BUCKET}/nightly"
    deliveries = []
    for number in range(2):
        folder = tmp_path / f"drill-{number}"
        folder.mkdir(mode=0o700)
        located_set = located(url, folder, guardian, cache=cache)
        expect_whole(located_set, shelf)
        deliveries.append(located_set.backup_set.delivery)
    first, second = deliveries
    assert first is not None
    assert second is not None
    assert (first.cached, second.cached) == (0, 3)
    assert second.bytes == 0
    assert cache.stat().st_mode & 0o777 == 0o700
    # What a drill that died had fetched is not fetched again.
    dump = max(cache.iterdir(), key=lambda path: path.stat().st_size)
    dump.rename(dump.with_name(dump.name + ".part"))
    os.truncate(dump.with_name(dump.name + ".part"), SIZE // 2)
    folder = tmp_path / "drill-2"
    folder.mkdir(mode=0o700)
    third = located(url, folder, guardian, cache=cache)
    expect_whole(third, shelf)
    assert third.backup_set.delivery is not None
    assert third.backup_set.delivery.bytes == SIZE + 5 - SIZE // 2
    cache.chmod(0o755)
    expect_blocked(url, folder, guardian, "is open to others than its owner", cache=cache)
