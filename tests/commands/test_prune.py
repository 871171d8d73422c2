"""`prune` on real folders and a real bucket: it tells first, removes what may go and no other file, and refuses a ledger
that cannot be believed."""

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fixtures.commands.backup.place import sole_writer
from fixtures.commands.pruning.__main__ import main
from fixtures.custody.drill_ledger import NAME, enter_drill
from fixtures.record.set_record import Artefact
from tests.support import evidence_examples as examples
from tests.support.remote_sets import lay_out, set_environment
from tests.support.stores import BUCKET, S3, s3_server, web_server

SCHEDULE = "every_hours = 24\nsince = 2026-01-01\nkeep_daily = 3\nkeep_weekly = 1\n"
PROFILE = """
[application]
name = "shop"
environment = {}
[backup]
required = ["dump"]
least_bytes = 1
[targets]
rpo_hours = 26
rto_minutes = 15
[tenancy]
root = "public.tenants"
[schedule]
"""


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    folder = tmp_path / "drills"
    folder.mkdir()
    (folder / "profile.toml").write_text(PROFILE + SCHEDULE)
    return folder


@pytest.fixture
def sets(tmp_path: Path) -> Path:
    folder = tmp_path / "sets"
    for ago in (0, 1, 20, 30, 40):
        lay_out(folder, stem(ago), b"PGDMP of " + stem(ago).encode())
    return folder


def stem(ago: int) -> str:
    """Of 03:15, on the last day on which that is over: until then today's lies ahead, and is no set to be removed."""
    return f"igny8_{datetime.now(UTC) - timedelta(days=ago, hours=3, minutes=15):%Y%m%d}_031500"


def drilled(out: Path, *ago: int, verdict: str = "VERIFIED") -> None:
    """Enters a drill of each set, in this order."""
    out.mkdir(exist_ok=True)
    evidence = examples.verified()
    backup_set = evidence.record.backup_set
    assert backup_set is not None
    for number, each in enumerate(ago):
        digest = hashlib.sha256(b"PGDMP of " + stem(each).encode()).hexdigest()
        dump = Artefact(role="dump", name=f"{stem(each)}.dump", size=9, sha256=digest, mode=0o600, owner="root")
        of_set = backup_set.model_copy(update={"name": stem(each), "artefacts": (dump,)})
        record = evidence.record.model_copy(update={"backup_set": of_set})
        finished = evidence.finished_at + timedelta(hours=number)
        enter_drill(
            out / NAME,
            evidence.model_copy(
                update={"record": record, "run_id": f"run-{number}", "verdict": verdict, "finished_at": finished}
            ),
            "e" * 64,
        )


def prune(sets: Path | str, profile: Path, out: Path, *more: str) -> int:
    return main(["--backups", str(sets), "--profile", str(profile), "--out", str(out), *more])


