"""Each FID control goes red on what was lost or added between source and restore, and no other does."""

from tests.support.met_faults import Fault
from tests.support.spoiled_sets import dump_again

PLANTED = {
    "FID-01": {
        "one row was lost": Fault(
            says="1677 rows where the source had 1678",
            subjects=("public.igny8_usage_days",),
            samples=("tenant=1 rows=-1",),
            blocked=("FID-04", "FID-05"),
            because="see FID-01",
            sql="DELETE FROM igny8_usage_days WHERE ctid = (SELECT min(ctid) FROM igny8_usage_days)",
            lost=True,
        ),
        "one row is twice there, under another key": Fault(
            says="1501 rows where the source had 1500",
            subjects=("public.igny8_AuditTrail",),
            samples=("tenant=1 rows=+1",),
            blocked=("FID-04", "FID-05"),
            because="see FID-01",
            sql="""
                INSERT INTO "igny8_AuditTrail" ("entryId", "tenantId", "actorId", action, details, "happenedAt")
                SELECT 0, "tenantId", "actorId", action, details, "happenedAt" FROM "igny8_AuditTrail"
                 WHERE "entryId" = (SELECT min("entryId") FROM "igny8_AuditTrail" WHERE "tenantId" = 1)
            """,
            lost=True,
        ),
        "a whole table is missing": Fault(
            says="the table is not there",
            subjects=("public.igny8_content_tags",),
            sql="DROP TABLE igny8_content_tags",
            lost=True,
            also={"FID-07": ("public.igny8_content_tags_id_seq",), "MIG-07": ("whole",)},
            blocked=("FID-04", "FID-05"),
            because="see FID-01",
        ),
    },
    "FID-02": {
        "a table is there that the source did not have": Fault(
            says="tables are not in the manifest",
            samples=("public.igny8_Guests",),
            sql='CREATE TABLE "igny8_Guests" (id int PRIMARY KEY, tenant_id bigint NOT NULL REFERENCES igny8_tenants)',
            lost=True,
        ),
    },
    "FID-03": {
        "large objects were left out": Fault(
            says="0 large objects where the source had ",
            in_set=lambda backup, healthy: dump_again(healthy, backup, "--no-blobs"),
            part="dump",
            arrives="SELECT lo_unlink(oid) FROM pg_largeobject_metadata",
            blocked=("FID-08",),
            because="see FID-03",
        ),
        "one large object is missing": Fault(
            says="large objects where the source had ",
            sql="SELECT lo_unlink(max(oid)) FROM pg_largeobject_metadata",
            blocked=("FID-08",),
            because="see FID-03",
            lost=True,
        ),
    },
}
