"""A wrong call is refused before there is a run, with every fault of it at once; who waits for a drill is told of it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from fixtures.custody.drill_ledger import NAME, enter_drill
from fixtures.custody.notify import HEARTBEATS, NOTIFY
from fixtures.plan.cards import read_rules
from fixtures.plugin.preflight import Call, WrongCall, preflight
from fixtures.profile.one_select import queries_in, why_no_query
from fixtures.profile.reading import read_profile
from fixtures.shelf.stores.address import parse_backups
from tests.support import evidence_examples as examples
from tests.support.drills import PROFILE, ROOT, SAMPLE, command, environment_of_drills
from tests.support.listening import listening


@pytest.fixture(scope="module")
def call(tmp_path_factory: pytest.TempPathFactory) -> Call:
    """A call that names what is there; its two sets are empty dumps, which nothing here reads."""
    backups = tmp_path_factory.mktemp("backups")
    for night in ("20261126", "20261127"):
        (backups / f"igny8_{night}_020000.dump").write_bytes(b"PGDMP")
    return Call(
        backups=backups,
        set_name=None,
        before=None,
        application=SAMPLE,
        python=Path(sys.executable),
        profile=read_profile(PROFILE).profile,
        server="auto",
        binaries=None,
        previous=None,
        gate=True,
    )


def faults(call: Call) -> list[str]:
    with pytest.raises(WrongCall) as wrong:
        preflight(call)
    return str(wrong.value).splitlines()


def test_what_is_there_is_not_refused(call: Call, tmp_path: Path) -> None:
    """Nor is what a night may find: no set at all, an address that does not answer."""
    preflight(call)
    preflight(replace(call, set_name="igny8_20261126_020000"))
    preflight(replace(call, backups=tmp_path))
    preflight(replace(call, backups=parse_backups("s3://bucket/nightly"), set_name="x"))
    preflight(replace(call, server="postgresql://drill@127.0.0.1:1/postgres"))
    assert isinstance(call.backups, Path)
    preflight(replace(call, backups=call.backups / "igny8_20261126_020000.dump"))


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"backups": Path("/nonexistent/backups")}, "--backups /nonexistent/backups: there is no such folder"),
        ({"set_name": "igny8_20261162_02000"}, "Did you mean igny8_2026112"),
        ({"set_name": "x"}, "There are: igny8_20261127_020000, igny8_20261126_020000."),
        ({"application": Path("/nonexistent/app")}, "no application at /nonexistent/app: it has no manage.py"),
        ({"python": Path("/nonexistent/python")}, "no interpreter for the application at /nonexistent/python"),
        ({"python": SAMPLE / "manage.py"}, "this user may not start it"),
        ({"server": "lokal"}, "Did you mean local?"),
        ({"server": "mysql://root:hush@db/"}, "Write auto, local, container, or postgresql://"),
        ({"binaries": SAMPLE}, "there is no initdb, postgres, pg_dump, pg_restore, psql to start"),
        ({"previous": "no-such-release"}, "git has no such commit"),
        ({"previous": "v1", "gate": False}, "--previous v1: only a gate tries the release before"),
        ({"previous": "--upload-pack=x"}, "git has no such commit"),
        ({"previous": str(ROOT / "docs")}, "it has no manage.py"),
    ],
)
def test_each_thing_that_is_not_there_is_told_with_what_to_do(call: Call, wrong: dict[str, object], says: str) -> None:
    (line,) = faults(replace(call, **wrong))  # type: ignore[arg-type]
    assert says in line
    assert line.startswith("--")
    assert "hush" not in line


def test_a_gate_is_held_against_nights_whose_ledger_can_be_believed(call: Call, tmp_path: Path) -> None:
    (line,) = faults(replace(call, history=tmp_path))
    assert line.startswith(f"--history {tmp_path}: there is no drill in a ledger.jsonl there. Name the folder")
    for night in ("run-1", "run-2", "run-3"):
        enter_drill(tmp_path / NAME, examples.verified().model_copy(update={"run_id": night}), "0" * 64)
    written = (tmp_path / NAME).read_bytes()
    preflight(replace(call, history=tmp_path))
    (line,) = faults(replace(call, history=tmp_path, gate=False))
    assert line.startswith(f"--history {tmp_path}: only a gate is told where the nights are")
    first, _, third = written.splitlines(keepends=True)
    for ledger, says in (
        (first + third, "line 2 (run-3) does not follow"),
        (written + b"{}\n", "line 4 cannot be read"),
    ):
        (tmp_path / NAME).write_bytes(ledger)
        (line,) = faults(replace(call, history=tmp_path))
        assert line.startswith(f"--history {tmp_path}: its ledger cannot be believed: ledger.jsonl {says}")
    assert [each.name for each in tmp_path.iterdir()] == [NAME]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("SELECT id, FROM public.igny8_notes", 'syntax error at or near "FROM"'),
        ("DELETE FROM public.igny8_notes", "it is no SELECT"),
        ("SELECT 1 AS id; DROP TABLE public.igny8_notes", "it holds 2 statements, and one is asked"),
        ("-- to be written", "it holds no statement"),
    ],
)
def test_what_is_no_query_is_told_before_anything_is_restored(call: Call, tmp_path: Path, text: str, why: str) -> None:
    """A template stands for a schema, and a semicolon or a comment at the end is no second statement."""
    profile = Path(shutil.copytree(PROFILE, tmp_path / "profile"))
    pages = read_profile(profile).profile.sites
    assert pages is not None
    file = next(query.file for key, query in queries_in(pages) if key.startswith("pages"))
    (profile / file).write_text(text)
    (line,) = faults(replace(call, profile=read_profile(profile).profile))
    assert line == f"--profile: sites.pages.query: {file}: {why}. Write one SELECT there."
    rule = next(each for each in read_rules(PROFILE))
    (line,) = faults(replace(call, rules=(replace(rule, query=text),)))
    assert line == f"--profile: {rule.card.source}: {why}. Write one SELECT there."
    assert why_no_query("SELECT 1 AS id FROM {schema}.notes; -- all of them") == ""


def test_a_commit_and_a_checkout_of_the_release_before_are_found(call: Call, tmp_path: Path) -> None:
    app = tmp_path / "app"
    shutil.copytree(SAMPLE, app, ignore=shutil.ignore_patterns("backups", "__pycache__"))
    git = ["git", "-C", str(app), "-c", "user.name=t", "-c", "user.email=t@localhost"]
    for arguments in (["init", "-q"], ["add", "manage.py"], ["commit", "-qm", "first"], ["tag", "v1"]):
        subprocess.run([*git, *arguments], check=True, capture_output=True)
    preflight(replace(call, application=app, previous="v1"))
    preflight(replace(call, previous=str(app)))


def test_a_dump_that_is_larger_than_the_disks_free_space_is_refused(call: Call, tmp_path: Path) -> None:
    """The file is sparse: it says that it is larger than any disk here."""
    huge = tmp_path / "igny8_20261127_020000.dump"
    with huge.open("wb") as file:
        file.truncate(shutil.disk_usage(tmp_path).free + (1 << 30))
    (line,) = faults(replace(call, backups=tmp_path))
    assert "MiB are free" in line
    preflight(replace(call, backups=tmp_path, server="postgresql://drill@elsewhere/postgres"))


def test_all_faults_of_a_call_are_told_at_once(call: Call) -> None:
    told = faults(replace(call, set_name="x", python=Path("/nonexistent/python"), server="lokal"))
    assert [line.split()[0].rstrip(",:") for line in told] == ["--set", "--app", "--server"]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda argv: [*argv, "--set", "nothing-of-that-name"],
        pytest.param(lambda argv: [*argv, "--before", "yesterday"], marks=pytest.mark.further),
        pytest.param(
            lambda argv: [*argv, "--restore-cache", "kept", "--restore-cache-gb", "none"], marks=pytest.mark.further
        ),
    ],
    ids=["a set", "a time", "a number"],
)
def test_a_refused_call_makes_no_run_and_is_told_to_whoever_waits(
    spoil: Callable[[list[str]], list[str]], call: Call, tmp_path: Path
) -> None:
    assert isinstance(call.backups, Path)
    argv = spoil(command(call.backups, tmp_path / "out"))
    with listening() as people, listening() as watchdog:
        told = {
            NOTIFY: f"json://127.0.0.1:{people.port}/hook",
            HEARTBEATS[True]: f"http://127.0.0.1:{watchdog.port}/verified",
            HEARTBEATS[False]: f"http://127.0.0.1:{watchdog.port}/other",
        }
        done = subprocess.run(
            argv, cwd=ROOT, env={**environment_of_drills(), **told}, capture_output=True, text=True, timeout=120
        )
    assert done.returncode == 4, done.stdout + done.stderr
    assert not os.path.lexists(tmp_path / "out")
    ((_, _, body),) = people.heard
    assert b"Restore drill: not begun" in body
    assert b"failure" in body
    assert [path for _, path, _ in watchdog.heard] == ["/other"]
