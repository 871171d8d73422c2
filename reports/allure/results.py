"""Makes the files that the Allure page is built from: this drill's results, and those of the drills before it.

A failed check is `failed`, a blocked one `broken`; waived and exempt ones are passes under a label of their own, never
`skipped`, as in junit.xml. Formats: Allure's result files and Allure 3's history file (JSON lines, the oldest first)."""

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from fixtures.record.areas import AREAS
from fixtures.record.evidence import Evidence, Outcome, Result
from reports import words
from reports.chapter import Chapter
from reports.story import Story

HISTORY = "history.jsonl"
NIGHTS = 30
_STATUS: dict[Outcome, str] = {"failed": "failed", "blocked": "broken"}
_SEVERITY = {"critical": "blocker", "high": "critical", "medium": "normal", "low": "minor"}

Object = dict[str, Any]


def write_results(evidence: Evidence, folder: Path) -> None:
    """Makes `folder` and fills it with a file for each result, and with what Allure shows beside them."""
    folder.mkdir()
    story = Story(evidence)
    for chapter in story.chapters:
        for result in chapter.results:
            written = _result(evidence, chapter, result)
            (folder / f"{written['uuid']}-result.json").write_text(json.dumps(written), encoding="utf-8")
    surroundings = "".join(f"{name} = {_property(value)}\n" for name, value in _surroundings(evidence).items())
    (folder / "environment.properties").write_text(surroundings, encoding="utf-8")


def write_history(run: Path, evidence: Evidence, file: Path) -> int:
    """Writes what earlier drills with this profile found, those alone whose evidence is still what the ledger entered;
    returns how many there are."""
    past = evidence.past.drills if evidence.past is not None else ()
    points = []
    for drill in past[-NIGHTS:]:
        try:
            content = (run.resolve().parent / drill.run_id / words.EVIDENCE).read_bytes()
        except OSError:
            continue
        if hashlib.sha256(content).hexdigest() != drill.evidence_sha256:
            continue
        try:
            points.append(_point(Evidence.model_validate_json(content)))
        except ValidationError:
            # Of another version of the suite: its digest holds, its shape is not ours.
            continue
    file.write_text("".join(json.dumps(point) + "\n" for point in points), encoding="utf-8")
    return len(points)


def _point(evidence: Evidence) -> Object:
    """One earlier drill, as Allure keeps it."""
    results = [
        (chapter, result, _result(evidence, chapter, result))
        for chapter in Story(evidence).chapters
        for result in chapter.results
    ]
    return {
        "uuid": evidence.run_id,
        "name": f"Restore drill {evidence.run_id}: {evidence.verdict}",
        "timestamp": _milliseconds(evidence.finished_at),
        "knownTestCaseIds": [_md5(_name(result)) for _, result, _ in results],
        "testResults": {
            _history_id(result): {
                "id": _md5(written["uuid"]),
                "name": written["name"],
                "fullName": written["fullName"],
                "status": written["status"],
                "start": written["start"],
                "stop": written["stop"],
                "duration": written["stop"] - written["start"],
                "labels": written["labels"],
                "url": "",
                "historyId": _history_id(result),
                "reportLinks": [],
            }
            for _, result, written in results
        },
        "metrics": {},
        "url": "",
    }


def _result(evidence: Evidence, chapter: Chapter, result: Result) -> Object:
    began = _milliseconds(evidence.started_at)
    outcome: str = "nothing examined" if result.outcome == "passed" and result.examined == 0 else result.outcome
    if result.on_tenants is not None:
        outcome = f"{outcome} on some tenants"
    labels = {
        "feature": AREAS.get(chapter.area, chapter.area),
        "story": f"{chapter.id} {chapter.title}",
        "severity": _SEVERITY[chapter.impact],
        "outcome": outcome,
        "tag": outcome,
    }
    return {
        "uuid": _md5(f"{evidence.run_id} {_name(result)}"),
        "testCaseId": _name(result),
        "fullName": _name(result),
        "name": words.plain(f"{result.control} {result.subject}"),
        "status": _STATUS.get(result.outcome, "passed"),
        "statusDetails": {"message": words.plain(_told(result))},
        "description": words.plain(f"{chapter.rationale}\n\n**If it fails:** {chapter.remediation}"),
        "start": began,
        "stop": began + round(result.seconds * 1000),
        "stage": "finished",
        "labels": [{"name": name, "value": words.plain(value)} for name, value in labels.items()],
        "links": _links(chapter, result),
    }


def _told(result: Result) -> str:
    lines = [words.looked_at(result), result.message, result.note]
    if result.finding:
        lines.append(f"Finding {result.finding}")
    if result.samples:
        lines.append(f"{words.samples_label(result)}: {', '.join(result.samples)}")
    if result.waiver is not None:
        accepted = result.waiver
        lines.append(f"Waived by {accepted.approved_by} until {accepted.until} ({accepted.ticket}): {accepted.reason}")
    return "\n".join(filter(None, lines))


def _links(chapter: Chapter, result: Result) -> list[Object]:
    """Where it stands in the report beside the page, and the waiver's ticket where that is an address."""
    links = [{"type": "link", "name": f"{chapter.id} in the report", "url": f"../index.html#{chapter.id}"}]
    if result.waiver is not None and result.waiver.ticket.startswith(("https://", "http://")):
        links.append({"type": "issue", "name": "The waiver's ticket", "url": result.waiver.ticket})
    return links


def _surroundings(evidence: Evidence) -> dict[str, str]:
    backup_set = evidence.record.backup_set
    return {
        "Verdict": f"{evidence.verdict}: {evidence.headline}",
        "Drill": evidence.run_id,
        "Set": f"{backup_set.name}, taken {words.moment(backup_set.taken_at)}" if backup_set else "none was found",
        "Signer": evidence.signed_by or "nobody",
        "Complete": "yes" if Story(evidence).whole else "no",
        "Suite": evidence.suite_version,
    }


def _property(value: str) -> str:
    return words.one_line(value).replace("\\", "\\\\")


def _name(result: Result) -> str:
    return f"{result.control}[{result.subject}]"


def _history_id(result: Result) -> str:
    """As Allure makes it: of the case, and of its parameters, of which there are none."""
    return f"{_md5(_name(result))}.{_md5('')}"


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _milliseconds(moment: datetime) -> int:
    zoned = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return int(zoned.timestamp() * 1000)
