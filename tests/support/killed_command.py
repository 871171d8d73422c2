"""A stand-alone program for the tests: `restore-drill recover`, which ends itself with SIGKILL as soon as its journal has a
line. It is called with the line's step, its state and the command's own arguments; "between" kills it between two renames."""

import os
import signal
import sys
from pathlib import Path

from fixtures.commands.recovering import application
from fixtures.recovery.journal import Journal
from fixtures.recovery.whole import folders, swap

STEP, STATE = sys.argv[1:3]


class KillingJournal(Journal):
    def write(self, step: str, state: str, **more: object) -> None:
        super().write(step, state, **more)
        if (step, state) == (STEP, STATE):
            os.kill(os.getpid(), signal.SIGKILL)


def killing_move(source: Path, target: Path) -> None:
    folders.move(source, target)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    if STATE == "between":
        swap.move = killing_move
    application.Journal = KillingJournal  # type: ignore[misc]
    sys.exit(application.main(sys.argv[3:]))
