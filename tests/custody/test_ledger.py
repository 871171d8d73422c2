"""The ledger of drills: only added to, read line by line, and each line vouches for the one before it."""

import hashlib
import json
import multiprocessing
import os
from pathlib import Path

import pytest

from fixtures.custody.drill_ledger import BEGINNING, NAME, enter_drill, read_ledger
from fixtures.custody.drilled_before import drilled_before
from tests.support import evidence_examples as examples

DIGEST = "e" * 64


def entered(path: Path, count: int) -> list[str]:
    """A ledger of that many drills, as lines."""
    for number in range(count):
        enter_drill(path, examples.verified().model_copy(update={"run_id": f"run-{number}"}), DIGEST)
    return path.read_text().splitlines(keepends=True)


def test_a_drill_is_entered_and_found_by_its_dump(tmp_path: Path) -> None:
    ledger = tmp_path / NAME
    evidence = examples.verified()
    backup_set = evidence.record.backup_set
    assert backup_set is not None
    assert read_ledger(ledger).entries == ()
    enter_drill(ledger, evidence, DIGEST)
    enter_drill(ledger, examples.failed().model_copy(update={"run_id": "the-next-night"}), DIGEST)
    read = read_ledger(ledger)
    assert (read.wrong, read.broken) == ((), ())
    assert [entry.verdict for entry in read.entries] == ["VERIFIED", "FAILED"]
    assert ledger.stat().st_mode & 0o777 == 0o600
    past, notes = drilled_before(read.drills, backup_set)
    assert [each.run_id for each in past] == [evidence.run_id, "the-next-night"]
    assert notes == ()
    other = backup_set.model_copy(
        update={"artefacts": tuple(file.model_copy(update={"sha256": "0" * 64}) for file in backup_set.artefacts)}
    )
    past, notes = drilled_before(read.drills, other)
    assert past == ()
    assert "with another dump in it: it was replaced or altered since" in notes[0]


def test_a_drill_that_found_no_set_is_entered_too(tmp_path: Path) -> None:
    evidence = examples.verified()
    lost = evidence.model_copy(update={"record": evidence.record.model_copy(update={"backup_set": None})})
    entry = enter_drill(tmp_path / NAME, lost, DIGEST)
    assert (entry.set_name, entry.dump_sha256, entry.previous) == (None, None, BEGINNING)
    read = read_ledger(tmp_path / NAME)
    assert (len(read.entries), read.drills) == (1, ())


SPOILED = {
    "removed": lambda lines: [lines[0], *lines[2:]],
    "altered": lambda lines: [lines[0], lines[1].replace("VERIFIED", "FAILED"), *lines[2:]],
    "moved": lambda lines: [lines[0], lines[2], lines[1], lines[3]],
    "put in": lambda lines: [*lines[:2], lines[0], *lines[2:]],
    "cut at the top": lambda lines: lines[1:],
}


@pytest.mark.parametrize("how", SPOILED)
def test_a_line_that_was_tampered_with_shows_in_the_chain(how: str, tmp_path: Path) -> None:
    lines = entered(tmp_path / NAME, 4)
    assert read_ledger(tmp_path / NAME).broken == ()
    (tmp_path / NAME).write_text("".join(SPOILED[how](lines)))
    read = read_ledger(tmp_path / NAME)
    assert read.wrong == ()
    assert read.broken
    assert "does not follow the line before it" in read.broken[-1]


def test_lines_that_cannot_be_read_are_told_and_the_others_believed(tmp_path: Path) -> None:
    (whole,) = entered(tmp_path / NAME, 1)
    spoiled = json.dumps(json.loads(whole) | {"verdict": "SECRETWORD"})
    (tmp_path / NAME).write_text(f"{whole}not json\n{spoiled}\n{whole[:40]}")
    enter_drill(tmp_path / NAME, examples.verified(), DIGEST)
    read = read_ledger(tmp_path / NAME)
    assert len(read.entries) == 2
    assert [problem.split(" cannot")[0] for problem in read.wrong] == [f"{NAME} line {number}" for number in (2, 3, 4)]
    assert read.broken == (), "a line that was cut off is no gap: the next one vouches for it as it stands"
    assert "SECRETWORD" not in "".join(read.wrong)
    (tmp_path / NAME).write_text("x\n" * 9)
    assert read_ledger(tmp_path / NAME).wrong[-1] == f"{NAME}: and 4 more lines cannot be read"


def chained_again(path: Path) -> None:
    """The last line once more, made to follow itself: the chain holds, and the run stands there twice."""
    last = path.read_bytes().splitlines()[-1]
    again = json.loads(last) | {"previous": hashlib.sha256(last).hexdigest()}
    path.write_bytes(path.read_bytes() + json.dumps(again, separators=(",", ":")).encode() + b"\n")


TWO_MEANINGS = {
    "a run that is entered twice": (chained_again, f"{NAME} has the run run-2 twice: in line 3 and in 4"),
    "a key that stands in a line twice": (
        lambda path: path.write_text(
            path.read_text().replace(
                '{"format":1,"run_id":"run-2"', '{"verdict":"VERIFIED","format":1,"run_id":"run-2"'
            )
        ),
        f"{NAME} line 3 cannot be read: the key 'verdict' stands in it twice, so that two readers may read two things",
    ),
    "a line that ends as on Windows": (
        lambda path: path.write_bytes(path.read_bytes()[:-1] + b"\r\n"),
        f"{NAME} line 3 cannot be read: it ends as lines of Windows do, which no drill writes",
    ),
}


@pytest.mark.parametrize("how", TWO_MEANINGS)
def test_a_line_means_one_thing_alone(how: str, tmp_path: Path) -> None:
    entered(tmp_path / NAME, 3)
    alter, problem = TWO_MEANINGS[how]
    alter(tmp_path / NAME)
    read = read_ledger(tmp_path / NAME)
    assert problem in (*read.wrong, *read.broken)


def _enter(ledger: Path) -> None:
    for number in range(20):
        enter_drill(ledger, examples.verified().model_copy(update={"run_id": f"{os.getpid()}-{number}"}), DIGEST)


def test_drills_that_end_together_lose_no_line_and_make_one_chain(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        pool.map(_enter, [tmp_path / NAME] * 3)
    read = read_ledger(tmp_path / NAME)
    assert (len(read.entries), read.wrong, read.broken) == (60, (), ())


def test_a_ledger_that_is_a_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    assert read_ledger(tmp_path / NAME).wrong == (f"{NAME} cannot be read: Is a directory",)
