"""Meets a time limit without waiting for it: the clock of this process is set forward once what it bounds is under way."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from fixtures.server import Server

HOUR = 3600.0
_ASLEEP = "SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND wait_event = 'PgSleep'"


def set_forward(patch: pytest.MonkeyPatch, seconds: float = HOUR) -> None:
    """From now on every look at the monotonic clock, in whatever thread, says so many seconds more."""
    real = time.monotonic
    patch.setattr(time, "monotonic", lambda: real() + seconds)


@contextmanager
def set_forward_once_asleep(server: Server, patch: pytest.MonkeyPatch) -> Iterator[None]:
    """Sets it forward as soon as a session of the server sleeps, within the block."""
    ended = threading.Event()

    def watch() -> None:
        with server.connect() as connection:
            while not ended.wait(0.05):
                if connection.execute(_ASLEEP).fetchone():
                    set_forward(patch)
                    return

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        yield
    finally:
        ended.set()
        watching.join()
