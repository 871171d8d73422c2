"""What an application complains of is told in names only: no message that may quote a value is passed on."""

import subprocess
import sys

import pytest

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
def test_only_names_are_said(code: str, words: str) -> None:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert stderr_summary(done.stderr.splitlines()) == words
