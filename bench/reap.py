"""Runs a command and waits for all that it leaves behind: run as a script, with nothing of ours imported.

What a program of the command leaves behind becomes its child, so that the kernel adds up the processor time of servers too: a
drill starts them in namespaces, and does not wait for them itself. Arguments: the file for `seconds processor_seconds`, the
command's argv."""

import ctypes
import os
import resource
import sys
import time
from pathlib import Path

_SET_CHILD_SUBREAPER = 36


def main() -> None:
    # Where this is not Linux, what is orphaned is counted nowhere.
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    began, code, seconds = time.perf_counter(), 0, 0.0
    command = os.spawnvp(os.P_NOWAIT, sys.argv[2], sys.argv[2:])
    while True:
        try:
            ended, status = os.wait()
        except ChildProcessError:
            break
        if ended == command:
            code, seconds = os.waitstatus_to_exitcode(status), time.perf_counter() - began
    times = resource.getrusage(resource.RUSAGE_CHILDREN)
    Path(sys.argv[1]).write_text(f"{seconds} {times.ru_utime + times.ru_stime}\n")
    sys.exit(code if code >= 0 else 128 - code)


if __name__ == "__main__":
    main()
