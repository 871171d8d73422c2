"""Reads a documented call as its command does, up to where it would begin: by the command's own parser and, for a drill, by
the preflight, each place that the document names standing for one that is there."""

import argparse
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest

from fixtures.commands.front import demo, drilling, front
from fixtures.plugin.options import pytest_addoption
from fixtures.plugin.preflight import call_of, preflight
from fixtures.profile.reading import read_profile
from fixtures.record.wrong_call import CallParser
from tests.support.drills import PROFILE, ROOT, SAMPLE

_REPORTS = ("reports/out/latest", "/var/lib/restore-drill")
"""Folders of reports that a document names."""


class _Begun(Exception):
    """A command has read its line, and would begin."""


def printed_calls(said: str) -> list[list[str]]:
    """The words of each call of `restore-drill` that the front door printed."""
    lines = [re.findall(r"\[([^]]*)\]", line) for line in said.splitlines() if line.startswith("[-m][fixtures.comm")]
    return [words[2:] for words in lines]


def read_call(words: list[str], folder: Path, server: str = "auto") -> None:
    """Raises SystemExit or WrongCall where the call is refused; `folder` is empty, and takes what stands for the places."""
    name, *typed = [str(folder) if word in _REPORTS else word for word in words]
    for_pytest: list[list[str]] = []

    def begin(drilled: list[str]) -> NoReturn:
        for_pytest.append(drilled)
        raise _Begun

    def read(parse: Callable[..., Any]) -> Callable[..., Any]:
        def parse_args(*given: Any) -> NoReturn:
            parse(*given)
            raise _Begun

        return parse_args

    taken = SimpleNamespace(run=lambda *_, **__: SimpleNamespace(returncode=0))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CallParser, "parse_args", read(CallParser.parse_args))
        patch.setattr(drilling, "run_pytest", begin)
        patch.setattr(demo, "run_pytest", begin)
        patch.setattr(demo, "subprocess", taken)
        with pytest.raises(_Begun):
            front.main([name, *typed])
    for drilled in for_pytest:
        _preflight(drilled, folder, server)


def configured(words: list[str]) -> Any:
    """The configuration that the plugin reads of a drill's command line, without a session of pytest."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("-n")
    group = SimpleNamespace(addoption=parser.add_argument)
    pytest_addoption(SimpleNamespace(getgroup=lambda *_: group))  # type: ignore[arg-type]
    option = parser.parse_args(words)
    return SimpleNamespace(rootpath=ROOT, option=option, getoption=lambda name: getattr(option, name))


def _preflight(words: list[str], folder: Path, server: str) -> None:
    config = configured(words)
    option = config.option
    option.server = server
    if "--list" in words:
        return
    if "://" not in option.backups:
        option.backups = str(_sets(folder, Path(option.backups)))
    option.app, option.app_python = SAMPLE, sys.executable
    preflight(call_of(config, read_profile(PROFILE).profile))


def _sets(folder: Path, named: Path) -> Path:
    """Two sets of an empty dump, which nothing here reads; where the document names one dump, that."""
    if named.suffix == ".gz":
        (folder / named.name).touch()
        return folder / named.name
    for night in ("20261126", "20261127"):
        (folder / f"igny8_{night}_020000.dump").write_bytes(b"PGDMP")
    return folder
