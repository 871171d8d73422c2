"""Mounts a disk that holds next to nothing, for what must be told where a disk is full."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(folder: Path, *, kilobytes: int = 1 << 20, files: int = 100) -> Iterator[Path]:
    """`folder`, made, as a disk of its own of so many kilobytes that takes so many files. Only root can mount one."""
    if os.geteuid() != 0:
        pytest.skip("left out: only root can mount a disk that is full")
    folder.mkdir(mode=0o700)
    # The folder at its top is a file, too.
    options = f"size={kilobytes}k,nr_inodes={files + 1},mode=0700"
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "full", str(folder)], capture_output=True, text=True, timeout=30
    )
    if mounted.returncode != 0:
        pytest.skip(f"left out: no disk can be mounted here ({mounted.stderr.strip()})")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True, timeout=30)
