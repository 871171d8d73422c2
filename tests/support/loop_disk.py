"""Mounts a file as a disk with a file system of its own, for what depends on what a file system can do."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.programs import program

_PACKAGES = {"btrfs": "btrfs-progs", "xfs": "xfsprogs"}


@contextmanager
def loop_disk(folder: Path, kind: str, megabytes: int = 1024) -> Iterator[Path]:
    """`folder`, made, as a disk of so many megabytes with this kind of file system. Everybody may pass through it."""
    if os.geteuid() != 0:
        pytest.skip("left out: only root can mount a disk")
    maker = program(f"mkfs.{kind}", _PACKAGES[kind])
    image = folder.with_name(f"{folder.name}.img")
    with image.open("wb") as sparse:
        sparse.truncate(megabytes << 20)
    try:
        subprocess.run([maker, "-q", str(image)], check=True, capture_output=True, timeout=60)
        folder.mkdir(mode=0o755)
        mounted = subprocess.run(
            ["mount", "-t", kind, "-o", "loop", str(image), str(folder)], capture_output=True, text=True, timeout=30
        )
        if mounted.returncode != 0:
            pytest.skip(f"left out: no disk of {kind} can be mounted here ({mounted.stderr.strip()})")
        try:
            folder.chmod(0o755)
            yield folder
        finally:
            subprocess.run(["umount", str(folder)], check=True, timeout=30)
    finally:
        image.unlink()
