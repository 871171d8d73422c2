"""`restore-drill` says what it can do, refuses what it cannot, and hands every option on."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fixtures.commands.front.front import main
from fixtures.commands.front.listed import COMMANDS, Command
from fixtures.record.version import suite_version
from fixtures.record.wrong_call import WRONG_CALL
from tests.support.drills import ROOT, environment_of_drills
from tests.support.own_pytest import heed_interrupts
from tests.support.remote_sets import NEWER, lay_out
from tests.support.small_source import script


def restore_drill(*words: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "fixtures.commands", *words],
        cwd=folder,
        env={**environment_of_drills(), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_without_a_word_it_shows_every_command_in_its_group() -> None:
    shown = restore_drill()
    text = shown.stdout + shown.stderr
    assert re.findall(r"^  ([a-z][a-z-]*)  ", text, re.MULTILINE) == [command.name for command in COMMANDS]
    groups = [*dict.fromkeys(command.group for command in COMMANDS)]
    assert [line for line in text.splitlines() if line.removesuffix(":") in groups] == [f"{each}:" for each in groups]
    assert restore_drill("--help").stdout == text
    assert restore_drill("--version").stdout == f"restore-drill, version {suite_version()}\n"


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_a_commands_help_ends_with_an_example_of_options_that_it_has(
    command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    # In this process: what each command imports is there already.
    with pytest.raises(SystemExit) as ended:
        main([command.name, "--help"])
    shown = capsys.readouterr().out
    assert ended.value.code == 0
    assert shown.endswith(f"Example:\n  {command.example}\n")
    before = shown.removesuffix(f"  {command.example}\n")
    words = shlex.split(command.example)
    assert {word for word in words if word.startswith("--")} <= set(re.findall(r"--[a-z-]+", before))
    assert f"restore-drill {command.name}" in before


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (("dril",), "Did you mean 'drill'?"),
        (("drill", "--backup", "sets"), "'--backups'"),
        (("list", "--profil", "igny8"), "'--profile'"),
        (("gate", "--previos", "v1"), "'--previous'"),
    ],
)
def test_a_misspelt_word_is_refused_with_the_one_that_was_meant(words: tuple[str, ...], meant: str) -> None:
    done = restore_drill(*words)
    assert (done.returncode, done.stdout) == (WRONG_CALL, "")
    assert meant in done.stderr


@pytest.mark.parametrize("option", ["--previous", "--history"])
def test_what_a_gate_alone_reads_is_a_wrong_call_of_a_demo_without_one(
    option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["demo", option, "there"])
    shown = capsys.readouterr()
    assert (ended.value.code, shown.out) == (WRONG_CALL, "")
    assert shown.err.startswith(f"{option}: only a gate ")


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_an_option_that_a_command_does_not_have_is_a_wrong_call_of_it(
    command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command.name, "--no-such-option"])
    shown = capsys.readouterr()
    assert (ended.value.code, shown.out) == (WRONG_CALL, "")
    assert "Usage: " in shown.err or "usage: " in shown.err


@pytest.mark.parametrize(
    "words",
    [
        ("report",),
        ("comment",),
        ("verify-report",),
        ("sign-off", "--reviewer", "R", "--signing-key", "none.key"),
        ("explain", "shop_order", "--run"),
        ("resolve", "F-407d42a30076", "--run"),
        ("fleet", "report", "--public-key", "none.pub", "--runs"),
    ],
    ids=lambda words: words[0],
)
def test_a_run_that_is_not_there_is_a_wrong_call_that_says_what_to_name(
    words: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*words, str(tmp_path / "none")])
    shown = capsys.readouterr()
    assert (ended.value.code, shown.out) == (WRONG_CALL, "")
    wanted = "the folder in which each database has" if words[0] == "fleet" else "the folder of one run"
    assert f"{tmp_path / 'none'}: there is no such folder; name {wanted}" in " ".join(shown.err.split())


def test_a_call_that_names_what_is_not_there_is_refused_as_by_pytest(tmp_path: Path) -> None:
    done = restore_drill(
        *("drill", "--backups", str(tmp_path / "none"), "--app", str(tmp_path), "--profile", "igny8"),
        *("--out", str(tmp_path / "out"), "--workers", "1"),
    )
    assert done.returncode == WRONG_CALL
    assert "there is no such folder" in done.stderr
    assert not (tmp_path / "out").exists()


def test_the_command_of_a_checkout_heeds_no_module_of_the_folder_that_it_is_called_in(tmp_path: Path) -> None:
    checkout, elsewhere = tmp_path / "check out", tmp_path / "elsewhere"
    programs = checkout / ".venv" / "bin"
    programs.mkdir(parents=True)
    for part in ("fixtures", "verify", "reports", "conftest.py", "pyproject.toml"):
        (checkout / part).symlink_to(ROOT / part)
    script(programs / "python", f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    command = programs / "restore-drill"
    shutil.copy(ROOT / "fixtures" / "commands" / "front" / "in_checkout.sh", command)
    command.chmod(0o755)
    elsewhere.mkdir()
    for shadow in ("fixtures", "click", "pytest"):
        (elsewhere / f"{shadow}.py").write_text("raise SystemExit('shadowed')\n")
    lay_out(elsewhere / "shelf", NEWER, b"PGDMP" + bytes(500))
    done = subprocess.run(
        [command, "list", "--backups", "shelf"],
        cwd=elsewhere,
        env={name: value for name, value in environment_of_drills().items() if name != "PYTHONPATH"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert NEWER in done.stdout


def test_it_works_from_any_folder(tmp_path: Path) -> None:
    lay_out(tmp_path / "shelf", NEWER, b"PGDMP" + bytes(500))
    done = restore_drill("list", "--backups", "shelf", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert NEWER in done.stdout


_GOES_ON = """
import os, signal, sys, time
from fixtures.commands.explaining import __main__ as explaining
from fixtures.commands.front.front import main

class Destroyed:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.1)

def goes_on(arguments):
    Destroyed()
    time.sleep(300)

explaining.main = goes_on
main(["explain", "a_table"])
"""


def test_an_interrupt_that_python_drops_ends_any_command() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _GOES_ON],
        cwd=ROOT,
        env={**environment_of_drills(), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        preexec_fn=heed_interrupts,
    )
    assert done.returncode == 130, done.stderr
