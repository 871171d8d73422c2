"""People and watchdogs are told how a drill ended, by what they asked for, and a deaf one changes nothing."""

import json
from pathlib import Path

import pytest

from fixtures.custody.notify import HEARTBEATS, NOTIFY, tell, tell_and_say
from fixtures.record.evidence import Evidence
from reports.render import render
from tests.support import evidence_examples as examples
from tests.support.further import first_of
from tests.support.listening import listening


@pytest.fixture(autouse=True)
def _nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (NOTIFY, *HEARTBEATS.values()):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("drill", first_of([examples.failed, examples.verified, examples.inconclusive]))
def test_people_get_the_summary_and_the_right_heart_beats(
    drill, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    evidence: Evidence = drill()
    render(evidence, tmp_path)
    with listening() as people, listening() as watchdog:
        monkeypatch.setenv(NOTIFY, f"json://user:hush@127.0.0.1:{people.port}/hook")
        monkeypatch.setenv(HEARTBEATS[True], f"http://127.0.0.1:{watchdog.port}/verified")
        monkeypatch.setenv(HEARTBEATS[False], f"http://127.0.0.1:{watchdog.port}/other")
        assert tell(evidence, tmp_path) == []
    ((method, path, body),) = people.heard
    assert (method, path) == ("POST", "/hook")
    sent = json.loads(body)
    assert sent["title"] == f"Restore drill: {evidence.verdict}"
    assert sent["type"] == ("success" if evidence.verdict == "VERIFIED" else "failure")
    assert evidence.verdict in sent["message"]
    beaten = [path for _, path, _ in watchdog.heard]
    assert beaten == ["/verified" if evidence.verdict == "VERIFIED" else "/other"]


def test_without_addresses_nobody_is_told(tmp_path: Path) -> None:
    assert tell(examples.verified(), tmp_path / "no-such-folder") == []


def test_a_deaf_one_is_told_without_its_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    evidence = examples.failed()
    render(evidence, tmp_path)
    with listening(status=500) as deaf:
        monkeypatch.setenv(NOTIFY, f"json://user:hush@127.0.0.1:{deaf.port} nonsense://hush slack:hush")
        monkeypatch.setenv(HEARTBEATS[False], f"http://127.0.0.1:{deaf.port}/hush")
        tell_and_say(evidence, tmp_path)
    said = capsys.readouterr()
    assert "hush" not in said.out + said.err
    assert said.err.splitlines() == [
        f"this drill was not announced by {NOTIFY}, address 1 of 3: it could not be delivered",
        f"this drill was not announced by {NOTIFY}, address 2 of 3: not an address that apprise knows",
        f"this drill was not announced by {NOTIFY}, address 3 of 3: not an address that apprise knows",
        f"this drill was not announced by {HEARTBEATS[False]}: no answer (HTTPError)",
    ]


def test_a_heart_beats_over_http_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(HEARTBEATS[True], f"file://{tmp_path}/secret")
    assert tell(examples.verified(), tmp_path) == [f"{HEARTBEATS[True]}: not an http or https address"]


def test_a_watchdog_is_not_kept_quiet_by_an_older_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    evidence = examples.verified()
    backup_set = evidence.record.backup_set
    assert backup_set is not None
    record = evidence.record.model_copy(update={"backup_set": backup_set.model_copy(update={"newer": 1})})
    older = evidence.model_copy(update={"record": record})
    with listening() as watchdog:
        monkeypatch.setenv(HEARTBEATS[True], f"http://127.0.0.1:{watchdog.port}/verified")
        monkeypatch.setenv(HEARTBEATS[False], f"http://127.0.0.1:{watchdog.port}/other")
        assert tell(older, tmp_path) == []
        assert tell(older.model_copy(update={"verdict": "FAILED"}), tmp_path) == []
    assert [path for _, path, _ in watchdog.heard] == ["/other"]
