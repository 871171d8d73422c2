"""What a program says while production is recovered is repeated without what it quotes of a row."""

import sys
from argparse import Namespace
from dataclasses import replace
from pathlib import Path

import pytest

from fixtures.commands.recovering.application import _migration_words
from fixtures.recovery.refused import RecoveryRefused
from fixtures.recovery.whole.commands import run_all, still_there
from fixtures.sandbox.child import run_child
from tests.support.recovered_shop import CANARY
from tests.support.small_recovery import Tiny

RAISING = f"""
CREATE FUNCTION demand(name text) RETURNS bool LANGUAGE plpgsql AS $$
BEGIN IF current_database() <> 'tiny_raising' THEN RAISE EXCEPTION '% is refused', name; END IF; RETURN true; END $$;
CREATE TABLE guests (name text CHECK (demand(name)));
INSERT INTO guests VALUES ('{CANARY}');
"""
FAILING = f"""
CREATE FUNCTION later() RETURNS bool LANGUAGE sql AS 'SELECT current_database() = ''tiny_raising''';
CREATE TABLE guests (name text, CONSTRAINT welcome CHECK (later()));
INSERT INTO guests VALUES ('{CANARY}');
"""


@pytest.mark.parametrize(
    ("schema", "said"),
    [(RAISING, "a function of the database raised an error"), (FAILING, 'relation "guests" violates check constraint')],
    ids=["raised", "constraint"],
)
def test_what_pg_restore_quotes_of_a_row_is_not_repeated(tiny: Tiny, tmp_path: Path, schema: str, said: str) -> None:
    tiny.server.create_database("tiny_raising")
    with tiny.server.connect("tiny_raising") as session:
        session.execute(schema)  # type: ignore[call-overload]
    dump = tmp_path / "raising.dump"
    done = run_child(
        [str(tiny.server.clients.pg_dump), "-Fc", f"--file={dump}", "tiny_raising"],
        environment=tiny.server.environment("tiny_raising"),
        guardian=tiny.guardian,
    )
    assert done.succeeded, done.stderr
    tiny.backup = replace(tiny.backup, dump=dump)
    with pytest.raises(RecoveryRefused, match=said) as refused:
        tiny.recover()
    assert CANARY not in f"{refused.value}{tiny.said}"
    assert tiny.starts == ["old old"]


def test_a_command_is_told_by_its_words_without_what_they_quote(capfd: pytest.CaptureFixture[str]) -> None:
    words = f'echo "cannot start: port 8000 is taken"; echo "duplicate key (mail)=({CANARY})"; exit 3'
    with pytest.raises(RecoveryRefused) as refused:
        run_all([["sh", "-c", words]], 30, "start")
    assert "sh ended with 3 and said: cannot start: port 8000 is taken duplicate key (mail)" in refused.value.cause
    assert CANARY not in str(refused.value)
    (there,) = still_there([["sh", "-c", f"echo \"a worker: '{CANARY}'\""]], 30)
    assert there == "sh ended with 0 and said: a worker: …"
    assert capfd.readouterr() == ("", "")


def test_of_a_line_that_was_cut_nothing_is_repeated() -> None:
    long = f"import sys; print('\"' + '{CANARY} ' * 200); print('the end'); sys.exit(1)"
    with pytest.raises(RecoveryRefused) as refused:
        run_all([[sys.executable, "-c", long]], 30, "start")
    assert "said: the end." in refused.value.cause


def test_of_an_exception_the_type_is_repeated_and_of_a_migration_what_is_a_name(tiny: Tiny, tmp_path: Path) -> None:
    raises = [sys.executable, "-c", f"raise ValueError('no such mail: {CANARY}')"]
    with pytest.raises(RecoveryRefused, match=r"ended with 1 and said: ValueError\.") as refused:
        run_all([raises], 30, "start")
    assert CANARY not in str(refused.value)
    (tmp_path / "0002_unique.py").write_text("def apply(): ...\n")
    chosen = Namespace(app=tmp_path, app_python=Path(sys.executable))
    tell = _migration_words(chosen, tiny.production, tiny.plan())
    for message, said in (
        ("could not create unique index \\'notes\\'".replace("\\'", '"'), 'could not create unique index "notes"'),
        (f'could not create unique index "{CANARY}"', 'could not create unique index "…"'),
        (f"no such mail: {CANARY}", ""),
    ):
        failing = [sys.executable, "-c", f"raise RuntimeError({message!r})"]
        with pytest.raises(RecoveryRefused) as refused:
            run_all([failing], 30, "migrate the recovered database", tell)
        assert f"said: RuntimeError{': ' if said else ''}{said}." in refused.value.cause
