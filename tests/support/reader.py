"""A reader of the documents: a checkout and a home of their own, in which the documents' commands run as they are typed."""

import os
import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_ASSIGNED = re.compile(r"([A-Z][A-Z_]*)=(.*)", re.DOTALL)
_OURS = ("MAKE", "MFLAGS", "DRILL_", "PG", "PYTEST_", "AWS_", "DATABASE_URL", "PYTHONDONTWRITEBYTECODE")


@dataclass(frozen=True)
class Asked:
    """What a line asks for: a verb, and the names of what it gives with it, as the command's options are called."""

    verb: str
    names: frozenset[str]

    def covers(self, other: "Asked") -> bool:
        """Whether running this one runs the other: the same verb with all that is given there, whatever its places."""
        same = self.verb == other.verb or (self.verb, other.verb) == ("prove", "drill")
        return same and other.names <= self.names


def asked(line: str) -> Asked:
    """Reads a line of `make` or of `restore-drill`."""
    words = shlex.split(line, comments=True)
    names = {found[1].lower() for word in words if (found := _ASSIGNED.fullmatch(word))}
    rest = [word for word in words if not _ASSIGNED.fullmatch(word)]
    command, verb, *typed = rest
    if Path(command).name == "restore-drill":
        own = typed[: typed.index("--")] if "--" in typed else typed
        names |= {word[2:].replace("-", "_") for word in own if word.startswith("--")}
        verb = f"{verb}-{typed[0]}" if verb == "fleet" else verb
    return Asked(verb, frozenset(names))


_PLACES = re.compile(r"(?<![\w.])/(?:var|srv|data)/\S*")


@dataclass
class Reader:
    """`places` has what stands for a name of the documents, longest first; `own` is what the reader's shell has set."""

    folder: Path
    places: dict[str, str]
    own: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.home.mkdir(parents=True)
        _check_out(self.checkout)

    @property
    def checkout(self) -> Path:
        return self.folder / "restore-drill"

    @property
    def home(self) -> Path:
        return self.folder / "home"

    def types(
        self, line: str, places: dict[str, str] | None = None, shell: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Runs it in the checkout, with real places in the stead of those that it names; `shell` is set for it alone."""
        stands = self.places | (places or {})
        names = "|".join(re.escape(name) for name in sorted(stands, key=len, reverse=True))
        line = re.sub(rf"(?<![\w/.])(?:{names})(?![\w-])", lambda found: stands[found[0]], line)
        # What stands for a name of the documents may lie there as well, as a TMPDIR in /var/tmp does.
        own = tuple(place for each in stands.values() for place in _PLACES.findall(each))
        real = [place for place in _PLACES.findall(line) if not place.startswith(own)]
        assert not real, f"{real} would be this machine's own"
        ours = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
        path = f"{self.checkout / '.venv' / 'bin'}:{ours['PATH']}"
        return subprocess.run(
            ["bash", "-c", line],
            cwd=self.checkout,
            env=ours | {"HOME": str(self.home), "PATH": path} | self.own | (shell or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=600,
        )


def _check_out(folder: Path) -> None:
    """What is in the repository, as it lies here, without the tests. Its .venv is this one without the command."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in listed.split("\0"):
        if name and not name.startswith("tests/") and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    # Else each of its processes would compile the suite anew.
    for room in ("fixtures", "reports", "verify", "sample"):
        for compiled in (ROOT / room).rglob("__pycache__/*.pyc"):
            if (kept := folder / compiled.relative_to(ROOT)).parent.parent.is_dir():
                kept.parent.mkdir(exist_ok=True)
                shutil.copy2(compiled, kept)
    here = (ROOT / ".venv").resolve()
    (folder / ".venv" / "bin").mkdir(parents=True)
    for each in here.iterdir():
        if each.is_file():
            shutil.copy2(each, folder / ".venv" / each.name)
        elif each.name != "bin":
            (folder / ".venv" / each.name).symlink_to(each)
    for each in (here / "bin").iterdir():
        if each.name != "restore-drill":
            (folder / ".venv" / "bin" / each.name).symlink_to(each)
