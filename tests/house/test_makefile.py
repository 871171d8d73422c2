"""The front door: every target is told, and half of what a target needs is refused before anything is done."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.support.front_door import front_door

ROOT = Path(__file__).resolve().parents[2]
WORD = re.compile(r"[A-Z_]+[A-Z]")
PHONY = re.compile(r"^\.PHONY: ((?:.*\\\n)*.*)$", re.MULTILINE)
GIVEN = (
    "BACKUPS",
    "SET",
    "BEFORE",
    "CACHE",
    "ENCRYPT_TO",
    "APP",
    "APP_PYTHON",
    "PROFILE",
    "SERVER",
    "OUT",
    "RUN",
    "SIGNING_KEY",
    "DRILL_SIGNING_KEY",
    "TABLE",
    "WORKERS",
    "INTO",
    "SITES_DATA",
    "NO_FILES",
    "UPLOADS",
    "LOGS",
    "COMMIT",
)
DATABASE = ("DATABASE_URL", "PGSERVICE", "PGHOST", "PGDATABASE")


def make(*arguments: str, folder: Path = ROOT, **variables: str) -> subprocess.CompletedProcess[str]:
    ours = {name: value for name, value in os.environ.items() if name not in (*GIVEN, *DATABASE, "DRILL_SERVER")}
    # A make that runs these tests hands its own flags down.
    ours = {name: value for name, value in ours.items() if not name.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(
        ["make", "--no-print-directory", *arguments],
        cwd=folder,
        env=ours | variables,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture
def door(tmp_path: Path) -> Path:
    """The Makefile in a folder with a space in it, where the interpreter of .venv says what it is asked to run."""
    return front_door(tmp_path / "a drill")


def test_help_tells_every_target() -> None:
    targets = set(PHONY.findall((ROOT / "Makefile").read_text())[0].replace("\\", " ").split()) - {"FORCE"}
    said = make("help").stdout
    assert targets == set(re.findall(r"^  make ([\w-]+) ", said, re.MULTILINE))
    assert make().stdout == said


def test_what_python_compiles_is_kept_for_the_next_start_whatever_the_image_says() -> None:
    recipe = "--eval=seen: ; @env | grep PYTHON"
    seen = make(recipe, "seen", PYTHONDONTWRITEBYTECODE="1", PYTHONUTF8="1").stdout
    assert "PYTHONUTF8=1\n" in seen
    assert "PYTHONDONTWRITEBYTECODE" not in seen


@pytest.mark.parametrize(
    ("variables", "missing"),
    [
        ({"BACKUPS": "sets"}, "APP"),
        ({"BACKUPS": "sets", "APP": "app"}, "PROFILE"),
        ({"APP": "app", "PROFILE": "igny8"}, "BACKUPS"),
        ({"SET": "igny8_20260101_000000"}, "BACKUPS"),
        ({"BEFORE": "2026-01-01"}, "BACKUPS"),
    ],
)
def test_half_of_a_set_is_refused_and_the_sample_not_drilled_in_its_stead(
    door: Path, variables: dict[str, str], missing: str
) -> None:
    for done in (
        make("drill", folder=door, **variables),
        make("drill", *map("=".join, variables.items()), folder=door),
    ):
        assert done.returncode == 2
        assert (
            f"*** {missing} is missing. Your own backups: make drill BACKUPS=DIR APP=DIR PROFILE=NAME." in done.stderr
        )
        assert done.stdout == ""


@pytest.mark.parametrize(
    "variables", [{"BACKUP": "/var/backups"}, {"SINGING_KEY": "a.key"}, {"DRILL_SERVRE": "container"}]
)
def test_a_misspelt_name_is_refused_and_the_sample_not_drilled_in_its_stead(
    door: Path, variables: dict[str, str]
) -> None:
    done = make("drill", *map("=".join, variables.items()), folder=door)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"*** {next(iter(variables))} is no name that this Makefile reads. It reads APP APPLICATION" in done.stderr


@pytest.mark.parametrize(("target", "name"), [("drill", "PREVIOUS"), ("demo", "PREVIOUS"), ("drill", "HISTORY")])
def test_what_a_gate_alone_reads_is_refused_where_no_release_is_tried(door: Path, target: str, name: str) -> None:
    done = make(target, f"{name}=v1", folder=door)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"*** {name} is read by make gate alone" in done.stderr
    assert f"[--{name.lower()}][v1]" in make("gate", f"{name}=v1", folder=door).stdout


def test_a_misspelt_name_of_the_drills_own_is_refused_in_the_environment_too(door: Path) -> None:
    done = make("drill", folder=door, DRILL_SINGING_KEY="a.key")
    assert (done.returncode, done.stdout) == (2, "")
    assert "*** DRILL_SINGING_KEY is no name" in done.stderr


def test_every_name_of_the_recipes_and_the_documents_is_read() -> None:
    text = (ROOT / "Makefile").read_text()
    declared = {
        name
        for _, names in re.findall(r"(?m)^(KNOWN|KNOWN_DRILL) := ((?:.*\\\n)*.*)", text)
        for name in WORD.findall(names)
    }
    read = set(re.findall(r"\$\(call given,([A-Z_]+),", text)) | set(re.findall(r"\$\$([A-Z_]+)", text))
    assert read <= declared, read - declared
    documents = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    documented = {name for each in documents for name in re.findall(r"\bDRILL_([A-Z_]+)\b", each.read_text())}
    assert documented <= declared, documented - declared


@pytest.mark.parametrize(("variables", "missing"), [({"PGHOST": "db"}, "INTO"), ({"INTO": "sets"}, "SITES_DATA")])
def test_half_of_a_backup_is_refused(door: Path, variables: dict[str, str], missing: str) -> None:
    done = make("backup", folder=door, **variables)
    assert (done.returncode, done.stdout) == (2, "")
    assert (
        f"*** {missing} is missing. Your own database: make backup INTO=DIR SITES_DATA=DIR (NO_FILES=yes" in done.stderr
    )


def test_a_backup_without_files_is_taken_where_that_is_said(door: Path) -> None:
    assert "[--no-files]" in make("backup", "NO_FILES=yes", "INTO=sets", folder=door, PGHOST="db").stdout
    assert "[--no-files]" not in make("backup", "INTO=sets", "SITES_DATA=files", folder=door, PGHOST="db").stdout


@pytest.mark.parametrize(
    ("variables", "missing"), [({"INTO": "verify/profiles/shop"}, "BACKUPS"), ({"BACKUPS": "s"}, "INTO")]
)
def test_half_of_what_a_draft_needs_is_refused(door: Path, variables: dict[str, str], missing: str) -> None:
    done = make("profile", folder=door, **variables)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"*** {missing} is missing. make profile BACKUPS=DIR|URL INTO=verify/profiles/NAME" in done.stderr


def test_what_was_given_reaches_the_draft_whole(door: Path) -> None:
    done = make("profile", folder=door, BACKUPS="my sets", INTO="my profiles/shop", SET="shop_20260101", APP="it's")
    arguments = "[--backups][my sets][--into][my profiles/shop][--set][shop_20260101][--app][it's]"
    assert f"[-m][fixtures.commands][profile]{arguments}\n" in done.stdout, done.stderr


def test_a_tenant_is_recovered_by_its_key_and_merged_where_that_is_said(door: Path) -> None:
    assert "*** BACKUPS is missing. Whom and from where" in make("recover", folder=door, TENANT="42").stderr
    call = {"TENANT": "it's 42", "BACKUPS": "my sets", "PROFILE": "shop"}
    arguments = "[fixtures.commands][recover-tenant][it's 42][--backups][my sets][--profile][shop]"
    assert f"{arguments}\n" in make("recover", folder=door, **call).stdout
    done = make("recover", folder=door, **call, MERGE="1", REPLACE="changed", OUT="a;b")
    assert f"{arguments}[--out][a;b][--merge][--replace][changed]\n" in done.stdout


def test_a_whole_application_is_recovered_where_no_tenant_is_named(door: Path) -> None:
    assert "*** BACKUPS is missing. The application: PGHOST=" in make("recover", folder=door).stderr
    call = {"BACKUPS": "my sets", "APP": "it's", "PROFILE": "shop"}
    assert "*** SITES_DATA is missing" in make("recover", folder=door, **call).stderr
    words = "[fixtures.commands][recover][--backups][my sets][--app][it's][--profile][shop]"
    assert f"{words}[--no-files]\n" in make("recover", folder=door, **call, NO_FILES="yes").stdout
    more = {
        "SITES_DATA": "a b",
        "UPLOADS": "u",
        "EMPTY_QUEUES": "1",
        "REHEARSE": "1",
        "KEEP_OLD": "3",
        "UNDRILLED": "1",
        "KEEP": "set",
        "KEEP_INTO": "c d",
        "ENCRYPT_TO": "age1x",
    }
    said = "[--sites-data][a b][--uploads][u][--undrilled][--empty-queues][--rehearse][--keep-old][3]"
    said += "[--keep][set][--keep-into][c d][--encrypt-to][age1x]"
    assert f"{words}{said}\n" in make("recover", folder=door, **call, **more).stdout
    resumed = make("recover", folder=door, RESUME="a journal", BACK="1", YES="1").stdout
    assert "[fixtures.commands][recover][--resume][a journal][--back][--yes]\n" in resumed


def test_a_table_is_explained_from_a_run_or_from_a_set(door: Path) -> None:
    assert "*** TABLE is missing. make explain TABLE=NAME" in make("explain", folder=door).stderr
    done = make("explain", folder=door, TABLE='s."my table"', RUN="out/a run")
    assert '[-m][fixtures.commands][explain][s."my table"][--run][out/a run]\n' in done.stdout, done.stderr
    assert (
        "[fixtures.commands][explain][t][--run][reports/out/latest]\n" in make("explain", folder=door, TABLE="t").stdout
    )
    done = make("explain", folder=door, TABLE="t", BACKUPS="my sets", PROFILE="shop")
    assert "[fixtures.commands][explain][t][--backups][my sets][--profile][shop]\n" in done.stdout


def test_a_comment_is_told_the_commit_even_where_git_told_none(door: Path) -> None:
    asked = "[fixtures.commands][comment][reports/out/latest]"
    assert f"{asked}\n" in make("comment", folder=door).stdout
    assert f"{asked}[--commit][0a1b]\n" in make("comment", "COMMIT=0a1b", folder=door).stdout
    assert f"{asked}[--commit][]\n" in make("comment", "COMMIT=", folder=door).stdout


def test_what_was_given_reaches_the_drill_whole(door: Path) -> None:
    variables = {"BACKUPS": "my sets", "APP": "it's/backend", "PROFILE": "./own profile", "OUT": "a;b", "WORKERS": "4"}
    done = make("drill", folder=door, **variables)
    arguments = "[--backups][my sets][--app][it's/backend][--profile][./own profile][--out][a;b]"
    assert f"[-m][fixtures.commands][drill][--workers][4]{arguments}\n" in done.stdout, done.stderr
    assert "Drilling the newest set of the backups that were named\n" in done.stdout
    choice = {"BACKUPS": "s3://b/x", "APP": "a", "PROFILE": "p", "BEFORE": "2026-11-22 03:00", "CACHE": "my cache"}
    done = make("drill", folder=door, **choice)
    assert "[--backups][s3://b/x][--app][a][--profile][p][--before][2026-11-22 03:00][--cache][my cache]" in done.stdout
    assert "[drill][--backups]" in done.stdout, "a drill that is told no number of workers decides by itself"
    done = make("gate", folder=door, **variables)
    assert f"[-m][fixtures.commands][gate][--workers][4]{arguments}\n" in done.stdout, done.stderr
    assert "*** APP is missing" in make("gate", folder=door, BACKUPS="my sets").stderr
    assert "[list][--backups][my sets]\n" in make("list", folder=door, BACKUPS="my sets").stdout
    assert "[--keep][2][--encrypt-to][age1key]\n" in make("backup", folder=door, KEEP="2", ENCRYPT_TO="age1key").stdout


def test_a_password_in_the_servers_address_goes_by_the_environment_as_it_was_typed(door: Path) -> None:
    address = "postgresql://drill:pa$$word$x@db.example/postgres"
    done = make("drill", folder=door, SERVER=address)
    assert f"server={address}\n" in done.stdout
    assert address not in done.stdout.replace(f"server={address}\n", "")
    assert "server=auto\n" in make("drill", folder=door).stdout


@pytest.mark.parametrize("goal", ["venv", "drill"])
def test_a_python_that_will_not_do_is_named_with_what_to_install(door: Path, goal: str) -> None:
    (door / ".venv" / "bin" / "python").unlink()
    done = make(goal, "PYTHON=no-such-python", folder=door)
    assert done.returncode == 2
    assert "There is no no-such-python here. Install Python 3.11 or newer" in done.stderr
    old = door / "old-python"
    old.write_text('#!/bin/sh\n[ "$1" = -V ] && echo Python 3.9.2 || exit 1\n')
    old.chmod(0o755)
    done = make(goal, f"PYTHON={old}", folder=door)
    assert f"{old} is Python 3.9.2; 3.11 or newer is needed." in done.stderr
    bare = door / "bare-python"
    bare.write_text('#!/bin/sh\ncase "$*" in *ensurepip*) exit 1;; esac\n')
    bare.chmod(0o755)
    done = make(goal, f"PYTHON={bare}", folder=door)
    assert "its venv module is missing (Debian: apt-get install python3-venv)" in done.stderr


def test_an_environment_of_that_very_lock_is_left_alone_whatever_the_clock_says(door: Path) -> None:
    os.utime(door / "requirements.lock")
    done = make("venv", "PYTHON=no-such-python", folder=door)
    assert (done.returncode, done.stderr) == (0, "")
    (door / "requirements.lock").write_text("changed\n")
    assert make("venv", "PYTHON=no-such-python", folder=door).returncode == 2
