"""Tells the steps of `make recover`: how long each took when it was rehearsed, and which cannot be without production."""

import shlex
from dataclasses import dataclass
from pathlib import PurePath

from fixtures.record.recovery_rehearsal import RecoveryRehearsal
from reports import words
from reports.story import Story

_PRODUCTION = "not rehearsed: it needs production"
_DRILL = "drill"
# In the order of the recovery; a step without a name of the rehearsal's is production's own.
_STEPS = (
    ("stop, look", "", "The profile's commands stop every part, and nothing is seen to run."),
    ("drill", "", "This very set is drilled once more, and must be VERIFIED."),
    ("load", "load", "The dump is loaded into a database beside production's."),
    ("compare", "compare", "That database is held against what the drill of the set restored."),
    ("files", "files", "The archives are unpacked beside the folders, and each file is read back."),
    ("migrate", "migrate", "Rehearsed by the application's own migrate; the profile's commands were not run."),
    ("control", "control", "What reads rows alone is tried there again."),
    ("show", "show", "What is lost is counted."),
    ("confirm", "", "A person says yes."),
    ("swap", "swap", "Databases and folders change their names; in the rehearsal on stand-ins."),
    ("queues, start, answer", "", "The profile's commands start every part, and each is seen to answer."),
)


@dataclass(frozen=True)
class RecoveryStep:
    """One step of `make recover`: what it does, and how long it took or why nobody knows."""

    name: str
    what: str
    took: str


@dataclass(frozen=True)
class Rehearsed:
    """The rehearsal of a drill that made one."""

    rehearsal: RecoveryRehearsal
    drill_seconds: float
    """How long the drill took without it."""

    @property
    def steps(self) -> tuple[RecoveryStep, ...]:
        """All of them, those that need production too."""
        return tuple(RecoveryStep(name, what, self._took(name, timed)) for name, timed, what in _STEPS)

    def _took(self, name: str, timed: str) -> str:
        if name == _DRILL:
            return f"this drill: {words.duration(self.drill_seconds)}"
        if not timed:
            return _PRODUCTION
        seconds = next((step.seconds for step in self.rehearsal.steps if step.name == timed), None)
        return words.duration(seconds) if seconds is not None else "did not come to its end"

    @property
    def line(self) -> str:
        """How it ended."""
        done = self.rehearsal
        if done.state == "ok":
            took = words.duration(sum(step.seconds for step in done.steps))
            return f"The recovery was rehearsed on the drill's own server and on copies: its steps took {took}."
        return (
            "The recovery was rehearsed, and failed."
            if done.state == "failed"
            else "The recovery could not be rehearsed."
        )

    @property
    def why(self) -> str:
        """What went wrong, and what to do; empty where it ended well."""
        return words.cause_and_fix(self.rehearsal.cause, self.rehearsal.fix)


def rehearsed(story: Story) -> Rehearsed | None:
    """None where nobody asked for a rehearsal."""
    rehearsal = story.evidence.rehearsal
    return Rehearsed(rehearsal, max(0.0, story.seconds - rehearsal.seconds)) if rehearsal is not None else None


def command(story: Story) -> str:
    """The recovery of this very set by one command, with the settings of the runbook."""
    record = story.evidence.record
    backup_set = record.backup_set
    assert backup_set is not None, "a set that was not found is rehearsed by nobody"
    roles = {file.role for file in backup_set.artefacts}
    files = ['SITES_DATA="$SITES_PARENT"/sites-data' if "sites" in roles else "NO_FILES=yes"]
    files += ['UPLOADS="$UPLOADS_PARENT"/uploads'] if "uploads" in roles else []
    return " \\\n  ".join(
        [
            'make recover BACKUPS="$(dirname "$BACKUP_SET")"',
            f"SET={shlex.quote(words.plain(backup_set.name))}",
            f'APP="$APPLICATION" PROFILE={shlex.quote(words.plain(str(PurePath(record.profile_path).parent)))}',
            " ".join(files),
        ]
    )
