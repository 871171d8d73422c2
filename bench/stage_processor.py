"""A plugin for pytest, `-p bench.stage_processor`: writes what each stage of a drill took of the processors.

The drill runs below `bench/reap.py` (`python bench/reap.py FILE python -m pytest -p bench.stage_processor verify`), without
which the time of a program that ends in a namespace is nobody's.

`processor.json` beside `evidence.json` has seconds of processor time, of all processes below the drill's own, the server
included: by stage, and as `starting` and `checks` what came before the stages and after them. A stage that runs beside
others is counted by its own thread, and what that took is not the others'; the migrations, which share the server with
the facts beside them, wait for those to end, and none of a gate's runs beside another. Nothing but time is measured
differently for it: on a busy machine a stage takes longer, and no more of the processors."""

import json
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from fixtures.record.evidence import Evidence
from fixtures.record.record import StageOutcome
from fixtures.record.stages import Stage
from fixtures.story import running

FILE = "processor.json"
_REAP = Path(__file__).with_name("reap.py")
STARTING, CHECKS = "starting", "checks"
_TICK = os.sysconf("SC_CLK_TCK")


class Account:
    """Seconds of processor time by stage, in the order in which they ended."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = {}
        self._outcome_of, self._ahead_of, self._begun_with = running.outcome_of, running.ahead_of, running.begun_with
        self._beside: dict[int, float] = {}
        self._root = os.getpid()
        self._lock = threading.Lock()

    def pytest_configure(self, config: pytest.Config) -> None:
        """Raises pytest.UsageError for a drill below nothing that adopts what its programs leave behind."""
        if not hasattr(config, "workerinput"):
            self._root = adopting(os.getppid())
        setattr(running, "outcome_of", self._counted)  # noqa: B010 - a module's name, which mypy holds for constant
        setattr(running, "ahead_of", lambda *_: None)  # noqa: B010
        setattr(running, "begun_with", lambda *_: ())  # noqa: B010

    def pytest_unconfigure(self) -> None:
        setattr(running, "outcome_of", self._outcome_of)  # noqa: B010
        setattr(running, "ahead_of", self._ahead_of)  # noqa: B010
        setattr(running, "begun_with", self._begun_with)  # noqa: B010

    def pytest_drill_evidence(self, config: pytest.Config, evidence: Evidence, directory: Path) -> None:
        self.spent[CHECKS] = self._now() - sum(self.spent.values()) + self._all_beside()
        (directory / FILE).write_text(json.dumps(self.spent, indent=1) + "\n")

    def _counted(self, stage: Stage, take: Callable[[], object]) -> StageOutcome:
        if stage.beside:
            return self._counted_beside(stage, take)
        before = self._now()
        self.spent.setdefault(STARTING, before)
        outcome = self._outcome_of(stage, take)
        self.spent[stage.name] = self._now() - before
        return outcome

    def _counted_beside(self, stage: Stage, take: Callable[[], object]) -> StageOutcome:
        thread, began = threading.get_ident(), time.thread_time()
        with self._lock:
            self._beside[thread] = 0.0
        try:
            return self._outcome_of(stage, take)
        finally:
            with self._lock:
                self.spent[stage.name] = self._beside[thread] = time.thread_time() - began

    def _now(self) -> float:
        """Of all processes but for what stages beside have taken by now."""
        return below(self._root) - self._all_beside()

    def _all_beside(self) -> float:
        with self._lock:
            running = {each.ident for each in threading.enumerate()}
            return sum(
                taken or (_of_thread(thread) if thread in running else 0.0) for thread, taken in self._beside.items()
            )


def adopting(parent: int) -> int:
    """The process, where it is `bench/reap.py`. Raises pytest.UsageError where it is another."""
    words = Path(f"/proc/{parent}/cmdline").read_bytes().split(b"\0")
    if os.fsencode(str(_REAP)) not in words and b"bench/reap.py" not in words:
        raise pytest.UsageError(f"-p bench.stage_processor counts too little: start the drill by python {_REAP} FILE")
    return parent


def _of_thread(thread: int) -> float:
    return time.clock_gettime(time.pthread_getcpuclockid(thread))


def below(root: int) -> float:
    """Seconds of processor time of a process and of all below it, those that have ended among them."""
    times: dict[int, float] = {}
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it ended while we looked
        pid = int(stat.parent.name)
        # proc(5): fields 14 to 17 are its own time and that of its children which were waited for.
        times[pid] = sum(map(int, fields[11:15])) / _TICK
        children.setdefault(int(fields[1]), []).append(pid)
    family, total = [root], 0.0
    while family:
        pid = family.pop()
        total += times.get(pid, 0.0)
        family += children.get(pid, ())
    return total


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    pluginmanager.register(Account(), "stage-processor")
