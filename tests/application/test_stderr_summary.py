"""What an application complains of is told in names only: no message that may quote a value is passed on."""

import subprocess
import sys
from pathlib import Path

import pytest

from fixtures.application.names import Names
from fixtures.application.stderr_summary import stderr_summary


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("pass", ""),
        ("import os; os.environ['DB_HOST']", "KeyError: 'DB_HOST' is not set"),
        ("{}['ACME_CORPORATION']", "KeyError"),
        ("import never_installed", "ModuleNotFoundError: No module named 'never_installed'"),
        ("from json import nothing", "ImportError: cannot import name 'nothing' from 'json'"),
        ("raise ValueError('Ada Lovelace')", "ValueError"),
        ("raise ValueError('relation \"ada\" does not exist: Lovelace')", "ValueError"),
        ("raise ValueError('line\\nModuleNotFoundError: Ada')", "ValueError"),
        ("raise type('Odd', (Exception,), {})('Ada')", "Odd"),
        ("import sys; sys.stderr.write('CommandError: no tenant Ada Lovelace\\n')", "CommandError"),
        (
            "import sys; sys.stderr.write('SystemCheckError: System check identified some issues:\\n\\nERRORS:\\n'"
            "'?: (crm.E002) Ada (of Lovelace) is nobody.\\n?: (crm.E001) Ada\\n')",
            "SystemCheckError: crm.E001, crm.E002",
        ),
        ("import sys; sys.stderr.write('warning: Ada\\n')", ""),
        (
            "class E(Exception): pass\n"
            "E.__module__, E.__qualname__ = 'psycopg.errors', 'UniqueViolation'\n"
            "try:\n"
            "    raise E('could not create unique index \"one\"\\nDETAIL:  Key (email)=(ada@l.example) is duplicated.')\n"
            "except E as e:\n"
            "    raise RuntimeError('could not create unique index \"one\"\\nDETAIL: ada@l.example') from e",
            'RuntimeError (UniqueViolation): could not create unique index "one"',
        ),
    ],
)
def test_only_names_are_said(code: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "code.py").write_text(code)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert stderr_summary(done.stderr.splitlines(), Names(tmp_path, Path(sys.executable))) == words


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ('relation "shop" does not exist', 'UndefinedTable: relation "shop" does not exist'),
        ('relation "ada" does not exist', 'UndefinedTable: relation "…" does not exist'),
        (
            'null value in column "ada" of relation "shop" violates not-null constraint',
            'UndefinedTable: null value in column "…" of relation "shop" violates not-null constraint',
        ),
        (
            'could not create unique index "shop_owner_0a1b2c3d_uniq"',
            'UndefinedTable: could not create unique index "shop_owner_0a1b2c3d_uniq"',
        ),
        ('could not create unique index "shop_ada_uniq"', 'UndefinedTable: could not create unique index "…"'),
        ("permission denied for table ada", "UndefinedTable: permission denied for table …"),
        ("permission denied for ada lovelace", "UndefinedTable"),
        ("x\nTraceback (most recent call last):\n  File a\nada.Lovelace: x", "UndefinedTable"),
        ("x\nTraceback (most recent call last):\n  File a\ndjango.db.utils.Lovelace", "UndefinedTable"),
        ("x\nTraceback (most recent call last):\n  File a\nLovelace", "UndefinedTable"),
    ],
)
def test_a_name_that_only_a_raised_message_says_is_taken_out(message: str, words: str, tmp_path: Path) -> None:
    said = [
        *["Traceback (most recent call last):", "  File a"],
        *f"psycopg.errors.UndefinedTable: {message}".split("\n"),
    ]
    names = Names(tmp_path, Path(sys.executable), lambda: frozenset({"shop", "owner"}))
    assert stderr_summary(said, names) == words


def test_an_exception_of_an_installed_package_is_told_by_its_type(tmp_path: Path) -> None:
    names = Names(tmp_path, Path(sys.executable))
    for kind in ("django.db.utils.IntegrityError", "json.decoder.JSONDecodeError", "psycopg2.errors.UniqueViolation"):
        assert names.exception(kind) == kind
    for kind in ("django.db.utils.Lovelace", "psycopg.errors.Lovelace", "ada.lovelace", "Lovelace", "print"):
        assert names.exception(kind) == "an exception"
