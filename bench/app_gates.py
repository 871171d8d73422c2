"""Measures a gate on each application of `make test-apps` beside its restore and migrations, and tells where its time goes:
`python -m bench.app_gates`.

`make venv-apps` installs them."""

import argparse
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.gates import BY_HAND, GATE, restored_and_migrated
from bench.ground import ground_for
from bench.timing import Times, take_turns, timed
from fixtures.profile.reading import read_profile
from fixtures.record.evidence import Evidence
from fixtures.shelf.locate import locate
from tests.apps.foreign import HERE, Foreign, filled, interpreter
from tests.support.drills import drill

INSTALLED = tuple(sorted(each.parent.parent.name for each in HERE.glob("*/project/manage.py")))
CHECKS = "the checks, of all workers"


@dataclass(frozen=True)
class Gate:
    """Seconds of each of the `ways`, and of each part of the gates among them: stages, which may run beside each other, and
    checks."""

    ways: Mapping[str, Times]
    parts: Mapping[str, Times]


def gate_of(application: Foreign, work: Path, rounds: int) -> Gate:
    """Both ways for the newer release, taking turns, on one set of a healthy application. The release before is at hand.
    SystemExit as of `parts_of`."""
    told: list[Mapping[str, float]] = []
    backups, project = work / "backups", application.folder / "project"
    application.back_up(application.name, backups)
    python, before = interpreter(application.name, "newer"), application.before(work)
    settings = {"SECRET_KEY": "of the bench alone", "MEDIA_ROOT": str(work), "EMAIL_FILE_PATH": str(work / "mail")}

    def gate() -> None:
        arguments = ("--gate", "--previous", str(before))
        run = drill(backups, work / "out", app=project, python=python, profile=application.profile, arguments=arguments)
        told.append(parts_of(application.name, run.evidence))

    located = locate(backups, read_profile(application.profile).profile)
    with ground_for(located, application.name) as ground:
        ways = {
            BY_HAND: lambda: restored_and_migrated(ground, python, project, settings),
            GATE: lambda: timed(gate),
        }
        times = take_turns(ways, rounds)
    return Gate(times, {part: Times(tuple(each[part] for each in told)) for part in told[0]})


def parts_of(name: str, evidence: Evidence) -> dict[str, float]:
    """Seconds of each stage of the application's gate, and of all its checks together. SystemExit when a stage did not come
    to its end; what its controls find is not asked."""
    stages = evidence.record.stages
    broken = [f"{stage.name} ({stage.cause})" for stage in stages if stage.state != "ok"]
    if broken:
        raise SystemExit(f"{name}: {', '.join(broken)} did not end, so its time means nothing")
    return {
        **{stage.name: stage.seconds for stage in stages},
        CHECKS: sum(result.seconds for result in evidence.results),
    }


def main() -> None:
    """Prints two Markdown tables; every figure in them was measured in this run."""
    parser = argparse.ArgumentParser(prog="python -m bench.app_gates", description=__doc__)
    parser.add_argument("applications", nargs="*", metavar="NAME", help=f"of {', '.join(INSTALLED)} (all)")
    parser.add_argument("--rounds", type=int, default=1, help="rounds, by hand and the gate in turns (1)")
    chosen = parser.parse_args()
    unknown = sorted(set(chosen.applications) - set(INSTALLED))
    if unknown:
        parser.error(f"{', '.join(unknown)} is no application here: {', '.join(INSTALLED)}")
    gates: dict[str, Gate] = {}
    print(f"| application | {BY_HAND} | {GATE} | against by hand |\n|---|---|---|---|")
    for name in chosen.applications or INSTALLED:
        with tempfile.TemporaryDirectory(prefix="bench-app-") as folder, filled(name, Path(folder)) as application:
            measured = gate_of(application, Path(folder), chosen.rounds)
            hand, gate = measured.ways[BY_HAND], measured.ways[GATE]
            print(f"| {name} | {hand} | {gate} | {gate.over(hand)} |", flush=True)
            gates[name] = measured
    print("\nSeconds of each stage, and of the checks:\n\n" + "\n".join(table_of_parts(gates)))


def table_of_parts(gates: Mapping[str, Gate]) -> list[str]:
    """The medians of each part, of each application by its name, as lines of Markdown."""
    parts = dict.fromkeys(part for gate in gates.values() for part in gate.parts)
    lines = [f"| | {' | '.join(gates)} |", "|---" * (len(gates) + 1) + "|"]
    return lines + [
        f"| {part} | {' | '.join(f'{gate.parts[part].median:.2f}' for gate in gates.values())} |" for part in parts
    ]


if __name__ == "__main__":
    os.umask(0o077)
    main()
