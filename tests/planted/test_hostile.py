"""Each control on what acts by itself or reaches outside goes red on its own fault, and no other does."""

from pathlib import Path

import pytest

from tests.support.drills import Drilling, Healthy
from tests.support.met_faults import Fault
from tests.support.profiles import profile_and
from tests.support.spoiled_sets import profile_with, reword

NATIVE = """
    CREATE FUNCTION igny8_handler() RETURNS language_handler LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_call_handler';
    CREATE LANGUAGE plunsafe HANDLER igny8_handler;
    CREATE FUNCTION igny8_poke(of bigint) RETURNS void LANGUAGE plunsafe AS 'BEGIN END';
"""
OUTSIDE = """
    CREATE FUNCTION igny8_export() RETURNS void LANGUAGE plpgsql
        AS $$BEGIN EXECUTE 'COPY igny8_plans TO PROGRAM ''gzip > plans.gz'''; END$$;
    CREATE VIEW igny8_hosts AS SELECT pg_read_file('/etc/hosts') AS text;
"""
WAREHOUSE = """
    CREATE EXTENSION IF NOT EXISTS postgres_fdw;
    CREATE SERVER warehouse FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'warehouse.example');
"""
PUBLICATION = "CREATE PUBLICATION changes FOR ALL TABLES;"
# Long enough for another statement to take its place in the dump.
ADDRESS = f"host=events.example application_name={'x' * 40}"
SUBSCRIPTION = (
    f"CREATE SUBSCRIPTION events CONNECTION '{ADDRESS}' PUBLICATION events "
    "WITH (connect = false, slot_name = 'events');"
)
SUBSCRIPTION_ENABLED = (
    "CREATE SUBSCRIPTION events CONNECTION 'host=events.example' PUBLICATION events "
    "WITH (connect = false, slot_name = 'events'); ALTER SUBSCRIPTION events ENABLE;"
)
EVENT_TRIGGER = """
    CREATE FUNCTION igny8_watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
    CREATE EVENT TRIGGER igny8_watch ON ddl_command_end EXECUTE FUNCTION igny8_watch();
"""
CRON = """
    CREATE SCHEMA cron;
    CREATE TABLE cron.job (jobid bigint PRIMARY KEY, schedule text, command text, active boolean);
    INSERT INTO cron.job VALUES (4, '0 3 * * *', 'SELECT 1', true), (5, '0 4 * * *', 'SELECT 2', false);
"""
SITE = """
    CREATE TABLE django_site (id int PRIMARY KEY, domain varchar(100), name varchar(50));
    INSERT INTO django_site VALUES (1, 'APP.igny8.example', 'IGNY8'), (2, 'staging.igny8.example', 'Staging');
"""
UNLOGGED = "ALTER TABLE igny8_usage_days SET UNLOGGED;"
SHARED = "[tenancy.shared]"
# No other role than a superuser can load code that runs with the server's own rights.
ALLOWED = {"[backup]\n": '[backup]\nsuperuser_load = "the source is our own"\n'}


def shared(table: str) -> dict[str, str]:
    return {SHARED: f'{SHARED}\n"{table}" = "belongs to the server, not to a tenant"'}


def tolerated(what: str) -> dict[str, str]:
    return {"[sites]\n": f'[tolerated]\n"{what}" = "is meant to be there"\n\n[sites]\n'}


