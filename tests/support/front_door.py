"""The Makefile in a folder of its own, where nothing is installed and nothing drilled: what it would run is printed."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def front_door(folder: Path) -> Path:
    """Makes the folder; the interpreter of its .venv says what it is asked to run."""
    (folder / ".venv" / "bin").mkdir(parents=True)
    for name in ("Makefile", "requirements.lock"):
        (folder / name).write_text((ROOT / name).read_text())
    (folder / ".venv" / "requirements.lock").write_text((ROOT / "requirements.lock").read_text())
    python = folder / ".venv" / "bin" / "python"
    python.write_text('#!/bin/sh\nfor word; do printf "[%s]" "$word"; done\necho\necho "server=$DRILL_SERVER"\n')
    python.chmod(0o755)
    return folder
