"""Checks of one table come one after the other, so that one worker asks what they share."""

from pathlib import Path

from tests.support.own_pytest import own_pytest

CONFTEST = """
from fixtures.plugin import outcomes, subject_fixtures

def pytest_configure(config):
    config.stash[outcomes.DRILLED] = object()

pytest_collection_modifyitems = subject_fixtures.pytest_collection_modifyitems
"""
TESTS = """
import pytest
from fixtures.plan.subjects import Subject

def of(*ids):
    return pytest.mark.parametrize("subject", [Subject(id, None) for id in ids], ids=ids)

@of("public.a", "public.b")
def test_rows(subject): pass

def test_whole(): pass

@of("public.b(x)->public.a", "public.a(y)->public.b", "public.a(z)->public.c")
def test_references(subject): pass
"""


def test_what_is_tried_on_one_table_comes_one_after_the_other(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_it.py").write_text(TESTS)
    done = own_pytest(tmp_path, "--collect-only", "-q")
    collected = [line.partition("::")[2] for line in done.stdout.splitlines() if "::" in line]
    assert collected == [
        "test_rows[public.a]",
        "test_references[public.a(y)->public.b]",
        "test_references[public.a(z)->public.c]",
        "test_rows[public.b]",
        "test_references[public.b(x)->public.a]",
        "test_whole",
    ], done.stdout + done.stderr
