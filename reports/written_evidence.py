"""The bytes of `evidence.json`, told without being held: of a drill of many tables they are as large as all that it found."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

_BLOCK = 1 << 20


@dataclass(frozen=True)
class WrittenEvidence:
    """Evidence as it is written; `pieces` gives all of its bytes, each time that it is called."""

    pieces: Callable[[], Iterator[bytes]]

    @cached_property
    def _told(self) -> tuple[str, int]:
        digest, size = hashlib.sha256(), 0
        for piece in self.pieces():
            digest.update(piece)
            size += len(piece)
        return digest.hexdigest(), size

    @property
    def sha256(self) -> str:
        """In hexadecimal."""
        return self._told[0]

    @property
    def size(self) -> int:
        """In bytes."""
        return self._told[1]


def evidence_in(file: Path) -> WrittenEvidence:
    """What lies in that file. Its pieces, digest and size raise OSError where it cannot be read."""

    def pieces() -> Iterator[bytes]:
        with file.open("rb") as opened:
            while block := opened.read(_BLOCK):
                yield block

    return WrittenEvidence(pieces)
