"""Times things that take turns, so that a machine that slows down slows all of them down."""

import statistics
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Times:
    """Seconds of every round, in the order in which they were measured."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    def over(self, other: "Times") -> str:
        """The ratio round by round, as `median (least to most)`."""
        ratios = sorted(mine / theirs for mine, theirs in zip(self.seconds, other.seconds, strict=True))
        return f"{statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"

    def __str__(self) -> str:
        return f"{self.median:.2f} s ({min(self.seconds):.2f} to {max(self.seconds):.2f})"


def take_turns(contenders: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, Times]:
    """Runs each contender once a round; a contender returns the seconds that count, so that its set-up need not."""
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, run in contenders.items():
            seconds[name].append(run())
    return {name: Times(tuple(each)) for name, each in seconds.items()}


def timed(run: Callable[[], object]) -> float:
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


class PythonPeak:
    """The largest resident size, in bytes, of any Python process of a drill that a running process has started: the kernel's
    own mark."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.bytes = 0
        self._root = process.pid
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "PythonPeak":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(0.2):
            for pid in _family(self._root):
                self.bytes = max(self.bytes, _peak(pid))


def _family(root: int) -> list[int]:
    """The suite's own interpreters: the drill that `root` started and its children that run pytest; the application's are
    its own business."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
            command = (stat.parent / "cmdline").read_bytes()
        except (OSError, IndexError, ValueError):
            continue  # it ended while we looked
        if b"python" in command and b"manage.py" not in command:
            parents[int(stat.parent.name)] = parent
    drills = [pid for pid, parent in parents.items() if parent == root]
    return [*drills, *(pid for pid, parent in parents.items() if parent in drills)]


def _peak(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), 0)
