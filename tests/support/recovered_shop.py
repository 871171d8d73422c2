"""A shop of two tenants in a handful of tables: keys of every kind, shared rows, money, and a table without a key."""

from fixtures.profile import Profile

CANARY = "Zephyrine Quillfeather"
SCHEMA = f"""
CREATE TABLE countries (code text PRIMARY KEY);
CREATE TABLE people (email text PRIMARY KEY, country text REFERENCES countries);
CREATE TABLE tenants (id bigint PRIMARY KEY, name text);
CREATE TABLE sites (id bigint PRIMARY KEY, tenant bigint REFERENCES tenants, title text, partner bigint REFERENCES sites);
CREATE TABLE bills (id bigint PRIMARY KEY, site bigint REFERENCES sites, currency text, total numeric(14, 3));
CREATE TABLE lines (bill bigint REFERENCES bills, no int, amount numeric, PRIMARY KEY (bill, no));
CREATE TABLE visits (site bigint REFERENCES sites, at timestamptz);
CREATE TABLE members (tenant bigint REFERENCES tenants, person text REFERENCES people, PRIMARY KEY (tenant, person));
CREATE TABLE django_migrations (id int PRIMARY KEY, app text, name text);
INSERT INTO django_migrations VALUES (1, 'shop', '0001_initial');
INSERT INTO countries VALUES ('BE'), ('NL');
INSERT INTO people SELECT '{CANARY} ' || g, CASE g WHEN 1 THEN 'BE' ELSE 'NL' END FROM generate_series(1, 4) g;
INSERT INTO tenants VALUES (1, '{CANARY}'), (2, '{CANARY}');
INSERT INTO sites SELECT g, 1 + g % 2, '{CANARY}' FROM generate_series(1, 8) g;
INSERT INTO bills SELECT g, 1 + g % 8, CASE WHEN g % 3 = 0 THEN 'USD' ELSE 'EUR' END, g FROM generate_series(1, 80) g;
INSERT INTO lines SELECT g, n, g / 2.0 FROM generate_series(1, 80) g, generate_series(1, 2) n;
INSERT INTO visits SELECT 1 + g % 8, '2026-01-01' FROM generate_series(1, 40) g;
INSERT INTO members SELECT 1 + g % 2, '{CANARY} ' || g FROM generate_series(1, 4) g;
"""
PROFILE = Profile.model_validate(
    {
        "application": {"name": "shop", "environment": {}},
        "backup": {"required": ["dump"], "least_bytes": 1},
        "targets": {"rpo_hours": 26, "rto_minutes": 15},
        "tenancy": {
            "root": "tenants",
            "shared": {
                "countries": "ISO codes, the same for everyone",
                "people": "a person may belong to several tenants",
                "django_migrations": "the history of the schema",
            },
        },
        "money": [
            {"table": "bills", "columns": ["total"], "currency": "currency"},
            {"table": "lines", "columns": ["amount"]},
        ],
    }
)
"""Tenant 1's sites are those of even numbers."""
