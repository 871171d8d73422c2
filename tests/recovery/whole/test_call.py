"""What a call of a whole recovery must name, and what is refused before anything of the application is touched."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from fixtures.commands.recovering.application import REFUSED, main
from fixtures.commands.recovering.call import parsed, read_again, written
from fixtures.recovery.journal import FOLDER, Journal
from fixtures.recovery.whole.plan import RECOVERY
from tests.support.drills import PROFILE, SAMPLE
from tests.support.small_recovery import NAME, Tiny

RECOVERY_PART = '\n[recovery]\nstop = [["true"]]\nstart = [["true"]]\nanswers = [["true"]]\n'
Call = Callable[..., int]


def profile_with(folder: Path, part: str) -> Path:
    """The sample's profile, with what a case says of a recovery."""
    profile = folder / "profiles" / "igny8"
    shutil.copytree(PROFILE, profile)
    with (profile / "profile.toml").open("a") as file:
        file.write(part)
    return profile


@pytest.fixture
def environment(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "PGSERVICE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in tiny.server.environment(NAME).items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def call(tiny: Tiny, environment: None, tmp_path: Path) -> Call:
    """Calls the command for the application."""

    def called(part: str = RECOVERY_PART, sites: Path = tiny.sites, *more: str) -> int:
        profile = tmp_path / "profiles" / "igny8"
        profile = profile if profile.exists() else profile_with(tmp_path, part)
        named = ["--backups", str(tmp_path), "--app", str(SAMPLE), "--profile", str(profile), "--out", str(tmp_path)]
        return main([*named, "--sites-data", str(sites), *more])

    return called


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ("", "has no [recovery]: nobody knows how this application is stopped and started"),
        (RECOVERY_PART, "has no drill with the profile igny8 that was VERIFIED"),
    ],
    ids=["profile", "set"],
)
def test_a_profile_without_recovery_and_a_set_without_a_drill_are_refused(
    tiny: Tiny, call: Call, capsys: pytest.CaptureFixture[str], part: str, said: str
) -> None:
    assert call(part) == REFUSED
    assert said in capsys.readouterr().err
    assert tiny.running.exists()
    assert not (tiny.folder / FOLDER).exists()


def test_a_folder_that_cannot_be_renamed_is_refused(
    call: Call, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    for sites, said in (
        (tmp_path / "file", "is no folder"),
        (tmp_path / "nowhere" / "sites", "nowhere is no folder"),
        (Path("/proc"), "/proc is mounted, so no other folder can take its name"),
    ):
        assert call(sites=sites) == REFUSED
        assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("part", "more", "said"),
    [
        (RECOVERY_PART, ("--keep-into", "kept"), "no set of it is to be taken"),
        (f'{RECOVERY_PART}keep = "set"\n', ("--keep-into", "file/kept"), "file/kept cannot be made: Not a directory"),
        (RECOVERY_PART, ("--keep", "set", "--backups", "file"), "nothing says where a set of what is there goes"),
    ],
    ids=["no set", "no folder", "backups are a file"],
)
def test_a_set_of_what_is_there_that_has_no_place_is_refused(
    tiny: Tiny,
    call: Call,
    part: str,
    more: tuple[str, ...],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tiny.folder)
    (tiny.folder / "file").touch()
    assert call(part, tiny.sites, "--undrilled", *more) == REFUSED
    assert said in capsys.readouterr().err
    assert tiny.running.exists()
    assert not (tiny.folder / FOLDER).exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--back"], "--back is for --resume JOURNAL"),
        (["--backups", "x"], "--app is missing"),
        (["--backups", "x", "--app", "y", "--profile", "z"], "name the application's folder of sites"),
    ],
    ids=["back", "app", "sites"],
)
def test_half_a_call_is_a_wrong_call(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 4
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("profile", ["igny8", "profiles/igny8"])
def test_who_goes_on_in_another_folder_finds_what_the_call_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, profile: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    named = {"backups": "sets", "app": "app", "app-python": "python", "out": "out", "keep-into": "kept"}
    named |= {"postgres-bin": "bin", "profile": profile}
    words = [word for name, value in named.items() for word in (f"--{name}", value)]
    _, begun = parsed([*words, "--no-files"])
    journal = written(begun)
    monkeypatch.chdir(tmp_path / "elsewhere")
    _, going_on = parsed(["--resume", "journal"])
    read_again(going_on, journal)
    there = {"backups": str(tmp_path / "sets"), "app": str(tmp_path / "app")}
    there["profile"] = profile if "/" not in profile else str(tmp_path / profile)
    assert {name: getattr(going_on, name) for name in there} == there
    paths = {"app_python": "python", "out": "out", "keep_into": "kept", "postgres_bin": "bin"}
    assert {name: getattr(going_on, name) for name in paths} == {name: tmp_path / path for name, path in paths.items()}


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([], "is no journal of a recovery"),
        ([{"step": "compare", "state": "begun", "tenant": "1"}], "is of the recovery of one tenant"),
    ],
    ids=["empty", "tenant"],
)
def test_a_journal_of_something_else_is_not_gone_on_with(
    tmp_path: Path, lines: list[dict[str, str]], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    journal = tmp_path / "journal.jsonl"
    journal.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    assert main(["--resume", str(journal)]) == REFUSED
    assert said in capsys.readouterr().err


@pytest.mark.usefixtures("environment")
def test_a_journal_of_another_database_and_one_that_ended_are_not_gone_on_with(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    named = {"backups": str(tmp_path), "app": str(SAMPLE), "profile": str(profile_with(tmp_path, RECOVERY_PART))}
    named |= {"out": str(tmp_path)}
    left_out = dict.fromkeys(("app_python", "set_name", "postgres_bin", "undrilled"))
    with Journal(tmp_path, "journal") as journal:
        journal.write(
            RECOVERY, "begun", set="s", dump_sha256="d", **(tiny.plan().written() | {"call": named | left_out})
        )
        journal.write(RECOVERY, "ended", application="old")
    assert main(["--resume", str(journal.path)]) == REFUSED
    assert "this recovery ended: the application is old" in capsys.readouterr().err
    monkeypatch.setenv("PGDATABASE", "postgres")
    assert main(["--resume", str(journal.path)]) == REFUSED
    assert "the journal is of the database tiny" in capsys.readouterr().err
