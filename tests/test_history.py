"""The history of drills: only added to, read line by line, and never believed further than it can be read."""

import json
import multiprocessing
from pathlib import Path

from fixtures.drill.history import NAME, drilled_before, read_history, remember
from tests import evidence_examples as examples


def test_a_drill_is_remembered_and_found_by_its_dump(tmp_path: Path) -> None:
    history = tmp_path / NAME
    evidence = examples.verified()
    found = evidence.record.backup_set
    assert found is not None
    assert read_history(history) == ((), ())
    remember(history, evidence)
    remember(history, examples.failed())
    drills, problems = read_history(history)
    assert problems == ()
    assert [past.verdict for past in drills] == ["VERIFIED", "FAILED"]
    assert history.stat().st_mode & 0o777 == 0o600
    past, notes = drilled_before(drills, found)
    assert [each.run_id for each in past] == [evidence.run_id, examples.failed().run_id]
    assert notes == ()
    other = found.model_copy(
        update={"artefacts": tuple(file.model_copy(update={"sha256": "0" * 64}) for file in found.artefacts)}
    )
    past, notes = drilled_before(drills, other)
    assert past == ()
    assert "with another dump in it: it was replaced or altered since" in notes[0]


def test_lines_that_cannot_be_read_are_told_and_the_others_believed(tmp_path: Path) -> None:
    history = tmp_path / NAME
    remember(history, examples.verified())
    whole = history.read_text()
    spoiled = json.dumps(json.loads(whole) | {"verdict": "SECRETWORD"})
    history.write_text(f"{whole}not json\n{spoiled}\n{whole[:40]}")
    remember(history, examples.verified())
    drills, problems = read_history(history)
    assert len(drills) == 2
    assert [problem.split(" cannot")[0] for problem in problems] == [f"{NAME} line {number}" for number in (2, 3, 4)]
    assert "SECRETWORD" not in "".join(problems)
    history.write_text("x\n" * 9)
    assert read_history(history)[1][-1] == f"{NAME}: and 4 more lines cannot be read"


def _remember(history: Path) -> None:
    for _ in range(20):
        remember(history, examples.verified())


def test_drills_that_end_together_lose_no_line(tmp_path: Path) -> None:
    history = tmp_path / NAME
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        pool.map(_remember, [history] * 3)
    drills, problems = read_history(history)
    assert (len(drills), problems) == (60, ())


def test_a_history_that_is_a_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    assert read_history(tmp_path / NAME) == ((), (f"{NAME} cannot be read: Is a directory",))
