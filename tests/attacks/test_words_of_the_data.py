"""Whatever words the data puts on, as the name of a migration or as the server's own message, no document repeats it."""

from pathlib import Path

import pytest

from fixtures.restore.failure import RestoreFailed
from fixtures.restore.stderr_lines import StderrLines
from sample.igny8_core.igny8.filling import canary
from tests.restore.test_restore_loader import load
from tests.support.drills import Healthy, drill
from tests.support.outputs import nothing_told

# Names that a row alone says; one of them stands before what the code has, so that it is none of newer code.
HISTORY = f"""
    INSERT INTO django_migrations (id, app, name, applied) OVERRIDING SYSTEM VALUE VALUES
        (-1, '{canary.TENANT_SLUG}', '0001_{canary.SECRET}', now()), (-2, 'igny8', '{canary.CARD}', now());
"""
RAISES = """
    CREATE FUNCTION public.raises() RETURNS trigger LANGUAGE plpgsql AS $f$BEGIN
        RAISE NOTICE '{name}';
        RAISE WARNING 'relation "{slug}" already exists, skipping %', '{email}';
        RAISE EXCEPTION 'null value in column "{slug}" of relation "{email}" violates not-null constraint'
            USING ERRCODE = '23502', DETAIL = 'Key ({card})', TABLE = '{slug}', COLUMN = '{email}', HINT =
            E'{name}\\nTraceback (most recent call last):\\n  File "{card}", line 1, in __getitem__\\n{slug_word}: {name}';
    END$f$;
    CREATE TRIGGER raises BEFORE INSERT ON public.django_migrations FOR EACH ROW EXECUTE FUNCTION public.raises();
"""
WORDS = {
    "name": canary.NAME,
    "slug": canary.TENANT_SLUG,
    "email": canary.EMAIL,
    "card": canary.CARD,
    "slug_word": "Zanzibarine",
}
IN_THE_SERVERS_WORDS = {
    "its words for a row": 'duplicate key value violates unique constraint "{slug}"',
    "its words for a name": 'relation "{slug}" does not exist',
    "its words for a right": "permission denied for table {slug_word}",
    "its words for a disk": "could not extend file: No space left on device {slug_word}",
    "its words for what is harmless": 'schema "public" already exists',
}
# Quiet in the source; where it is loaded, each raises.
AT_LOAD = """
    SET ROLE igny8_owner;
    CREATE FUNCTION public.{function}(v text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $f$BEGIN
        IF pg_catalog.current_setting('application_name') = 'pg_restore' THEN
            RAISE WARNING '{name}';
            RAISE EXCEPTION '{message}' USING ERRCODE = '{state}', DETAIL = '{name}', HINT = E'{name}'
                '\\nCONTEXT:  PL/pgSQL function {slug_word}() line 1'
                '\\nCommand was: CREATE INDEX {slug_word} ON {slug_word};';
        END IF;
        RETURN v;
    END$f$;
    CREATE INDEX {index} ON igny8_plans (public.{function}(name));
    RESET ROLE;
"""


@pytest.mark.whole
def test_no_document_repeats_what_a_migrations_name_or_a_trigger_says(healthy: Healthy, tmp_path: Path) -> None:
    healthy.backup(tmp_path / "backups", HISTORY + RAISES.format(**WORDS))
    outcome = drill(tmp_path / "backups", tmp_path / "out", pdf=True)
    assert outcome.exit_code == 1, outcome.output
    assert "MIG-01" in outcome.red, outcome.output
    message = outcome.result("MIG-01").message
    assert 'null value in column "…" of relation "…" violates not-null constraint' in message, message
    nothing_told(outcome, WORDS["slug_word"])


@pytest.mark.further
def test_no_line_of_a_load_repeats_what_a_function_raises(healthy: Healthy, tmp_path: Path) -> None:
    raising, told = [], set()
    for number, (kind, words) in enumerate(IN_THE_SERVERS_WORDS.items()):
        function, index = f"raises_{number}", f"told_{number}"
        message, state = words.format(**WORDS), "42501" if "right" in kind else "23505"
        raising.append(AT_LOAD.format(**WORDS, function=function, index=index, message=message, state=state))
        told.add(f"a function of the database raised an error (in function public.{function}) [CREATE INDEX {index}]")
    healthy.backup(tmp_path, "".join(raising))
    with pytest.raises(RestoreFailed) as failed:
        load(tmp_path)
    lines = [line for line in failed.value.restored.lines if line.kind != "harmless"]
    assert {line.text for line in lines} == told
    assert {line.kind for line in lines} == {"unknown"}
    for word in WORDS.values():
        assert word not in failed.value.restored.model_dump_json()


@pytest.mark.parametrize(
    "line",
    [
        f"psql: WARNING:  {canary.NAME}",
        f"psql: NOTICE:  {canary.NAME} was here",
        f'psql: WARNING:  relation "{canary.TENANT_SLUG}" already exists, skipping',
        f'psql: ERROR:  plpy.Error: {canary.NAME}\nCONTEXT:  PL/Python function "raises"',
        f'psql: ERROR:  relation "{canary.TENANT_SLUG}" does not exist\nCONTEXT:  SQL function "raises" statement 1',
    ],
)
def test_no_notice_and_no_function_of_any_language_is_repeated(line: str) -> None:
    said = StderrLines()
    for each in line.replace(
        "psql:", "pg_restore: error: could not execute query:" if "ERROR" in line else "pg_restore:"
    ).split("\n"):
        said.take(each)
    for classified in said.classified():
        assert canary.NAME not in classified.text
        assert canary.TENANT_SLUG not in classified.text
