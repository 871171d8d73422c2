"""The Allure page: built by the pinned allure, without analytics, asking nobody for anything."""

import base64
import hashlib
import json
import re
import shutil
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from fixtures.record.evidence import Evidence
from fixtures.record.past import EarlierDrill, Past
from reports.allure.build import HERE, AllureFailed, build
from reports.allure.offline import NotOffline, offline, remote_loads
from reports.allure.results import write_history, write_results
from tests.support import evidence_examples as examples
from tests.support import record_examples
from tests.support.browser import visit
from tests.support.programs import missing

ANALYTICS = """
<script async src="https://www.googletagmanager.com/gtag/js?id=G-1"></script>
<script>window.dataLayer = window.dataLayer || []; function gtag(){dataLayer.push(arguments);} gtag('js', 1);</script>
"""


@pytest.fixture(scope="module")
def npm() -> None:
    if shutil.which("npm") is None:
        missing("left out: npm is not on PATH (install Node.js 20 or newer, with npm)")


def test_analytics_are_taken_out_and_a_policy_is_put_in() -> None:
    page = offline(
        f"<html><head><title>t</title></head><body>kept{ANALYTICS}<script>let kept = 1</script></body></html>"
    )
    assert "googletagmanager" not in page
    assert "gtag" not in page
    assert page.count("kept") == 2
    assert page.startswith('<html><head><meta http-equiv="Content-Security-Policy" content="default-src \'none\'')


@pytest.mark.parametrize(
    "load",
    [
        '<script src="https://cdn.example/x.js"></script>',
        "<link rel=stylesheet href=//cdn.example/x.css>",
        '<img alt="a" src="http://cdn.example/x.png">',
        "<style>@import url(https://cdn.example/x.css);</style>",
        '<style>body { background: url("//cdn.example/x.png") }</style>',
        '<meta http-equiv="refresh" content="0; url=https://cdn.example/">',
    ],
)
def test_page_that_still_loads_something_is_refused(load: str) -> None:
    with pytest.raises(NotOffline, match=r"cdn\.example"):
        offline(f"<html><head></head><body>{load}</body></html>")


def test_data_addresses_and_links_to_follow_are_no_loads() -> None:
    assert (
        remote_loads('<a href="https://x.example">x</a><img src="data:image/png;base64,AA=="><svg xmlns="http://w3">')
        == []
    )


def test_folder_without_evidence_says_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(AllureFailed, match=r"evidence\.json cannot be read: .*Give the folder of one run"):
        build(tmp_path)
    (tmp_path / "evidence.json").write_text("{}")
    with pytest.raises(AllureFailed, match="is not evidence that this version reads"):
        build(tmp_path)


def test_lock_pins_allure_and_names_no_registry() -> None:
    lock = json.loads((HERE / "package-lock.json").read_text())
    wanted = json.loads((HERE / "package.json").read_text())["dependencies"]["allure"]
    assert lock["packages"]["node_modules/allure"]["version"] == wanted
    packages = [package for name, package in lock["packages"].items() if name]
    assert all("integrity" in package and "resolved" not in package for package in packages)


@dataclass(frozen=True)
class Nights:
    """The runs of three nights, as drills leave them."""

    out: Path
    runs: list[Path]

    def drilled(self, evidence: Evidence) -> Path:
        number = len(self.runs)
        at = record_examples.STARTED + timedelta(days=number)
        before = [Evidence.model_validate_json((run / "evidence.json").read_bytes()) for run in self.runs]
        past = Past(
            drills=tuple(_earlier(each) for each in before), before=0, every_hours=None, missed=(), missed_total=0
        )
        named = {"run_id": f"night-{number}", "started_at": at, "finished_at": at + timedelta(minutes=2), "past": past}
        self.runs.append(self.out / f"night-{number}")
        self.runs[-1].mkdir(parents=True)
        (self.runs[-1] / "evidence.json").write_bytes(evidence.model_copy(update=named).written)
        return self.runs[-1]


def _earlier(evidence: Evidence) -> EarlierDrill:
    return EarlierDrill(
        run_id=evidence.run_id,
        finished_at=evidence.finished_at,
        verdict=evidence.verdict,
        evidence_sha256=hashlib.sha256(evidence.written).hexdigest(),
        report="as entered",
        figures=None,
    )


