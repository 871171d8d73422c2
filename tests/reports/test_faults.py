"""Failed controls of one cause are one card in every document, and faults that have nothing to do with each other are two."""

import re
from html import escape, unescape
from pathlib import Path

import pytest

from fixtures.record.evidence import Result
from fixtures.record.named_thing import NamedThing
from reports.audit.page import write_up as audit
from reports.junit import FAULTS
from reports.story import Story
from tests.support import evidence_examples as examples
from tests.support.drills import Drill, Healthy
from tests.support.short_drills import Standing
from tests.support.whole_documents import junit_of, page_of

SCHEMA = "CREATE SCHEMA billing;" + "".join(
    f"CREATE TABLE billing.{name} (id bigserial PRIMARY KEY, tenant_id bigint NOT NULL REFERENCES igny8_tenants);"
    f"INSERT INTO billing.{name} (tenant_id) SELECT id FROM igny8_tenants;"
    for name in ("orders", "plans", "shares")
)
IN_PRODUCTION = "UPDATE igny8_invoices SET total = total + 1 WHERE id = 1;"
LOST = "DROP TABLE igny8_content_tags"
RULES = {
    "Schema billing is missing, with 3 tables": ["FID-01", "FID-07", "FID-11", "RST-02"],
    "Table public.igny8_content_tags is missing": ["FID-01", "FID-07", "MIG-07", "RST-02", "RST-07"],
    "Site 1 of tenant 1 is damaged": ["SIT-06", "SIT-07", "SIT-10"],
    "Row id=1 of public.igny8_invoices": ["BIL-03", "BIL-04"],
    "File sites-data/uploads/1/#.svg of tenant 1": ["FIL-01"],
}


def spoil(sites_data: Path) -> None:
    """A site without its definition and with an empty page; and one file of a tenant's, which no site serves."""
    live = (sites_data / "clients" / "1" / "current").resolve()
    (live / "site-definition.json").unlink()
    (live / "pages" / "page-1.html").write_bytes(b"")
    (sites_data / "uploads" / "1" / "image-2.svg").unlink()


@pytest.fixture(scope="module")
def faulty(healthy: Healthy, standing: Standing, tmp_path_factory: pytest.TempPathFactory) -> Drill:
    """A drill that meets them all: a lost schema, a lost table, a damaged site, a wrong row, a lost file."""
    folder = tmp_path_factory.mktemp("faulty")
    healthy.backup(folder / "backups", SCHEMA + IN_PRODUCTION, in_files=spoil)
    return standing.drill(folder / "backups", folder / "out", planted=IN_PRODUCTION + LOST)


def test_what_failed_for_one_cause_stands_together_and_for_another_apart(faulty: Drill) -> None:
    faults = Story(faulty.evidence).faults
    said = {re.sub("hmac:[0-9a-f]{12}", "#", fault.title).partition(": ")[0]: fault.ids for fault in faults}
    assert {title: sorted(ids.split(", ")) for title, ids in said.items()} == RULES, faulty.output


def test_every_document_tells_each_cause_once_and_nothing_is_left_out(faulty: Drill) -> None:
    story = Story(faulty.evidence)
    documents = {
        "terminal": faulty.output,
        "summary": (faulty.directory / "summary.md").read_text().replace("\\", ""),
        "page": page_of(story),
        "audit": audit(story),
    }
    verdict = junit_of(story).partition('<testcase classname="drill"')[2]
    assert [fault.title for fault in story.faults if escape(" ".join(fault.title.split()), False) not in verdict] == []
    for name, document in documents.items():
        text = " ".join(unescape(document).split())
        for fault in story.faults:
            assert " ".join(fault.title.split())[:100] in text, (name, fault.title)
            for chapter in fault.chapters:
                assert chapter.id in text
                assert " ".join(chapter.title.split()) in text, (name, chapter.id)
                assert " ".join(chapter.remediation.split()) in text, (name, chapter.id)


def table(name: str) -> NamedThing:
    return NamedThing(kind="table", name=name)


def site(key: str) -> NamedThing:
    return NamedThing(kind="site", name=key, tenant="7")


def failing(control: str, *names: NamedThing, subject: str = "whole") -> Result:
    return examples.result(control, subject, "failed", names=names)


def cards(*results: Result) -> dict[str, list[str]]:
    faults = Story(examples.evidence(list(results))).faults
    return {fault.title.partition(":")[0]: sorted(chapter.id for chapter in fault.chapters) for fault in faults}


def test_two_faults_of_one_table_stay_apart_unless_its_rows_are_no_longer_the_sources() -> None:
    invoices = table("public.billing_invoices")
    both = (failing("BIL-02", invoices, subject="a"), failing("TEN-02", invoices, subject="b"))
    assert cards(*both) == {"a": ["BIL-02"], "b": ["TEN-02"]}
    altered = failing("FID-04", invoices, subject="public.billing_invoices")
    assert cards(*both, altered) == {"Table public.billing_invoices": ["BIL-02", "FID-04", "TEN-02"]}


def test_two_damaged_sites_are_two_faults_though_one_control_names_both() -> None:
    results = (failing("SIT-03", site("1"), site("2")), failing("SIT-06", site("1")), failing("SIT-12", site("2")))
    assert cards(*results) == {
        "Site 1 of tenant 7 is damaged": ["SIT-03", "SIT-06"],
        "Site 2 of tenant 7 is damaged": ["SIT-03", "SIT-12"],
    }


def test_what_a_finding_names_beside_a_shared_thing_is_told_by_its_own_control() -> None:
    assert cards(failing("SIT-03", site("1"), site("2")), failing("SIT-06", site("1"))) == {
        "Site 1 of tenant 7 is damaged": ["SIT-03", "SIT-06"],
        "SIT-03 found something on whole": ["SIT-03"],
    }


def test_many_shared_things_never_make_more_cards_than_controls() -> None:
    things = [site(str(number)) for number in range(4)]
    results = (
        failing("SIT-03", *things[:3]),
        failing("SIT-06", *things[1:]),
        failing("SIT-12", things[0], *things[2:]),
    )
    assert cards(*results) == {"4 sites": ["SIT-03", "SIT-06", "SIT-12"]}


def test_faults_in_rows_are_told_as_productions_only_where_nothing_was_lost(faulty: Drill) -> None:
    held = {result.control for result in faulty.evidence.results if result.in_backup}
    assert held == {"BIL-03", "BIL-04"}
    assert Story(faulty.evidence).whose_fault.startswith("The backup or its restore damaged it")
    assert "The backup or its restore damaged it" in faulty.output


def test_a_test_reports_verdict_names_so_many_faults_and_counts_the_others() -> None:
    sites = [failing("SIT-03", site(str(number)), subject=str(number)) for number in range(FAULTS)]
    others = [failing(f"BIL-{number:02}") for number in range(1, FAULTS + 3)]
    story = Story(examples.evidence([*sites, *others]))
    text = junit_of(story)
    more = len(story.faults) - FAULTS
    assert more > 0
    assert f"and {more} more faults, in index.html" in text
