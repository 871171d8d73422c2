"""Encrypted sets: sealed to a public key by a backup, opened by a drill, and told apart when the key is not there."""

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.archives.file_digest import sha256_of_file
from fixtures.commands.backup import BackupFailed
from fixtures.commands.backup.seal import Seal
from fixtures.record.set_files import split_name
from fixtures.sandbox.guardian import Guardian
from fixtures.shelf.decrypt import Cipher, Locked, Plain, decrypt, encrypted_by
from fixtures.shelf.locate import LocatedSet, locate
from tests.support.keys import age_key, gpg_home
from tests.support.small_source import PROFILE, Small, small_source

CONTENT = b"PGDMP" + bytes(range(256)) * 9000


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    with small_source(tmp_path_factory.mktemp("small")) as ready:
        yield ready


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A GNUPGHOME with one key; its fingerprint."""
    with tempfile.TemporaryDirectory(prefix="gpg-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        made, fingerprint = gpg_home(Path(folder) / "h")
        monkeypatch.setenv("GNUPGHOME", str(made))
        yield fingerprint


def a_file(tmp_path: Path, name: str = "igny8_20261121_031500.dump") -> Path:
    path = tmp_path / name
    path.write_bytes(CONTENT)
    return path


def opened(path: Path, folder: Path, guardian: Guardian) -> Plain:
    cipher = encrypted_by(path)
    assert cipher is not None
    folder.mkdir(mode=0o700, exist_ok=True)
    return decrypt(path, cipher, folder, guardian, 60)


def agents() -> set[str]:
    """The agents that run for this test's own GNUPGHOME; another worker has its own."""
    own = os.environ["GNUPGHOME"].encode()
    running = set()
    for program in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            command_line = program.read_bytes()
            if b"gpg-agent" in command_line and own in command_line + program.with_name("environ").read_bytes():
                running.add(program.parent.name)
    return running


def expect_sealed_and_opened(seal: Seal, tmp_path: Path, guardian: Guardian) -> None:
    plain = a_file(tmp_path)
    entry = seal.encrypt(plain, guardian)
    assert not plain.exists()
    sealed = tmp_path / entry.name
    assert sealed.stat().st_mode & 0o777 == 0o600
    assert b"PGDMP" not in sealed.read_bytes()
    assert (entry.sha256, entry.size) == sha256_of_file(sealed)
    plaintext = opened(sealed, tmp_path / "private", guardian)
    assert plaintext.path.name == plain.name
    assert plaintext.path.read_bytes() == CONTENT
    assert plaintext.path.stat().st_mode & 0o777 == 0o600
    assert (plaintext.sha256, plaintext.size) == (entry.plain_sha256, entry.plain_size)


