"""Each RST control goes red on its own fault, and no other does."""

from pathlib import Path

from tests.support.drills import Healthy
from tests.support.met_faults import WITHOUT_FACTS, WITHOUT_RESTORED, Fault
from tests.support.short_drills import LOADED
from tests.support.spoiled_sets import cut, dump_again, part, reword, sign

# What a dump without grants makes: each object's are its owner's alone.
WITHOUT_GRANTS = """
    DO $$ DECLARE schema name; BEGIN
        FOR schema IN SELECT nspname FROM pg_namespace WHERE nspname ~ '^(public|igny8)' LOOP
            EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA %I FROM igny8_app', schema);
            EXECUTE format('REVOKE ALL ON ALL SEQUENCES IN SCHEMA %I FROM igny8_app', schema);
            EXECUTE format('REVOKE ALL ON SCHEMA %I FROM igny8_app', schema);
        END LOOP;
    END $$
"""
USAGE_NUMBERS = "public.igny8_usage_logs_usage_no_seq"


def without_the_applications_role(backup: Path, _: Healthy) -> None:
    roles = part(backup, "roles")
    roles.write_text("".join(line for line in roles.read_text().splitlines(True) if "igny8_app" not in line))
    sign(backup)


PLANTED = {
    "RST-01": {
        "the dump is cut short": Fault(
            says="the dump is cut short or damaged",
            in_set=lambda backup, _: cut(backup, "dump", 0.7),
            part="dump",
            really=LOADED,
            blocked=WITHOUT_RESTORED,
            because="the dump is cut short or damaged",
        ),
        "a row points at nothing": Fault(
            says='violates foreign key constraint "igny8_content_author_id_',
            sql="""
                SET session_replication_role = replica;
                UPDATE igny8_content SET author_id = 987654 WHERE id = (SELECT max(id) FROM igny8_content)
            """,
            really=LOADED,
            blocked=WITHOUT_RESTORED,
            because="rows of the dump were refused",
        ),
    },
    "RST-02": {
        "an index is listed and never made": Fault(
            says="1 of 68 objects are not in the database",
            subjects=("index",),
            samples=("INDEX public.igny8_keyword_phrase_trgm",),
            in_set=lambda backup, _: reword(
                backup, "CREATE INDEX igny8_keyword_phrase_trgm", "--EATE INDEX igny8_keyword_phrase_trgm"
            ),
            part="dump",
            arrives="DROP INDEX igny8_keyword_phrase_trgm",
            also={"MIG-07": ("whole",)},
        ),
        "a trigger is listed and never made": Fault(
            says="1 of 1 objects are not in the database",
            subjects=("trigger",),
            samples=("TRIGGER public.igny8_content igny8_content_body_sha256",),
            in_set=lambda backup, _: reword(
                backup, "CREATE TRIGGER igny8_content_body_sha256", "--EATE TRIGGER igny8_content_body_sha256"
            ),
            part="dump",
            arrives="DROP TRIGGER igny8_content_body_sha256 ON igny8_content",
        ),
    },
    "RST-03": {
        "a constraint was never validated": Fault(
            says="constraints and indexes are not valid",
            samples=("public.igny8_plans no_plan_is_free",),
            sql="ALTER TABLE igny8_plans ADD CONSTRAINT no_plan_is_free CHECK (price < 0) NOT VALID",
        ),
    },
    "RST-04": {
        "a materialised view was emptied": Fault(
            says="1 of 1 materialised views are not populated",
            samples=("igny8_reports.site_content",),
            in_set=lambda backup, _: reword(
                backup, "REFRESH MATERIALIZED VIEW igny8_reports", "--FRESH MATERIALIZED VIEW igny8_reports"
            ),
            part="dump",
            arrives="REFRESH MATERIALIZED VIEW igny8_reports.site_content WITH NO DATA",
        ),
    },
    "RST-05": {
        "a trigger was left disabled": Fault(
            says="1 of 1 triggers are disabled",
            samples=("public.igny8_content igny8_content_body_sha256",),
            sql="ALTER TABLE igny8_content DISABLE TRIGGER igny8_content_body_sha256",
        ),
    },
    "RST-06": {
        "a sequence is far behind": Fault(
            says="its next value collides: it is ",
            subjects=(USAGE_NUMBERS,),
            sql=f"SELECT setval('{USAGE_NUMBERS}', 1)",
        ),
        "a sequence's last value was never handed out": Fault(
            says="its next value collides: it is the column's last",
            subjects=(USAGE_NUMBERS,),
            sql=f"SELECT setval('{USAGE_NUMBERS}', max(usage_no), false) FROM igny8_usage_logs",
        ),
        "a sequence that no column owns feeds one, and stands at its beginning": Fault(
            says="its next value collides: it is ",
            subjects=("public.igny8_tag_numbers",),
            sql="""
                CREATE SEQUENCE igny8_tag_numbers;
                ALTER SEQUENCE igny8_tag_numbers OWNER TO igny8_owner;
                ALTER TABLE igny8_tags ALTER id DROP IDENTITY;
                ALTER TABLE igny8_tags ALTER id SET DEFAULT nextval('igny8_tag_numbers')
            """,
            alone=True,
        ),
        "an identity has no value left": Fault(
            says="it has no value left to hand out",
            subjects=("public.igny8_tags_id_seq",),
            sql="""
                DO $$ BEGIN
                    EXECUTE 'ALTER TABLE igny8_tags ALTER id SET MAXVALUE ' || (SELECT max(id) FROM igny8_tags);
                    PERFORM setval('igny8_tags_id_seq', max(id)) FROM igny8_tags;
                END $$
            """,
        ),
    },
    "RST-07": {
        "the application's role is not in the set": Fault(
            says="roles and grants did not come back",
            samples=("role igny8_app was in no roles file",),
            in_set=without_the_applications_role,
            whole=True,
            blocked=("TEN-06", "TEN-12"),
            because="the application's role igny8_app cannot connect to the restored copy",
        ),
        "the dump was taken without grants": Fault(
            says="roles and grants did not come back",
            samples=("any grant to role igny8_app",),
            in_set=lambda backup, healthy: dump_again(healthy, backup, "--no-acl"),
            part="dump",
            arrives=WITHOUT_GRANTS,
            also={"FID-11": ("grants",)},
            blocked=("TEN-06", "TEN-12"),
            because="its grants were not restored",
        ),
    },
    "RST-08": {
        "nobody could wait that long": Fault(
            says="and the RTO is 600 ms", profile={"rto_minutes = 60": "rto_minutes = 0.01"}
        ),
    },
    "RST-09": {
        "the tables cannot be read in the time that they are given": Fault(
            says="could not be counted within the time limit",
            profile={"[sites]\n": "[limits]\nfacts = 0.000001\n\n[sites]\n"},
            blocked=WITHOUT_FACTS,
            because="could not be counted within the time limit",
        ),
    },
}
