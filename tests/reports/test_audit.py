"""audit.pdf: PDF/A-3a and PDF/UA-1 as far as a file itself can show, with the evidence in it byte for byte."""

import html
import io
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pikepdf
import pytest

from fixtures.record.evidence import Evidence
from fixtures.record.proof import Proof, Proven, Proving
from reports.audit import page, pdf
from reports.render import DOCUMENTS
from reports.story import Story
from tests.reports.test_gate import cached, gate
from tests.support import evidence_examples as examples
from tests.support import record_examples
from tests.support.further import first_of
from tests.support.past_examples import with_past
from tests.support.programs import program

ROOT = Path(__file__).parents[2]
PDFAID, PDFUAID = "{http://www.aiim.org/pdfa/ns/id/}", "{http://www.aiim.org/pdfua/ns/id/}"
DC, XMP = "{http://purl.org/dc/elements/1.1/}", "{http://ns.adobe.com/xap/1.0/}"
EXTENSION = "{http://www.aiim.org/pdfa/ns/schema#}"
SIX_SCRIPTS = "Ωμέγα Пример żółw 漢字 \U0001f600 \u202e\x1b[2J"


def failed() -> Evidence:
    """A red night after many: findings by card, each with what it was the night before."""
    return with_past(examples.failed())


DRILLS = (examples.verified, failed, examples.inconclusive)


@cache
def made(written: bytes) -> bytes:
    """Each drill's file is made once for all that look at it."""
    return pdf.write_up(Story(Evidence.model_validate_json(written)))


def opened(evidence: Evidence) -> pikepdf.Pdf:
    return pikepdf.open(io.BytesIO(made(evidence.written)))


def text(evidence: Evidence, folder: Path) -> str:
    """What poppler reads in it, on one line."""
    pdftotext = program("pdftotext", "poppler-utils")
    (folder / "audit.pdf").write_bytes(made(evidence.written))
    done = subprocess.run([pdftotext, "-raw", folder / "audit.pdf", "-"], capture_output=True, text=True, check=True)
    return " ".join(done.stdout.split())


def pages(evidence: Evidence, folder: Path) -> list[list[str]]:
    """The lines of each page as poppler reads them, without its foot."""
    pdftotext = program("pdftotext", "poppler-utils")
    (folder / "audit.pdf").write_bytes(made(evidence.written))
    done = subprocess.run([pdftotext, "-raw", folder / "audit.pdf", "-"], capture_output=True, text=True, check=True)
    foot = Story(evidence).name
    assert done.stdout.count(foot) >= done.stdout.count("\f")
    return [
        [line for line in page.splitlines() if line.strip("\u2022 ") and not line.startswith(foot)]
        for page in done.stdout.split("\f")[:-1]
    ]


def elements(node: pikepdf.Object) -> Iterator[pikepdf.Dictionary]:
    """Every element of the tree of tags, in the order of reading."""
    if isinstance(node, pikepdf.Array):
        for each in node:
            yield from elements(each)
    elif isinstance(node, pikepdf.Dictionary):
        if "/S" in node:
            yield node
        if "/K" in node:
            yield from elements(node.K)


@pytest.mark.parametrize("drill", DRILLS)
def test_the_evidence_is_attached_as_it_is_and_named_as_the_source(drill) -> None:
    evidence = drill()
    with opened(evidence) as document:
        assert list(document.attachments) == ["evidence.json"]
        assert document.attachments["evidence.json"].get_file().read_bytes() == evidence.written
        (file,) = document.Root.AF
        assert (file.AFRelationship, file.EF.F.Subtype) == ("/Source", "/application/json")
        assert str(file.UF) == "evidence.json"
        assert int(file.EF.F.Params.Size) == len(evidence.written)


def test_what_lies_in_the_run_is_attached_though_it_was_written_otherwise(tmp_path: Path) -> None:
    evidence = examples.verified()
    other = tmp_path / "evidence.json"
    other.write_text(evidence.model_dump_json(), encoding="utf-8")
    with pikepdf.open(io.BytesIO(pdf.write_up(Story(evidence, other)))) as document:
        assert document.attachments["evidence.json"].get_file().read_bytes() == other.read_bytes()


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


