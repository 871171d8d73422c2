"""What a healthy database may hold raises no alarm: each kind was called faulty once."""

from pathlib import Path

from tests.support.drills import LOADED_AS_WELL, Drilling, Healthy
from tests.support.short_drills import MIGRATED
from tests.support.spoiled_sets import profile_with

KINDS = """
    -- Regular expressions know no such collation.
    CREATE COLLATION kinds_ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
    CREATE TABLE kinds_contact (id bigint PRIMARY KEY, email varchar(254) COLLATE kinds_ci UNIQUE,
                                token varchar(100) COLLATE kinds_ci);
    INSERT INTO kinds_contact VALUES (1, 'Someone@example.org', '!');

    -- The owner's own rights are taken, and nobody else has any.
    CREATE TABLE kinds_audit (id bigint PRIMARY KEY, what text);
    ALTER TABLE kinds_audit OWNER TO igny8_owner;
    REVOKE UPDATE, DELETE, TRUNCATE ON kinds_audit FROM igny8_owner;
    INSERT INTO kinds_audit VALUES (1, 'made');

    -- Its constructors are in language internal.
    CREATE TYPE kinds_hours AS RANGE (subtype = time);
    CREATE TABLE kinds_open (id bigint PRIMARY KEY, hours kinds_hours);
    INSERT INTO kinds_open VALUES (1, '[09:00,17:00)');

    -- So is, by the catalogue, every aggregate.
    CREATE FUNCTION kinds_joined(text, text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT concat_ws(', ', $1, $2) $$;
    CREATE AGGREGATE kinds_listed (text) (SFUNC = kinds_joined, STYPE = text);

    -- The hash of an enumeration is another one on every cluster.
    CREATE TYPE kinds_mood AS ENUM ('a', 'b', 'c', 'd', 'e', 'f', 'g');
    CREATE TABLE kinds_dealt (mood kinds_mood, account_id bigint REFERENCES igny8_tenants, PRIMARY KEY (mood, account_id))
        PARTITION BY HASH (mood);
    CREATE TABLE kinds_dealt_0 PARTITION OF kinds_dealt FOR VALUES WITH (MODULUS 2, REMAINDER 0);
    CREATE TABLE kinds_dealt_1 PARTITION OF kinds_dealt FOR VALUES WITH (MODULUS 2, REMAINDER 1);
    INSERT INTO kinds_dealt SELECT mood, id FROM igny8_tenants, unnest(enum_range(NULL::kinds_mood)) AS mood;

    -- Nobody has filled it yet: the dump has no refresh of it.
    CREATE MATERIALIZED VIEW kinds_counted AS SELECT count(*) AS total FROM kinds_audit WITH NO DATA;

    CREATE FUNCTION kinds_reload() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN NOTIFY kinds; END $$;
    CREATE EVENT TRIGGER kinds_watch ON ddl_command_end EXECUTE FUNCTION kinds_reload();
"""
DECLARED = {
    "[tenancy.shared]": "[tenancy.shared]\n"
    + "\n".join(f'kinds_{table} = "the same for everybody"' for table in ("contact", "audit", "open")),
    "[sites]\n": '[tolerated]\n"event trigger kinds_watch" = "reloads the interface"\n\n[sites]\n',
}


@LOADED_AS_WELL
def test_what_a_healthy_database_may_hold_raises_no_alarm(healthy: Healthy, tmp_path: Path, drilling: Drilling) -> None:
    profile = profile_with(tmp_path, DECLARED)
    healthy.backup(tmp_path / "backups", KINDS, profile=profile)

    # A clone of the restored database deals its rows as that does: planted anew, it would deal them otherwise.
    outcome = drilling(tmp_path / "backups", tmp_path / "out", profile=profile, planted=KINDS, really=MIGRATED)

    assert (outcome.red, outcome.blocked) == ({}, {}), outcome.output
    assert outcome.result("RST-04").note == "1 of 2 were not populated at the source either"
    assert outcome.result("FID-05", "public.kinds_dealt_0").outcome == "passed"
