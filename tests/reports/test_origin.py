"""Where a set came from, how it was closed, and that it was drilled before: told in every document that a person reads."""

import io
import re
import subprocess
from datetime import timedelta
from pathlib import Path

from rich.console import Console

from fixtures.record.evidence import Evidence
from fixtures.record.set_record import Delivery, PastDrill
from reports import terminal
from reports.render import render
from reports.story import Story
from tests.support import evidence_examples as examples
from tests.support import record_examples

PLACE = f"s3://igny8-backups/nightly/{record_examples.STEM}"


def fetched_and_sealed() -> Evidence:
    """From a store, encrypted with age, and drilled twice before."""
    backup_set = record_examples.backup_set()
    artefacts = tuple(
        file.model_copy(
            update={
                "name": f"{file.name}.age" if file.role != "manifest" else file.name,
                "cipher": "age" if file.role != "manifest" else None,
                "plain_sha256": "5" * 64 if file.role != "manifest" else "",
                "plain_size": 7,
                "mode": None,
                "owner": None,
            }
        )
        for file in backup_set.artefacts
    )
    delivery = Delivery(bytes=981_000_000, seconds=41.5, resumed=2, restarted=0, cached=1)
    past = tuple(
        PastDrill(
            run_id=f"run-{days}",
            set_name=backup_set.name,
            dump_sha256="a" * 64,
            verdict=verdict,
            finished_at=record_examples.STARTED - timedelta(days=days),
        )
        for days, verdict in ((2, "FAILED"), (1, "VERIFIED"))
    )
    delivered = backup_set.model_copy(
        update={"artefacts": artefacts, "delivery": delivery, "location": PLACE, "folder_mode": None}
    )
    record = record_examples.record(backup_set=delivered, drilled_before=past)
    return examples.verified().model_copy(update={"record": record})


def test_every_document_tells_where_the_set_came_from_and_when_it_was_drilled_before(tmp_path: Path) -> None:
    evidence = fetched_and_sealed()
    render(evidence, tmp_path)
    text = io.StringIO()
    terminal.show(evidence, tmp_path, Console(file=text, width=200))
    for report in (text.getvalue(), (tmp_path / "summary.md").read_text(), (tmp_path / "index.html").read_text()):
        report = re.sub(r"<[^>]+>|&#58;", lambda match: ":" if match[0] == "&#58;" else "", report)
        assert "935.6 MiB in 41.5 s, 2 broken connections taken up, 1 file from the cache" in report
        assert PLACE in report
        assert "2026-11-21 03:15:09 UTC VERIFIED, 2026-11-20 03:15:09 UTC FAILED" in report
    page = (tmp_path / "index.html").read_text()
    assert "opened, in clear " + "5" * 64 in page
    assert page.count("not known") >= 3


def test_a_set_that_was_never_drilled_says_nothing_of_it(tmp_path: Path) -> None:
    text = io.StringIO()
    terminal.show(examples.verified(), tmp_path, Console(file=text, width=200))
    assert "drilled before" not in text.getvalue()
    assert Story(examples.verified()).drilled_before == ""


def test_the_runbook_decrypts_before_it_restores_and_restores_what_came_out(tmp_path: Path) -> None:
    render(fetched_and_sealed(), tmp_path)
    text = (tmp_path / "runbook.md").read_text()
    blocks = "\n".join(re.findall(r"^```sh\n(.*?)\n```$", text, re.DOTALL | re.MULTILINE))
    assert subprocess.run(["bash", "-n", "-c", blocks], capture_output=True, text=True).stderr == ""
    dump = f'"$BACKUP_SET"/{record_examples.STEM}.dump'
    assert f'age --decrypt -i "$DRILL_AGE_IDENTITY" -o {dump} {dump}.age' in blocks
    assert blocks.index("sha256sum --check") < blocks.index("age --decrypt") < blocks.index("pg_restore -c")
    assert f'-d "$PGDATABASE" {dump}\n' in blocks + "\n"
    assert f"fetched from {PLACE}" in blocks
