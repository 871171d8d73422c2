"""A whole drill under way, watched from outside: its processes, what they were told, and what is left of them."""

import json
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from fixtures.sandbox.processes import stop
from tests.support import logins_told
from tests.support.drills import SECONDS, Drill, command, environment_of_drills
from tests.support.own_pytest import heed_interrupts

MIGRATES = " django.test"
"""The application's second interpreter, which imports ahead what asks for pages: it starts as the first one migrates."""


@dataclass
class Watched:
    """`private` is the drill's own TMPDIR: whatever it starts carries that name in its environment.

    `before` is what ran when it was started: none of that is the drill's. `said` are all command lines seen,
    `in_environments` the passwords found in the environments of its programs, `dumping` the command lines of those that would
    leave their memory on a disk if they crashed. `logins` is where `tests.support.logins_told` writes."""

    process: subprocess.Popen[str]
    argv: list[str]
    private: Path
    out: Path
    log: Path
    logins: Path
    before: frozenset[tuple[str, int]] = frozenset()
    said: set[str] = field(default_factory=set)
    in_environments: set[str] = field(default_factory=set, repr=False)
    dumping: set[str] = field(default_factory=set)
    known: dict[tuple[str, int], tuple[str, bool]] = field(default_factory=dict)
    """Of each process the command line that it had when its environment was read, and whether the drill started it."""

    def processes(self) -> dict[int, str]:
        """Everything alive that the drill started, itself included: pid and command line."""
        lines = {}
        for process in self._since():
            entry, pid = Path("/proc", process[0]), int(process[0])
            try:
                words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
                # A process has another environment once it runs another program, and then another command line.
                if self.known.get(process, ("", False))[0] != words or not words:
                    self.known[process] = (words, self._read(entry))
                if not self.known[process][1]:
                    continue
                limits = (entry / "limits").read_text()
                alive = _is_alive(entry)
            except OSError:
                continue
            if alive:
                lines[pid] = words
                if _may_dump(limits):
                    self.dumping.add(words)
        self.said.update(lines.values())
        return lines

    def _read(self, entry: Path) -> bool:
        """Whether the drill started that process; its passwords are noted."""
        environment = (entry / "environ").read_bytes()
        ours = f"TMPDIR={self.private}".encode() in environment
        if ours:
            self.in_environments.update(_passwords(environment))
        return ours

    @property
    def secrets(self) -> set[str]:
        """What its roles log in with, and the passwords in the environments of its programs."""
        roles = json.loads(self.logins.read_text()) if self.logins.is_file() else ()
        return {*self.in_environments, *roles}

    def _since(self) -> Iterable[tuple[str, int]]:
        return _in_proc() - self.before

    def workers(self) -> list[psutil.Process]:
        """Forked from the drill's own process, they have its command line."""
        own = self.processes()
        return [psutil.Process(pid) for pid in own if pid != self.process.pid and own[pid] == own[self.process.pid]]

    @property
    def results(self) -> int:
        """How many checks have been reported by now."""
        return len(list(self.out.glob("*/allure-results/*-result.json")))

    def wait_for(self, sign: str | int, seconds: float = 300) -> None:
        """Until a process says `seen` on its command line, or that many checks were reported."""
        deadline = time.monotonic() + seconds
        while not (self.results >= sign if isinstance(sign, int) else self._says(sign)):
            assert self.process.poll() is None, f"it ended before {sign}: {self.log.read_text()[-2000:]}"
            assert time.monotonic() < deadline, f"{sign} was not seen in {seconds} seconds"
            # A look takes a millisecond of what the drill needs itself; what is waited for lasts tenths of a second.
            time.sleep(0.03)

    def wait_to_say(self, words: str, seconds: float = 60) -> None:
        """Until the drill printed these words."""
        deadline = time.monotonic() + seconds
        while words not in self.log.read_text():
            assert self.process.poll() is None, f"it ended before it said {words}: {self.log.read_text()[-2000:]}"
            assert time.monotonic() < deadline, f"{words} was not said in {seconds} seconds"
            time.sleep(0.01)

    def _says(self, text: str) -> bool:
        """Quicker than `processes`: some programs live for a few hundredths of a second."""
        for name, _ in self._since():
            entry = Path("/proc", name)
            try:
                said = text.encode() in (entry / "cmdline").read_bytes().replace(b"\0", b" ")
                if said and str(self.private).encode() in (entry / "environ").read_bytes():
                    return True
            except OSError:
                continue
        return False

    def watch(self, seconds: float = SECONDS) -> None:
        """Looks at every process until the drill has ended."""
        deadline = time.monotonic() + seconds
        while self.process.poll() is None and time.monotonic() < deadline:
            self.processes()
            time.sleep(0.02)

    def interrupt(self) -> None:
        """What Ctrl-C does: the signal goes to the terminal's whole process group."""
        os.killpg(self.process.pid, signal.SIGINT)

    def end(self, seconds: float = SECONDS) -> Drill:
        """Waits for its end and takes the run's folder, if there is one."""
        code = self.process.wait(seconds)
        return Drill(code, self.log.read_text(), next(iter(runs_in(self.out)), self.out))

    @property
    def left(self) -> list[str]:
        """Processes and files that are there still."""
        files = [str(path) for path in self.private.iterdir()]
        return [*self.processes().values(), *files]

    def leaves_nothing_within(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while self.left and time.monotonic() < deadline:
            time.sleep(0.1)
        return not self.left


def runs_in(out: Path) -> list[Path]:
    """The folders of the runs there, the oldest first."""
    return sorted(path for path in out.iterdir() if path.is_dir() and not path.is_symlink()) if out.is_dir() else []


def _in_proc() -> frozenset[tuple[str, int]]:
    """Every process there is: its pid, and the inode that tells it from another that has its pid later."""
    with os.scandir("/proc") as entries:
        return frozenset((entry.name, entry.inode()) for entry in entries if entry.name.isdigit())


def _is_alive(entry: Path) -> bool:
    """False of one that has ended, though its parent has not yet collected it."""
    return (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()[0] not in "ZX"


def _may_dump(limits: str) -> bool:
    (line,) = (line for line in limits.splitlines() if line.startswith("Max core file size"))
    return line.removeprefix("Max core file size").split()[0] not in ("0", "1")


def _passwords(environment: bytes) -> list[str]:
    words = (word.partition("=") for word in environment.decode(errors="replace").split("\0"))
    return [value for name, _, value in words if name in ("PGPASSWORD", "DB_PASSWORD") and value]


@contextmanager
def watched_drill(
    backups: Path,
    folder: Path,
    *,
    out: Path | None = None,
    environment: dict[str, str] | None = None,
    **given: Any,
) -> Iterator[Watched]:
    """Starts a drill as `drill` does and does not wait for it; `given` goes to `command`."""
    private = Path(tempfile.gettempdir()) / f"rdw-{secrets.token_hex(4)}"
    private.mkdir(mode=0o755)
    out, log, logins = out or folder / "out", folder / "log", folder / "logins"
    argv = command(backups, out, **given)
    before = _in_proc()
    with log.open("w") as output:
        process = subprocess.Popen(
            argv,
            cwd=Path(__file__).resolve().parents[2],
            env={
                **environment_of_drills(),
                **{
                    "TMPDIR": str(private),
                    "PYTEST_ADDOPTS": f"-p {logins_told.__name__}",
                    logins_told.INTO: str(logins),
                },
                **(environment or {}),
            },
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            preexec_fn=heed_interrupts,
        )
    watched = Watched(process, argv, private, out, log, logins, before)
    try:
        yield watched
    finally:
        if process.poll() is None:
            stop(psutil.Process(process.pid), signal.SIGTERM, 5)
            process.wait(10)
        watched.leaves_nothing_within(30)
        shutil.rmtree(private)
