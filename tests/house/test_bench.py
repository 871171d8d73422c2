"""The bench measures what it says: its contenders take turns, and its ground is real."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench.app_gates import CHECKS as CHECKS_OF_A_GATE
from bench.app_gates import Gate, parts_of, table_of_parts
from bench.by_hand import BY_HAND, STEPS, beside
from bench.by_hand import WHOLE as WHOLE_DRILL
from bench.check_budget import line, read_kept
from bench.check_times import CheckTimes
from bench.drills import archive_rates, checks_over_restore, wide_schema
from bench.processor import Busy, Spent, adding_up, spent_by
from bench.proofs import AGAIN, CHECKS, PLANTED, SCANNED, told_by
from bench.proofs import ALL as ALL_PROOFS
from bench.safeguards import ALL, CATALOGUE, CONFINED, PINNED, STAGES, WHOLE, safeguards
from bench.scale import BYTES, FILES, ROWS, Line, Run, fitted, lines, predicted
from bench.stage_processor import adopting, below
from bench.starts import CACHED, COLD, KEEPING, starts
from bench.timing import Times, take_turns
from fixtures.profile.reading import read_profile
from fixtures.record.budget import NO_TIME, ChecksBudget, OnTenants
from fixtures.record.evidence import FILE as EVIDENCE
from fixtures.record.project import ROOT
from fixtures.record.stage import outcome_of
from fixtures.record.stages import LOCATE, RESTORE
from fixtures.shelf.locate import locate
from tests.support import evidence_examples as examples
from tests.support.drills import PROFILE, Signed


def test_contenders_take_turns_round_by_round() -> None:
    order: list[str] = []

    def runner(name: str) -> float:
        order.append(name)
        return float(len(order))

    times = take_turns({"ours": lambda: runner("ours"), "theirs": lambda: runner("theirs")}, rounds=2)
    assert order == ["ours", "theirs", "ours", "theirs"]
    assert times == {"ours": Times((1.0, 3.0)), "theirs": Times((2.0, 4.0))}


def test_a_ratio_is_taken_within_each_round() -> None:
    assert Times((1.0, 4.0, 3.0)).over(Times((2.0, 4.0, 1.0))) == "1.00 (0.50 to 3.00)"


def test_what_each_stage_takes_is_counted_below_what_adopts_alone(tmp_path: Path) -> None:
    with pytest.raises(pytest.UsageError, match=r"counts too little: start the drill by python \S+reap.py FILE"):
        adopting(os.getpid())
    asked = "import os; from bench.stage_processor import adopting; assert adopting(os.getppid()) == os.getppid()"
    done = subprocess.run(adding_up([sys.executable, "-c", asked], tmp_path / "took"), cwd=ROOT)
    assert done.returncode == 0


def test_checks_are_held_against_the_restore_alone() -> None:
    evidence = examples.evidence([examples.result("BAK-01"), examples.result("TEN-01")])
    results = tuple(result.model_copy(update={"seconds": 1.5}) for result in evidence.results)
    slow = tuple(
        stage.model_copy(update={"seconds": 6.0 if stage.name == RESTORE.name else 50.0})
        for stage in evidence.record.stages
    )
    record = evidence.record.model_copy(update={"stages": slow})
    assert checks_over_restore(evidence.model_copy(update={"results": results, "record": record})) == 0.5


def test_a_gates_time_is_told_by_stages_and_checks() -> None:
    evidence = examples.evidence([examples.result("BAK-01"), examples.result("TEN-01")])
    results = tuple(result.model_copy(update={"seconds": 1.5}) for result in evidence.results)
    timed = tuple(stage.model_copy(update={"seconds": 0.5}) for stage in evidence.record.stages)
    record = evidence.record.model_copy(update={"stages": timed})
    parts = parts_of("shop", evidence.model_copy(update={"results": results, "record": record}))
    assert parts == {**{stage.name: 0.5 for stage in timed}, CHECKS_OF_A_GATE: 3.0}
    gate = Gate({}, {part: Times((seconds, seconds + 1, 9.0)) for part, seconds in parts.items()})
    first, _, *rows = table_of_parts({"shop": gate, "clinic": gate})
    assert (first, rows[0], rows[-1]) == (
        "| | shop | clinic |",
        "| locate | 1.50 | 1.50 |",
        f"| {CHECKS_OF_A_GATE} | 4.00 | 4.00 |",
    )
    stages = (timed[0].model_copy(update={"state": "blocked", "cause": "no set"}), *timed[1:])
    record = record.model_copy(update={"stages": stages})
    with pytest.raises(SystemExit, match=r"shop: locate \(no set\) did not end, so its time means nothing"):
        parts_of("shop", evidence.model_copy(update={"record": record}))


def test_checks_are_held_against_the_time_that_the_profile_gives_them(tmp_path: Path) -> None:
    budget = ChecksBudget(
        minutes=0.05,
        estimate_minutes=0.1,
        seed="drill",
        tenants=3,
        of=600,
        microseconds_per_row=1.0,
        measured_by="two cores",
    )
    some = OnTenants(tenants=3, of=600)
    results = [
        examples.result("BAK-01", seconds=1.0),
        examples.result("TEN-01", seconds=0.5, on_tenants=some),
        examples.result(
            "TEN-03", outcome="blocked", seconds=0.25, message=f"no tenant owns it{NO_TIME}; it reads 9 rows"
        ),
    ]
    drilled = examples.evidence(results)
    for kept, name in ((drilled.model_copy(update={"checks_budget": budget}), "kept"), (drilled, "free")):
        (tmp_path / name).mkdir()
        (tmp_path / name / EVIDENCE).write_text(kept.model_dump_json())
    told = line(read_kept(tmp_path / "kept"))
    assert "| 3.0 s | 6.0 s | 1.8 s | 1.2 s | 0.5 s | 1 on 3 of 600 tenants | 1 |" in told
    with pytest.raises(SystemExit, match=r"has no \[limits\] checks"):
        read_kept(tmp_path / "free")


def test_every_reference_of_the_wide_schema_is_tried() -> None:
    times = wide_schema(tables=12, references=36)
    assert list(times) == ["facts", "ownership", "22 references tried"]


def test_the_archive_is_read_whole_by_both(tmp_path: Path) -> None:
    assert set(archive_rates(tmp_path, 300)) == {"gzip -dc | sha256sum", "the drill's pass", "peak MiB"}


def test_the_processor_time_of_what_a_command_leaves_behind_is_its_own(tmp_path: Path) -> None:
    busy = "import time; began = time.process_time()\nwhile time.process_time() < began + 0.3: pass"
    leaving = f"import os, time\nif os.fork(): os._exit(3)\nos.setsid(); {busy}"
    done = subprocess.run(adding_up([sys.executable, "-c", leaving], tmp_path / "took"))
    assert done.returncode == 3
    assert spent_by(tmp_path / "took").processor >= 0.3


def test_the_cores_are_watched_during_each_stage() -> None:
    busy = Busy()

    def work() -> None:
        began = time.process_time()
        while time.process_time() < began + 0.1:
            pass

    busy.begun(LOCATE)
    busy.ended(outcome_of(LOCATE, work))
    (seconds, share) = busy.stages["locate"]
    assert seconds >= 0.1
    assert 0 < share <= 1


@pytest.mark.whole
def test_a_drill_takes_turns_with_a_recovery_by_hand(whole_set: Path) -> None:
    located = locate(whole_set.parent, read_profile(PROFILE).profile)
    ways, steps = beside(located, rounds=1, drill=lambda: Spent(3600.0, 7200.0))
    assert list(ways) == [BY_HAND, WHOLE_DRILL]
    assert tuple(steps) == STEPS
    (by_hand,) = ways[BY_HAND]
    assert by_hand.processor == pytest.approx(sum(spent.processor for (spent,) in steps.values()))
    assert all(spent.processor > 0 for (spent,) in steps.values())


@pytest.mark.whole
def test_a_cached_start_is_measured_against_a_cold_one(whole_set: Path, tmp_path: Path) -> None:
    times = starts(whole_set.parent, read_profile(PROFILE), tmp_path, rounds=1)
    assert list(times) == [COLD, KEEPING, CACHED]
    assert all(len(timing.seconds) == 1 for timing in times.values())


@pytest.mark.whole
def test_the_proofs_are_measured_beside_the_checks(second_drill: Signed) -> None:
    times = told_by(second_drill.drill.evidence, checks=2.5)
    assert list(times) == [CHECKS, SCANNED, PLANTED, AGAIN, ALL_PROOFS]
    assert times[CHECKS] == 2.5
    assert all(times.values())
    assert times[ALL_PROOFS] == pytest.approx(times[PLANTED] + times[AGAIN])


def test_a_checks_time_is_with_the_making_of_what_it_is_given(tmp_path: Path) -> None:
    times = CheckTimes()
    for when, duration in (("setup", 0.25), ("call", 0.5), ("teardown", 8.0)):
        location = ("test_one.py", 1, "test_one")
        times.pytest_runtest_logreport(
            pytest.TestReport("test_one", location, {}, "passed", None, when, duration=duration)  # type: ignore[arg-type]
        )
    assert times.seconds == 0.75


@pytest.mark.further
def test_each_part_of_the_guard_is_measured_within_the_stages(whole_set: Path) -> None:
    times = safeguards(whole_set.parent, read_profile(PROFILE), rounds=1, whole=lambda: 3600.0)
    assert list(times) == [WHOLE, STAGES, CATALOGUE, PINNED, CONFINED, ALL]
    assert times[WHOLE].seconds == (3600.0,)
    (stages,) = times[STAGES].seconds
    assert all(0 < found < stages for name in (CATALOGUE, PINNED) for found in times[name].seconds)


@pytest.mark.parametrize(
    ("points", "line"),
    [
        ([(1.0, 3.0), (2.0, 5.0), (3.0, 7.0)], Line(1.0, 2.0)),
        ([(1.0, 3.0), (3.0, 1.0)], Line(2.0, 0.0)),
        ([(1.0, 1.0), (2.0, 4.0)], Line(0.0, 1.8)),
    ],
    ids=["rising", "falling", "beginning below 0"],
)
def test_a_line_tells_what_is_fixed_and_what_one_more_takes(points: list[tuple[float, float]], line: Line) -> None:
    assert fitted(points) == Line(pytest.approx(line.fixed), pytest.approx(line.each))


def test_another_size_is_told_from_what_smaller_ones_took() -> None:
    def run(times: int) -> Run:
        spent = {"serve": 0.5, "facts": 1 + 0.25 * times, "sites": 2.0 * times}
        return Run({BYTES: 100.0 * times, ROWS: 10.0 * times, FILES: 3.0 * times}, spent)

    of = lines([run(1), run(2), run(10)])
    assert predicted(of, run(1).grown(3000.0)) == pytest.approx(run(30).spent)


def test_processor_time_is_counted_of_what_has_ended_too() -> None:
    before = below(os.getpid())
    subprocess.run([sys.executable, "-c", "sum(range(3_000_000))"], check=True)
    assert below(os.getpid()) > before
