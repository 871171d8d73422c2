"""What a drill of a terabyte costs, from what drills of less took: `python -m bench.scale REPORT REPORT --against REPORT`.

A report is the folder of a run that was drilled with `-p bench.stage_processor`, below `bench/reap.py`. Of each stage the
processor time is put on a line over what it grows with (its driver), by least squares: what it takes at any size, and what
one more takes. Another report, outside of those, tells how far off the lines are."""

import argparse
import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.stage_processor import CHECKS, STARTING
from bench.stage_processor import FILE as PROCESSOR
from fixtures.record import stages
from fixtures.record.evidence import FILE as EVIDENCE
from fixtures.record.evidence import Evidence

BYTES, ROWS, FILES = "byte of the dump", "row", "file"
DRIVERS: Mapping[str, str | None] = {
    STARTING: None,
    stages.LOCATE.name: BYTES,
    stages.INSPECT.name: BYTES,
    stages.SERVE.name: None,
    stages.RESTORE.name: ROWS,
    stages.FACTS.name: ROWS,
    stages.MIGRATE.name: ROWS,
    stages.SITES.name: FILES,
    stages.APPLICATION.name: ROWS,
    CHECKS: ROWS,
}
SIZES = {"100 GB": 100 * 10**9, "1 TB": 10**12, "10 TB": 10**13}


@dataclass(frozen=True)
class Run:
    """A drill: how much of each driver it had, and the seconds of processor time that each stage took."""

    size: Mapping[str, float]
    spent: Mapping[str, float]

    def grown(self, dump: float) -> Mapping[str, float]:
        """What a set has whose dump has so many bytes, if all else grows with it."""
        return {driver: size * dump / self.size[BYTES] for driver, size in self.size.items()}


@dataclass(frozen=True)
class Line:
    """`fixed` seconds at any size, `each` for one more of the driver; neither is below 0."""

    fixed: float
    each: float

    def at(self, size: float) -> float:
        return self.fixed + self.each * size


def read_run(report: Path) -> Run:
    """Raises SystemExit for a report that lacks what is needed of it."""
    lacking = [name for name in (EVIDENCE, PROCESSOR) if not (report / name).is_file()]
    if lacking:
        raise SystemExit(f"{report} has no {lacking[0]}: drill with -p bench.stage_processor")
    evidence = Evidence.model_validate_json((report / EVIDENCE).read_bytes())
    record = evidence.record
    dump = record.backup_set.artefact("dump") if record.backup_set is not None else None
    if dump is None or record.facts is None or record.sites is None:
        raise SystemExit(f"{report} is of a drill that did not read its dump, its database or its sites")
    if record.cached_start:
        raise SystemExit(f"{report} was {record.cached_start}: it loaded no dump")
    size = {
        BYTES: float(dump.size),
        ROWS: float(sum(table.rows or 0 for table in record.facts.tables)),
        FILES: float(record.sites.files),
    }
    spent: dict[str, float] = json.loads((report / PROCESSOR).read_text())
    return Run(size, spent)


def mean(seconds: Sequence[float]) -> Line:
    """That of a stage that grows with nothing of the set's."""
    return Line(statistics.fmean(seconds), 0.0)


def fitted(points: Sequence[tuple[float, float]]) -> Line:
    """The line through these sizes and seconds by least squares; one that would fall is flat, one that would begin below 0
    begins at 0."""
    sizes, seconds = [size for size, _ in points], [second for _, second in points]
    slope, fixed = statistics.linear_regression(sizes, seconds)
    if slope <= 0:
        return mean(seconds)
    if fixed < 0:
        slope, _ = statistics.linear_regression(sizes, seconds, proportional=True)
        return Line(0.0, slope)
    return Line(fixed, slope)


def lines(runs: Sequence[Run]) -> dict[str, Line]:
    """The line of every stage that all of the runs had."""
    return {
        stage: fitted([(run.size[driver], run.spent[stage]) for run in runs])
        if driver is not None
        else mean([run.spent[stage] for run in runs])
        for stage, driver in DRIVERS.items()
        if all(stage in run.spent for run in runs)
    }


def predicted(of: Mapping[str, Line], size: Mapping[str, float]) -> dict[str, float]:
    """Seconds of processor time that each stage would take."""
    return {stage: line.at(size.get(DRIVERS[stage] or "", 0.0)) for stage, line in of.items()}


def main() -> None:
    """Prints the slopes, what they come to, and how far off they are."""
    parser = argparse.ArgumentParser(prog="python -m bench.scale", description=__doc__)
    parser.add_argument("reports", type=Path, nargs="+", help="reports of drills of two or more sizes")
    parser.add_argument("--against", type=Path, help="the report of a drill of another size")
    chosen = parser.parse_args()
    runs = [read_run(report) for report in chosen.reports]
    if len({run.size[BYTES] for run in runs}) < 2:
        parser.error("give reports of two or more sizes: one has no slope")
    of = lines(runs)
    largest = max(runs, key=lambda run: run.size[BYTES])
    _print_lines(of)
    if chosen.against is not None:
        _print_against(of, read_run(chosen.against))
    _print_sizes(of, largest)


def _print_lines(of: Mapping[str, Line]) -> None:
    print("| stage | at any size | one more | grows with |")
    print("|---|---|---|---|")
    for stage, line in of.items():
        grows = f"{line.each * 1e6:.4g} µs | each {DRIVERS[stage]}" if line.each else "- | nothing"
        print(f"| {stage} | {line.fixed:.2f} s | {grows} |")


def _print_against(of: Mapping[str, Line], run: Run) -> None:
    print("\n| stage | predicted | measured | predicted/measured |")
    print("|---|---|---|---|")
    seconds = predicted(of, run.size)
    pairs = [(stage, seconds[stage], run.spent[stage]) for stage in of if stage in run.spent]
    pairs.append(("all", sum(each for _, each, _ in pairs), sum(each for _, _, each in pairs)))
    for stage, mine, theirs in pairs:
        print(f"| {stage} | {mine:.2f} s | {theirs:.2f} s | {f'{mine / theirs:.2f}' if theirs else '-'} |")


def _print_sizes(of: Mapping[str, Line], largest: Run) -> None:
    print("\n| stage | " + " | ".join(SIZES) + " |")
    print("|---|" + "---|" * len(SIZES))
    columns = [predicted(of, largest.grown(dump)) for dump in SIZES.values()]
    for stage in of:
        print(f"| {stage} | " + " | ".join(_hours(column[stage]) for column in columns) + " |")
    print("| all | " + " | ".join(_hours(sum(column.values())) for column in columns) + " |")


def _hours(seconds: float) -> str:
    return (
        f"{seconds:.0f} s"
        if seconds < 60
        else f"{seconds / 60:.0f} min"
        if seconds < 3600
        else f"{seconds / 3600:.1f} h"
    )


if __name__ == "__main__":
    main()
