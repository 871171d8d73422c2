"""Backup sets made from two truths: files of a set altered after it was taken, and its manifest made honest again."""

import gzip
import io
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from fixtures.archives.file_digest import sha256_of_file
from fixtures.record.manifest import FileEntry, Manifest
from tests.support.drills import PROFILE, Healthy


def copy_of(whole: Path, folder: Path) -> Path:
    """A copy of a set, modes and all, alone in `folder`."""
    return Path(shutil.copytree(whole, folder / whole.name))


def part(backup: Path, role: str) -> Path:
    """Where a set keeps its dump, roles, sites, logs or manifest."""
    suffix = {
        "dump": "dump",
        "roles": "roles.sql",
        "sites": "sites.tar.gz",
        "logs": "logs.tar.gz",
        "shares": "shares.jsonl.gz",
    }
    return backup / f"{backup.name}.{suffix.get(role, 'manifest.json')}"


def manifest_of(backup: Path) -> Manifest:
    return Manifest.model_validate_json(part(backup, "manifest").read_text())


def retell(backup: Path, **changes: Any) -> None:
    """Writes the manifest anew, with these parts of it changed."""
    manifest = manifest_of(backup).model_copy(update=changes)
    part(backup, "manifest").write_text(manifest.model_dump_json(indent=1) + "\n")


def sign(backup: Path) -> None:
    """Makes the manifest's digests and sizes those of the files as they are now; files that are gone go from it."""
    files = {}
    for role, entry in manifest_of(backup).files.items():
        if (backup / entry.name).exists():
            digest, size = sha256_of_file(backup / entry.name)
            files[role] = FileEntry(name=entry.name, size=size, sha256=digest)
    retell(backup, files=files)


def truth_of(backup: Path, source: Path) -> None:
    """Lets the manifest tell what `source`'s told: what the dump holds otherwise was lost or changed on the way."""
    shutil.copyfile(part(source, "shares"), part(backup, "shares"))
    manifest = manifest_of(source)
    retell(backup, tables=manifest.tables, large_objects=manifest.large_objects, contents=manifest.contents)
    sign(backup)


def cut(backup: Path, role: str, share: float) -> None:
    """Leaves the first `share` of a file, as a full disk does; the manifest was written afterwards."""
    content = part(backup, role).read_bytes()
    part(backup, role).write_bytes(content[: int(len(content) * share)])
    sign(backup)


def dump_again(healthy: Healthy, backup: Path, *arguments: str) -> None:
    """Replaces the dump by one of the same database, taken by a job with these arguments."""
    server = healthy.server
    subprocess.run(
        [str(server.clients.pg_dump), "-Fc", f"--file={part(backup, 'dump')}", *arguments],
        env=server.environment(healthy.built.database),
        check=True,
        capture_output=True,
    )
    sign(backup)


def reword(backup: Path, former: str, latter: str) -> None:
    """Replaces a word of the same length in the dump's TOC, which pg_dump writes as plain text."""
    content = part(backup, "dump").read_bytes()
    assert len(former) == len(latter)
    assert content.count(former.encode()) == 1
    part(backup, "dump").write_bytes(content.replace(former.encode(), latter.encode()))
    sign(backup)


def add_entries(backup: Path, entries: Iterable[tarfile.TarInfo]) -> None:
    """Appends entries to the sites archive."""
    archive = part(backup, "sites")
    unpacked = io.BytesIO(gzip.decompress(archive.read_bytes()))
    with tarfile.open(fileobj=unpacked, mode="a") as opened:
        for entry in entries:
            opened.addfile(entry)
    archive.write_bytes(gzip.compress(unpacked.getvalue(), 1))
    sign(backup)


def rename_entries(backup: Path, renamed: Callable[[str], str]) -> None:
    """Gives every entry of the sites archive another name."""
    archive = part(backup, "sites")
    written = io.BytesIO()
    with tarfile.open(archive) as read, tarfile.open(fileobj=written, mode="w") as opened:
        for entry in read:
            content = read.extractfile(entry) if entry.isreg() else None
            entry.name, entry.pax_headers = renamed(entry.name), {}
            opened.addfile(entry, content)
    archive.write_bytes(gzip.compress(written.getvalue(), 1))
    sign(backup)


def profile_with(folder: Path, changes: Mapping[str, str]) -> Path:
    """A copy of the sample's profile in which each of these lines, found once, reads otherwise."""
    copy = Path(shutil.copytree(PROFILE, folder / PROFILE.name))
    replace_in(copy / "profile.toml", changes)
    return copy


def replace_in(file: Path, changes: Mapping[str, str]) -> None:
    """Replaces texts that must stand there exactly once."""
    text = file.read_text()
    for former, latter in changes.items():
        assert text.count(former) == 1, f"{former!r} stands {text.count(former)} times in {file.name}"
        text = text.replace(former, latter)
    file.write_text(text)
