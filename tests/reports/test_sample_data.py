"""A drill of the sample says SAMPLE DATA wherever its verdict stands; one of a user's set never does."""

import io
from pathlib import Path

from rich.console import Console

from fixtures.plugin.building_evidence import build_evidence
from fixtures.plugin.gathering import Gatherer
from fixtures.profile.backups import Targets
from fixtures.record.evidence import Evidence
from fixtures.record.set_record import BackupSet
from reports import summary
from reports.audit import page as audit
from reports.story import Story
from reports.terminal import show
from tests.support import evidence_examples as examples
from tests.support import record_examples
from tests.support.whole_documents import junit_of, page_of

SAID = "SAMPLE DATA"


def of_sample() -> BackupSet:
    ours = record_examples.backup_set()
    assert ours.manifest is not None
    return ours.model_copy(update={"manifest": ours.manifest.model_copy(update={"sample": True})})


def documents(backup_set: BackupSet) -> dict[str, str]:
    record = record_examples.record(backup_set=backup_set)
    evidence = examples.evidence([examples.result("BAK-01", "set", "failed")], record=record)
    story = Story(evidence)
    return {
        "headline": evidence.headline,
        "page": page_of(story),
        "summary": summary.write_up(story),
        "pdf": audit.write_up(story),
        "junit": junit_of(story),
        "terminal": last_lines(evidence),
    }


def last_lines(evidence: Evidence) -> str:
    text = io.StringIO()
    show(evidence, Path("out/run"), Console(file=text, width=110))
    return text.getvalue().splitlines()[-1]


def test_every_document_of_the_sample_says_so() -> None:
    texts = documents(of_sample())
    assert texts["headline"].startswith(f"{SAID}; 1 of 1 checks")
    assert texts["terminal"].startswith(f" {SAID} the sample's, made up")
    assert [name for name, text in texts.items() if SAID not in text] == []


def test_a_set_of_the_samples_name_and_application_is_not_the_sample() -> None:
    ours = record_examples.backup_set()
    assert (ours.manifest and ours.manifest.application, ours.name[:6]) == ("igny8", "igny8_")
    assert [name for name, text in documents(ours).items() if SAID in text] == []


def test_the_samples_manifest_beside_another_dump_makes_it_no_sample() -> None:
    ours = of_sample()
    other = tuple(
        each.model_copy(update={"sha256": "00" * 32}) if each.role == "dump" else each for each in ours.artefacts
    )
    changed = ours.model_copy(update={"artefacts": other})
    assert not changed.sample
    assert [name for name, text in documents(changed).items() if SAID in text] == []


def test_a_drills_own_headline_begins_with_it() -> None:
    whole = examples.verified()
    evidence = build_evidence(
        record=record_examples.record(backup_set=of_sample()),
        targets=Targets(rpo_hours=1, rto_minutes=1),
        cards=(),
        gathered=Gatherer([]),
        teardown=(),
        finished_at=whole.finished_at,
        not_shown=(),
        signed_by="",
        origin=whole.origin,
        masking=whole.masking,
        kind="gate",
    )
    assert evidence.headline == f"NO-GO, could not tell: {SAID}; no check was made; unsigned"
