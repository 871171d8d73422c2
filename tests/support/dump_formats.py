"""The same database dumped and packed in every way that pg_dump and the usual compressors have."""

import bz2
import gzip
import io
import lzma
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import lz4.frame

from fixtures.archives.decompress import zstd
from fixtures.server import Clients

Pack = Callable[[bytes], bytes]


@dataclass(frozen=True)
class Format:
    """`suffix` is what the dump's name ends in; `arguments` are pg_dump's, and `pack` is what a job pipes it through."""

    suffix: str
    arguments: tuple[str, ...]
    pack: Pack = bytes
    tarred: bool = False


quickly = partial(gzip.compress, compresslevel=1)

PLAIN = {
    "plain": Format(".sql", ()),
    "plain, made with -C": Format(".sql", ("--create",)),
    "plain, made with -C --clean": Format(".sql", ("--create", "--clean", "--if-exists")),
    "plain, made with --clean": Format(".sql", ("--clean",)),
    "plain, made with --clean --if-exists": Format(".sql", ("--clean", "--if-exists")),
    "plain, with INSERT": Format(".sql", ("--inserts", "--rows-per-insert=7")),
    "plain, with column names": Format(".sql", ("--column-inserts", "--verbose")),
    "plain, gzip": Format(".sql.gz", (), quickly),
    "plain, gzip in two members": Format(".sql.gz", (), lambda text: quickly(text[:999]) + quickly(text[999:])),
    "plain, bzip2": Format(".sql.bz2", (), bz2.compress),
    "plain, xz": Format(".sql.xz", (), lzma.compress),
    "plain, zstd": Format(".sql.zst", (), zstd.compress),
    "plain, lz4": Format(".sql.lz4", (), lz4.frame.compress),
}
ARCHIVES = {
    "custom": Format(".dump", ("-Fc",)),
    "custom, not compressed, zstd": Format(".dump.zst", ("-Fc", "-Z0"), zstd.compress),
    "custom, gzip": Format(".dump.gz", ("-Fc",), quickly),
    "tar": Format(".tar", ("-Ft",)),
    "tar, gzip": Format(".tar.gz", ("-Ft",), quickly),
    "directory": Format("", ("-Fd",)),
    "directory in a tar": Format(".tar", ("-Fd",), tarred=True),
    "directory in a tar, gzip": Format(".tgz", ("-Fd",), quickly, tarred=True),
}
FORMATS: dict[str, Format] = {**PLAIN, **ARCHIVES}


def dump_as(made: Format, clients: Clients, environment: Mapping[str, str], folder: Path, stem: str) -> Path:
    """Dumps the database that `environment` names to `folder`/`stem` and the format's suffix, as a job would."""
    target = folder / f"{stem}{made.suffix}"
    written = folder / f".{stem}.writing"
    subprocess.run(
        [str(clients.pg_dump), *made.arguments, f"--file={written}"],
        env=dict(environment),
        check=True,
        capture_output=True,
    )
    if made.tarred:
        content = _tarred(written, stem)
        shutil.rmtree(written)
        target.write_bytes(made.pack(content))
    elif written.is_dir():
        written.rename(target)
    else:
        target.write_bytes(made.pack(written.read_bytes()))
        written.unlink()
    target.chmod(0o700 if target.is_dir() else 0o600)
    return target


def _tarred(folder: Path, name: str) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        archive.add(folder, name)
    return packed.getvalue()
