"""Each scheduler is told the same drills of a fleet in its own form; a fleet that cannot be used is refused."""

import json
from pathlib import Path

import pytest
import yaml

from fixtures.commands.fleet.__main__ import main
from fixtures.commands.front import drilling
from fixtures.record.wrong_call import WRONG_CALL
from tests.support.fleets import DEFAULTS, Fleet


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
