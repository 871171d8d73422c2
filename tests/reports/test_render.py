"""Rendering: from the evidence alone, the same bytes every time, all documents or none."""

import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from fixtures.record.stages import LOCATE, SERVE
from reports.audit.typesetter import typesetter
from reports.plugin import Reports
from reports.render import DOCUMENTS, render, rendered_but_pdf
from reports.story import Story
from reports.words import duration, looked_at
from tests.support import evidence_examples as examples
from tests.support.further import first_of

ROOT = Path(__file__).parents[2]


def command(run: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "reports", str(run)],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("drill", first_of([examples.failed, examples.verified, examples.inconclusive]))
def test_rendered_again_from_the_file_elsewhere_the_bytes_are_the_same(drill, tmp_path: Path) -> None:
    evidence = drill()
    first, again = tmp_path / "first", tmp_path / "again"
    first.mkdir()
    assert sorted(path.name for path in render(evidence, first)) == sorted(DOCUMENTS)
    (first / "evidence.json").write_bytes(evidence.written)
    shutil.copytree(first, again)
    for name in DOCUMENTS:
        (again / name).unlink()
    done = command(again, TZ="Asia/Kolkata", PYTHONHASHSEED="12345", LC_ALL="C", SOURCE_DATE_EPOCH="1")
    assert done.returncode == 0, done.stderr
    for name in DOCUMENTS:
        assert (again / name).read_bytes() == (first / name).read_bytes()


def test_a_typesetter_begun_before_sets_the_same_pdf(tmp_path: Path) -> None:
    evidence, first, again = examples.verified(), tmp_path / "first", tmp_path / "again"
    for folder in (first, again):
        folder.mkdir()
    render(evidence, first)
    with typesetter() as begun:
        render(evidence, again, typesetter=begun)
        assert begun.returncode == 0
    assert (again / "audit.pdf").read_bytes() == (first / "audit.pdf").read_bytes()


def test_the_pdf_comes_after_all_other_documents_as_it_comes_with_them(tmp_path: Path) -> None:
    evidence, first, again = examples.verified(), tmp_path / "first", tmp_path / "again"
    for folder in (first, again):
        folder.mkdir()
    render(evidence, first)
    note = again / "audit.pdf.not-made.txt"
    with typesetter() as begun, rendered_but_pdf(evidence, again, begun) as last:
        assert {path.name for path in again.iterdir()} == {*DOCUMENTS, note.name} - {"audit.pdf"}
        assert note.read_text().startswith("audit.pdf was not made: it comes last, beside the drill's ending.")
        assert last.put() == ""
        assert begun.returncode == 0
    assert {path.name for path in again.iterdir()} == set(DOCUMENTS)
    assert all((again / name).read_bytes() == (first / name).read_bytes() for name in DOCUMENTS)


def test_a_pdf_that_comes_last_and_fails_says_so_in_its_place(tmp_path: Path) -> None:
    with typesetter() as begun, rendered_but_pdf(examples.verified(), tmp_path, begun) as last:
        begun.kill()
        why = last.put()
    assert why.startswith("audit.pdf was not made: what sets the PDF ended with -9")
    assert (tmp_path / "audit.pdf.not-made.txt").read_text() == f"{why}\n"
    assert not (tmp_path / "audit.pdf").exists()


def setting() -> list[psutil.Process]:
    return [each for each in psutil.Process().children() if "reports.audit.typeset" in " ".join(each.cmdline())]


@pytest.mark.parametrize("signed_by", ["", "f" * 64])
def test_a_verdict_waits_for_the_pdf_only_where_a_signature_covers_it(
    signed_by: str, pytestconfig: pytest.Config, tmp_path: Path
) -> None:
    drilled = Reports()
    drilled.pytest_drill_stage_begins(pytestconfig, SERVE)
    assert len(setting()) == 1
    drilled.pytest_drill_evidence(
        pytestconfig, examples.verified().model_copy(update={"signed_by": signed_by}), tmp_path
    )
    assert (tmp_path / "audit.pdf").is_file() == bool(signed_by)
    drilled.pytest_unconfigure(pytestconfig)
    assert (tmp_path / "audit.pdf").is_file()
    assert not (tmp_path / "audit.pdf.not-made.txt").exists()
    assert not setting()


def test_a_drill_that_came_to_no_server_has_its_pdf_too(pytestconfig: pytest.Config, tmp_path: Path) -> None:
    drilled = Reports()
    drilled.pytest_drill_stage_begins(pytestconfig, LOCATE)
    assert not setting()
    drilled.pytest_drill_evidence(pytestconfig, examples.inconclusive(), tmp_path)
    assert not (tmp_path / "audit.pdf").exists()
    drilled.pytest_unconfigure(pytestconfig)
    assert (tmp_path / "audit.pdf").is_file()


