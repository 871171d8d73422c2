"""The units are ones that systemd takes, hardened and with credentials of their own; `restore-drill` takes their commands,
and cron's."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from fixtures.commands.front.front import main
from tests.support.front_door import ROOT
from tests.support.programs import program

SYSTEMD = ROOT / "deploy" / "systemd"
CRON = ROOT / "deploy" / "cron" / "restore-drill"
PROGRAM = "/opt/restore-drill/bin/restore-drill"
SERVICES = sorted(SYSTEMD.glob("*.service"))
TIMERS = sorted(SYSTEMD.glob("*.timer"))
# Tenths of the scale on which 10 is a service without any protection.
EXPOSURE = {"restore-drill-backup": 17, "restore-drill-prune": 10, "restore-drill": 30, "restore-drill-older": 30}


@pytest.fixture(scope="module")
def analyze() -> str:
    """The program of systemd that judges units; it needs no systemd to run."""
    return program("systemd-analyze", "systemd")


def said(*argv: str | Path) -> tuple[int, str]:
    done = subprocess.run(argv, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout + done.stderr


def values(unit: Path, key: str) -> list[str]:
    return re.findall(rf"^{key}=(.*)$", unit.read_text(), re.MULTILINE)


def installed(folder: Path) -> list[Path]:
    """The units, where the program that they start is there."""
    program = folder / "restore-drill"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    for unit in (*SERVICES, *TIMERS):
        (folder / unit.name).write_text(unit.read_text().replace(PROGRAM, str(program)))
    return [folder / unit.name for unit in (*SERVICES, *TIMERS)]


def test_systemd_finds_nothing_wrong_with_any_unit(analyze: str, tmp_path: Path) -> None:
    units = installed(tmp_path)
    assert said(analyze, "verify", *units) == (0, "")
    drill = tmp_path / "restore-drill.service"
    drill.write_text(drill.read_text().replace("ProtectHome=", "ProtectHomes="))
    assert "ProtectHomes" in said(analyze, "verify", *units)[1]
    for timer in TIMERS:
        (calendar,) = values(timer, "OnCalendar")
        assert said(analyze, "calendar", calendar)[0] == 0
    assert {timer.stem for timer in TIMERS} == {service.stem for service in SERVICES}


@pytest.mark.parametrize("service", SERVICES, ids=lambda unit: unit.stem)
def test_a_service_is_as_hardened_as_the_documents_say(service: Path, analyze: str, tmp_path: Path) -> None:
    most = EXPOSURE[service.stem]
    code, text = said(analyze, "security", "--offline=true", f"--threshold={most}", service)
    assert code == 0, text
    bare = tmp_path / service.name
    bare.write_text(service.read_text().replace("CapabilityBoundingSet=\n", ""))
    assert said(analyze, "security", "--offline=true", f"--threshold={most}", bare)[0] != 0
    documented = (ROOT / "docs" / "run-it-every-night.md").read_text()
    assert f"| `{service.stem}` | {most / 10} |" in documented


def test_backup_drill_and_removal_have_no_credential_and_no_writable_place_in_common() -> None:
    sources = {unit.stem: {each.partition(":")[2] for each in values(unit, "LoadCredential")} for unit in SERVICES}
    assert sources["restore-drill-backup"] == {"/etc/restore-drill/backup/pgpass"}
    assert sources["restore-drill"] == sources["restore-drill-older"]
    assert all(source.startswith("/etc/restore-drill/drill/") for source in sources["restore-drill"])
    assert sources["restore-drill-prune"] == set()
    writable = {unit.stem: values(unit, "ReadWritePaths") for unit in SERVICES}
    assert writable["restore-drill"] == writable["restore-drill-older"] == []
    assert writable["restore-drill-backup"] == writable["restore-drill-prune"] == ["/var/backups/app"]
    environments = {unit.stem: values(unit, "EnvironmentFile") for unit in SERVICES}
    assert environments["restore-drill-backup"] == ["/etc/restore-drill/backup.env"]
    assert environments["restore-drill"] == ["-/etc/restore-drill/drill.env"]
    # What a service is given is copied where its environment says, and each program reads it under that name.
    for unit in SERVICES:
        for variable in values(unit, "Environment"):
            copied = Path(variable.partition("=")[2]).name
            assert f"%d/{copied}" in values(unit, "ExecStartPre")[0]
            assert f"{copied}:" in "".join(f"{each}\n" for each in values(unit, "LoadCredential"))


def commands_of_cron() -> list[str]:
    return re.findall(rf"{PROGRAM} .*$", CRON.read_text(), re.MULTILINE)


def test_cron_runs_what_the_timers_do_and_no_line_has_the_secrets_of_both() -> None:
    assert sorted(commands_of_cron()) == sorted(values(unit, "ExecStart")[0] for unit in SERVICES)
    lines = [line for line in CRON.read_text().splitlines() if PROGRAM in line]
    for line in lines:
        assert re.match(r"[\d*]+ [\d*]+ \* \* [\d*]  restore-drill  ", line)
        assert ("backup.env" in line) == (" backup " in line)
        assert ("drill.env" in line) == (" drill " in line)


@pytest.mark.parametrize("line", commands_of_cron(), ids=lambda line: " ".join(line.split()[1:2] + line.split()[-2:]))
def test_each_command_is_one_that_restore_drill_takes(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    _, command, *words = shlex.split(line)
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    options = set(re.findall(r"--[a-z-]+", capsys.readouterr().out))
    assert {word for word in words if word.startswith("--")} <= options
