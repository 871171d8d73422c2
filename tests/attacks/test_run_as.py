"""Whatever of a dump runs while checks and visits read it runs as the reader, the application or its role: never as more."""

import re
from pathlib import Path

import pytest

from tests.support.short_drills import Standing

# Says in the server's log where it ran, and with what rights: as it is called, and after it tried to step out of its role.
# The session that plants it says nothing.
NOTES = """
    SET canary.planting = 'on';
    SET ROLE igny8_owner;
    CREATE SCHEMA helper;
    GRANT USAGE ON SCHEMA helper TO PUBLIC;
    CREATE FUNCTION helper.note(at text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $f$
    DECLARE how text;
    BEGIN
        IF pg_catalog.current_setting('canary.planting', true) = 'on' THEN RETURN true; END IF;
        FOREACH how IN ARRAY ARRAY['called', 'stepped'] LOOP
            IF how = 'stepped' THEN
                BEGIN
                    PERFORM pg_catalog.set_config('role', 'none', true);
                    EXECUTE 'SET LOCAL SESSION AUTHORIZATION DEFAULT';
                    PERFORM pg_catalog.set_config('session_authorization', 'restore_drill', true);
                EXCEPTION WHEN OTHERS THEN NULL;
                END;
            END IF;
            RAISE WARNING 'canary % % by % as % more % reads %', how, at, session_user, current_user,
                (SELECT pg_catalog.bool_or(rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication)
                        OR pg_catalog.pg_has_role(session_user, 'pg_execute_server_program', 'MEMBER')
                        OR pg_catalog.pg_has_role(session_user, 'pg_write_server_files', 'MEMBER')
                   FROM pg_catalog.pg_roles WHERE rolname IN (session_user, current_user)),
                pg_catalog.current_setting('transaction_read_only');
        END LOOP;
        RETURN true;
    END$f$;
    CREATE FUNCTION helper.noted(v text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS
        $f$BEGIN PERFORM helper.note('index'); RETURN v; END$f$;
    CREATE FUNCTION helper.fires() RETURNS trigger LANGUAGE plpgsql AS
        $f$BEGIN PERFORM helper.note('trigger'); RETURN NEW; END$f$;
    CREATE DOMAIN helper.checked AS text CHECK (helper.note('domain'));
    CREATE TYPE helper.mood AS ENUM ('calm');
    CREATE FUNCTION helper.says(helper.mood) RETURNS text LANGUAGE plpgsql IMMUTABLE AS
        $f$BEGIN PERFORM helper.note('cast'); RETURN 'calm'; END$f$;
    CREATE CAST (helper.mood AS text) WITH FUNCTION helper.says(helper.mood) AS IMPLICIT;
    ALTER TABLE public.igny8_plans ADD noted helper.checked DEFAULT 'x', ADD mood helper.mood DEFAULT 'calm',
        ADD twice text GENERATED ALWAYS AS (helper.noted(name)) STORED;
    CREATE INDEX noted ON public.igny8_plans (helper.noted(name));
    CREATE VIEW public.igny8_seen AS SELECT id, helper.note('view') AS seen FROM public.igny8_plans;
    CREATE POLICY noted ON public.igny8_invoices AS RESTRICTIVE TO PUBLIC
        USING (helper.note('policy')) WITH CHECK (helper.note('policy'));
    CREATE TRIGGER noted BEFORE INSERT OR UPDATE OR DELETE ON public.igny8_invoices
        FOR EACH ROW EXECUTE FUNCTION helper.fires();
    ALTER TABLE public.igny8_invoices ENABLE ALWAYS TRIGGER noted;
    CREATE TRIGGER noted BEFORE INSERT OR UPDATE ON public.django_session
        FOR EACH ROW EXECUTE FUNCTION helper.fires();
    RESET ROLE;
"""
HOW = ("called", "stepped")
_NOTED = re.compile(r"canary (\w+) (\w+) by (\S+) as (\S+) more (\w) reads (\w+)")
_MAY = re.compile(r"(restore_drill_(reader|application)_[0-9a-f]{8}|igny8_(app|owner))")


@pytest.mark.further
def test_nothing_of_a_dump_runs_as_more_during_checks_and_visits(
    whole_set: Path, standing: Standing, tmp_path: Path
) -> None:
    assert standing.server.data is not None
    log = standing.server.data / "server.log"
    before = log.stat().st_size
    seen = standing.drill(whole_set.parent, tmp_path / "out", planted=NOTES, really=frozenset({"visit"}))
    with log.open("rb") as written:
        written.seek(before)
        noted = set(_NOTED.findall(written.read().decode(errors="replace")))
    assert seen.evidence.results
    for how in HOW:
        # The controls that act as the application's role do meet its policies.
        assert (how, "policy", "igny8_app") in {each[:3] for each in noted}, noted
        # And whoever is visited has a session of its own written.
        assert any(each[:2] == (how, "trigger") and "application" in each[2] for each in noted), noted
    for how, at, session, current, more, reads in noted:
        assert more == "f", (how, at, session, current)
        assert _MAY.fullmatch(session), (how, at, session)
        assert _MAY.fullmatch(current), (how, at, current)
        assert "reader" not in session or reads == "on", (how, at, session)
        # A view, an index and a cast of the dump's are nothing that a check asks for.
        assert at not in ("view", "cast"), (how, at, session)
