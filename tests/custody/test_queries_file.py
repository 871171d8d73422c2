"""The queries behind each result lie beside the evidence: all of them, none besides, and an altered one is noticed."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from fixtures.custody.queries_file import queries_astray
from fixtures.custody.verify import verify_report
from fixtures.record.evidence import Evidence
from fixtures.record.queries import FILE, AskedTogether, digest_of
from tests.support.drills import Drill
from tests.support.short_drills import Standing


@pytest.fixture(scope="module")
def drilled(standing: Standing, whole_set: Path, tmp_path_factory: pytest.TempPathFactory) -> Drill:
    return standing.drill(whole_set.parent, tmp_path_factory.mktemp("queries"))


def lines_of(run: Path) -> list[AskedTogether]:
    return [AskedTogether.model_validate_json(line) for line in (run / FILE).read_text().splitlines()]


def test_every_digest_of_a_result_has_its_line_and_no_other_has(drilled: Drill) -> None:
    digests = [line.sha256 for line in lines_of(drilled.directory)]
    named = {result.query_sha256 for result in drilled.evidence.results} - {""}
    assert named
    assert digests == sorted(named)
    assert all(digest_of(line.queries) == line.sha256 for line in lines_of(drilled.directory))
    assert queries_astray(drilled.directory, drilled.evidence) == []


def test_a_value_of_a_row_is_told_by_its_name_alone(drilled: Drill) -> None:
    """The policies are tried with the rows of two tenants, which no text may hold."""
    parameters = {name for line in lines_of(drilled.directory) for query in line.queries for name in query.parameters}
    assert "tenant_id" in parameters
    for line in lines_of(drilled.directory):
        for query in line.queries:
            assert query.text.count("%s") >= len(query.parameters)


def _first_line(change: Callable[[dict[str, object]], None]) -> Callable[[Path], None]:
    def alter(file: Path) -> None:
        first, *rest = file.read_text().splitlines(keepends=True)
        line = json.loads(first)
        change(line)
        file.write_text("".join([json.dumps(line) + "\n", *rest]))

    return alter


def _other_text(line: dict[str, object]) -> None:
    line["queries"] = [{"text": "SELECT 1", "parameters": []}]


def _other_digest(line: dict[str, object]) -> None:
    line["sha256"] = "0" * 64


def _twice(file: Path) -> None:
    file.write_text(file.read_text() + file.read_text().splitlines(keepends=True)[0])


def _a_key_twice(file: Path) -> None:
    file.write_text(file.read_text().replace('{"sha256":', '{"sha256":"' + "0" * 64 + '","sha256":', 1))


ALTERED: dict[str, tuple[Callable[[Path], None], str]] = {
    "gone": (Path.unlink, "cannot be read"),
    "another text": (_first_line(_other_text), "holds other queries than its digest"),
    "another digest": (_first_line(_other_digest), "which no result names"),
    "a line gone": (
        lambda file: file.write_text("".join(file.read_text().splitlines(keepends=True)[1:])) and None,
        "lacks",
    ),
    "a line twice": (_twice, "twice"),
    "a key twice": (_a_key_twice, "is no query of a drill: the key 'sha256' stands in it twice"),
    "no line of it": (lambda file: file.write_text("nothing\n") and None, "is no query of a drill"),
    "a parameter's name": (
        lambda file: file.write_text(file.read_text().replace('["tenant_id"]', '["others"]')) and None,
        "is not the file that the evidence names",
    ),
}


@pytest.mark.parametrize("what", ALTERED)
def test_a_file_that_was_altered_is_noticed(what: str, drilled: Drill, tmp_path: Path) -> None:
    run = Path(shutil.copytree(drilled.directory, tmp_path / "run"))
    alter, says = ALTERED[what]
    alter(run / FILE)
    assert any(says in line for line in queries_astray(run, drilled.evidence))


def test_evidence_of_before_there_was_a_file_asks_for_none(drilled: Drill, tmp_path: Path) -> None:
    before: Evidence = drilled.evidence.model_copy(update={"queries_sha256": ""})
    assert queries_astray(tmp_path, before) == []
    (added,) = queries_astray(drilled.directory, before)
    assert "was added after the drill" in added


@pytest.mark.whole
def test_verify_report_confirms_the_file_of_a_drill_and_tells_an_altered_one(
    healthy_drill: Drill, tmp_path: Path
) -> None:
    out = Path(shutil.copytree(healthy_drill.directory.parent, tmp_path / "out", symlinks=True))
    run = out / healthy_drill.directory.name
    confirmed = f"{FILE} has the queries that each result names, word for word"
    assert confirmed in verify_report(run, None).confirmed
    _first_line(_other_text)(run / FILE)
    altered = verify_report(run, None)
    assert confirmed not in altered.confirmed
    assert f"{FILE} is not the file that the evidence names: it was altered after the drill" in altered.wrong
