"""`make bench`: one run, one machine, ratios. `--scales 1,10,100` for growth; the largest one is measured in full."""

import argparse
import os
import platform
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from bench import by_hand, drills, gates, imports, proofs, restores, safeguards, starts
from bench.ground import CORES
from bench.processor import Spent, clock, processor
from bench.timing import Times
from fixtures.profile.reading import read_profile
from fixtures.record.evidence import Evidence
from fixtures.record.project import ROOT
from fixtures.server.settings import machine_memory
from fixtures.shelf.locate import locate

PROFILE = ROOT / "verify" / "profiles" / "igny8"
SUBJECTS = (2_000, 10_000)


def main() -> None:
    """Prints a Markdown page; every figure on it was measured in this run."""
    chosen = _parser().parse_args()
    scales = [int(scale) for scale in chosen.scales.split(",")]
    profile = read_profile(PROFILE).profile
    print(f"Measured on {CORES} cores, {machine_memory() >> 30} GiB, {platform.platform()}, ", end="")
    print(f"{chosen.rounds} rounds; median (least to most).\n")
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        work = Path(folder)
        grown, proven, recovered = [], [], []
        for scale in scales:
            backups = drills.back_up(work / f"scale-{scale}", scale)
            located = locate(backups, profile)
            if not grown:  # the first drill after an installation compiles what it imports: not what is measured here
                drills.drill(backups, work / "out")
            drilled = drills.drill(backups, work / "out")
            facts = drilled.evidence.record.facts
            rows = sum(table.rows or 0 for table in facts.tables) if facts else 0
            proven.append((scale, proofs.proofs(backups, work / "out")))
            grown.append((scale, located.dump.stat().st_size, rows, drilled))
            recovered.append((scale, *by_hand.beside(located, chosen.rounds, _drilling(backups, work))))
        restored, reading = restores.compare(located, profile, chosen.rounds)
        _recoveries(recovered)
        _busy(scales[-1], drills.busy_stages(backups, read_profile(PROFILE)))
        _restores(scales[-1], restored, clock(recovered[-1][1][by_hand.WHOLE]), reading)
        _imports(imports.imports())
        _starts(scales[-1], starts.starts(backups, read_profile(PROFILE), work, chosen.rounds))
        guarded = safeguards.safeguards(
            backups, read_profile(PROFILE), chosen.rounds, lambda: drills.drill(backups, work / "out").spent.seconds
        )
        _safeguards(scales[-1], guarded)
        _gates(scales[-1], gates.gates(located, backups, chosen.rounds))
        _growth(grown)
        _proofs(proven)
        _shares(grown[-1][-1].evidence)
        _table(
            "All documents of a drill",
            ("", "s"),
            [
                (f"{many:,} subjects", f"{drills.reports_seconds(grown[-1][-1].evidence, many):.2f}")
                for many in SUBJECTS
            ],
        )
        wide = drills.wide_schema(chosen.tables, chosen.tables * 3)
        _table(
            f"A schema of {chosen.tables:,} tables", ("", "s"), [(name, f"{took:.2f}") for name, took in wide.items()]
        )
        rates = drills.archive_rates(work, chosen.files)
        _table(
            f"An archive of {chosen.files:,} files",
            ("", "MiB/s (last line: MiB)"),
            [(name, f"{rate:.0f}") for name, rate in rates.items()],
        )


def _drilling(backups: Path, work: Path) -> Callable[[], Spent]:
    return lambda: drills.drill(backups, work / "out").spent


def _recoveries(recovered: Iterable[tuple[int, Mapping[str, Sequence[Spent]], Mapping[str, Sequence[Spent]]]]) -> None:
    recovered = list(recovered)
    rows = []
    for scale, ways, _ in recovered:
        hand = ways[by_hand.BY_HAND]
        rows += [
            (
                *(str(scale), name, str(clock(spent)), clock(spent).over(clock(hand))),
                *(str(processor(spent)), processor(spent).over(processor(hand))),
            )
            for name, spent in ways.items()
        ]
    head = ("scale", "", "time", "against by hand", "processor time, servers included", "against by hand")
    _table("A recovery by hand, and a whole drill", head, rows)
    scale, _, steps = recovered[-1]
    rows = [(name, str(clock(spent)), str(processor(spent))) for name, spent in steps.items()]
    _table(f"By hand at scale {scale}, step by step", ("", "time", "processor time, server included"), rows)


