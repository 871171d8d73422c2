"""audit.pdf: PDF/A-3a and PDF/UA-1 as far as a file itself can show, with the evidence in it byte for byte."""

import io
import re
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pikepdf
import pytest

from reports.audit import pdf
from reports.story import Story
from tests.support import evidence_examples as examples
from tests.support.audit_pdfs import DRILLS, elements, opened

PDFAID, PDFUAID = "{http://www.aiim.org/pdfa/ns/id/}", "{http://www.aiim.org/pdfua/ns/id/}"
DC, XMP = "{http://purl.org/dc/elements/1.1/}", "{http://ns.adobe.com/xap/1.0/}"
EXTENSION = "{http://www.aiim.org/pdfa/ns/schema#}"


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
