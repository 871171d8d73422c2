"""What nobody packed, a dump in directory format or sites data, is fetched from a store whole or not at all."""

import os
from pathlib import Path

import pytest

from fixtures.archives.file_digest import sha256_of_folder
from fixtures.archives.folder_stream import digest_of_tree
from fixtures.record.stage import StageBlocked
from fixtures.sandbox.guardian import Guardian
from tests.support.remote_sets import NEWER, lay_out, located, set_environment
from tests.support.stores import BUCKET, S3, web_server


@pytest.mark.further
def test_a_dump_in_directory_format_is_fetched_with_all_its_files(
    tmp_path: Path, folder: Path, guardian: Guardian
) -> None:
    dump = tmp_path / "store" / NEWER
    dump.mkdir(parents=True)
    for name, content in {"toc.dat": b"PGDMP toc", "3001.dat.gz": os.urandom(1 << 20)}.items():
        (dump / name).write_bytes(content)
    with web_server(tmp_path / "store") as port:
        located_set = located(f"http://127.0.0.1:{port}/", folder, guardian, cache=tmp_path / "cache")
    artefact = located_set.backup_set.artefact("dump")
    assert artefact is not None
    assert located_set.backup_set.kind == "directory"
    assert (artefact.sha256, artefact.size) == sha256_of_folder(dump)
    assert located_set.backup_set.delivery is not None
    assert located_set.backup_set.delivery.bytes == artefact.size


@pytest.mark.further
def test_sites_data_that_nobody_packed_is_fetched_however_deep_it_lies(
    s3: S3, tmp_path: Path, folder: Path, guardian: Guardian, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_environment(monkeypatch, s3.environment)
    where = lay_out(tmp_path / "store", NEWER, b"PGDMP dump")
    sites = where / f"{NEWER}.sites"
    deep = "sites-data/clients/7/v3/pages/2026/november"
    for name in (
        "index.html",
        f"{deep}/a.html",
        "sites-data/.well-known/acme/b",
        "sites-data/uploads/1/über-uns-概要.svg",
    ):
        (sites / name).parent.mkdir(parents=True, exist_ok=True)
        (sites / name).write_text(name)
    s3.upload(tmp_path / "store", "unpacked/")
    located_set = located(f"s3://{BUCKET}/unpacked", folder, guardian)
    brought = located_set.paths["sites"]
    assert {path.relative_to(brought) for path in brought.rglob("*")} == {
        path.relative_to(sites) for path in sites.rglob("*")
    }
    assert all((brought / path.relative_to(sites)).read_bytes() == path.read_bytes() for path in sites.rglob("*.*ml"))
    artefact = located_set.backup_set.artefact("sites")
    assert artefact is not None
    assert artefact.sha256 == digest_of_tree(sites)[0]


@pytest.mark.further
def test_unpacked_sites_data_beyond_what_can_be_listed_is_never_drilled_in_part(
    s3: S3, tmp_path: Path, folder: Path, guardian: Guardian, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_environment(monkeypatch, s3.environment)
    where = lay_out(tmp_path / "store", NEWER, b"PGDMP dump")
    (where / f"{NEWER}.sites").mkdir()
    s3.upload(tmp_path / "store", "long/")
    name = "x" * 300
    s3.client.put_object(Bucket=BUCKET, Key=f"long/{NEWER}/{NEWER}.sites/sites-data/{name}.html", Body=b"x")
    with pytest.raises(StageBlocked, match="lies what no file can be called: a name of 305 bytes"):
        located(f"s3://{BUCKET}/long", folder, guardian)