@pytest.fixture
def nights(tmp_path: Path) -> Nights:
    shelf = Nights(tmp_path / "out", [])
    for drill in (examples.verified, examples.inconclusive, examples.failed):
        shelf.drilled(drill())
    return shelf


def history(nights: Nights, scratch: Path) -> list[dict[str, Any]]:
    last = Evidence.model_validate_json((nights.runs[-1] / "evidence.json").read_bytes())
    write_history(nights.runs[-1], last, scratch)
    return [json.loads(line) for line in scratch.read_text().splitlines()]


def test_history_is_that_of_the_drills_before_the_oldest_first(nights: Nights, tmp_path: Path) -> None:
    points = history(nights, tmp_path / "history.jsonl")
    assert [point["uuid"] for point in points] == ["night-0", "night-1"]
    assert [len(point["testResults"]) for point in points] == [34, 40]
    assert {each["status"] for each in points[1]["testResults"].values()} == {"passed", "broken"}


def test_history_believes_no_report_that_was_altered_or_that_is_gone(nights: Nights, tmp_path: Path) -> None:
    altered = nights.runs[0] / "evidence.json"
    altered.write_text(altered.read_text().replace("passed", "failed", 1))
    assert [point["uuid"] for point in history(nights, tmp_path / "history.jsonl")] == ["night-1"]
    shutil.rmtree(nights.runs[1])
    assert history(nights, tmp_path / "history.jsonl") == []


def test_no_outcome_is_skipped_and_a_waived_one_keeps_its_label(tmp_path: Path) -> None:
    evidence = examples.evidence(
        [
            *(examples.result("TEN-02", outcome, outcome) for outcome in ("passed", "failed", "blocked", "exempt")),
            examples.result("TEN-02", "empty", examined=0),
            *(result for result in examples.verified().results if result.outcome == "waived"),
        ]
    )
    write_results(evidence, tmp_path / "results")
    results = [json.loads(file.read_text()) for file in (tmp_path / "results").glob("*-result.json")]
    statuses = {
        label["value"]: each["status"] for each in results for label in each["labels"] if label["name"] == "outcome"
    }
    assert statuses == {
        "passed": "passed",
        "failed": "failed",
        "blocked": "broken",
        "exempt": "passed",
        "nothing examined": "passed",
        "waived": "passed",
    }
    assert {label["value"] for each in results for label in each["labels"] if label["name"] == "severity"} >= {
        "blocker"
    }
    assert all(each["links"][0]["url"].startswith("../index.html#") for each in results)


@pytest.mark.usefixtures("npm")
@pytest.mark.further
def test_page_of_a_run_opens_in_a_browser_asks_for_nothing_and_knows_the_nights_before(nights: Nights) -> None:
    page = build(nights.runs[-1])
    assert page == nights.runs[-1] / "allure" / "index.html"
    assert [path.name for path in page.parent.iterdir()] == ["index.html"]
    visited = visit(page, width=1000, height=800)
    assert visited.console == ()
    assert visited.asked == ()
    assert visited.picture > 10_000
    held = data(page)
    nodes = held["widgets/default/categories.json"]["nodes"].values()
    assert [node["name"] for node in nodes if node["type"] == "category"] == ["Findings", "Blocked: could not be tried"]
    assert {f"data/history/night-{number}.json" for number in (0, 1)} <= held.keys()
    charts = held["widgets/charts.json"]["general"].values()
    (trend,) = (chart["data"] for chart in charts if chart["type"] == "statusDynamics")
    assert [(night["statistic"].get("failed", 0), night["statistic"].get("broken", 0)) for night in trend] == [
        (0, 0),
        (0, 38),
        (15, 1),
    ]


def data(page: Path) -> dict[str, Any]:
    """What the page holds, by the name of the file that it would have been."""
    attachments = re.findall(r'd\("([^"]+)","([^"]*)"\)', page.read_text(encoding="utf-8"))
    return {name: json.loads(base64.b64decode(held)) for name, held in attachments if name.endswith(".json")}
