"""The commands that load one dump by hand: each format and each packing has its own."""

import shlex
from dataclasses import dataclass

from fixtures.record.record import DrillRecord
from fixtures.record.set_record import Artefact
from reports import words

_UNPACK = {"gzip": "gzip -dc", "bzip2": "bzip2 -dc", "xz": "xz -dc", "zstd": "zstd -dc", "lz4": "lz4 -dc"}
_TO = '-h "$PGHOST" -U "$PGUSER" -d "$PGDATABASE"'
_DROPS = "This drops what the database holds under the same names: look twice at PGHOST and PGDATABASE."
_ADDS = "It must be empty: plain SQL adds to what is there, and stops where something stands in its way."
_MAKES = "The dump makes its own database, {name}, and connects to it: set PGDATABASE to that name before you go on."


@dataclass(frozen=True)
class Loading:
    """`makes_database`: the dump creates the one that it is loaded into, so nobody has to beforehand."""

    command: str
    warning: str
    makes_database: bool = False


def loading(record: DrillRecord, path: str, jobs: int) -> Loading:
    """How to load the dump at `path`, as the shell writes it, into an existing database."""
    backup, header = record.backup_set, record.header
    wrapped = [wrapping for wrapping in (backup.wrapped if backup else ()) if wrapping != "none"]
    unpacked = next((f"{_UNPACK[wrapping]} {path} | " for wrapping in wrapped if wrapping in _UNPACK), "")
    if backup is not None and backup.kind == "plain":
        makes = header is not None and bool(header.database)
        to = _TO.replace('"$PGDATABASE"', "postgres") if makes else _TO
        source = "-f -" if unpacked else f"-f {path}"
        warning = _MAKES.format(name=words.plain(header.database)) if makes and header else _ADDS
        return Loading(f"{unpacked}psql -X -v ON_ERROR_STOP=1 {to} {source}", warning, makes)
    if "tar" in wrapped:
        opened = f'{unpacked}tar -x{"f -" if unpacked else f"f {path}"} -C "$DUMP"'
        folder = '"$(dirname "$(find "$DUMP" -name toc.dat)")"'
        command = f"DUMP=$(mktemp -d) &&\n{opened} &&\npg_restore -c --if-exists -j {jobs} {_TO} {folder}"
        return Loading(command, _DROPS)
    # pg_restore's workers must be able to seek: not in a pipe, and not in a tar.
    workers = "" if unpacked or (header is not None and header.format == "TAR") else f"-j {jobs} "
    source = "" if unpacked else f" {path}"
    return Loading(f"{unpacked}pg_restore -c --if-exists {workers}{_TO}{source}", _DROPS)


def program(record: DrillRecord) -> str:
    """What loaded it in the drill."""
    return "psql" if record.header is not None and record.header.format == "PLAIN" else "pg_restore"


def is_folder(record: DrillRecord, file: Artefact) -> bool:
    """Whether this file of the set is a folder: a dump in directory format."""
    backup = record.backup_set
    return backup is not None and file.role == "dump" and backup.kind == "directory" and "tar" not in backup.wrapped


def check_of_folder(file: Artefact) -> str:
    """Compares all files of a folder with the digest that the drill took of them together."""
    name = shlex.quote(words.plain(file.name))
    return f'(cd "$BACKUP_SET"/{name} && LC_ALL=C sha256sum -- * | sha256sum | grep -q {file.sha256})'
