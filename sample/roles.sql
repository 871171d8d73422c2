-- The sample's two roles, which belong to the cluster and so to no migration.
-- igny8_owner owns the database and migrates it; igny8_app is whom the application connects as.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'igny8_owner') THEN
        CREATE ROLE igny8_owner LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'igny8_app') THEN
        CREATE ROLE igny8_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS;
    END IF;
END
$$;
