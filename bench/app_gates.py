"""Measures a gate on each application of `make test-apps` beside its restore and migrations: `python -m bench.app_gates`.

`make venv-apps` installs them."""

import argparse
import os
import tempfile
from pathlib import Path

from bench.gates import BY_HAND, GATE, restored_and_migrated
from bench.ground import ground_for
from bench.timing import Times, take_turns, timed
from fixtures.profile.reading import read_profile
from fixtures.shelf.locate import locate
from tests.apps.foreign import HERE, Foreign, filled, interpreter
from tests.support.drills import drill

INSTALLED = tuple(sorted(each.parent.parent.name for each in HERE.glob("*/project/manage.py")))


def gate_of(application: Foreign, work: Path, rounds: int) -> dict[str, Times]:
    """Seconds of each way for the newer release, taking turns, on one set of a healthy application. The release before is at
    hand. SystemExit when a stage of a gate does not come to its end; what its controls find is not asked."""
    backups, project = work / "backups", application.folder / "project"
    application.back_up(application.name, backups)
    python, before = interpreter(application.name, "newer"), application.before(work)
    settings = {"SECRET_KEY": "of the bench alone", "MEDIA_ROOT": str(work), "EMAIL_FILE_PATH": str(work / "mail")}

    def gate() -> None:
        arguments = ("--gate", "--previous", str(before))
        run = drill(backups, work / "out", app=project, python=python, profile=application.profile, arguments=arguments)
        broken = [stage.name for stage in run.evidence.record.stages if stage.state != "ok"]
        if broken:
            raise SystemExit(
                f"{application.name}: {', '.join(broken)} did not end, so its time means nothing:\n{run.output[-3000:]}"
            )

    located = locate(backups, read_profile(application.profile).profile)
    with ground_for(located, application.name) as ground:
        ways = {
            BY_HAND: lambda: restored_and_migrated(ground, python, project, settings),
            GATE: lambda: timed(gate),
        }
        return take_turns(ways, rounds)


def main() -> None:
    """Prints a Markdown table; every figure in it was measured in this run."""
    parser = argparse.ArgumentParser(prog="python -m bench.app_gates", description=__doc__)
    parser.add_argument("applications", nargs="*", metavar="NAME", help=f"of {', '.join(INSTALLED)} (all)")
    parser.add_argument("--rounds", type=int, default=1, help="rounds, by hand and the gate in turns (1)")
    chosen = parser.parse_args()
    unknown = sorted(set(chosen.applications) - set(INSTALLED))
    if unknown:
        parser.error(f"{', '.join(unknown)} is no application here: {', '.join(INSTALLED)}")
    print(f"| application | {BY_HAND} | {GATE} | against by hand |\n|---|---|---|---|")
    for name in chosen.applications or INSTALLED:
        with tempfile.TemporaryDirectory(prefix="bench-app-") as folder, filled(name, Path(folder)) as application:
            times = gate_of(application, Path(folder), chosen.rounds)
            hand, gate = times[BY_HAND], times[GATE]
            print(f"| {name} | {hand} | {gate} | {gate.over(hand)} |", flush=True)


if __name__ == "__main__":
    os.umask(0o077)
    main()
