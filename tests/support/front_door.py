"""The Makefile in a folder of its own, where nothing is installed and nothing drilled: what it would run is printed."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def front_door(folder: Path) -> Path:
    """Makes the folder; the interpreter of its .venv says what it is asked to run."""
    (folder / ".venv" / "bin").mkdir(parents=True)
    locks = ("requirements.lock", "requirements-dev.lock")
    for name in ("Makefile", *locks):
        (folder / name).write_text((ROOT / name).read_text())
    command = Path("fixtures", "commands", "front", "in_checkout.sh")
    (folder / command.parent).mkdir(parents=True)
    (folder / command).write_text((ROOT / command).read_text())
    for name in locks:
        (folder / ".venv" / name).write_text((ROOT / name).read_text())
    python = folder / ".venv" / "bin" / "python"
    python.write_text('#!/bin/sh\nfor word; do printf "[%s]" "$word"; done\necho\necho "server=$DRILL_SERVER"\n')
    python.chmod(0o755)
    return folder
