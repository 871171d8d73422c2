"""A plugin of pytest that sends Ctrl-C to its own drill where Python or somebody drops what it raises.

`-p tests.support.dropped_interrupt`, with DROPPED in the environment: how and where, as in `in a destructor at restore`.
"""

import contextlib
import os
import signal
import time
import weakref
from collections.abc import Callable

import pytest

from fixtures.record.stages import Stage

NAMED_BY = "DROPPED"


class Thing:
    """Something that ends."""


class Destroyed:
    def __del__(self) -> None:
        interrupt()


def interrupt(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGINT)
    # Its handler runs before this is over.
    time.sleep(0.1)


def in_a_destructor() -> None:
    Destroyed()


def in_a_callback() -> None:
    thing = Thing()
    reference = weakref.ref(thing, interrupt)
    del thing
    assert reference() is None


def caught() -> None:
    """As a library may that gets rid of whatever comes."""
    with contextlib.suppress(BaseException):
        interrupt()


WAYS: dict[str, Callable[[], None]] = {
    "in a destructor": in_a_destructor,
    "in a callback": in_a_callback,
    "caught": caught,
}


class Drops:
    def __init__(self, how: str, where: str) -> None:
        self._how, self._where = how, where

    def pytest_drill_stage_begins(self, stage: Stage) -> None:
        if stage.name == self._where:
            WAYS[self._how]()

    def pytest_runtest_logreport(self) -> None:
        if self._where == "a check":
            self._where = ""
            WAYS[self._how]()


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        how, _, where = os.environ[NAMED_BY].partition(" at ")
        config.pluginmanager.register(Drops(how, where))
