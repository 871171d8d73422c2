"""oscal.json: the drill as NIST OSCAL assessment results (1.2.1), for governance tools.

One observation a result, one finding a control, one risk for what was found there. Every uuid is made from the run's id
and the thing's name: the same evidence gives the same file. Source: NIST OSCAL, assessment results model.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any, get_args
from uuid import NAMESPACE_URL, UUID, uuid5

from fixtures.record.areas import AREAS
from fixtures.record.evidence import Outcome, Result
from fixtures.record.proof import Proven
from reports import words
from reports.chapter import Chapter
from reports.story import Story

VERSION = "1.2.1"
NAMESPACE = "https://restore-drill.invalid/ns/oscal"
_ROOT = uuid5(NAMESPACE_URL, NAMESPACE)
_LONGEST = 2_000

Object = dict[str, Any]


def pieces(story: Story) -> Iterator[str]:
    """The whole document as JSON, in pieces: all of them together take many times what they are as bytes."""
    document = {"assessment-results": _Results(story).document()}
    yield from json.JSONEncoder(indent=1, ensure_ascii=False).iterencode(document)
    yield "\n"


class _Made(list[Any]):
    """A JSON array of objects that are made one by one while it is written: a drill of many tables has many."""

    def __init__(self, make: Callable[[], Iterator[Any]]) -> None:
        # One that stands for all: what is empty is no array of these.
        super().__init__(islice(make(), 1))
        self._make = make

    def __iter__(self) -> Iterator[Any]:
        return self._make()


class _Results:
    """One drill's document; whatever is referred to is named by `_id`."""

    def __init__(self, story: Story) -> None:
        self._story = story
        self._evidence = story.evidence
        self._run = uuid5(_ROOT, self._evidence.run_id)
        proving = self._evidence.proving
        self._proofs = {(each.control, each.subject): each for each in proving.proofs} if proving is not None else {}
        self._ended = _moment(self._evidence.finished_at)

    def document(self) -> Object:
        evidence = self._evidence
        return {
            "uuid": self._id("document"),
            "metadata": {
                "title": _line(f"Restore drill {evidence.run_id}: {evidence.verdict}"),
                "last-modified": self._ended,
                "version": _line(evidence.run_id),
                "oscal-version": VERSION,
            },
            "import-ap": {"href": f"#{self._id('profile')}", "remarks": "The plan of a drill is its profile."},
            "results": [self._result()],
            "back-matter": {"resources": self._resources()},
        }

    def _result(self) -> Object:
        evidence, chapters = self._evidence, [chapter for chapter in self._story.chapters if chapter.results]
        result: Object = {
            "uuid": self._id("result"),
            "title": _line(f"Restore drill: {evidence.verdict}"),
            "description": _text(evidence.headline),
            "start": _moment(evidence.started_at),
            "end": self._ended,
            "props": self._props(),
            "local-definitions": _filled({"components": self._components(), "inventory-items": self._subjects()}),
            "reviewed-controls": {"control-selections": [self._selection(chapters)]},
            "observations": _Made(
                lambda: (self._observation(chapter, result) for chapter in chapters for result in chapter.results)
            ),
            "risks": [self._risk(chapter) for chapter in chapters if _found(chapter)],
            "findings": [self._finding(chapter) for chapter in chapters],
            "remarks": _text("\n".join(f"Not shown: {line}" for line in evidence.not_shown)),
        }
        return _filled(result)

    def _props(self) -> list[Object]:
        evidence = self._evidence
        values = {
            "verdict": evidence.verdict,
            "run-id": evidence.run_id,
            "complete": "yes" if self._story.whole else "no",
            "signed-by": evidence.signed_by or "nobody",
            "run-by": f"{evidence.origin.runner.account} on {evidence.origin.runner.machine}",
            "suite-commit": evidence.origin.suite.commit or "not known",
            "application-commit": evidence.origin.application.commit or "not known",
            "suite-version": evidence.suite_version,
            **{f"checks-{outcome}": str(count) for outcome, count in self._story.counts.items()},
            **self._proving(),
            **self._budget(),
        }
        for measure in evidence.measures:
            values[f"{measure.name.lower()}-target"] = words.quantity(measure.target, measure.unit)
            values[f"{measure.name.lower()}-measured"] = words.measured(measure)
        return [_prop(name, value) for name, value in values.items()]

    def _budget(self) -> dict[str, str]:
        """What the checks were estimated at beside the time that the profile gives them."""
        budget = self._evidence.checks_budget
        if budget is None:
            return {}
        some = str(len(self._evidence.on_some_tenants))
        return {"checks-on-some-tenants": some, "checks-budget": budget.in_words, "checks-seed": budget.seed}

    def _proving(self) -> dict[str, str]:
        """How many checks were seen to fail where a fault was planted for them."""
        proving = self._evidence.proving
        if proving is None:
            return {}
        # A name is a token of OSCAL's, without a blank.
        counts = {f"proof-{outcome}".replace(" ", "-"): str(proving.counted[outcome]) for outcome in get_args(Proven)}
        return {**counts, "proof-in-words": proving.recent, "proof-seed": proving.seed}

    def _components(self) -> list[Object]:
        record = self._evidence.record
        named = [
            ("suite", "validation", "The restore drill", f"The suite that drilled, {self._evidence.suite_version}.")
        ]
        named.append(("application", "software", record.profile_name, f"The release in {record.application_path}."))
        if record.backup_set is not None:
            taken = words.moment(record.backup_set.taken_at)
            named.append(("set", "system", record.backup_set.name, f"The backup set, taken {taken}."))
        if record.server is not None:
            description = f"The server that it was restored into: {record.server.provider}, {record.server.version}."
            named.append(("server", "service", "PostgreSQL", description))
        return [
            {
                "uuid": self._id("component", name),
                "type": kind,
                "title": _line(title),
                "description": _text(description),
                "status": {"state": "operational" if name != "server" else "disposition"},
            }
            for name, kind, title, description in named
        ]

    def _subjects(self) -> list[Object]:
        names = sorted({result.subject for result in self._evidence.results})
        return _Made(lambda: ({"uuid": self._id("subject", name), "description": _text(name)} for name in names))

    def _selection(self, chapters: list[Chapter]) -> Object:
        description = "The controls of this suite and of the application's profile, each tried on every subject."
        named = [{"control-id": chapter.id} for chapter in chapters or self._story.chapters]
        return {"description": description if chapters else "No control was tried.", "include-controls": named}

    def _observation(self, chapter: Chapter, result: Result) -> Object:
        examined = [] if result.examined is None else [_prop("examined", str(result.examined))]
        examined += [] if result.out_of is None else [_prop("out-of", str(result.out_of))]
        if result.on_tenants is not None:
            on = result.on_tenants
            examined += [_prop("tenants", str(on.tenants)), _prop("tenants-out-of", str(on.of))]
        observation: Object = {
            "uuid": self._id("observation", result.control, result.subject),
            "title": _line(f"{result.control} on {result.subject}: {result.outcome}"),
            "description": _text(". ".join(filter(None, (words.looked_at(result), result.message, result.note)))),
            "props": [_prop("outcome", result.outcome), _prop("control", result.control), *examined],
            "methods": ["TEST"],
            "types": ["finding" if result.outcome in ("failed", "waived") else "control-objective"],
            "origins": self._origins(),
            "subjects": [
                {
                    "subject-uuid": self._id("subject", result.subject),
                    "type": "inventory-item",
                    "title": _line(result.subject),
                }
            ],
            "relevant-evidence": [{"href": f"#{self._id('evidence')}", "description": f"{words.EVIDENCE}, results"}],
            "collected": self._ended,
        }
        more = {
            "broken": str(result.broken or ""),
            "finding": result.finding,
            "query-sha256": result.query_sha256,
            "supports": chapter.supports,
            **self._proof_of(result),
        }
        observation["props"] += [_prop(name, value) for name, value in more.items() if value]
        if result.samples:
            observation["remarks"] = _text(f"{words.samples_label(result)}: {', '.join(result.samples)}")
        return observation

    def _proof_of(self, result: Result) -> dict[str, str]:
        """Whether this check was seen to fail tonight, and when it last was."""
        proof = self._proofs.get((result.control, result.subject))
        if proof is None:
            return {}
        last = _moment(proof.last_proven) if proof.last_proven is not None else ""
        return {"proof": proof.outcome, "proof-says": proof.says, "last-proven": last}

    def _finding(self, chapter: Chapter) -> Object:
        finding: Object = {
            "uuid": self._id("finding", chapter.id),
            "title": _line(f"{chapter.id} {chapter.title}"),
            "description": _text(chapter.rationale or chapter.title),
            "props": [_prop("impact", chapter.impact), _prop("area", AREAS.get(chapter.area, chapter.area))],
            "origins": self._origins(),
            "target": {"type": "objective-id", "target-id": chapter.id, "status": _status(chapter)},
            "related-observations": self._observed(lambda: chapter.results),
        }
        if _found(chapter):
            finding["related-risks"] = [{"risk-uuid": self._id("risk", chapter.id)}]
        return finding

    def _risk(self, chapter: Chapter) -> Object:
        """What a failure means. Accepted only where every failure of the control is waived, until the first ends."""
        waivers = [result.waiver for result in _found(chapter) if result.waiver is not None]
        accepted = "failed" not in chapter.counts
        risk: Object = {
            "uuid": self._id("risk", chapter.id),
            "title": _line(f"{chapter.id} {chapter.title}"),
            "description": _text(chapter.remediation or chapter.title),
            "statement": _text(chapter.rationale or chapter.title),
            "props": [_prop("impact", chapter.impact)],
            "status": "deviation-approved" if accepted else "open",
            "related-observations": self._observed(lambda: _found(chapter)),
        }
        if waivers:
            accepted_by = sorted(
                f"{each.reason} ({each.ticket}, fixed by {each.owner}, approved by {each.approved_by} until {each.until})"
                for each in set(waivers)
            )
            risk["props"] += [_prop("waiver", each) for each in accepted_by]
        if accepted and waivers:
            risk["deadline"] = _moment(datetime.fromisoformat(min(each.until for each in waivers)))
        return risk

    def _observed(self, results: Callable[[], Iterable[Result]]) -> list[Object]:
        return _Made(
            lambda: (
                {"observation-uuid": self._id("observation", result.control, result.subject)} for result in results()
            )
        )

    def _origins(self) -> list[Object]:
        return [{"actors": [{"type": "tool", "actor-uuid": self._id("component", "suite")}]}]

    def _resources(self) -> list[Object]:
        record = self._evidence.record
        files = [
            ("profile", "The profile", record.profile_path, record.profile_sha256),
            ("evidence", "The evidence that this was rendered from", words.EVIDENCE, self._story.written.sha256),
        ]
        if record.backup_set is not None:
            files += [
                (f"set/{file.name}", f"The set's {file.role}", file.name, file.sha256)
                for file in record.backup_set.artefacts
            ]
        return [
            {
                "uuid": self._id(name),
                "title": _line(title),
                "rlinks": [{"href": _line(href), "hashes": [{"algorithm": "SHA-256", "value": digest}]}],
            }
            for name, title, href, digest in files
        ]

    def _id(self, *path: str) -> str:
        return str(_named(self._run, *path))


