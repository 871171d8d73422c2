"""The bench measures what it says: its contenders take turns, and its ground is real."""

from pathlib import Path

import pytest

from bench.drills import archive_rates, wide_schema
from bench.proofs import AGAIN, CHECKS, PLANTED, SCANNED, proofs
from bench.proofs import ALL as ALL_PROOFS
from bench.safeguards import ALL, CATALOGUE, CONFINED, PINNED, STAGES, WHOLE, safeguards
from bench.starts import CACHED, COLD, KEEPING, starts
from bench.timing import Times, take_turns
from fixtures.profile.reading import read_profile
from tests.support.drills import PROFILE


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


def test_every_reference_of_the_wide_schema_is_tried() -> None:
    times = wide_schema(tables=12, references=36)
    assert list(times) == ["facts", "ownership", "22 references tried"]


def test_the_archive_is_read_whole_by_both(tmp_path: Path) -> None:
    assert set(archive_rates(tmp_path, 300)) == {"gzip -dc | sha256sum", "the drill's pass", "peak MiB"}


@pytest.mark.whole
def test_a_cached_start_is_measured_against_a_cold_one(whole_set: Path, tmp_path: Path) -> None:
    times = starts(whole_set.parent, read_profile(PROFILE), tmp_path, rounds=1)
    assert list(times) == [COLD, KEEPING, CACHED]
    assert all(len(timing.seconds) == 1 for timing in times.values())


@pytest.mark.whole
def test_the_proofs_are_measured_beside_the_checks(whole_set: Path, tmp_path: Path) -> None:
    times = proofs(whole_set.parent, tmp_path / "out")
    assert list(times) == [CHECKS, SCANNED, PLANTED, AGAIN, ALL_PROOFS]
    assert all(times.values())
    assert times[ALL_PROOFS] == pytest.approx(times[PLANTED] + times[AGAIN])


@pytest.mark.further
def test_each_part_of_the_guard_is_measured_within_the_stages(whole_set: Path) -> None:
    times = safeguards(whole_set.parent, read_profile(PROFILE), rounds=1, whole=lambda: 3600.0)
    assert list(times) == [WHOLE, STAGES, CATALOGUE, PINNED, CONFINED, ALL]
    assert times[WHOLE].seconds == (3600.0,)
    (stages,) = times[STAGES].seconds
    assert all(0 < found < stages for name in (CATALOGUE, PINNED) for found in times[name].seconds)
