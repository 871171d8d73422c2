"""A fleet of databases has one report: what cannot be believed, is another's, or is not there, is red."""

import hashlib
import itertools
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from fixtures.commands.fleet.__main__ import CANNOT_TELL, main
from fixtures.commands.front import drilling
from fixtures.custody.attestation import attest
from fixtures.custody.drill_ledger import NAME, enter_drill
from fixtures.custody.keys import make_keys, read_signer
from fixtures.record.evidence import Evidence
from fixtures.record.fleet import FleetReport
from fixtures.record.wrong_call import WRONG_CALL
from fixtures.server import ServerRequest, serve
from sample.build import OWNER
from tests.support import evidence_examples as examples
from tests.support.drills import SAMPLE, Healthy
from tests.support.remote_sets import set_environment
from tests.support.short_drills import Standing
from tests.support.stores import BUCKET, s3_server

NOW = datetime.now(UTC).replace(microsecond=0)
VERIFIED, FAILED, INCONCLUSIVE = examples.verified(), examples.failed(), examples.inconclusive()
DEFAULTS = '[defaults]\napp = "/srv/igny8"\nprofile = "igny8"\nout = "/var/lib/restore-drill"\n'


class Fleet:
    """A fleet's file, and the reports of its databases as their drills leave them."""

    def __init__(self, folder: Path, *names: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.runs, self.file = folder, folder / "runs", folder / "fleet.toml"
        self.runs.mkdir()
        self.private, self.public = make_keys(folder / "keys")
        databases = (f'[[database]]\nname = "{name}"\nbackups = "s3://backups/{name}"\n' for name in names)
        self.file.write_text(DEFAULTS + "".join(databases))

    def drilled(self, name: str, evidence: Evidence = VERIFIED, *, hours: float = 1, key: Path | None = None) -> Path:
        """The folder of a drill that ended so many hours ago."""
        return self.entered(name, evidence, hours, key or self.private)

    def entered(self, name: str, evidence: Evidence, hours: float, key: Path | None) -> Path:
        at = NOW - timedelta(hours=hours)
        backup_set = evidence.record.backup_set
        assert backup_set is not None
        moved = backup_set.model_copy(update={"location": f"s3://backups/{name}"})
        record = evidence.record.model_copy(update={"backup_set": moved})
        names = {"run_id": f"{at:%Y%m%dT%H%M%SZ}-aaaaaa", "finished_at": at, "record": record}
        evidence = evidence.model_copy(update=names)
        run = self.runs / name / evidence.run_id
        run.mkdir(parents=True)
        (run / "evidence.json").write_bytes(evidence.written)
        return self.vouched(name, run, evidence, key)

    def vouched(self, name: str, run: Path, evidence: Evidence, key: Path | None) -> Path:
        """Enters what lies in the folder of a run, and signs it where there is a key."""
        digest = hashlib.sha256(evidence.written).hexdigest()
        signer = read_signer(key) if key is not None else None
        enter_drill(
            self.runs / name / NAME,
            evidence,
            digest,
            lambda previous: attest(run, evidence, signer, previous) if signer is not None else None,
        )
        return run

    def reported(self, runs: str = "") -> tuple[int, FleetReport, str]:
        """The exit code, the JSON and the page."""
        into = self.folder / "report"
        options = ["--runs", runs or str(self.runs), "--public-key", str(self.public), "--into", str(into)]
        code = main(["report", "--fleet", str(self.file), *options])
        report = FleetReport.model_validate_json((into / "fleet.json").read_bytes())
        return code, report, (into / "fleet.html").read_text()


def alter(run: Path) -> None:
    file = run / "evidence.json"
    file.write_text(file.read_text().replace('"passed"', '"exempt"', 1))


def test_two_hundred_databases_have_one_verdict_and_each_its_state(tmp_path: Path) -> None:
    names = [f"shop-{number:03}" for number in range(200)]
    fleet = Fleet(tmp_path, *names)
    for name in names[9:]:
        fleet.drilled(name)
    broken = names[:3]
    fleet.drilled(broken[0], hours=72)
    for name in broken:
        fleet.drilled(name, FAILED)
    fleet.drilled(names[3], INCONCLUSIVE)
    fleet.drilled(names[4], hours=30)
    alter(fleet.drilled(names[5]))
    shutil.copytree(fleet.runs / names[9], fleet.runs / names[6])
    fleet.entered(names[7], VERIFIED, 1, None)
    # names[8] never reported.
    (fleet.runs / "gone-tenant").mkdir()

    code, report, page = fleet.reported()

    assert (code, report.verdict, report.strangers) == (1, "FAILED", ("gone-tenant",))
    states = {each.name: each.state for each in report.databases}
    assert states == dict.fromkeys(names, "VERIFIED") | dict.fromkeys(broken, "FAILED") | {
        names[3]: "INCONCLUSIVE",
        names[4]: "LATE",
        names[5]: "REFUSED",
        names[6]: "REFUSED",
        names[7]: "REFUSED",
        names[8]: "SILENT",
    }
    why = {each.name: " ".join(each.why) for each in report.databases}
    assert "altered" in why[names[5]]
    assert f"not in s3://backups/{names[6]}: it is another database's" in why[names[6]]
    assert "not signed" in why[names[7]]
    assert report.oldest_verified is not None
    assert report.oldest_verified.name == broken[0]
    assert set(report.never_verified) == {*names[1:4], *names[5:9]}
    assert {each.databases for each in report.common} == {tuple(broken)}
    failed = {(each.control, each.subject) for each in FAILED.results if each.outcome == "failed"}
    assert {(each.control, each.subject) for each in report.common} == failed
    rpo, rto = (report.databases[-1].measure(name) for name in ("RPO", "RTO"))
    assert rpo is not None
    assert rto is not None
    assert (rpo.measured, rto.measured) == (1.25, 1.6)
    assert all(f'<tr id="{name}">' in page for name in names)


@pytest.mark.further
def test_reports_in_a_store_are_judged_as_those_in_a_folder_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fleet = Fleet(tmp_path, "well", "broken", "altered", "exchanged", "cut", "never")
    for name in ("well", "broken", "altered", "exchanged", "cut"):
        before = fleet.entered(name, VERIFIED, 49, fleet.private if name != "well" else None)
        fleet.drilled(name, FAILED if name == "broken" else VERIFIED, hours=25)
        newest = fleet.drilled(name, FAILED if name == "broken" else VERIFIED)
        if name == "altered":
            alter(newest)
        if name == "exchanged":
            shutil.copy(newest / "attestation.json", before)
        if name == "cut":
            shutil.copytree(newest, newest.with_name("of-no-line"))
    expected = fleet.reported()[1]
    assert {each.name: each.state for each in expected.databases} == {
        "well": "VERIFIED",
        "broken": "FAILED",
        "never": "SILENT",
        **dict.fromkeys(("altered", "exchanged", "cut"), "REFUSED"),
    }
    with s3_server() as s3:
        set_environment(monkeypatch, s3.environment)
        s3.upload(fleet.runs, "fleet/")
        code, report, _ = fleet.reported(f"s3://{BUCKET}/fleet")
    assert code == 1
    assert report.databases == expected.databases
    with pytest.raises(SystemExit):
        fleet.reported(f"s3://KEY:tops3cret@{BUCKET}/fleet")
    assert "tops3cret" not in capsys.readouterr().err
    words = ["report", "--fleet", str(fleet.file), "--public-key", str(fleet.public), "--into", str(tmp_path / "none")]
    assert main([*words, "--runs", "http://127.0.0.1:9/"]) == CANNOT_TELL
    assert "could not be read" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()


@contextmanager
def production_of(whole_set: Path, healthy: Healthy, run_id: str) -> Iterator[Healthy]:
    """The sample on a server in a container, as its set has it."""
    with serve(ServerRequest(run_id, choice="container", least_major=15), healthy.guardian) as server:
        with server.connect() as connection:
            connection.execute((SAMPLE / "roles.sql").read_bytes())
        server.create_database(healthy.built.database, owner=OWNER)
        (dump,) = whole_set.glob("*.dump")
        words = [server.clients.pg_restore, "--exit-on-error", f"--dbname={healthy.built.database}", dump]
        environment = os.environ | server.environment(healthy.built.database)
        subprocess.run(words, env=environment, check=True, capture_output=True, timeout=120)
        yield Healthy(server, healthy.built, healthy.guardian)


@pytest.mark.further
@pytest.mark.usefixtures("docker")
def test_five_databases_of_two_servers_are_backed_up_drilled_and_judged_as_one_fleet(
    standing: Standing, healthy: Healthy, whole_set: Path, tmp_path: Path
) -> None:
    fault = "UPDATE igny8_invoices SET total = total + 0.01 WHERE id = 36"
    planted = {"eu-2": fault, "us-1": fault}
    servers = {"5eed5e01": ("eu-1", "eu-2", "eu-3"), "5eed5e02": ("us-1", "us-2")}
    fleet = Fleet(tmp_path, *itertools.chain(*servers.values()))
    fleet.file.write_text(fleet.file.read_text().replace("s3://backups", str(tmp_path)))
    for run_id, names in servers.items():
        with production_of(whole_set, healthy, run_id) as production:
            for name in names:
                production.backup(tmp_path / name, planted.get(name, ""))
    for name in itertools.chain(*servers.values()):
        drill = standing.drill(tmp_path / name, fleet.runs / name, planted=planted.get(name, ""))
        fleet.vouched(name, drill.directory, drill.evidence, fleet.private)

    code, report, _ = fleet.reported()

    assert (code, report.verdict) == (1, "FAILED")
    states = {each.name: each.state for each in report.databases}
    assert states == dict.fromkeys(("eu-1", "eu-3", "us-2"), "VERIFIED") | dict.fromkeys(planted, "FAILED"), [
        each.why for each in report.databases
    ]
    assert {(each.control, each.databases) for each in report.common} == {("BIL-03", ("eu-2", "us-1"))}
    assert all(each.measure("RPO") is not None for each in report.databases)


def silent(fleet: Fleet) -> None:
    shutil.rmtree(fleet.runs / "b")


def cut(fleet: Fleet) -> None:
    (fleet.runs / "b" / NAME).unlink()


def by_another_key(fleet: Fleet) -> None:
    silent(fleet)
    fleet.drilled("b", key=make_keys(fleet.folder / "others")[0])


def older_alone(fleet: Fleet) -> None:
    silent(fleet)
    backup_set = VERIFIED.record.backup_set
    assert backup_set is not None
    older = backup_set.model_copy(update={"newer": 1})
    record = VERIFIED.record.model_copy(update={"backup_set": older})
    fleet.drilled("b", VERIFIED.model_copy(update={"record": record}))


def of_another_profile(fleet: Fleet) -> None:
    silent(fleet)
    record = VERIFIED.record.model_copy(update={"profile_name": "shop"})
    fleet.drilled("b", VERIFIED.model_copy(update={"record": record}))


def in_the_future(fleet: Fleet) -> None:
    silent(fleet)
    fleet.drilled("b", hours=-2)


def inconclusive(fleet: Fleet) -> None:
    fleet.drilled("b", INCONCLUSIVE, hours=0.5)


@pytest.mark.parametrize(
    ("change", "code", "state"),
    [
        (lambda fleet: None, 0, "VERIFIED"),
        (inconclusive, 2, "INCONCLUSIVE"),
        (silent, 1, "SILENT"),
        (older_alone, 1, "SILENT"),
        (cut, 1, "REFUSED"),
        (by_another_key, 1, "REFUSED"),
        (of_another_profile, 1, "REFUSED"),
        (in_the_future, 1, "REFUSED"),
    ],
)
def test_one_database_that_is_not_verified_is_the_fleets_exit_code(
    change: Callable[[Fleet], None], code: int, state: str, tmp_path: Path
) -> None:
    fleet = Fleet(tmp_path, "a", "b")
    fleet.drilled("a")
    fleet.drilled("b")
    change(fleet)
    ended, report, _ = fleet.reported()
    assert ended == code
    assert {each.name: each.state for each in report.databases} == {"a": "VERIFIED", "b": state}


def printed(file: Path, scheduler: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["matrix", "--for", scheduler, "--fleet", str(file)]) == 0
    return capsys.readouterr().out


def of_a_pod(matrix: Path, index: str, monkeypatch: pytest.MonkeyPatch) -> list[str] | int:
    """The words of the drill that the pod of this number becomes, or the exit code where it becomes none."""
    monkeypatch.setenv("JOB_COMPLETION_INDEX", index)
    becomes: list[str] = []
    monkeypatch.setattr(drilling, "run_pytest", becomes.extend)
    try:
        return main(["drill", "--matrix", str(matrix), "--server", "local"])
    except SystemExit:
        return becomes


def test_each_scheduler_gets_the_same_drills_in_its_own_form(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EU_KEY", "tops3cret")
    fleet = Fleet(tmp_path, "eu-1", "us-1")
    fleet.file.write_text(fleet.file.read_text() + 'app = "/srv/us"\nsecrets = ["EU_KEY"]\n')
    drill = {"APP": "/srv/igny8", "PROFILE": "igny8", "SECRETS": ""}
    drills = [
        drill | {"DATABASE": "eu-1", "BACKUPS": "s3://backups/eu-1", "OUT": "/var/lib/restore-drill/eu-1"},
        drill
        | {"DATABASE": "us-1", "BACKUPS": "s3://backups/us-1", "OUT": "/var/lib/restore-drill/us-1"}
        | {"APP": "/srv/us", "SECRETS": "EU_KEY"},
    ]
    github = printed(fleet.file, "github", capsys)
    assert github.count("\n") == 1
    assert json.loads(github) == {"include": drills}
    assert yaml.safe_load(printed(fleet.file, "gitlab", capsys)) == {".fleet": {"parallel": {"matrix": drills}}}
    assert json.loads(printed(fleet.file, "jenkins", capsys)) == drills
    data = json.loads(printed(fleet.file, "kubernetes", capsys))["data"]
    assert data.pop("completions") == "2"
    assert [json.loads(data[str(index)]) for index in range(2)] == drills
    for index, text in data.items():
        (tmp_path / index).write_text(text)
    assert of_a_pod(tmp_path, "1", monkeypatch) == [
        *("--backups", "s3://backups/us-1", "--app", "/srv/us", "--profile", "igny8"),
        *("--server", "local", "--out", "/var/lib/restore-drill/us-1"),
    ]
    for wrong, words in (("2", "2: cannot be read (No such file"), ("", "JOB_COMPLETION_INDEX is no number")):
        assert of_a_pod(tmp_path, wrong, monkeypatch) == WRONG_CALL
        assert words in capsys.readouterr().err
    assert "tops3cret" not in github


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ('name = "a"\nbackups = "https://me:tops3cret@host/a"', "holds a credential"),
        ('name = "a"\nbackups = "https://host/a?sig=tops3cret"', "goes on after a ?"),
        ('name = "a"\nbackups = "/b"\nsecrets = ["tops3cret"]', "database.0.secrets.0"),
        ('name = "a"\nbackups = "/b"\napp = "https://tops3cret@host/a"', "not a URL"),
        ('name = "a"\nbackups = "b"', "write an absolute path"),
        ('name = "../a"\nbackups = "/b"', "database.0.name"),
        ('name = "a"\nbackups = "/b"\npasword = "tops3cret"', "database.0.pasword"),
        ('name = "a"\nbackups = "/b"\n[[database]]\nname = "a"\nbackups = "/c"', "named twice"),
        ('name = "a"\nbackups = "/b"\n[[database]]\nname = "c"\nbackups = "/b/c"', "or below"),
    ],
)
def test_a_fleet_that_cannot_be_used_is_refused_and_no_credential_is_repeated(
    written: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "fleet.toml"
    file.write_text(f"{DEFAULTS}[[database]]\n{written}\n")
    assert main(["matrix", "--for", "github", "--fleet", str(file)]) == 4
    printed = capsys.readouterr()
    assert said in printed.err
    assert "tops3cret" not in printed.out + printed.err


def test_more_databases_than_a_scheduler_takes_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fleet = Fleet(tmp_path, *(f"shop-{number}" for number in range(257)))
    for scheduler, most in (("github", 256), ("gitlab", 200)):
        assert main(["matrix", "--for", scheduler, "--fleet", str(fleet.file)]) == 4
        assert f"{scheduler} takes {most} jobs" in capsys.readouterr().err
    assert len(json.loads(printed(fleet.file, "jenkins", capsys))) == 257
