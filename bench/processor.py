"""Measures processor time of whole commands, their servers included, and how busy the cores are during each stage."""

import resource
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.timing import Times, timed
from fixtures.record.record import StageOutcome
from fixtures.record.stages import Stage
from fixtures.server import Server

_REAP = Path(__file__).with_name("reap.py")


@dataclass(frozen=True)
class Spent:
    """Seconds on the clock, and of processor time of every process that took part."""

    seconds: float
    processor: float

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(self.seconds + other.seconds, self.processor + other.processor)


def adding_up(command: Sequence[str], into: Path) -> list[str]:
    """The command's argv, with its own time and that of all that comes of it written to a file, for `spent_by`."""
    return [sys.executable, "-I", "-S", str(_REAP), str(into), *command]


def spent_by(written: Path) -> Spent:
    """What a command took that was started with `adding_up` and has ended."""
    seconds, processor = map(float, written.read_text().split())
    return Spent(seconds, processor)


def run_on(server: Server, command: Sequence[str], environment: Mapping[str, str], cwd: Path) -> Spent:
    """What a command took that works on a server of its own, the server's processes included. Raises SystemExit when it
    fails."""
    before = _children() + _of_server(server)
    failure: list[str] = []

    def run() -> None:
        done = subprocess.run(command, env=dict(environment), cwd=cwd, capture_output=True)
        if done.returncode != 0:
            failure.append(f"{command[0]} by hand failed: {done.stderr.decode(errors='replace')[:400]}")

    seconds = timed(run)
    if failure:
        raise SystemExit(failure[0])
    return Spent(seconds, _children() + _of_server(server) - before)


class Busy:
    """A watch over a drill's stages: seconds of each, and the share of the time of all cores that anybody worked in."""

    def __init__(self) -> None:
        self.stages: dict[str, tuple[float, float]] = {}
        self._begun: dict[str, tuple[float, float]] = {}
        self._lock = threading.Lock()

    def begun(self, stage: Stage) -> None:
        with self._lock:
            self._begun[stage.name] = _cores()

    def ended(self, outcome: StageOutcome) -> None:
        """Nothing is told of a stage that took less than the kernel's clock can tell."""
        worked, passed = _cores()
        with self._lock:
            worked_then, passed_then = self._begun[outcome.name]
            if passed > passed_then:
                share = (worked - worked_then) / (passed - passed_then)
                self.stages[outcome.name] = (outcome.seconds, share)


def processor(rounds: Sequence[Spent]) -> Times:
    """The processor time of every round."""
    return Times(tuple(each.processor for each in rounds))


def clock(rounds: Sequence[Spent]) -> Times:
    """The time of every round."""
    return Times(tuple(each.seconds for each in rounds))


def _children() -> float:
    times = resource.getrusage(resource.RUSAGE_CHILDREN)
    return times.ru_utime + times.ru_stime


def _of_server(server: Server) -> float:
    """Of its processes, those that have ended included: each session is one, and the first process waits for all."""
    if server.data is None:
        raise SystemExit("the processor time of a server that is not this machine's own cannot be read")
    first = next(
        each
        for each in psutil.process_iter(["name", "cmdline"])
        if each.info["name"] == "postgres"
        and any(word.startswith(f"{server.data}/") for word in each.info["cmdline"] or ())
    )
    own = first.cpu_times()
    total = own.user + own.system + own.children_user + own.children_system
    for session in first.children():
        with suppress(psutil.NoSuchProcess):
            times = session.cpu_times()
            total += times.user + times.system
    return total


def _cores() -> tuple[float, float]:
    """Seconds of all cores that were worked in, and all that passed."""
    times = psutil.cpu_times()
    passed = sum(times[:8])
    return passed - times.idle - times.iowait, passed
