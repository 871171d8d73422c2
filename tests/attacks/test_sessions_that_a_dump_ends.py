"""Code of a dump that ends the session of a check, or says that the server was lost, keeps that check alone from being
tried: the server is never blamed."""

from pathlib import Path

import pytest

from tests.support.drills import Healthy
from tests.support.short_drills import Standing

ENDED, SPOKEN = "public.igny8_invoices", "public.igny8_credit_ledger"
# Checks name no application; the stages of a drill do.
ENDS = """
    SET ROLE igny8_owner;
    CREATE SCHEMA helper;
    GRANT USAGE ON SCHEMA helper TO PUBLIC;
    CREATE FUNCTION helper.ends() RETURNS boolean LANGUAGE plpgsql STABLE AS $f$BEGIN
        IF session_user = 'igny8_app' OR session_user LIKE 'restore_drill_reader%'
            AND pg_catalog.current_setting('application_name') = '' THEN
            PERFORM pg_catalog.pg_terminate_backend(pid, 5000) FROM pg_catalog.pg_stat_activity
              WHERE usename = session_user AND pid <> pg_catalog.pg_backend_pid();
            PERFORM pg_catalog.pg_terminate_backend(pg_catalog.pg_backend_pid());
        END IF;
        RETURN true;
    END$f$;
    CREATE FUNCTION helper.says() RETURNS boolean LANGUAGE plpgsql STABLE AS $f$BEGIN
        IF session_user = 'igny8_app' THEN
            RAISE EXCEPTION 'server closed the connection unexpectedly' USING ERRCODE = '08006';
        END IF;
        RETURN true;
    END$f$;
    CREATE TYPE helper.mood AS ENUM ('calm');
    CREATE FUNCTION helper.text(helper.mood) RETURNS text LANGUAGE plpgsql IMMUTABLE AS
        $f$BEGIN PERFORM helper.ends(); RETURN 'calm'; END$f$;
    CREATE CAST (helper.mood AS text) WITH FUNCTION helper.text(helper.mood) AS IMPLICIT;
    ALTER TABLE public.igny8_plans ADD mood helper.mood DEFAULT 'calm';
    CREATE POLICY ends ON public.igny8_invoices AS RESTRICTIVE TO PUBLIC USING (helper.ends());
    CREATE POLICY says ON public.igny8_credit_ledger AS RESTRICTIVE TO PUBLIC USING (helper.says());
    RESET ROLE;
"""


@pytest.mark.further
def test_a_check_whose_session_the_dump_ends_is_blocked_alone(
    healthy: Healthy, standing: Standing, tmp_path: Path
) -> None:
    healthy.backup(tmp_path / "backups", ENDS)
    drill = standing.drill(tmp_path / "backups", tmp_path / "out", planted=ENDS)
    assert {each.state for each in drill.evidence.record.stages} == {"ok"}
    others = {
        (each.control, each.subject): each.message for each in drill.evidence.results if each.outcome == "blocked"
    }
    assert drill.evidence.verdict == "INCONCLUSIVE"
    assert drill.red == {}
    assert others.keys() == {(control, table) for control in ("TEN-06", "TEN-12") for table in (ENDED, SPOKEN)}
    for control in ("TEN-06", "TEN-12"):
        assert others[control, ENDED].startswith(
            "its session was ended while it was tried, and the drill's server (local: "
        )
        assert "ConnectionFailure" in others[control, SPOKEN]
    assert "within a function of the database" in others["TEN-06", SPOKEN]
