"""What is fed to a program through a pipe arrives whole and in order, and ends with the program, or with what raised."""

import os
import subprocess
import threading
from collections.abc import Iterator

import pytest

from fixtures.sandbox.feeding import fed

PIECE = bytes(range(256)) * 1024


def test_more_than_the_pipe_holds_arrives_whole() -> None:
    pieces = [PIECE[at:] + PIECE[:at] for at in range(40)]
    with fed(iter(pieces)) as feed:
        counted = subprocess.run(["cat"], stdin=feed.reading, stdout=subprocess.PIPE, check=True)
    assert counted.stdout == b"".join(pieces)
    assert feed.whole


def test_the_next_piece_may_be_made_in_the_memory_of_the_one_before() -> None:
    memory = bytearray(len(PIECE))

    def pieces() -> Iterator[memoryview]:
        for number in range(40):
            memory[:] = bytes([number]) * len(memory)
            yield memoryview(memory)

    with fed(pieces()) as feed:
        counted = subprocess.run(["cat"], stdin=feed.reading, stdout=subprocess.PIPE, check=True)
    assert counted.stdout == b"".join(bytes([number]) * len(PIECE) for number in range(40))


def test_the_program_finds_an_ordinary_pipe() -> None:
    """One that never says "try again": few programs would."""
    with fed(iter([b"x"])) as feed:
        assert os.get_blocking(feed.reading.fileno())
        assert feed.reading.read() == b"x"


@pytest.mark.parametrize("piece", [b"x", PIECE * 64], ids=["between pieces", "within one"])
def test_a_program_that_reads_no_further_ends_the_writing(piece: bytes) -> None:
    ended = threading.Event()

    def without_end() -> Iterator[bytes]:
        try:
            while True:
                yield piece
        finally:
            ended.set()

    pieces = without_end()
    with fed(pieces) as feed:
        subprocess.run(["head", "-c", "1"], stdin=feed.reading, stdout=subprocess.DEVNULL, check=True)
    pieces.close()
    assert ended.is_set()
    assert not feed.whole


def test_what_reading_the_pieces_raised_is_raised() -> None:
    def broken() -> Iterator[bytes]:
        yield PIECE
        raise ValueError("no more of it")

    with pytest.raises(ValueError, match="no more of it"), fed(broken()) as feed:
        assert feed.reading.read() == PIECE
    assert not feed.whole
