"""Each control on what stands in the rows, and on what surrounds them, goes red on its own fault, and no other does.

The dump holds the fault and the manifest does not: it was lost or altered between the source and the restored database."""

from pathlib import Path

from tests.support.drills import Healthy
from tests.support.met_faults import Fault
from tests.support.spoiled_sets import manifest_of, part, retell, sign


def tell_of_extension(name: str, version: str):
    """The source had the extension in this version, says the manifest."""

    def tell(backup: Path, _: Healthy) -> None:
        contents = manifest_of(backup).contents
        assert contents is not None
        retell(backup, contents=contents.model_copy(update={"extensions": {**contents.extensions, name: version}}))

    return tell


def let_the_application_make_databases(backup: Path, _: Healthy) -> None:
    """In the roles file, not in what the manifest says of the source's roles."""
    roles = part(backup, "roles")
    roles.write_text(roles.read_text().replace("NOCREATEDB", "CREATEDB", 1))
    sign(backup)


FINER = ("FID-04", "FID-05")
PLANTED = {
    "FID-04": {
        "a blank stands behind one keyword": Fault(
            says="as many rows as at the source, but not the same rows: those of 1 of 6 tenants differ",
            subjects=("public.igny8_keywords",),
            samples=("tenant=1",),
            sql="UPDATE igny8_keywords SET phrase = phrase || ' ' WHERE id = 7",
            lost=True,
            blocked=("FID-05",),
            because="see FID-04",
        ),
        "a moment is off by a microsecond, in a table that no tenant owns": Fault(
            says="as many rows as at the source, but not the same rows",
            subjects=("public.django_migrations",),
            sql="UPDATE django_migrations SET applied = applied + interval '1 microsecond' WHERE id = 1",
            lost=True,
        ),
        "one row is there twice and another is gone": Fault(
            says="as many rows as at the source, but not the same rows: those of 1 of 6 tenants differ",
            subjects=("public.igny8_AuditTrail",),
            samples=("tenant=1",),
            sql="""
                UPDATE "igny8_AuditTrail" t SET action = o.action, details = o.details, "actorId" = o."actorId",
                       "happenedAt" = o."happenedAt"
                  FROM "igny8_AuditTrail" o
                 WHERE t."entryId" = (SELECT max("entryId") FROM "igny8_AuditTrail" WHERE "tenantId" = 1)
                   AND o."entryId" = (SELECT min("entryId") FROM "igny8_AuditTrail" WHERE "tenantId" = 1)
            """,
            lost=True,
            blocked=("FID-05",),
            because="see FID-04",
        ),
        "two tenants have exchanged a row": Fault(
            says="those of 2 of 6 tenants differ",
            subjects=("public.igny8_AuditTrail",),
            samples=("tenant=1", "tenant=2"),
            broken=2,
            sql="""
                UPDATE "igny8_AuditTrail" SET "tenantId" = 3 - "tenantId" WHERE "entryId" IN
                (SELECT min("entryId") FROM "igny8_AuditTrail" WHERE "tenantId" IN (1, 2) GROUP BY "tenantId")
            """,
            lost=True,
            blocked=("FID-05",),
            because="see FID-04",
        ),
    },
    "FID-05": {
        "a row has become another tenant's": Fault(
            says="2 of 6 tenants have another number of rows than at the source",
            subjects=("public.igny8_AuditTrail",),
            samples=("tenant=1 rows=-1", "tenant=2 rows=+1"),
            broken=2,
            sql="""
                UPDATE "igny8_AuditTrail" SET "tenantId" = 2
                 WHERE "entryId" = (SELECT min("entryId") FROM "igny8_AuditTrail" WHERE "tenantId" = 1)
            """,
            lost=True,
            blocked=("FID-04",),
            because="see FID-05",
        ),
    },
    "FID-06": {
        "one cent more stands in a payment that failed": Fault(
            says="the sum over all rows differs from the source's",
            subjects=("public.igny8_payments.amount",),
            samples=("tenant=1 currency=USD difference=+0.010",),
            sql="""
                UPDATE igny8_payments SET amount = amount + 0.01 WHERE id =
                (SELECT min(id) FROM igny8_payments WHERE status <> 'succeeded' AND tenant_id = 1)
            """,
            lost=True,
            blocked=FINER,
            because="see FID-06",
        ),
        "a plan costs a cent less, in a table that no tenant owns": Fault(
            says="the sum over all rows differs from the source's",
            subjects=("public.igny8_plans.price",),
            samples=("currency=USD difference=-0.010",),
            sql="UPDATE igny8_plans SET price = price - 0.01 WHERE id = 1",
            lost=True,
            blocked=("FID-04",),
            because="see FID-06",
        ),
    },
    "FID-07": {
        "a sequence was drawn from": Fault(
            says="it stands at 100 where the source's stood at 6",
            subjects=("public.igny8_tenants_id_seq",),
            sql="SELECT setval('igny8_tenants_id_seq', 100)",
            lost=True,
        ),
        "a sequence that nobody drew from has been begun": Fault(
            says="it stands at 1 where the source's stood at 1, not drawn yet",
            subjects=("public.auth_group_id_seq",),
            sql="SELECT setval('auth_group_id_seq', 1)",
            lost=True,
        ),
    },
    "FID-08": {
        "one byte of one large object is another": Fault(
            says="as many large objects as at the source, but not the same content",
            sql=r"SELECT lo_put(min(oid), 0, '\xff') FROM pg_largeobject_metadata",
            lost=True,
        ),
        "a large object has grown, by zeros alone": Fault(
            says="as many large objects as at the source, but not the same content",
            sql=r"SELECT lo_put(min(oid), 5000, '\x00') FROM pg_largeobject_metadata",
            lost=True,
        ),
    },
    "FID-09": {
        "an extension is missing": Fault(
            says="1 of 4 extensions are not what the source had",
            samples=("hstore 1.8 is not there",),
            in_set=tell_of_extension("hstore", "1.8"),
            part="extensions",
        ),
        "an extension is older than the source's": Fault(
            says="1 of 3 extensions are not what the source had",
            samples=("citext is 1.6, older than the source's 1.10",),
            in_set=tell_of_extension("citext", "1.10"),
            part="extensions",
        ),
        "an extension came from elsewhere": Fault(
            says="1 of 3 extensions are not what the source had",
            samples=("unaccent was not at the source",),
            sql="CREATE EXTENSION unaccent",
            lost=True,
        ),
    },
    "FID-10": {
        "the source's library has moved on since its indexes were built": Fault(
            says="1 of 2 collations are not those that the source's text is sorted by",
            samples=("public.by_hand: the source's indexes were built with version 1.0, and its library is at none",),
            sql="""
                CREATE COLLATION by_hand (provider = libc, locale = 'C.UTF-8');
                ALTER TABLE igny8_plans ALTER name TYPE varchar(60) COLLATE by_hand;
                SET allow_system_table_mods = on;
                UPDATE pg_collation SET collversion = '1.0' WHERE collname = 'by_hand';
            """,
            arrives="""
                CREATE COLLATION by_hand (provider = libc, locale = 'C.UTF-8');
                ALTER TABLE igny8_plans ALTER name TYPE varchar(60) COLLATE by_hand;
            """,
        ),
    },
    "FID-12": {
        "an extension owns a table of ours": Fault(
            says="1 of 1 tables of extensions hold fewer rows than at the source",
            samples=("extension table public.igny8_rates",),
            sql="""
                CREATE TABLE igny8_rates (id int PRIMARY KEY);
                INSERT INTO igny8_rates VALUES (1), (2);
                ALTER EXTENSION pg_trgm ADD TABLE igny8_rates
            """,
            arrives="SELECT 1",
        ),
    },
    "FID-11": {
        "anybody may read a table": Fault(
            says="grants differ from the source's",
            subjects=("grants",),
            samples=("relation public.igny8_plans: gained public: SELECT",),
            sql="GRANT SELECT ON igny8_plans TO PUBLIC",
            lost=True,
        ),
        "one column may be written by the application's role": Fault(
            says="grants differ from the source's",
            subjects=("grants",),
            samples=("column public.django_migrations.name: was not at the source",),
            sql="GRANT UPDATE (name) ON django_migrations TO igny8_app",
            lost=True,
        ),
        "a view belongs to the application's role": Fault(
            says="grants differ from the source's",
            subjects=("grants",),
            samples=(
                "relation igny8_reports.site_content: lost owner igny8_owner, igny8_app: SELECT, "
                "igny8_owner: DELETE,INSERT,REFERENCES,SELECT,TRIGGER,TRUNCATE,UPDATE; "
                "gained owner igny8_app, igny8_app: DELETE,INSERT,REFERENCES,SELECT,TRIGGER,TRUNCATE,UPDATE",
            ),
            sql="""
                GRANT CREATE ON SCHEMA igny8_reports TO igny8_app;
                ALTER MATERIALIZED VIEW igny8_reports.site_content OWNER TO igny8_app;
                REVOKE CREATE ON SCHEMA igny8_reports FROM igny8_app
            """,
            lost=True,
        ),
        "a policy lets more through": Fault(
            says="1 of 2 policies differ from the source's",
            subjects=("policies",),
            samples=("public.igny8_invoices igny8_one_tenant: other conditions",),
            sql="""
                ALTER POLICY igny8_one_tenant ON igny8_invoices USING
                (tenant_id = NULLIF(pg_catalog.current_setting('igny8.tenant_id', true), '')::bigint OR total < 0)
            """,
            lost=True,
        ),
        "the application may make databases": Fault(
            says="1 of 3 roles differ from the source's",
            subjects=("roles",),
            samples=("igny8_app: gained CREATEDB",),
            in_set=let_the_application_make_databases,
            whole=True,
        ),
    },
}