def test_a_drill_that_a_signal_ended_has_no_pdf_set_though_that_had_begun(
    pytestconfig: pytest.Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drilled = Reports()
    drilled.pytest_drill_stage_begins(pytestconfig, SERVE)
    assert len(setting()) == 1
    monkeypatch.setattr(pytestconfig.option, "no_pdf", True, raising=False)
    drilled.pytest_drill_evidence(pytestconfig, examples.inconclusive(), tmp_path)
    assert not setting()
    drilled.pytest_unconfigure(pytestconfig)
    assert "was told --no-pdf" in (tmp_path / "audit.pdf.not-made.txt").read_text()


def test_a_drill_that_wants_no_pdf_starts_nothing_that_sets_one(
    pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pytestconfig.option, "no_pdf", True, raising=False)
    Reports().pytest_drill_stage_begins(pytestconfig, SERVE)
    assert not setting()


def test_a_typesetter_that_nobody_asks_for_a_pdf_ends_with_its_block() -> None:
    with typesetter() as begun:
        assert begun.poll() is None
    assert begun.returncode == -signal.SIGKILL


def test_a_typesetter_ends_when_the_drill_that_began_it_is_killed() -> None:
    killed = (
        "import os, signal; from reports.audit.typesetter import typesetter\n"
        "with typesetter() as begun: print(begun.pid, flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", killed], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert done.returncode == -signal.SIGKILL
    with suppress(psutil.NoSuchProcess):
        psutil.Process(int(done.stdout)).wait(60)


def test_fault_in_one_document_leaves_what_was_there(tmp_path: Path) -> None:
    render(examples.verified(), tmp_path)
    before = {name: (tmp_path / name).read_bytes() for name in DOCUMENTS}
    with pytest.raises(ValueError, match=r"summary\.md"):
        render(examples.evidence([examples.result("BAK-01")], headline="x" * 70_000), tmp_path)
    assert {name: (tmp_path / name).read_bytes() for name in DOCUMENTS} == before
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(DOCUMENTS)


def test_a_drill_that_wants_no_pdf_has_a_text_in_its_place(tmp_path: Path) -> None:
    (tmp_path / "audit.pdf").write_bytes(b"of an earlier rendering")
    render(examples.verified(), tmp_path, with_pdf=False)
    note = tmp_path / "audit.pdf.not-made.txt"
    assert note.read_text().startswith("audit.pdf was not made: the drill was told --no-pdf. make report makes it")
    assert {path.name for path in tmp_path.iterdir()} == {*DOCUMENTS, note.name} - {"audit.pdf"}


def test_folder_without_evidence_is_named(tmp_path: Path) -> None:
    done = command(tmp_path)
    assert done.returncode == 2
    assert f"{tmp_path}/evidence.json cannot be read" in done.stderr


def test_evidence_of_another_shape_is_refused_by_its_key_and_not_quoted(tmp_path: Path) -> None:
    (tmp_path / "evidence.json").write_text(
        examples.verified().model_dump_json().replace('"verdict":', '"secret-row":"4111","verdict":', 1)
    )
    done = command(tmp_path)
    assert done.returncode == 2
    assert "see secret-row" in done.stderr
    assert "4111" not in done.stderr


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0.0004, "0 ms"),
        (0.9996, "1 s"),
        (59.96, "1 min"),
        (3599.7, "1 h"),
        (3661, "1 h 1 min"),
        (172_800, "2 d"),
        (-90, "-1 min 30 s"),
    ],
)
def test_durations_round_without_a_sixtieth_second(seconds: float, written: str) -> None:
    assert duration(seconds) == written


@pytest.mark.parametrize(
    ("fields", "written"),
    [
        ({"examined": 0}, "passed, but there was nothing to examine"),
        ({"examined": 0, "outcome": "failed", "broken": 1}, "1 broken"),
        ({"examined": None}, "not counted"),
        ({"examined": None, "outcome": "failed"}, "3 broken"),
        ({"examined": 1, "out_of": 666, "unit": "addresses"}, "1 of 666 addresses examined"),
        (
            {"examined": 600, "out_of": 666, "unit": "addresses", "outcome": "failed"},
            "3 of 600 addresses broken, of 666 that there are",
        ),
        ({"outcome": "blocked"}, "could not be tried"),
        ({"outcome": "exempt"}, "not tried"),
    ],
)
def test_what_was_looked_at_is_told_by_outcome(fields: dict[str, object], written: str) -> None:
    assert looked_at(examples.result("BAK-01", **fields)) == written


def test_stage_that_only_stood_on_another_is_not_a_second_finding() -> None:
    story = Story(examples.inconclusive())
    assert [stage.name for stage in story.stopped_stages] == ["restore"]
    assert story.never_reached == ("facts", "migrate", "sites", "application")


def test_what_one_stage_stopped_is_one_cause_however_far_down() -> None:
    story = Story(examples.inconclusive())
    following = [stage for stage in story.evidence.record.stages if stage.name == "application"]
    message = f"application blocked: {following[0].cause}"
    further = [*story.evidence.results, examples.result("APP-04", "later", "blocked", message=message)]
    causes = Story(examples.evidence(further, record=story.evidence.record)).causes
    assert [cause.message for cause in causes] == ['restore failed: extension "postgis" is not on this server']
    assert causes[0].checks == 39
