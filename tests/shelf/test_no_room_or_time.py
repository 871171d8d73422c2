"""A disk without room, a cache that cannot be made and a gpg that does not answer block a drill, with what to do."""

import os
import resource
from pathlib import Path

import pytest

from fixtures.commands.backup.seal import Seal
from fixtures.record.set_files import Cipher
from fixtures.record.stage import StageBlocked
from fixtures.sandbox.guardian import Guardian
from fixtures.shelf.decrypt import decrypt
from tests.support.keys import age_key
from tests.support.remote_sets import courier, lay_out, located
from tests.support.small_disk import small_disk
from tests.support.stores import web_server

NAME = "igny8_20261121_031500.dump.age"


def not_opened(path: Path, cipher: Cipher, folder: Path, guardian: Guardian, limit: float = 60) -> StageBlocked:
    with pytest.raises(StageBlocked) as blocked:
        decrypt(path, cipher, folder, guardian, limit)
    return blocked.value


def test_a_disk_that_has_no_room_for_what_is_decrypted_is_told_before_it_is_begun(
    tmp_path: Path, guardian: Guardian
) -> None:
    sealed = tmp_path / NAME
    sealed.write_bytes(bytes(2 << 20))
    with small_disk(tmp_path / "full", kilobytes=1024) as full:
        blocked = not_opened(sealed, "age", full, guardian)
        assert blocked.cause == f"{NAME} has 2 MB, and {full} has 1 MB left to decrypt it into"
        assert "TMPDIR" in blocked.fix
        assert list(full.iterdir()) == []


def test_a_disk_that_takes_no_more_files_is_told_as_that(tmp_path: Path, guardian: Guardian) -> None:
    sealed = tmp_path / NAME
    sealed.write_bytes(b"age-encryption.org/v1")
    with small_disk(tmp_path / "full", files=1) as full:
        (full / "other").touch()
        blocked = not_opened(sealed, "age", full, guardian)
        assert blocked.cause == f"{NAME} could not be decrypted into {full}: No space left on device"


def test_a_file_that_cannot_be_written_to_its_end_is_no_broken_age_file(
    tmp_path: Path, guardian: Guardian, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = age_key(tmp_path)
    monkeypatch.setenv("DRILL_AGE_IDENTITY", str(key.file))
    (tmp_path / NAME.removesuffix(".age")).write_bytes(bytes(1 << 20))
    sealed = tmp_path / Seal.to([key.recipient]).encrypt(tmp_path / NAME.removesuffix(".age"), guardian).name
    (tmp_path / "private").mkdir(mode=0o700)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 << 10, before[1]))
    try:
        blocked = not_opened(sealed, "age", tmp_path / "private", guardian)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert blocked.cause == f"{sealed.name} could not be decrypted into {tmp_path / 'private'}: File too large"


def test_a_gpg_that_does_not_come_to_its_end_is_told_as_time_and_never_as_a_wrong_key(
    tmp_path: Path, guardian: Guardian, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    for name, does in (("gpg", "exec sleep 600"), ("gpg-connect-agent", "exit 0")):
        (programs / name).write_text(f"#!/bin/sh\n{does}\n")
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    sealed = tmp_path / "igny8_20261121_031500.dump.gpg"
    sealed.write_bytes(b"\x85\x01")
    (tmp_path / "private").mkdir(mode=0o700)
    blocked = not_opened(sealed, "gpg", tmp_path / "private", guardian, 0.2)
    assert blocked.cause == f"gpg did not open {sealed.name} in time"
    assert blocked.fix == "raise [limits] locate in the profile."


def test_a_disk_that_has_no_room_for_a_set_is_told_before_any_of_it_is_fetched(
    tmp_path: Path, guardian: Guardian
) -> None:
    lay_out(tmp_path / "shelf", "igny8_20261121_031500", bytes(3 << 20))
    with small_disk(tmp_path / "full", kilobytes=2048) as full, web_server(tmp_path / "shelf") as port:
        with pytest.raises(StageBlocked) as blocked:
            located(f"http://127.0.0.1:{port}/", full, guardian)
        assert f"the set's files are 3 MB, and {full}" in blocked.value.cause
        assert blocked.value.cause.endswith(" MB left")
        assert blocked.value.fix.endswith("or name one with --cache.")


def test_a_cache_that_cannot_be_made_is_refused_with_the_reason(
    folder: Path, tmp_path: Path, guardian: Guardian
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StageBlocked) as blocked:
        courier("https://backups.example/", folder, guardian, cache=tmp_path / "file" / "cache")
    assert blocked.value.cause == f"{tmp_path / 'file' / 'cache'} cannot be used as a cache: Not a directory"
    assert blocked.value.fix == "name another --cache."