@pytest.mark.parametrize("drill", DRILLS)
def test_it_says_that_it_is_pdf_a_3a_and_pdf_ua_1_and_describes_what_pdf_a_does_not_know(drill) -> None:
    evidence = drill()
    with opened(evidence) as document:
        packet = document.Root.Metadata.read_bytes().decode().partition("?>")[2].rpartition("<?")[0]
        metadata = ElementTree.fromstring(packet)
        title = f"{evidence.verdict}: restore drill {evidence.run_id}"
        assert [metadata.findtext(f".//{PDFAID}{name}") for name in ("part", "conformance")] == ["3", "A"]
        assert metadata.findtext(f".//{PDFUAID}part") == "1"
        assert metadata.findtext(f".//{EXTENSION}namespaceURI") == PDFUAID.strip("{}")
        assert "".join(metadata.find(f".//{DC}title").itertext()).strip() == title == str(document.docinfo.Title)
        ended = evidence.finished_at.replace(microsecond=0)
        assert metadata.findtext(f".//{XMP}CreateDate") == ended.isoformat()
        assert str(document.docinfo.CreationDate) == f"D:{ended:%Y%m%d%H%M%SZ}"
        assert (document.pdf_version, document.is_encrypted, len(document.trailer.ID)) == ("1.7", False, 2)


@pytest.mark.parametrize("drill", DRILLS)
def test_it_needs_nothing_that_it_does_not_hold(drill) -> None:
    with opened(drill()) as document:
        (intent,) = document.Root.OutputIntents
        assert (intent.S, "/DestOutputProfile" in intent) == ("/GTS_PDFA1", True)
        assert not {"/OpenAction", "/AA", "/AcroForm"} & set(document.Root.keys())
        assert "/JavaScript" not in document.Root.Names
        fonts = [font for each in document.objects if isinstance(each, pikepdf.Dictionary) for font in _fonts(each)]
        assert fonts
        for font in fonts:
            assert {"/FontFile2", "/FontFile3"} & set(font.DescendantFonts[0].FontDescriptor.keys())
            assert "/ToUnicode" in font
        assert not any("/Annots" in each for each in document.pages)


def _fonts(each: pikepdf.Dictionary) -> list[pikepdf.Dictionary]:
    return [each] if each.get("/Type") == "/Font" and "/DescendantFonts" in each else []


@pytest.mark.parametrize("drill", DRILLS)
def test_it_is_tagged_so_that_it_can_be_read_aloud(drill) -> None:
    with opened(drill()) as document:
        root = document.Root
        assert (str(root.Lang), bool(root.MarkInfo.Marked), bool(root.ViewerPreferences.DisplayDocTitle)) == (
            "en",
            True,
            True,
        )
        tree = list(elements(root.StructTreeRoot.K))
        kinds = [str(each.S)[1:] for each in tree]
        headings = [int(kind[1]) for kind in kinds if re.fullmatch(r"H\d", kind)]
        assert headings[0] == 1
        assert headings.count(1) == 1
        assert headings.count(2) == 14
        assert all(after - before <= 1 for before, after in pairwise(headings))
        cells = [each for each in tree if each.S == "/TH"]
        assert {str(each.A.Scope) for each in cells} == {"/Column", "/Row"}
        assert all(int(each.StructParents) >= 0 for each in document.pages)


def test_it_tells_what_an_auditor_reads_in_that_order(tmp_path: Path) -> None:
    evidence = failed()
    words = text(evidence, tmp_path)
    parts = (
        *("The verdict, and how to check it", "Exceptions", "Scope and limits", "Identity of the backup"),
        *(
            "Targets and measures",
            "Method",
            "Completeness",
            "Results by invariant",
            "Control matrix",
            "Trend",
            "Review",
        ),
        *("File hashes", "Queries", "Words"),
    )
    places = [words.index(f"{number}. {part}") for number, part in enumerate(parts, 1)]
    assert places == sorted(places)
    assert words.startswith(f"Restore drill of {record_examples.STEM} FAILED {evidence.headline}")
    for line in ("18 of 1,200 rows broken", "3 of 42 accounts broken", "no sites table", *evidence.not_shown):
        assert line in words
    assert f"1 of {len(opened(evidence).pages)}" in words
    squeezed = words.replace(" ", "")
    assert "/usr/lib/postgresql/17/bin,17.10,oftheDebianpackagepostgresql-client-1717.10-1,madebyDebian" in squeezed
    backup_set = evidence.record.backup_set
    assert backup_set is not None
    assert all(file.sha256 in squeezed for file in backup_set.artefacts)


