"""Starts the process that sets a PDF. It imports little, since a drill does this before anything else."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from fixtures.record.project import import_path
from reports.audit import typeset

_START = f"import sys; sys.path[:] = sys.argv[1:]; from {typeset.__name__} import main; sys.exit(main())"


@contextmanager
def typesetter() -> Iterator[subprocess.Popen[bytes]]:
    """Starts what sets a PDF: it imports what it needs, then waits for what to set. It is ended when the block is left."""
    with subprocess.Popen(
        [sys.executable, "-I", "-c", _START, *import_path()],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd="/",
    ) as process:
        try:
            yield process
        finally:
            process.kill()
