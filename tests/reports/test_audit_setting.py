"""What sets audit.pdf: a process of its own, which ends with who started it, and does without what a machine lacks."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fixtures.record.project import ROOT
from reports.audit import pdf
from reports.render import DOCUMENTS
from reports.story import Story
from tests.support import evidence_examples as examples
from tests.support.audit_pdfs import made


def test_setting_that_ends_early_is_a_fault_and_no_missing_library() -> None:
    evidence = examples.verified()
    with pdf.being_set(Story(evidence)) as setting:
        setting.process.kill()
        with pytest.raises(RuntimeError, match=r"ended with -9: it said nothing"):
            setting.written()


def test_what_a_block_leaves_unset_is_ended_with_it() -> None:
    evidence = examples.verified()
    with pdf.being_set(Story(evidence)) as setting:
        pass
    assert setting.process.returncode == -signal.SIGKILL


def without(library: str, rendering: list[str]) -> subprocess.CompletedProcess[str]:
    """Runs it where this library of the machine is an empty file."""
    libraries = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True, check=True).stdout
    there = re.findall(rf"{re.escape(library)} .*=> (\S+)", libraries)
    hidden = "".join(f"mount --bind /dev/null {path} && " for path in there) + 'exec "$@"'
    return subprocess.run(
        ["unshare", "--map-root-user", "--mount", "sh", "-c", hidden, "sh", *rendering],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )


@pytest.mark.further
def test_what_weasyprint_would_rather_have_fails_no_report(tmp_path: Path) -> None:
    """A drill takes warnings for errors, and without HarfBuzz's subsetter WeasyPrint warns."""
    (tmp_path / "evidence.json").write_bytes(examples.verified().written)
    done = without("libharfbuzz-subset.so.0", [sys.executable, "-W", "error", "-m", "reports", str(tmp_path)])
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "audit.pdf").read_bytes().startswith(b"%PDF-")


@pytest.mark.further
def test_without_pango_a_text_stands_in_its_place_and_goes_when_it_can_be_made(tmp_path: Path) -> None:
    evidence = examples.verified()
    (tmp_path / "evidence.json").write_bytes(evidence.written)
    (tmp_path / "audit.pdf").write_bytes(b"of a machine that had it")
    rendering = [sys.executable, "-m", "reports", str(tmp_path)]
    done = without("libpango-1.0.so.0", rendering)
    assert (done.returncode, done.stderr) == (0, "")
    note = tmp_path / "audit.pdf.not-made.txt"
    assert note.read_text().startswith("audit.pdf was not made: the library Pango, which sets its text, is not on this")
    assert "apt-get install libpango" in note.read_text()
    others = {name for name in DOCUMENTS if name != "audit.pdf"}
    assert {path.name for path in tmp_path.iterdir()} == {*others, note.name, "evidence.json"}
    assert subprocess.run(rendering, cwd=ROOT, capture_output=True).returncode == 0
    assert {path.name for path in tmp_path.iterdir()} == {*DOCUMENTS, "evidence.json"}


def test_what_sets_a_pdf_looks_for_no_garbage() -> None:
    """The looks are counted while it sets one, its end among them."""
    setting = (
        "import atexit, gc, sys\n"
        "from reports.audit.typeset import main\n"
        "looks = []\n"
        "gc.callbacks.append(lambda phase, info: looks.append(phase))\n"
        "code = main()\n"
        "gc.callbacks.clear()\n"
        "print(len(looks), gc.get_freeze_count(), file=sys.stderr)\n"
        "sys.exit(code)"
    )
    order = b"".join(pdf.order(Story(examples.verified())))
    done = subprocess.run([sys.executable, "-c", setting], cwd=ROOT, input=order, capture_output=True, check=True)
    looks, left_out = map(int, done.stderr.split())
    assert looks == 0
    assert left_out > 20_000
    assert done.stdout.startswith(b"%PDF-")


def test_a_file_is_the_same_where_nothing_was_set_before_it() -> None:
    """What sets a PDF sets a line that nobody reads first."""
    alone = (
        "import sys, warnings, weasyprint\n"
        "from reports.audit.typeset import Order, set_pdf\n"
        "warnings.simplefilter('ignore')\n"
        "order, attached = Order.read(sys.stdin.buffer.readline()), sys.stdin.buffer.read()\n"
        "sys.stdout.buffer.write(set_pdf(weasyprint, order, attached))"
    )
    evidence = examples.verified()
    order = b"".join(pdf.order(Story(evidence)))
    done = subprocess.run([sys.executable, "-c", alone], cwd=ROOT, input=order, capture_output=True, check=True)
    assert done.stdout == made(evidence.written)