PLANTED = {
    "RST-10": {
        "a language that may do anything": Fault(
            says="pieces of code run with the server's own rights",
            samples=(
                "language plunsafe",
                "native function public.igny8_handler()",
                "native function public.igny8_poke(of bigint)",
            ),
            broken=3,
            sql=NATIVE,
            profile=ALLOWED,
        ),
    },
    "RST-11": {
        "a function that starts a program, a view that reads a file": Fault(
            says="pieces of code reach files, programs or other servers",
            samples=(
                "outside access in function public.igny8_export()",
                "outside access in view public.igny8_hosts",
            ),
            broken=2,
            sql=OUTSIDE,
        ),
    },
    "RST-12": {
        "the way to production's warehouse": Fault(
            says="foreign servers are not known to the profile",
            samples=("foreign server warehouse",),
            sql=WAREHOUSE,
        ),
    },
    "RST-13": {
        "a publication that nobody knows of": Fault(
            says="1 of 1 publications and subscriptions are enabled, or not known to the profile",
            samples=("publication changes",),
            sql=PUBLICATION,
        ),
        "a known subscription that a dump enables": Fault(
            says="1 of 1 publications and subscriptions are enabled, or not known to the profile",
            samples=("subscription events is enabled",),
            sql=SUBSCRIPTION,
            in_set=lambda backup, _: reword(backup, SUBSCRIPTION, SUBSCRIPTION_ENABLED.ljust(len(SUBSCRIPTION))),
            arrives=SUBSCRIPTION_ENABLED,
            profile=tolerated("subscription events"),
        ),
    },
    "RST-14": {
        "an event trigger that nobody knows of": Fault(
            says="1 of 1 event triggers are disabled, or not known to the profile",
            samples=("event trigger igny8_watch",),
            sql=EVENT_TRIGGER,
        ),
        "a known event trigger that was left disabled": Fault(
            says="1 of 1 event triggers are disabled, or not known to the profile",
            samples=("event trigger igny8_watch is disabled",),
            sql=f"{EVENT_TRIGGER} ALTER EVENT TRIGGER igny8_watch DISABLE",
            profile=tolerated("event trigger igny8_watch"),
        ),
    },
    "RST-15": {
        "a nightly job": Fault(
            says="1 of 1 active jobs wait to be run",
            samples=("scheduled job cron.job 4",),
            sql=CRON,
            profile=shared("cron.job"),
        ),
    },
    "RST-16": {
        "a table that a crash empties": Fault(
            says="tables are unlogged",
            samples=("unlogged table public.igny8_usage_days",),
            sql=UNLOGGED,
        ),
    },
    "RST-17": {
        "a host of another environment": Fault(
            says="1 of 2 host names are not among the profile's [hosts]",
            samples=("public.django_site.domain=#",),
            sql=SITE,
            profile={
                **shared("django_site"),
                "[sites]\n": '[hosts]\nnames = ["app.igny8.example"]\n\n[sites]\n',
            },
        ),
    },
}


@pytest.mark.further
def test_what_the_profile_knows_of_is_no_fault(healthy: Healthy, tmp_path: Path, drilling: Drilling) -> None:
    planted = [NATIVE, OUTSIDE, WAREHOUSE, PUBLICATION, SUBSCRIPTION, EVENT_TRIGGER, UNLOGGED]
    statements = "\n".join(planted)
    healthy.backup(tmp_path / "backups", statements)
    promised = [sample for control in sorted(PLANTED) for sample in next(iter(PLANTED[control].values())).samples]
    promised = [name for name in (*promised, "subscription events") if "cron" not in name and "django_site" not in name]
    lines = "\n".join(f'"{name}" = "is meant to be there"' for name in promised)
    profile = profile_with(tmp_path, {**ALLOWED, "[sites]\n": f"[tolerated]\n{lines}\n\n[sites]\n"})
    outcome = drilling(tmp_path / "backups", tmp_path / "out", profile=profile, planted=statements)
    assert (outcome.red, outcome.blocked, outcome.exit_code) == ({}, {}, 0), outcome.output


@pytest.mark.further
def test_an_entry_that_nothing_needs_any_more_is_a_fault(whole_set: Path, tmp_path: Path, drilling: Drilling) -> None:
    profile = profile_and(tmp_path, '[tolerated]\n"foreign server gone" = "was there once"')
    outcome = drilling(whole_set.parent, tmp_path / "out", profile=profile)
    assert outcome.red == {"RST-12": ["whole"]}, outcome.output
    assert "remove the entry" in outcome.result("RST-12").samples[0]
