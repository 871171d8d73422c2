"""A drill and a gate at once, of one set and into one folder, do not meet; each is judged by the profile that it recorded,
whatever becomes of the files while it runs."""

import hashlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from fixtures.custody.drill_ledger import NAME as LEDGER
from fixtures.custody.drill_ledger import read_ledger
from tests.support.drills import PROFILE, Drill
from tests.support.watched_drill import MIGRATES, Watched, runs_in, watched_drill

RULE = "rules/usage-matches-ledger.sql"

pytestmark = pytest.mark.whole


@dataclass(frozen=True)
class AtOnce:
    """A drill and a gate that ran beside each other and have ended: both in one folder, the drill with workers and with a
    profile of its own, whose files were changed meanwhile."""

    first: Watched
    second: Watched
    out: Path
    profile: str
    """What the first drill's profile said when it began."""


@pytest.fixture(scope="module")
def at_once(whole_set: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AtOnce]:
    folder = tmp_path_factory.mktemp("at-once")
    out = folder / "out"
    for name in ("one", "two"):
        (folder / name).mkdir()
    profile = Path(shutil.copytree(PROFILE, folder / "igny8"))
    before = (profile / "profile.toml").read_text()
    with (
        watched_drill(whole_set.parent, folder / "one", out=out, workers=2, profile=profile) as first,
        watched_drill(whole_set.parent, folder / "two", out=out, arguments=("--gate",)) as second,
    ):
        first.wait_for(MIGRATES)
        (profile / "profile.toml").write_text(before.replace("rto_minutes = 60", "rto_minutes = 0.0001"))
        (profile / RULE).write_text((profile / RULE).read_text().replace("BIL-51", "BIL-52").replace("<> 0", "= 0"))
        (profile / "pages.sql").write_text("SELECT nothing")
        for drilled in (first, second):
            drilled.process.wait(900)
        yield AtOnce(first, second, out, before)


def test_a_drill_and_a_gate_at_once_do_not_meet(at_once: AtOnce) -> None:
    first, second, out = at_once.first, at_once.second, at_once.out
    codes = [drilled.process.returncode for drilled in (first, second)]
    assert codes == [0, 0], first.log.read_text() + second.log.read_text()
    assert first.leaves_nothing_within(5), first.left
    assert second.leaves_nothing_within(5), second.left
    assert len(runs_in(out)) == 2
    assert (out / "latest").resolve() in runs_in(out)
    assert not [path for path in out.iterdir() if path.name.startswith(".")]
    ledger = read_ledger(out / LEDGER)
    assert sorted(entry.run_id for entry in ledger.entries) == [run.name for run in runs_in(out)]
    assert (ledger.wrong, ledger.broken) == ((), ())


def of(watched: Watched, at_once: AtOnce) -> Drill:
    printed = watched.log.read_text()
    (run,) = (run for run in runs_in(at_once.out) if run.name in "".join(printed.split()))
    return Drill(0, printed, run)


def test_the_samples_own_release_goes(at_once: AtOnce) -> None:
    gate = of(at_once.second, at_once)
    assert (gate.red, gate.blocked) == ({}, {}), gate.output
    assert "VERIFIED  GO: " in gate.output


def test_a_profile_that_changes_during_a_drill_changes_nothing(at_once: AtOnce) -> None:
    drill = of(at_once.first, at_once)
    assert drill.red == {}
    assert drill.blocked == {}
    assert drill.evidence.verdict == "VERIFIED"
    assert drill.evidence.record.profile_sha256 == hashlib.sha256(at_once.profile.encode()).hexdigest()
    assert {measure.name: measure.target for measure in drill.evidence.measures}["RTO"] == 60
    assert drill.result("BIL-51").outcome == "passed"
