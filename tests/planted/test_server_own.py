"""What is replaced in the server's own catalogue is a fault of its own, and nothing that is computed with it is believed."""

from pathlib import Path

import pytest

from tests.planted.test_hostile import ALLOWED, NATIVE, tolerated
from tests.support.drills import Drill, Healthy, whole_drill
from tests.support.further import first_of
from tests.support.met_faults import WITHOUT_FACTS, WITHOUT_MIGRATED
from tests.support.seen_faults import expect_red
from tests.support.short_drills import Standing
from tests.support.spoiled_sets import profile_with

REPLACED = """
    CREATE OR REPLACE FUNCTION pg_catalog.hashtextextended(text, bigint) RETURNS bigint
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS 'SELECT 1::bigint';
"""
IN_MIGRATED = f"DO $do$ BEGIN IF current_database() = 'migrated' THEN {REPLACED} END IF; END $do$"
FUNCTION = "function pg_catalog.hashtextextended(text, int8) was altered"
NOT_BELIEVED = "nothing that is computed there is believed"
CAST = "CREATE CAST (varchar AS jsonb) WITH INOUT AS IMPLICIT"
# What a load by a superuser runs: the function does it while the rows are checked.
BY_THE_LOAD = f"""
    {NATIVE}
    CREATE SCHEMA helper;
    GRANT USAGE ON SCHEMA helper TO PUBLIC;
    CREATE FUNCTION helper.ok(name text) RETURNS boolean LANGUAGE plpgsql AS $f$ BEGIN
        IF current_setting('application_name') = 'pg_restore' THEN EXECUTE $q${REPLACED}$q$; END IF;
        RETURN true;
    END $f$;
    ALTER TABLE igny8_plans ADD CONSTRAINT plan_ok CHECK (helper.ok(name::text));
"""
PLANTED = {
    "RST-18": {"a function of pg_catalog is replaced": REPLACED, "a cast turns texts into JSON": CAST},
    "MIG-06": {"what runs in the migrations replaces a function of pg_catalog": IN_MIGRATED},
}
SAMPLES = {REPLACED: FUNCTION, CAST: "cast (varchar AS jsonb)", IN_MIGRATED: FUNCTION}
BLOCKED = {
    "RST-18": ("RST-09", *WITHOUT_FACTS),
    "MIG-06": (*(each for each in WITHOUT_MIGRATED if each != "MIG"), "MIG-01", "MIG-03", "MIG-04", "MIG-07"),
}


@pytest.mark.parametrize(("control", "fault"), first_of([(each, fault) for each in PLANTED for fault in PLANTED[each]]))
def test_nothing_is_believed_where_the_servers_own_catalogue_is_altered(
    control: str, fault: str, whole_set: Path, standing: Standing, tmp_path: Path
) -> None:
    planted = PLANTED[control][fault]
    outcome = standing.drill(whole_set.parent, tmp_path / "out", planted=planted)
    expect_found(outcome, control, SAMPLES[planted])


def expect_found(outcome: Drill, control: str, sample: str) -> None:
    expect_red(outcome, {control: ("whole",)}, BLOCKED[control], NOT_BELIEVED)
    assert outcome.result(control).samples == (sample,)
    assert outcome.evidence.verdict == "FAILED"


@pytest.mark.whole
def test_a_function_that_the_load_replaces_is_found(healthy: Healthy, tmp_path: Path) -> None:
    healthy.backup(tmp_path / "backups", BY_THE_LOAD)
    outcome = whole_drill(tmp_path / "backups", tmp_path / "out", profile=profile_with(tmp_path, ALLOWED))
    expect_found(outcome, "RST-18", FUNCTION)


@pytest.mark.further
def test_a_cast_that_the_profile_tolerates_is_no_fault(whole_set: Path, standing: Standing, tmp_path: Path) -> None:
    profile = profile_with(tmp_path, tolerated("cast (varchar AS jsonb)"))
    outcome = standing.drill(whole_set.parent, tmp_path / "out", profile=profile, planted=CAST)
    assert (outcome.red, outcome.blocked, outcome.exit_code) == ({}, {}, 0), outcome.output


@pytest.mark.further
def test_other_privileges_are_told_and_are_no_fault(whole_set: Path, standing: Standing, tmp_path: Path) -> None:
    planted = (
        "REVOKE EXECUTE ON FUNCTION pg_catalog.pg_sleep(float8) FROM PUBLIC; GRANT SELECT ON pg_statistic TO PUBLIC"
    )
    outcome = standing.drill(whole_set.parent, tmp_path / "out", planted=planted)
    assert (outcome.red, outcome.blocked, outcome.exit_code) == ({}, {}, 0), outcome.output
    assert "function pg_catalog.pg_sleep(float8)" in outcome.result("RST-18").note
