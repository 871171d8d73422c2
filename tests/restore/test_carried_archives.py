"""An archive that was carried as text, or appended to another, is told as that: pg_restore reads neither as it was taken."""

import gzip
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from fixtures.dump.archive_toc import Archive, read_archive
from fixtures.dump.dump_stream import unfolded
from fixtures.record.stage import StageFailed
from fixtures.sandbox.account import unprivileged_account
from tests.support.small_source import Small

OPTIONS = {"to a file": ("-Fc",), "with nothing packed": ("-Fc", "-Z0"), "through a pipe": ("-Fc",)}
CONVERTED: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "by a terminal": (lambda content: content.replace(b"\n", b"\r\n"), "each line end in it became two bytes"),
    "as UTF-8": (lambda content: content.decode("utf-8", "replace").encode(), "bytes in it were replaced"),
}


@pytest.fixture(scope="module")
def dumps(small: Small, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("archives")
    return {name: taken(small, folder / "it.dump", options, name) for name, options in OPTIONS.items()}


def taken(small: Small, file: Path, options: tuple[str, ...], how: str) -> bytes:
    command = [str(small.server.clients.pg_dump), *options, *([] if "pipe" in how else [f"--file={file}"])]
    done = subprocess.run(command, env=small.server.environment("source"), check=True, capture_output=True)
    return done.stdout or file.read_bytes()


def reading(small: Small, content: bytes, folder: Path) -> Archive:
    dump = folder / "it.dump"
    dump.write_bytes(content)
    dump.chmod(0o644)
    return read_archive(dump, small.guardian, account=unprivileged_account())


@pytest.mark.parametrize("how", OPTIONS)
def test_a_second_archive_behind_the_first_is_told(
    small: Small, dumps: dict[str, bytes], tmp_path: Path, how: str
) -> None:
    with pytest.raises(StageFailed, match="two archives, one behind the other"):
        reading(small, dumps[how] + dumps[how], tmp_path)


@pytest.mark.parametrize("behind", [b"", bytes(4096), b"anything"])
def test_an_archive_that_pg_restore_reads_whole_is_read(
    small: Small, dumps: dict[str, bytes], tmp_path: Path, behind: bytes
) -> None:
    assert reading(small, dumps["through a pipe"] + behind, tmp_path).toc


@pytest.mark.parametrize("how", CONVERTED)
def test_an_archive_that_was_carried_as_text_is_told_as_that(
    small: Small, dumps: dict[str, bytes], tmp_path: Path, how: str
) -> None:
    convert, says = CONVERTED[how]
    with pytest.raises(StageFailed, match=says) as refusal:
        reading(small, convert(dumps["to a file"]), tmp_path)
    assert "docker exec without -t" in refusal.value.fix


def test_what_is_packed_and_was_carried_as_text_is_told_as_that(dumps: dict[str, bytes], tmp_path: Path) -> None:
    packed = tmp_path / "it.dump.gz"
    packed.write_bytes(gzip.compress(dumps["with nothing packed"]).replace(b"\n", b"\r\n"))
    with unfolded(packed) as read, pytest.raises(StageFailed, match="each line end in it became two bytes"):
        list(iter(lambda: read(1 << 16), b""))
