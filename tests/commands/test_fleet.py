"""A fleet of databases has one report: what cannot be believed, is another's, or is not there, is red."""

import itertools
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fixtures.commands.fleet.__main__ import CANNOT_TELL, main
from fixtures.custody.drill_ledger import NAME
from fixtures.custody.keys import make_keys
from fixtures.server import ServerRequest, serve
from sample.build import OWNER
from tests.support import evidence_examples as examples
from tests.support.drills import SAMPLE, Healthy
from tests.support.fleets import VERIFIED, Fleet
from tests.support.remote_sets import set_environment
from tests.support.short_drills import Standing
from tests.support.stores import BUCKET, s3_server

FAILED, INCONCLUSIVE = examples.failed(), examples.inconclusive()


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
