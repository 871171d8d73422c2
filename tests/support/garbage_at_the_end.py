"""A plugin for a drill under test: says how many objects every look for garbage leaves out, between the session's end and the
process's."""

import atexit
import gc
import sys
from collections.abc import Generator

import pytest

_left_out: list[int] = []


def _look(phase: str, info: dict[str, int]) -> None:
    if phase == "start" and info["generation"] == 2:
        _left_out.append(gc.get_freeze_count())


def _say() -> None:
    print(f"{min([*_left_out, gc.get_freeze_count()])} objects are left out", file=sys.stderr, flush=True)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish() -> Generator[None]:
    yield
    _left_out.clear()


gc.callbacks.append(_look)
atexit.register(_say)
