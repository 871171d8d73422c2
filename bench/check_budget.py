"""How near checks come to the time budget that a profile gives them: `python -m bench.check_budget REPORT REPORT`.

A report is the folder of a drill whose profile has `[limits] checks`. Of its evidence one line is printed: the budget, the
estimate, and the seconds of all checks, of those on all rows and of those on some tenants."""

import argparse
from dataclasses import dataclass
from pathlib import Path

from fixtures.record.budget import NO_TIME, ChecksBudget
from fixtures.record.evidence import FILE as EVIDENCE
from fixtures.record.evidence import Evidence


@dataclass(frozen=True)
class Kept:
    """Seconds of one drill's checks, summed over its workers, beside their budget."""

    budget: ChecksBudget
    rows: int
    whole: float
    on_some: float
    some: int
    blocked: int

    @property
    def taken(self) -> float:
        return self.whole + self.on_some


def read_kept(report: Path) -> Kept:
    """Raises SystemExit for a report of a drill whose checks had no budget."""
    evidence = Evidence.model_validate_json((report / EVIDENCE).read_bytes())
    facts, budget = evidence.record.facts, evidence.checks_budget
    if budget is None or facts is None:
        raise SystemExit(f"{report} is of a drill whose profile has no [limits] checks")
    some = [result for result in evidence.results if result.on_tenants is not None]
    on_some = sum(result.seconds for result in some)
    return Kept(
        budget,
        rows=sum(table.rows or 0 for table in facts.whole_tables),
        whole=sum(result.seconds for result in evidence.results) - on_some,
        on_some=on_some,
        some=len(some),
        blocked=sum(NO_TIME in result.message for result in evidence.results),
    )


def line(kept: Kept) -> str:
    budget = kept.budget
    tenants = f"{budget.tenants:,} of {budget.of:,}" if budget.tenants is not None else "all"
    return (
        f"| {kept.rows:,} | {budget.minutes * 60:.1f} s | {budget.estimate_minutes * 60:.1f} s | {kept.taken:.1f} s | "
        f"{kept.whole:.1f} s | {kept.on_some:.1f} s | {kept.some} on {tenants} tenants | {kept.blocked} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.check_budget", description=__doc__)
    parser.add_argument("reports", type=Path, nargs="+", help="reports of drills with a time budget")
    print(
        "| rows | budget | all were estimated at | checks took | those on all rows | on some tenants | these | blocked |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for report in parser.parse_args().reports:
        print(line(read_kept(report)))


if __name__ == "__main__":
    main()
