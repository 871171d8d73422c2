"""The threads of a drill share one heap."""

import platform
import subprocess
import sys

import pytest

from fixtures.record.project import ROOT

COUNTED = """
import ctypes, sys, threading
from fixtures.plugin.one_heap import share_one_heap

if sys.argv[1:]:
    share_one_heap()
all_hold, done = threading.Barrier(5), threading.Event()

def hold():
    block = bytes(100_000)
    all_hold.wait()
    done.wait()

for _ in range(4):
    threading.Thread(target=hold).start()
all_hold.wait()
libc = ctypes.CDLL(None)
libc.fdopen.restype = ctypes.c_void_p
libc.malloc_info(0, ctypes.c_void_p(libc.fdopen(1, b"w")))
libc.fflush(None)
done.set()
"""


def heaps(*told: str) -> int:
    called = [sys.executable, "-c", COUNTED, *told]
    done = subprocess.run(called, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout.count("<heap nr=")


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="no other library gives each thread a heap of its own")
def test_threads_that_hold_memory_at_once_hold_it_in_one_heap() -> None:
    assert heaps() > 1
    assert heaps("shared") == 1
