"""What a signal's handler raises is not lost where Python drops it: it is raised once more, and nothing else is."""

import subprocess
import sys

import pytest

from fixtures.record.project import ROOT
from tests.support.own_pytest import heed_interrupts

_BEGIN = """
import os, signal, sys, time, weakref
from fixtures.sandbox.raised_again import interrupts_raised_again

def interrupt(*_):
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(0.1)

class Thing:
    pass

class Destroyed:
    def __del__(self):
        interrupt()

class Breaks:
    def __del__(self):
        raise ValueError("of its own")

def in_a_callback():
    thing = Thing()
    reference = weakref.ref(thing, interrupt)
    del thing
    return reference
"""
_WAITS = """
try:
    with interrupts_raised_again():
        {dropped}
        time.sleep(300)
except KeyboardInterrupt:
    print("raised again")
"""
_EXITS = """
signal.signal(signal.SIGINT, lambda *_: sys.exit(143))
with interrupts_raised_again():
    Destroyed()
    time.sleep(300)
"""
_CLOSES = """
with interrupts_raised_again():
    Destroyed()
time.sleep(0.2)
print("goes on", sys.unraisablehook is sys.__unraisablehook__, signal.getsignal(signal.SIGUSR2) == signal.SIG_DFL)
"""
_OTHERS = """
with interrupts_raised_again():
    Breaks()
    time.sleep(0.2)
print("goes on")
"""


def said(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", _BEGIN + program],
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=120,
        preexec_fn=heed_interrupts,
    )


@pytest.mark.parametrize("dropped", ["Destroyed()", "in_a_callback()"])
def test_an_interrupt_that_was_dropped_ends_what_goes_on(dropped: str) -> None:
    done = said(_WAITS.format(dropped=dropped))
    assert (done.returncode, done.stdout, done.stderr) == (0, "raised again\n", "")


def test_so_does_an_exit_code() -> None:
    done = said(_EXITS)
    assert (done.returncode, done.stdout, done.stderr) == (143, "", "")


def test_nothing_is_raised_once_the_block_is_over() -> None:
    """The signal that would raise it ends a process that has no handler for it."""
    done = said(_CLOSES)
    assert (done.returncode, done.stdout, done.stderr) == (0, "goes on True True\n", "")


def test_what_others_raise_there_is_told_as_ever() -> None:
    done = said(_OTHERS)
    assert (done.returncode, done.stdout) == (0, "goes on\n")
    assert "ValueError: of its own" in done.stderr