def _busy(scale: int, stages: Mapping[str, tuple[float, float]]) -> None:
    rows = [(name, f"{seconds:.2f} s", f"{share:.0%}") for name, (seconds, share) in stages.items()]
    title = f"How busy the cores are during each stage at scale {scale}, whoever works in them"
    _table(title, ("", "time", f"of {CORES} cores"), rows)


def _restores(scale: int, times: dict[str, Times], whole: Times, reading: dict[str, Times]) -> None:
    guide, floor = times[restores.GUIDE], times[restores.FLOOR]
    rows = [
        (name, str(seconds), seconds.over(guide), seconds.over(floor))
        for name, seconds in {**times, "the whole drill": whole}.items()
    ]
    _table(f"Restoring at scale {scale}", ("", "time", "against the guide's", "against the floor"), rows)
    facts, scan, load = reading[restores.FACTS], reading[restores.SCAN], times[restores.OURS]
    _table(
        "Reading what was restored",
        ("", "time", "against the scan", "against the drill's load"),
        [
            (restores.FACTS, str(facts), facts.over(scan), facts.over(load)),
            (restores.SCAN, str(scan), scan.over(scan), scan.over(load)),
        ],
    )


def _gates(scale: int, times: dict[str, Times]) -> None:
    by_hand = times[gates.BY_HAND]
    rows = [(name, str(seconds), seconds.over(by_hand)) for name, seconds in times.items()]
    _table(f"A release at scale {scale}", ("", "time", "against by hand"), rows)


def _starts(scale: int, times: dict[str, Times]) -> None:
    cold = times[starts.COLD]
    rows = [(name, str(seconds), seconds.over(cold)) for name, seconds in times.items()]
    _table(f"Starting at scale {scale}", ("", "time", "against the cold start"), rows)


def _imports(of_processes: Mapping[str, imports.Imports]) -> None:
    rows = [(name, f"{each.milliseconds:.0f} ms", str(each.modules), str(each)) for name, each in of_processes.items()]
    _table("What each process imports", ("", "time", "modules", "most of it, in ms"), rows)


def _safeguards(scale: int, times: dict[str, Times]) -> None:
    stages, whole = times[safeguards.STAGES], times[safeguards.WHOLE]
    rows = [(name, str(seconds), seconds.over(stages), seconds.over(whole)) for name, seconds in times.items()]
    title = f"Guarding against a dump that lies, at scale {scale}"
    _table(title, ("", "time", "against the stages", "against the whole drill"), rows)


def _growth(grown: Iterable[tuple[int, int, int, drills.WholeDrill]]) -> None:
    rows = [
        (
            str(scale),
            f"{size / drills.MIB:.1f} MiB",
            f"{rows:,}",
            f"{drilled.spent.seconds:.1f} s",
            f"{drilled.spent.seconds / rows * 1e6:.1f}",
            f"{drilled.peak / drills.MIB:.0f} MiB",
            f"{drills.checks_over_restore(drilled.evidence):.2f}",
        )
        for scale, size, rows, drilled in grown
    ]
    checked = "checks against the restore, worker time"
    _table("Growth", ("scale", "dump", "rows", "whole drill", "µs a row", "largest Python process", checked), rows)


def _proofs(proven: Iterable[tuple[int, dict[str, float]]]) -> None:
    rows = []
    for scale, times in proven:
        checks = times[proofs.CHECKS]
        allowed = checks + times[proofs.SCANNED]
        rows += [
            (str(scale), name, f"{seconds:.2f} s", f"{seconds / checks:.2f}", f"{seconds / allowed:.2f}")
            for name, seconds in times.items()
        ]
    _table("Proving every check", ("scale", "", "time", "against the checks", "against checks and digests"), rows)


def _shares(evidence: Evidence) -> None:
    shares = drills.shares(evidence)
    total = sum(shares.values())
    rows = [(name, f"{seconds:.2f}", f"{seconds / total:.0%}") for name, seconds in shares.items()]
    _table("Where a drill's time goes", ("", "s", "share"), rows)


def _table(title: str, head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    print(f"## {title}\n")
    print("| " + " | ".join(head) + " |")
    print("|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print(flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--scales", default="1,10", help="the sample's scales, least first (1,10)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of everything that takes turns (3)")
    parser.add_argument("--tables", type=int, default=1000, help="tables of the wide schema (1000)")
    parser.add_argument("--files", type=int, default=200_000, help="files of the large archive (200,000)")
    return parser


if __name__ == "__main__":
    os.umask(0o077)
    main()
