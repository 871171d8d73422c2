"""Kinds stand beside their checks, typed: no table names them, and a control takes what its kind gives."""

import importlib.util
from collections.abc import Callable, Iterator
from functools import reduce
from operator import or_
from types import ModuleType, UnionType
from typing import Any, get_args, get_type_hints

import pytest

import fixtures.checks.restore.subjects
from fixtures.checks.blocked import Blocked
from fixtures.checks.kind import kind
from fixtures.plan.cards import DeclaredControl, read_controls
from fixtures.plan.kinds import KindError, kinds
from tests.support.drills import ROOT

CONTROLS = [control for control in read_controls(ROOT / "verify", gate=True) if control.card.subjects is not None]


def controls_and_their_tests() -> Iterator[tuple[DeclaredControl, Callable[..., None]]]:
    modules: dict[str, ModuleType] = {}
    for control in CONTROLS:
        file, name = control.node.split("::")
        if file not in modules:
            spec = importlib.util.spec_from_file_location(file.replace("/", "_").removesuffix(".py"), ROOT / file)
            assert spec is not None
            assert spec.loader is not None
            modules[file] = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(modules[file])
        yield control, getattr(modules[file], name)


def subject_type(function: Callable[..., Any]) -> object:
    """The type of the subjects that a kind's function returns by their names, without those that cannot be tried."""
    (pair,) = get_args(get_type_hints(function)["return"])
    given = get_args(pair)[1]
    if not isinstance(given, UnionType):
        return given
    return reduce(or_, (each for each in get_args(given) if each is not Blocked))


def test_a_control_takes_its_subject_as_its_kind_gives_it() -> None:
    wrong = {
        control.card.id: f"{takes} for {gives}"
        for control, test in controls_and_their_tests()
        if (takes := get_type_hints(test)[(its := kinds()[control.card.subjects or ""]).argument])
        != (gives := subject_type(its.find_subjects))
    }
    assert wrong == {}


def test_every_kind_is_tried_by_a_control() -> None:
    assert kinds().keys() == {control.card.subjects for control in CONTROLS}


def test_a_name_that_is_taken_is_told_with_both_places(monkeypatch: pytest.MonkeyPatch) -> None:
    @kind("sequence", argument="sequence", none_means="there is none")
    def again(drilled: object) -> list[tuple[str, int]]:
        return []

    again.find_subjects.__module__ = fixtures.checks.restore.subjects.__name__
    monkeypatch.setattr(fixtures.checks.restore.subjects, "again", again, raising=False)
    kinds.cache_clear()
    try:
        with pytest.raises(KindError, match=r"both declare the kind sequence: give one of them another name"):
            kinds()
    finally:
        monkeypatch.undo()
        kinds.cache_clear()


def test_what_a_control_stands_on_is_what_it_asks_for() -> None:
    """A control that looks up a stage itself is blocked in its own words, if it thinks of it."""
    wrong = [
        str(file.relative_to(ROOT)) for file in (ROOT / "verify").rglob("*.py") if "why_missing" in file.read_text()
    ]
    assert wrong == []