def test_it_tells_first_and_then_removes_those_and_no_others(
    sets: Path, profile: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "reports"
    drilled(out, 0, 30)
    (sets / "notes.txt").write_text("ours")
    before = sorted(sets.rglob("*"))
    assert prune(sets, profile, out) == 0
    said = capsys.readouterr().out
    assert sorted(sets.rglob("*")) == before
    assert f"would go  {stem(40)}: no promise of the schedule keeps it\n" in said
    assert f"stays     {stem(30)}: VERIFIED last, on " in said
    assert said.endswith("2 would go and 3 stay. Nothing was removed: --yes removes.\n")
    assert prune(sets, profile, out, "--yes") == 0
    assert f"removed   {stem(20)}: no promise of the schedule keeps it\n" in capsys.readouterr().out
    assert sorted(path.name for path in sets.iterdir()) == sorted(["notes.txt", stem(0), stem(1), stem(30)])
    assert len(list((sets / stem(30)).iterdir())) == 3


def test_flat_files_go_with_what_belongs_to_them_and_the_dump_of_nobody_else(
    profile: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, flat = tmp_path / "reports", tmp_path / "flat"
    flat.mkdir()
    for ago in (0, 40):
        for suffix in (".dump", ".dump.sha256", ".sites.tar.gz", ".dump.asc"):
            (flat / f"{stem(ago)}{suffix}").write_bytes(b"PGDMP of " + stem(ago).encode())
    others = [f"{stem(40)}b.dump", f"{stem(40)}.txt", f".{stem(40)}.partial", f"copy-of-{stem(40)}.dump.sha256"]
    for other in others:
        (flat / other).write_text("of others")
    drilled(out, 0)
    assert prune(flat, profile, out, "--yes") == 0
    left = {path.name for path in flat.iterdir()}
    assert {name for name in left if stem(40) in name} == set(others)
    assert len([name for name in left if name.startswith(stem(0))]) == 4
    assert f"{stem(40)}b: its dump" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda ledger: ledger.unlink(), "has no drill"),
        (lambda ledger: ledger.write_text(ledger.read_text().replace("VERIFIED", "FAILED", 1)), "cannot be believed"),
        (lambda ledger: ledger.write_text(ledger.read_text()[:-40]), "cannot be believed"),
        (lambda ledger: (ledger.unlink(), ledger.mkdir()), "cannot be believed"),
    ],
    ids=["not there", "altered", "cut", "unreadable"],
)
def test_a_ledger_that_cannot_tell_keeps_every_set(
    spoil: object, said: str, sets: Path, profile: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "reports"
    drilled(out, 30, 0)
    spoil(out / NAME)  # type: ignore[operator]
    before = sorted(sets.rglob("*"))
    assert prune(sets, profile, out, "--yes") == 2
    assert said in capsys.readouterr().err
    assert sorted(sets.rglob("*")) == before


def test_a_shelf_without_a_verified_set_keeps_all_whatever_is_called_as_one(
    sets: Path, profile: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "reports"
    drilled(out, 0, 1, verdict="FAILED")
    assert prune(sets, profile, out, "--yes") == 2
    assert "of the 5 sets there, the ledger has none that was VERIFIED" in capsys.readouterr().err
    # A set of that name was VERIFIED, and another dump lies there now.
    (out / NAME).unlink()
    drilled(out, 40)
    manifest = sets / stem(40) / f"{stem(40)}.manifest.json"
    described = json.loads(manifest.read_text())
    described["files"]["dump"]["sha256"] = "0" * 64
    manifest.write_text(json.dumps(described))
    assert prune(sets, profile, out, "--yes") == 2
    assert len(list(sets.iterdir())) == 5


@pytest.fixture(scope="module")
def s3() -> Iterator[S3]:
    with s3_server() as server:
        yield server


@pytest.mark.further
def test_a_bucket_lets_the_same_sets_go(
    s3: S3,
    sets: Path,
    profile: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    set_environment(monkeypatch, s3.environment)
    out = tmp_path / "reports"
    drilled(out, 0)
    s3.upload(sets, "nightly/")
    assert prune(f"s3://{BUCKET}/nightly", profile, out) == 0
    assert len(s3.client.list_objects_v2(Bucket=BUCKET)["Contents"]) == 15
    assert prune(f"s3://{BUCKET}/nightly", profile, out, "--yes") == 0
    assert capsys.readouterr().out.endswith("3 removed, 2 stay\n")
    keys = {each["Key"].split("/")[1] for each in s3.client.list_objects_v2(Bucket=BUCKET)["Contents"]}
    assert keys == {stem(0), stem(1)}


def test_a_store_that_is_read_alone_says_so(
    sets: Path, profile: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drilled(tmp_path / "reports", 0)
    with web_server(sets) as port:
        address = f"http://127.0.0.1:{port}"
        assert prune(address, profile, tmp_path / "reports") == 0
        assert "3 would go" in capsys.readouterr().out
        with pytest.raises(SystemExit) as ended:
            prune(address, profile, tmp_path / "reports", "--yes")
    assert ended.value.code == 4
    assert "sets can be read over http://, and not removed" in capsys.readouterr().err


def test_a_backup_under_way_and_a_set_that_resists_are_told(
    sets: Path, profile: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    drilled(tmp_path / "reports", 0)
    with sole_writer(sets, "igny8"):
        assert prune(sets, profile, tmp_path / "reports", "--yes") == 2
    assert "is running" in capsys.readouterr().err
    # Root removes whatever it likes, but not what another file stands in the way of.
    (sets / f".{stem(40)}.removed").write_text("in the way")
    assert prune(sets, profile, tmp_path / "reports", "--yes") == 1
    told = capsys.readouterr()
    assert f"{stem(40)} is still there, or a part of it" in told.err
    assert told.out.endswith("2 removed, 2 stay, 1 could not be removed\n")


def test_a_profile_that_promises_nothing_is_refused(sets: Path, profile: Path, tmp_path: Path) -> None:
    (profile / "profile.toml").write_text(PROFILE + "every_hours = 24\nsince = 2026-01-01\n")
    with pytest.raises(SystemExit) as ended:
        prune(sets, profile, tmp_path, "--yes")
    assert ended.value.code == 4
