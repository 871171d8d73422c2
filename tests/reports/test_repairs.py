"""The repair list: by tenant, losses apart from skew, each thing once, in the runbook and on the page."""

from fixtures.record.evidence import Repair, Result
from reports import runbook
from reports.repairs import repair_list
from reports.story import Story
from tests.support import evidence_examples as examples
from tests.support.whole_documents import page_of

LOST = Repair(tenant="9", act="deploy again", what="site=1", cause="loss")
LATE = Repair(tenant="9", act="remove directory", what="site=2 version=4 (entry 7 of the archive)", cause="skew")
STRAY = Repair(tenant="", act="remove file", what="entry=12", cause="loss")


def result(control: str, *repairs: Repair, total: int = 0) -> Result:
    failed = examples.result(control, "whole", "failed", message="wrong", broken=1)
    return failed.model_copy(update={"repairs": repairs, "repairs_total": total or len(repairs)})


def test_each_thing_is_told_once_with_all_controls_that_ask_for_it() -> None:
    repairs = repair_list([result("SIT-06", LOST, LATE), result("SIT-14", LOST, STRAY, total=300)])
    assert [(each.tenant, each.cause, each.act, each.things, each.controls) for each in repairs.mendings] == [
        ("9", "lost or damaged", "deploy again", ("site=1",), ("SIT-06", "SIT-14")),
        ("", "lost or damaged", "remove file", ("entry=12",), ("SIT-14",)),
        ("9", "made between the two snapshots", "remove directory", (LATE.what,), ("SIT-06",)),
    ]
    assert repairs.unlisted == 298


def test_runbook_and_page_have_the_list_and_a_drill_without_repairs_says_so() -> None:
    story = Story(examples.evidence([result("SIT-06", LOST, LATE)]))
    written = runbook.write_up(story)
    assert "- **tenant 9**, lost or damaged: deploy again: site=1 (SIT-06)" in written
    assert "made between the two snapshots: remove directory" in written
    assert "<td>remove directory</td>" in page_of(story)
    assert "Not known in full" not in page_of(story)
    clean = Story(examples.evidence([examples.result("SIT-06")]))
    assert "## Repairs" not in runbook.write_up(clean)
    assert "files and records agree wherever they were compared" in page_of(clean)


def test_where_the_files_could_not_be_looked_at_no_document_says_that_they_agree() -> None:
    blind = Story(examples.evidence([examples.result("SIT-06", "whole", "blocked", message="nothing was restored")]))
    warning = "1 control over files could not be tried (SIT-06)"
    assert "Not known in full:</strong> " + warning in page_of(blind)
    assert "agree wherever" not in page_of(blind)
    assert f"Not known in full: {warning}" in runbook.write_up(blind).replace("\\", "")