def test_age_seals_to_a_public_key_and_opens_with_its_identity(
    tmp_path: Path, guardian: Guardian, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, other = age_key(tmp_path), age_key(tmp_path, "other")
    monkeypatch.setenv("DRILL_AGE_IDENTITY", str(other.file))
    expect_sealed_and_opened(Seal.to([key.recipient, other.recipient]), tmp_path, guardian)


def test_gpg_seals_to_a_fingerprint_and_leaves_no_agent(home: str, tmp_path: Path, guardian: Guardian) -> None:
    before = agents()
    expect_sealed_and_opened(Seal.to([f"gpg:{home}"]), tmp_path, guardian)
    assert agents() == before
    assert not [trace for trace in guardian.leftovers() if not trace.gone]


@pytest.mark.further
def test_a_passphrase_opens_what_gpg_closed_with_it(
    home: str, tmp_path: Path, guardian: Guardian, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = a_file(tmp_path)
    closing = [
        "gpg",
        "--batch",
        "--pinentry-mode",
        "loopback",
        "--passphrase",
        "right words",
        "--symmetric",
        str(plain),
    ]
    subprocess.run(closing, check=True, capture_output=True)
    subprocess.run(["gpgconf", "--kill", "gpg-agent"], check=True)
    sealed = plain.with_name(plain.name + ".gpg")
    monkeypatch.setenv("DRILL_GPG_PASSPHRASE", "wrong words")
    with pytest.raises(Locked, match="no key at hand opens") as refused:
        opened(sealed, tmp_path / "one", guardian)
    assert "wrong words" not in str(refused.value)
    monkeypatch.setenv("DRILL_GPG_PASSPHRASE", "right words")
    assert opened(sealed, tmp_path / "two", guardian).path.read_bytes() == CONTENT


def test_a_missing_a_wrong_and_a_spoiled_key_are_told_apart(
    tmp_path: Path, guardian: Guardian, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = Seal.to([age_key(tmp_path).recipient]).encrypt(a_file(tmp_path), guardian)
    sealed = tmp_path / entry.name
    spoiled = tmp_path / "spoiled"
    spoiled.write_text("AGE-SECRET-KEY-1NOTONE")
    problems = {
        "": "no key was given: DRILL_AGE_IDENTITY",
        str(tmp_path / "absent"): "cannot be read: No such file",
        str(age_key(tmp_path, "other").file): "none of the keys in the file",
        str(spoiled): "holds something that is no age identity",
    }
    for number, (key, says) in enumerate(problems.items()):
        monkeypatch.setenv("DRILL_AGE_IDENTITY", key)
        with pytest.raises(Locked, match=says) as refused:
            opened(sealed, tmp_path / f"private-{number}", guardian)
        assert "NOTONE" not in str(refused.value)


def test_a_secret_key_that_is_not_in_the_keyring_is_told(
    home: str, tmp_path: Path, guardian: Guardian, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = Seal.to([f"gpg:{home}"]).encrypt(a_file(tmp_path), guardian)
    with tempfile.TemporaryDirectory(prefix="gpg-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        monkeypatch.setenv("GNUPGHOME", folder)
        with pytest.raises(Locked, match=r"no key at hand opens .*\.dump\.gpg: looked at the secret keys of GNUPGHOME"):
            opened(tmp_path / entry.name, tmp_path / "private", guardian)


@pytest.mark.parametrize("cipher", ["age", "gpg"])
@pytest.mark.further
def test_a_file_cut_short_is_not_taken_for_a_wrong_key(
    cipher: Cipher, home: str, tmp_path: Path, guardian: Guardian, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = age_key(tmp_path)
    monkeypatch.setenv("DRILL_AGE_IDENTITY", str(key.file))
    entry = Seal.to([key.recipient if cipher == "age" else f"gpg:{home}"]).encrypt(a_file(tmp_path), guardian)
    sealed = tmp_path / entry.name
    os.truncate(sealed, entry.size // 2)
    with pytest.raises(Locked, match=f"is no whole {cipher} file"):
        opened(sealed, tmp_path / "private", guardian)


@pytest.mark.parametrize(
    "recipients", [["age1nonsense"], ["gpg:1234ABCD"], ["gpg:somebody@example.org"], ["age1x", "gpg:" + "A" * 40]]
)
def test_a_recipient_that_is_no_public_key_is_refused_before_anything_is_dumped(recipients: list[str]) -> None:
    with pytest.raises(BackupFailed):
        Seal.to(recipients)


def test_names_and_first_bytes_give_encryption_away(tmp_path: Path, guardian: Guardian) -> None:
    assert split_name("igny8_20261121_031500.sites.tar.gz.age") == ("igny8_20261121_031500", ".sites.tar.gz")
    entry = Seal.to([age_key(tmp_path).recipient]).encrypt(a_file(tmp_path), guardian)
    renamed = (tmp_path / entry.name).rename(tmp_path / "igny8_20261121_031500.dump")
    assert encrypted_by(renamed) == "age"
    assert encrypted_by(a_file(tmp_path, "plain.dump")) is None


def located(backups: Path, folder: Path, guardian: Guardian) -> LocatedSet:
    def unlock(path: Path, cipher: Cipher) -> Plain:
        return decrypt(path, cipher, folder, guardian, 60)

    folder.mkdir(mode=0o700, exist_ok=True)
    return locate(backups, PROFILE, unlock=unlock)


def test_a_sealed_set_is_located_as_what_it_is_in_clear(
    small: Small, tmp_path: Path, guardian: Guardian, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = age_key(tmp_path)
    monkeypatch.setenv("DRILL_AGE_IDENTITY", str(key.file))
    taken = small.back_up(tmp_path / "sealed", seal=Seal.to([key.recipient]))
    assert {path.suffix for path in taken.iterdir()} == {".age", ".json"}
    located_set = located(taken.parent, tmp_path / "private", guardian)
    assert located_set.backup_set.kind == "custom"
    assert not located_set.backup_set.altered
    assert not located_set.backup_set.locked
    assert located_set.dump.parent == tmp_path / "private"
    assert {artefact.cipher for artefact in located_set.backup_set.artefacts} == {"age", None}
    dump = located_set.backup_set.artefact("dump")
    assert dump is not None
    assert dump.parsed_sha256 == sha256_of_file(located_set.dump)[0]


def test_an_altered_sealed_file_is_never_opened(
    small: Small, tmp_path: Path, guardian: Guardian, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = age_key(tmp_path)
    monkeypatch.setenv("DRILL_AGE_IDENTITY", str(key.file))
    taken = small.back_up(tmp_path / "sealed", seal=Seal.to([key.recipient]))
    with (taken / f"{taken.name}.dump.age").open("ab") as file:
        file.write(b"x")
    located_set = located(taken.parent, tmp_path / "private", guardian)
    assert [artefact.role for artefact in located_set.backup_set.altered] == ["dump"]
    assert "dump" not in located_set.paths
    assert not located_set.backup_set.locked
