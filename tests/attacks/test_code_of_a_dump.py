"""What a dump holds runs as nobody privileged, wherever it hides, and tells no control what to see."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.sandbox.guardian import Guardian
from fixtures.server import ServerRequest, serve
from tests.support.drills import Healthy
from tests.support.hostile_drill import Bait, bait, hostile_drill

AS_OWNER = "SET ROLE igny8_owner;"

# Fires while the application's migrate writes, and again whenever a replica's session does.
IN_MIGRATE = """
    CREATE FUNCTION helper.fires() RETURNS trigger LANGUAGE plpgsql AS $f$BEGIN
        PERFORM helper.note(TG_ARGV[0]);
        RETURN NEW;
    END$f$;
    CREATE TRIGGER audit AFTER INSERT ON public.django_migrations
        FOR EACH STATEMENT EXECUTE FUNCTION helper.fires('trigger');
    CREATE TRIGGER always BEFORE INSERT ON public.django_content_type
        FOR EACH ROW EXECUTE FUNCTION helper.fires('always');
    ALTER TABLE public.django_content_type ENABLE ALWAYS TRIGGER always;
    ALTER TABLE public.auth_permission ADD noted boolean DEFAULT helper.note('default');
"""

# Steps out of the role that a probe acts as, by three ways, and notes wherever that made it more.
STEPS_OUT = """
    CREATE FUNCTION helper.steps(how text) RETURNS boolean LANGUAGE plpgsql AS $f$BEGIN
        IF session_user::text = 'igny8_app' OR current_user::text = 'igny8_app' THEN
            BEGIN
                IF how = 'session' THEN
                    EXECUTE 'SET LOCAL SESSION AUTHORIZATION DEFAULT';
                ELSIF how = 'reset' THEN
                    EXECUTE 'RESET ROLE';
                ELSE
                    PERFORM pg_catalog.set_config('session_authorization', 'restore_drill', true);
                END IF;
                PERFORM helper.note(how);
                EXECUTE 'SET LOCAL SESSION AUTHORIZATION igny8_app';
            EXCEPTION WHEN OTHERS THEN NULL;
            END;
        END IF;
        RETURN true;
    END$f$;
    CREATE POLICY out ON public.igny8_invoices AS RESTRICTIVE TO PUBLIC
        USING (helper.steps('session')) WITH CHECK (helper.steps('session'));
    CREATE POLICY out ON public.igny8_tasks AS RESTRICTIVE TO PUBLIC
        USING (helper.steps('reset')) WITH CHECK (helper.steps('reset'));
    CREATE POLICY out ON public.igny8_payments AS RESTRICTIVE TO PUBLIC
        USING (helper.steps('setting')) WITH CHECK (helper.steps('setting'));
"""

# Stands in for the server's own to whoever looks into public first: no number is unlike another, a sum is none.
LIES = """
    CREATE FUNCTION helper.same(a varchar, b varchar) RETURNS boolean LANGUAGE plpgsql AS
        $f$BEGIN PERFORM helper.note('varchar'); RETURN a::text OPERATOR(pg_catalog.=) b::text; END$f$;
    CREATE OPERATOR public.= (LEFTARG = varchar, RIGHTARG = varchar, FUNCTION = helper.same);
    CREATE FUNCTION helper.alike(a bigint, b bigint) RETURNS boolean LANGUAGE plpgsql AS
        $f$BEGIN PERFORM helper.note('bigint'); RETURN false; END$f$;
    CREATE OPERATOR public.<> (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = helper.alike);
    CREATE FUNCTION public.sum(bigint) RETURNS bigint LANGUAGE plpgsql AS
        $f$BEGIN PERFORM helper.note('sum'); RETURN 0; END$f$;
"""
# Refuses whoever loads it without being a superuser, and waits for the superuser who tries it again.
REFUSES = """
    CREATE FUNCTION helper.refuses(i text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $f$BEGIN
        IF current_setting('application_name') = 'pg_restore' THEN
            IF current_setting('is_superuser') = 'off' THEN RAISE EXCEPTION 'pricing engine not warmed up'; END IF;
            PERFORM helper.note('again');
        END IF;
        RETURN i;
    END$f$;
"""
# Each on a table of its own: the rows of a table that a check or a generated column refuses are not there to be indexed.
WHERE_IT_REFUSES = """
    ALTER TABLE public.igny8_plans ADD CONSTRAINT fine CHECK (helper.refuses(name) IS NOT NULL);
    CREATE INDEX fine ON public.igny8_tenants (helper.refuses(name));
    ALTER TABLE public.igny8_currencies ADD fine text GENERATED ALWAYS AS (helper.refuses(name)) STORED;
"""
# A balance that its ledger does not add up to: what the lies would hide.
FAULT = "UPDATE public.igny8_tenants SET credits_balance = credits_balance + 1 WHERE id = 2;"


@pytest.fixture(scope="module")
def laid() -> Iterator[Bait]:
    with bait() as ready:
        yield ready


def test_the_bait_tells_of_what_runs(laid: Bait) -> None:
    with Guardian("b0a7b0a8") as guardian, serve(ServerRequest("b0a7b0a8", "local"), guardian) as server:
        with server.connect() as connection:
            connection.execute(laid.note.encode())
            connection.execute("SELECT helper.note('superuser')")
            connection.execute("CREATE ROLE plain; SET ROLE plain; SELECT helper.note('plain')")
        assert laid.touched(server) == ["ran-superuser"]


@pytest.mark.whole
def test_nothing_of_a_dump_runs_as_more_than_it_is_and_a_fault_beside_it_is_found(
    healthy: Healthy, laid: Bait, tmp_path: Path
) -> None:
    healthy.backup(tmp_path / "backups", f"{AS_OWNER}{laid.note}{IN_MIGRATE}{STEPS_OUT}{LIES}RESET ROLE;{FAULT}")
    assert laid.touched(healthy.server) == []
    outcome = hostile_drill(tmp_path / "backups", tmp_path / "out", laid)
    assert "BIL-02" in outcome.red, outcome.red
    assert outcome.exit_code == 1


@pytest.mark.whole
def test_a_load_that_was_refused_once_is_tried_by_no_superuser(healthy: Healthy, laid: Bait, tmp_path: Path) -> None:
    healthy.backup(tmp_path / "backups", f"{AS_OWNER}{laid.note}{REFUSES}{WHERE_IT_REFUSES}")
    outcome = hostile_drill(tmp_path / "backups", tmp_path / "out", laid)
    assert outcome.exit_code == 1
    assert "RST-01" in outcome.red
    restored = outcome.evidence.record.restored
    assert restored is not None
    raised = [line for line in restored.lines if "a function of the database raised an error" in line.text]
    assert sum(line.count for line in raised) == 3, restored.lines
    assert all(line.text in outcome.result("RST-01").message for line in raised)
