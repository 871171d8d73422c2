"""The commands that load one dump by hand: each format and each packing has its own."""

import shlex
from dataclasses import dataclass

from fixtures.record.by_hand import ByHand
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
    by_hand = backup.by_hand if backup is not None else ByHand()
    if not by_hand.replaces:
        makes = header is not None and bool(header.database)
        to = _TO.replace('"$PGDATABASE"', "postgres") if makes else _TO
        source = by_hand.from_pipe if unpacked else f"{by_hand.before_path} {path}"
        warning = _MAKES.format(name=words.plain(header.database)) if makes and header else _ADDS
        return Loading(f"{unpacked}{by_hand.program} {by_hand.options} {to} {source}", warning, makes)
    if "tar" in wrapped:
        opened = f'{unpacked}tar -x{"f -" if unpacked else f"f {path}"} -C "$DUMP"'
        folder = '"$(dirname "$(find "$DUMP" -name toc.dat)")"'
        command = f"DUMP=$(mktemp -d) &&\n{opened} &&\n{by_hand.program} {by_hand.options} -j {jobs} {_TO} {folder}"
        return Loading(command, _DROPS)
    # Workers must be able to seek: not in a pipe.
    workers = "" if unpacked or not by_hand.seekable else f"-j {jobs} "
    source = "" if unpacked else f" {path}"
    return Loading(f"{unpacked}{by_hand.program} {by_hand.options} {workers}{_TO}{source}", _DROPS)


def program(record: DrillRecord) -> str:
    """What loaded it in the drill."""
    return (record.backup_set.by_hand if record.backup_set is not None else ByHand()).program


def is_folder(record: DrillRecord, file: Artefact) -> bool:
    """Whether this file of the set is a folder: a dump in directory format."""
    backup = record.backup_set
    return backup is not None and file.role == "dump" and backup.by_hand.folder and "tar" not in backup.wrapped


def check_of_folder(file: Artefact) -> str:
    """Compares all files of a folder with the digest that the drill took of them together."""
    name = shlex.quote(words.plain(file.name))
    return f'(cd "$BACKUP_SET"/{name} && LC_ALL=C sha256sum -- * | sha256sum | grep -q {file.sha256})'
