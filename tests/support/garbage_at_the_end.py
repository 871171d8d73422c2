"""A plugin for a drill under test: says how many objects Python no longer looks at for garbage when the process ends."""

import atexit
import gc
import sys


def _say() -> None:
    print(f"{gc.get_freeze_count()} objects are left out", file=sys.stderr, flush=True)


atexit.register(_say)