@pytest.mark.parametrize("drill", first_of([failed, examples.inconclusive]))
def test_no_page_ends_with_a_heading_or_with_the_first_row_of_a_table(
    drill: Callable[[], Evidence], tmp_path: Path
) -> None:
    evidence = drill()
    headings = re.findall(r"<h[234]>([^<]*)</h[234]>", page.write_up(Story(evidence)))
    assert len(headings) > 14
    lines_of = pages(evidence, tmp_path)
    last = [lines[-1] for lines in lines_of]
    assert len(last) > 3
    alone = [line for line in last if any(html.unescape(heading).endswith(line) for heading in headings)]
    assert (alone, [line for line in last if line.startswith(("Beside the last drill", "Each stage stands"))]) == (
        [],
        [],
    )
    matrix = [lines for lines in lines_of if "Control What must hold Impact Outcome Examined" in lines]
    rows = [sum(bool(re.match(r"[A-Z]{3}-\d\d [A-Z]", line)) for line in lines) for lines in matrix]
    assert rows
    assert min(rows) > 1


@pytest.mark.further
def test_a_pass_on_nothing_and_what_was_not_tried_say_so(tmp_path: Path) -> None:
    asked = examples.result("TEN-16", "visits", examined=1, out_of=666, unit="addresses")
    nothing = examples.evidence([examples.result("TEN-02", "empty", examined=0), asked])
    outcomes: tuple[Proven, ...] = ("proven", "unproven", "unproven", "in tests")
    proofs = tuple(
        Proof(control="TEN-02", subject=f"part {number}", outcome=outcome, says=f"reason {number}")
        for number, outcome in enumerate(outcomes)
    )
    words = text(nothing.model_copy(update={"proving": Proving(seed="0", proofs=proofs)}), tmp_path)
    assert "1 passed (1 on nothing) 0 rows" in words
    assert "1 passed 1 of 666 addresses" in words
    assert "Area Proven Blind Unproven In tests Why unproven TEN 1 0 2 1 1: reason 1; 1: reason 2" in words
    words = text(examples.inconclusive(), tmp_path)
    assert 'restore failed: extension "postgis" is not on this server' in words
    assert words.count("never reached") >= 4


@pytest.mark.further
def test_the_drills_before_and_the_nights_that_were_missed_are_told(tmp_path: Path) -> None:
    evidence = with_past(examples.verified())
    past = evidence.past
    assert past is not None
    words = text(evidence, tmp_path)
    trend = words[words.index("10. Trend") : words.index("11. Review")]
    assert f"A drill is due every 24 h; {past.missed_total} were missed, the last due at" in trend
    assert len(re.findall(r"(VERIFIED|FAILED|INCONCLUSIVE) (as entered|altered)", trend)) == page.NIGHTS
    assert f"{past.before + len(past.drills) - page.NIGHTS} more before those" in trend


@pytest.mark.further
def test_a_gate_answers_and_a_cached_start_says_that_nothing_was_restored(tmp_path: Path) -> None:
    words = text(gate(examples.inconclusive()), tmp_path)
    assert words.startswith(f"Release gate of {record_examples.STEM} NO-GO, could not tell ")
    assert "This was a gate: the release was tried besides." in words
    assert "NO-GO, could not tell is what follows from" in words
    assert "GO means that every planned check was made" in words
    assert "INCONCLUSIVE: restore drill" not in words
    words = text(cached(examples.verified()), tmp_path)
    assert "The database was not restored in this drill" in words
    assert "loaded by drill 20261122-010400-aaaa" in words


def test_what_no_font_may_have_is_written_out(tmp_path: Path) -> None:
    odd = examples.result("TEN-02", "subject", "failed", message=SIX_SCRIPTS, samples=())
    words = text(examples.evidence([odd]), tmp_path)
    assert r"Пример żółw \u6f22\u5b57 \U0001f600 \u202e\x1b[2J" in words


def test_markup_in_a_name_is_text(tmp_path: Path) -> None:
    hostile = '"><img src=file:///etc/passwd><script>'
    evidence = examples.evidence([examples.result("TEN-02", hostile, "failed", message=hostile)], headline=hostile)
    assert text(evidence, tmp_path).count('"><img src=file:///etc/passwd><script>') >= 3


@pytest.mark.further
def test_ten_thousand_subjects_stay_readable() -> None:
    evidence = examples.large(subjects=1_000)
    assert len(evidence.results) > 10_000
    with opened(evidence) as document:
        assert len(document.pages) < 40


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