def _filled(members: Object) -> Object:
    """OSCAL has no empty lists and no empty remarks."""
    return {name: value for name, value in members.items() if value not in ([], "")}


def _named(root: UUID, *path: str) -> UUID:
    # As JSON: no two paths are one name, whatever their parts hold.
    return uuid5(root, json.dumps(path))


def _found(chapter: Chapter) -> tuple[Result, ...]:
    return tuple(result for result in chapter.results if result.outcome in ("failed", "waived"))


def _status(chapter: Chapter) -> Object:
    """Satisfied is only what was tried and found to hold, or has nothing to hold for; the worst subject counts."""
    reasons: dict[Outcome, str] = {"failed": "fail", "blocked": "other", "waived": "fail", "exempt": "other"}
    worst = chapter.worst or "blocked"
    remarks = ", ".join(f"{count} {outcome}" for outcome, count in chapter.counts.items())
    nothing = sum(result.outcome == "passed" and result.examined == 0 for result in chapter.results)
    if nothing:
        remarks += f"; {words.many(nothing, 'pass', 'passes')} had nothing to examine"
    return {
        "state": "satisfied" if worst in ("passed", "exempt") else "not-satisfied",
        "reason": reasons.get(worst, "pass"),
        "remarks": remarks,
    }


def _prop(name: str, value: str) -> Object:
    return {"name": name, "ns": NAMESPACE, "value": _line(value)}


def _line(text: str) -> str:
    """One line that is not empty: what OSCAL takes for a title and for a property's value."""
    return words.one_line(text, _LONGEST).strip() or "(empty)"


def _text(text: str) -> str:
    return words.plain(text)


def _moment(value: datetime) -> str:
    zoned = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    return zoned.isoformat()
